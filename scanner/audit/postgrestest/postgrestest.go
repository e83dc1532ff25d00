// Package postgrestest starts a real PostgreSQL on loopback for tests, from
// Debian's package.
package postgrestest

import (
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
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL with a folder and a port of its own. Its user is postscan,
// who needs no password.
type Server struct {
	bin, dir string
	port     int
	who      *syscall.Credential // nil: who runs the test
	process  *exec.Cmd
	log      *os.File
	next     atomic.Int64
}

// programs is the folder with the server's programs; empty where there is none.
func programs() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well-formed
	slices.Sort(found)
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

// Installed says whether PostgreSQL is there.
func Installed() bool { return programs() != "" }

// Need skips the test where PostgreSQL is not installed; where CI is true, it fails it.
func Need(t testing.TB) {
	t.Helper()
	if Installed() {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("PostgreSQL is not there; .ci/packages installs it")
	}
	t.Skip("PostgreSQL is not there: apt-get install postgresql")
}

// Start starts a server, which the caller stops; the context is for the start alone.
func Start(ctx context.Context) (_ *Server, err error) {
	s := &Server{bin: programs()}
	if s.dir, err = os.MkdirTemp("", "postscan-postgres-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if os.Getuid() == 0 { // the server refuses to run as root
		u, err := user.Lookup("nobody")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid) // numbers on every Unix
		gid, _ := strconv.Atoi(u.Gid)
		s.who = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} //nolint:gosec // ids are 32 bits
		if err := os.Chown(s.dir, uid, gid); err != nil {
			return nil, err
		}
	}
	init := s.command(ctx, "initdb", "-D", s.data(), "-U", "postscan", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if s.log, err = os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return nil, err
	}
	return s, s.run(ctx)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...) //nolint:gosec // one of PostgreSQL's programs
	cmd.Dir, cmd.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: s.who}
	return cmd
}

// startTime bounds how long the server may take to answer.
const startTime = 2 * time.Minute

// run starts the server and waits until it answers.
func (s *Server) run(ctx context.Context) error {
	s.process = s.command(context.WithoutCancel(ctx), "postgres", "-D", s.data(), "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+s.dir, "-c", "fsync=off", "-c", "max_connections=200")
	s.process.Stdout, s.process.Stderr = s.log, s.log
	if err := s.process.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		err := Ask(ctx, s.address("postgres"), "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			words, _ := os.ReadFile(s.log.Name()) // without them, the error stands alone
			return fmt.Errorf("PostgreSQL did not start: %w\n%s", err, words)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Crash ends every process of the server at once, as an immediate shutdown does:
// connections break, transactions are not ended. It then starts the server again.
func (s *Server) Crash(ctx context.Context) error {
	if err := s.process.Process.Signal(syscall.SIGQUIT); err != nil {
		return err
	}
	_ = s.process.Wait() // it says that it was killed
	return s.run(ctx)
}

// Stop ends the server and removes its folder.
func (s *Server) Stop() {
	if s.process != nil && s.process.Process != nil {
		_ = s.process.Process.Signal(syscall.SIGINT) // ends it at once, in order
		_ = s.process.Wait()
	}
	if s.log != nil {
		_ = s.log.Close() // nobody reads it any more
	}
	_ = os.RemoveAll(s.dir)
}

// Database makes a new, empty database and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("t%d", s.next.Add(1))
	if err := Ask(t.Context(), s.address("postgres"), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return s.address(name)
}

func (s *Server) address(name string) string {
	return fmt.Sprintf("postgres://postscan@127.0.0.1:%d/%s", s.port, name)
}

// Ask sends one statement to a database.
func Ask(ctx context.Context, address, statement string) error {
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, statement)
	return errors.Join(err, c.Close(ctx))
}
