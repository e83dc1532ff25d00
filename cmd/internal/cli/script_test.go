package cli

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the golden parts of the scripts anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"postscan": postscan})
}

// postscan is the program as the scripts run it: the real one, but for a fixed
// version and, where TEST_NOW is set, a fixed clock.
func postscan() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	now := time.Now
	if fixed, err := time.Parse(time.RFC3339, os.Getenv("TEST_NOW")); err == nil {
		now = func() time.Time { return fixed }
	}
	os.Exit(Main(ctx, Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Environ: os.Environ(), Now: now, Version: "v0.0.0-test",
	}))
}

// TestScripts tells the stories of testdata/script. Beside testscript's own
// commands they have
//
//	exits CODE COMMAND ARG...  runs a command that must end with this exit code
//
//	waits URL TEXT             waits until the page holds the text, half a minute
//
// and variables: PORT is a port that is free, REGISTRY is the address of a registry that holds the images
// that registry_test.go builds, BAD that of one with the images of
// badregistry_test.go.
func TestScripts(t *testing.T) {
	address, bad := startRegistry(t), startBadRegistry(t)
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("..", "..", "..", "testdata", "script"),
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("REGISTRY", address)
			env.Setenv("PORT", freePort(t))
			env.Setenv("BAD", bad+"/bad")
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("NO_PROXY", "*")
			env.Setenv("TEST_NOW", "2026-11-23T12:00:00Z")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"waits": waits,
		},
	})
}

// freePort is a port of loopback that nobody uses yet.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func waits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waits URL TEXT")
	}
	last := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		resp, err := http.Get(args[0])
		if err != nil {
			last = err.Error()
			continue
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close() // it was read
		if last = string(body); err == nil && strings.Contains(last, args[1]) {
			return
		}
	}
	ts.Fatalf("%s never held %q, but %s", args[0], args[1], last)
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}
