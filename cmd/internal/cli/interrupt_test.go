package cli

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/postscan/postscan/cmd/internal/demo"
)

// Ctrl-C ends a command with 130 wherever it is, and leaves nothing: no report
// and no part of one, no temporary file, no half database.
func TestInterrupt(t *testing.T) {
	for name, c := range map[string]struct {
		stop func(*http.Request) bool // the request that is not answered to its end
		args []string
	}{
		"registry never answers": {
			stop: func(*http.Request) bool { return true },
			args: []string{"image", "REGISTRY/team/app:1", "--offline", "--cache-dir", "cache"},
		},
		"in the middle of a layer": {
			stop: isBlob,
			args: []string{"image", "REGISTRY/team/app:1", "--offline", "--no-cache", "--platform", "linux/amd64"},
		},
		"in the middle of the database": {
			stop: isBlob,
			args: []string{"image", "REGISTRY/team/app:1", "--db-repository", "REGISTRY/trivy-db:2", "--db-dir", "db", "--cache-dir", "cache"},
		},
		"db update": {
			stop: isBlob,
			args: []string{"db", "update", "--db-repository", "REGISTRY/trivy-db:2", "--db-dir", "db"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			address, reached := stoppingRegistry(t, c.stop)
			dir := t.TempDir()
			tmp := filepath.Join(dir, "tmp")
			if err := os.Mkdir(tmp, 0o700); err != nil {
				t.Fatal(err)
			}
			args := strings.Fields(strings.ReplaceAll(strings.Join(c.args, " "), "REGISTRY", address))
			if c.args[0] == "image" {
				args = append(args, "-o", "json=report.json", "--facts-out", "app.facts")
			}
			cmd := exec.Command("postscan", args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "NO_PROXY=*", "HOME="+dir, "XDG_CACHE_HOME="+filepath.Join(dir, "home"), "TMPDIR="+tmp)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-reached
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // the exit code tells
			if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(stderr.String(), "interrupted") {
				t.Errorf("exit code %d, want 130; stderr:\n%s", code, stderr.String())
			}
			for _, left := range append(names(t, dir), names(t, tmp)...) {
				switch left {
				case "tmp", "cache", "home":
				case "db":
					for _, file := range names(t, filepath.Join(dir, "db")) {
						if file != ".lock" {
							t.Errorf("left behind: db/%s", file)
						}
					}
				default:
					t.Errorf("left behind: %s", left)
				}
			}
		})
	}
}

func isBlob(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/")
}

// stoppingRegistry starts a registry that stops in the middle of its answer to a
// request, and tells that it did. It holds team/app:1 and trivy-db:2.
func stoppingRegistry(t *testing.T, stop func(*http.Request) bool) (address string, reached <-chan struct{}) {
	t.Helper()
	paths, err := demo.Extract(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	good := registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)))
	var filled atomic.Bool
	stopped := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !filled.Load() || !stop(r) {
			good.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		good.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		if len(body) < 2048 && !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) && isBlob(r) {
			_, _ = w.Write(body) // a configuration, which is small
			return
		}
		if isBlob(r) {
			_, _ = w.Write(body[:len(body)/2])
			w.(http.Flusher).Flush()
		}
		select {
		case stopped <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	address = strings.TrimPrefix(server.URL, "http://")
	push(t, address+"/team/app:1", buildImage(t, v1.Config{User: "10001"}, map[string]string{"data": strings.Repeat("postscan ", 1000)}))
	push(t, address+"/trivy-db:2", databaseArtifact(t, paths.Database))
	filled.Store(true)
	return address, stopped
}

// An interrupt before anything happened is one too.
func TestInterruptedBeforeTheStart(t *testing.T) {
	saved, err := filepath.Abs("../../../testdata/reports/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"image", "127.0.0.1:1/team/app:1", "--offline", "-o", "json=r.json"}, {"report", "convert", saved, "-o", "json=r.json"}} {
		if r := runContext(ctx, t, nil, args...); r.code != exitInterrupted {
			t.Errorf("%v: exit code %d, want 130; stderr:\n%s", args, r.code, r.stderr)
		}
	}
	if left := names(t, "."); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// A scan whose time is over still tells what it saw, says that it is not all,
// and exits 1.
func TestTimeout(t *testing.T) {
	address, _ := stoppingRegistry(t, isBlob)
	t.Chdir(t.TempDir())
	r := run(t, []string{"NO_PROXY=*"}, "image", address+"/team/app:1", "--no-vulnerabilities", "--no-cache", "--platform", "linux/amd64",
		"--timeout", "300ms", "-o", "table", "-o", "json=report.json", "--facts-out", "app.facts")
	if r.code != exitFailed || !strings.Contains(r.stderr, "--timeout is over (300ms)") || !strings.Contains(r.stdout, "Incomplete: the scan was broken off") {
		t.Errorf("exit code %d; stderr:\n%s\nstdout:\n%s", r.code, r.stderr, r.stdout)
	}
	if rep := read(t, "report.json"); !strings.Contains(rep, `"complete":false`) {
		t.Errorf("the report does not say that it is incomplete:\n%.300s", rep)
	}
	if again := run(t, nil, "eval", "app.facts"); again.code != exitFailed || !strings.Contains(again.stdout, "Incomplete") {
		t.Errorf("the replay: exit code %d; stdout:\n%s%s", again.code, again.stdout, again.stderr)
	}
}
