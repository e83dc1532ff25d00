package cli

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner/audit"
)

// muteShop is a folder, a database and the audits of so many images, one each, in a registry.
func muteShop(t *testing.T, registry *httptest.Server, images int) (*shop, string, *audit.Store, []audit.Audit) {
	t.Helper()
	dir := t.TempDir()
	var settings bytes.Buffer
	fmt.Fprintf(&settings, "offline: true\nno-vulnerabilities: true\naudits:\n")
	for i := range images {
		fmt.Fprintf(&settings, "  - name: app-%d\n    target: {image: {references: [%q]}}\n", i, strings.TrimPrefix(registry.URL, "http://")+fmt.Sprintf("/team/app-%d:1", i))
	}
	if err := os.WriteFile(filepath.Join(dir, "postscan.yaml"), settings.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := audit.ReadConfig(settings.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	database := "sqlite:" + filepath.Join(dir, "h.db")
	s := history(t, database)
	if err := s.Configure(t.Context(), c.Audits); err != nil {
		t.Fatal(err)
	}
	return &shop{dir: dir, env: append(os.Environ(), "NO_PROXY=*", "HOME="+dir, "XDG_CACHE_HOME="+filepath.Join(dir, "home"), "TMPDIR="+dir)}, database, s, c.Audits
}

// A worker scans as many images at once as it may, each within its memory; the
// others wait. Told to end, it gives back what does not end in time.
func TestWorkersAreBounded(t *testing.T) {
	const images, parallel = 5, 2
	var mu sync.Mutex
	asked := map[string]bool{}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if path, ok := strings.CutPrefix(r.URL.Path, "/v2/team/"); ok {
			name, _, _ := strings.Cut(path, "/")
			mu.Lock()
			asked[name] = true
			mu.Unlock()
			<-r.Context().Done() // it never answers
		}
	}))
	t.Cleanup(silent.Close)
	shop, database, s, audits := muteShop(t, silent, images)
	for range 2 { // asking again does not queue again
		for i := range audits {
			if _, err := s.Enqueue(t.Context(), audits[i].Name); err != nil {
				t.Fatal(err)
			}
		}
	}
	worker := shop.start(t, "audit", "work", "--database", database, "--parallel-scans", fmt.Sprintf("image=%d", parallel), "--scan-memory", "192MiB", "--drain", "1s")
	scanning := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(asked)
	}
	for scanning() < parallel {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(time.Second) // for one too many to come: where none does, this changes nothing
	if n := scanning(); n != parallel {
		t.Errorf("%d images are scanned at once, want %d", n, parallel)
	}
	g, err := s.Gauges(t.Context())
	if err != nil || g.Queued["running"] != parallel || g.Queued["queued"] != images-parallel {
		t.Errorf("%v, %v", g.Queued, err)
	}
	bounded := 0
	for _, stat := range members(t, worker.Process.Pid) {
		env, err := os.ReadFile(filepath.Join(filepath.Dir(stat), "environ"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(env, []byte("GOMEMLIMIT=201326592\x00")) {
			bounded++
		}
	}
	if bounded != parallel && runtime.GOOS == "linux" { // others have no /proc to look it up
		t.Errorf("%d scans have a bound on their memory, want %d", bounded, parallel)
	}
	if err := worker.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-worker.ended
	if left := members(t, worker.Process.Pid); len(left) > 0 {
		t.Errorf("scans go on: %v", left)
	}
	if g, err = s.Gauges(t.Context()); err != nil || g.Queued["running"] != 0 || g.Queued["queued"] != images {
		t.Errorf("after the worker's end: %v, %v", g.Queued, err)
	}
	if code := worker.ProcessState.ExitCode(); code != exitDone {
		t.Errorf("told to end, the worker ended with %d", code)
	}
}

// A scan that takes more memory than it may is ended, and its run says so.
func TestScanMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: other systems have no /proc to look a scan's memory up")
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(silent.Close)
	shop, database, s, audits := muteShop(t, silent, 1)
	id, err := s.Enqueue(t.Context(), audits[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	shop.start(t, "audit", "work", "--database", database, "--scan-memory", "4MiB") // less than the program itself
	for {
		runs, err := s.Runs(t.Context(), audits[0].Name, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(runs, func(r audit.Run) bool { return r.ID == id })
		if i >= 0 && runs[i].State != audit.Queued && runs[i].State != audit.Running {
			if runs[i].State != audit.Failed || !strings.Contains(runs[i].Reason, "--scan-memory") {
				t.Errorf("the run is %s: %s", runs[i].State, runs[i].Reason)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
