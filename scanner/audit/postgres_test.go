package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The tests of the history run on SQLite and on a real PostgreSQL, which the first
// of them starts, in a folder and on a port of its own.

var (
	postgresOnce sync.Once
	postgresDSN  string // without the name of the database
	postgresErr  error
	postgresStop = func() {}
	postgresNext atomic.Int64
)

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if err := child(name); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	postgresStop()
	os.Exit(code)
}

// newPostgres returns a new, empty database of the test's server. Without
// PostgreSQL it skips the test, or fails it in CI.
func newPostgres(t testing.TB) string {
	t.Helper()
	bin := postgresPrograms()
	if bin == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PostgreSQL is not there; .ci/packages installs it")
		}
		t.Skip("PostgreSQL is not there: apt-get install postgresql")
	}
	postgresOnce.Do(func() { postgresErr = startPostgres(bin) })
	if postgresErr != nil {
		t.Fatal(postgresErr)
	}
	name := fmt.Sprintf("t%d", postgresNext.Add(1))
	if err := ask(postgresDSN+"postgres", "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return postgresDSN + name
}

// postgresPrograms is the folder with the server's programs; empty where there is none.
func postgresPrograms() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well-formed
	slices.Sort(found)
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

// ask sends one statement to a server.
func ask(dsn, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, statement)
	return errors.Join(err, c.Close(ctx))
}

func startPostgres(bin string) error {
	dir, err := os.MkdirTemp("", "postscan-postgres-")
	if err != nil {
		return err
	}
	// The server refuses to run as root.
	var who *syscall.Credential
	if os.Getuid() == 0 {
		u, err := user.Lookup("nobody")
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(u.Uid) // numbers on every Unix
		gid, _ := strconv.Atoi(u.Gid)
		who = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return err
		}
	}
	attr := &syscall.SysProcAttr{Credential: who}
	data := filepath.Join(dir, "data")
	init := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postscan", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
	init.Dir, init.SysProcAttr = dir, attr
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	var log bytes.Buffer
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+dir, "-c", "fsync=off", "-c", "max_connections=200")
	server.Dir, server.SysProcAttr, server.Stdout, server.Stderr = dir, attr, &log, &log
	if err := server.Start(); err != nil {
		return err
	}
	postgresStop = func() {
		_ = server.Process.Signal(syscall.SIGINT) // ends it at once, in order
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	}
	postgresDSN = fmt.Sprintf("postgres://postscan@127.0.0.1:%d/", port)
	for end := time.Now().Add(30 * time.Second); ; {
		if err = ask(postgresDSN+"postgres", "SELECT 1"); err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("PostgreSQL did not start: %w\n%s", err, log.String())
		}
		time.Sleep(100 * time.Millisecond)
	}
}
