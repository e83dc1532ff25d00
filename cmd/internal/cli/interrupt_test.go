package cli

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Ctrl-C ends a scan with 130 at any moment, and leaves neither a report nor a
// part of one.
func TestInterrupt(t *testing.T) {
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done() // a registry that never answers
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	cmd := exec.Command("postscan", "image", strings.TrimPrefix(server.URL, "http://")+"/team/app:1", "--offline",
		"-o", "json=report.json", "--facts-out", "app.facts", "--cache-dir", "cache")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_PROXY=*", "HOME="+dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit code tells
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit code %d, want 130; stderr:\n%s", code, stderr.String())
	}
	for _, name := range names(t, dir) {
		if strings.Contains(name, "report") || strings.Contains(name, "facts") {
			t.Errorf("left behind: %s", filepath.Join(dir, name))
		}
	}
}

// An interrupt before anything happened is one too.
func TestInterruptedBeforeTheStart(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := runContext(ctx, t, nil, "image", "127.0.0.1:1/x:1", "--offline", "-o", "json=r.json"); r.code != exitInterrupted {
		t.Errorf("exit code %d, want 130; stderr:\n%s", r.code, r.stderr)
	}
	if left := names(t, "."); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
