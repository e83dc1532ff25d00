package cli

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/postscan/postscan/cmd/internal/demo"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
	"github.com/postscan/postscan/scanner/audit/postgrestest"
	"github.com/postscan/postscan/scanner/report"
)

// shop is a registry on loopback with images that share layers, and a folder with
// settings that audit each of them.
type shop struct {
	dir    string
	audits []audit.Audit
	env    []string

	mu    sync.Mutex
	pulls map[string]int // questions for manifests by tag, by repository
}

// openShop fills it with n images, and their audits with more lines of settings.
func openShop(t *testing.T, n int, more string) *shop {
	t.Helper()
	s := &shop{dir: t.TempDir(), pulls: map[string]int{}}
	paths, err := demo.Extract(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	keeper := registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if repository, ok := strings.CutSuffix(r.URL.Path, "/manifests/1"); ok && r.Method != http.MethodPut {
			s.mu.Lock()
			s.pulls[repository]++
			s.mu.Unlock()
		}
		keeper.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	push(t, address+"/trivy-db:2", databaseArtifact(t, paths.Database))
	base := layoutImage(t, paths.Image)
	var settings bytes.Buffer
	fmt.Fprintf(&settings, "offline: true\ndb-dir: %s\ncache-dir: %s\naudits:\n", filepath.Join(s.dir, "db"), filepath.Join(s.dir, "cache"))
	for i := range n {
		own := buildImage(t, v1.Config{}, map[string]string{"srv/number": fmt.Sprintln(i), "root/.ssh/key": testKey()})
		layers, err := own.Layers()
		if err != nil {
			t.Fatal(err)
		}
		img, err := mutate.AppendLayers(base, layers...)
		if err != nil {
			t.Fatal(err)
		}
		ref := fmt.Sprintf("%s/shop/app-%03d:1", address, i)
		push(t, ref, img)
		fmt.Fprintf(&settings, "  - name: app-%03d\n    target: {image: {references: [%q]}}\n%s", i, ref, more)
	}
	fmt.Fprintf(&settings, "notifications:\n  - name: log\n    file: {path: %s}\n", filepath.Join(s.dir, "told.jsonl"))
	tmp := filepath.Join(s.dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	s.env = append(os.Environ(), "NO_PROXY=*", "HOME="+s.dir, "XDG_CACHE_HOME="+filepath.Join(s.dir, "home"), "TMPDIR="+tmp)
	update := exec.Command("postscan", "db", "update", "--db-repository", address+"/trivy-db:2", "--db-dir", filepath.Join(s.dir, "db"))
	update.Dir, update.Env = s.dir, s.env // before the settings, which are offline
	if out, err := update.CombinedOutput(); err != nil {
		t.Fatalf("db update: %v\n%s", err, out)
	}
	file := filepath.Join(s.dir, "postscan.yaml")
	if err := os.WriteFile(file, settings.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := audit.ReadConfig(settings.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	s.audits = c.Audits
	return s
}

// pulled is how often somebody asked for the manifest of an image.
func (s *shop) pulled(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pulls["/v2/shop/"+name]
}

// postscan is a command of the program with the shop's settings.
func (s *shop) postscan(args ...string) *exec.Cmd {
	cmd := exec.Command("postscan", append(args, "--config", filepath.Join(s.dir, "postscan.yaml"))...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// history opens the database, as the program does.
func history(t *testing.T, name string) *audit.Store {
	t.Helper()
	s, err := audit.Open(t.Context(), name, audit.Options{
		Encode: func(w io.Writer, r *scanner.Report) error { return report.JSON(w, r, report.Options{}) }, Decode: report.Read,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// process is a server or worker in a group of processes of its own.
type process struct {
	*exec.Cmd
	ended chan struct{} // is closed once it has
}

// start starts one, and waits until it works the queue.
func (s *shop) start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{s.postscan(args...), make(chan struct{})}
	words := &awaited{word: []byte("River client started"), said: make(chan struct{})}
	p.Stderr = words
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.Wait(); close(p.ended) }() // how it ends, its state tells
	t.Cleanup(p.kill)
	select {
	case <-words.said:
	case <-p.ended:
		t.Fatalf("%v ended: %s\n%s", args, p.ProcessState, words.text())
	}
	return p
}

// kill ends it at once, with all that it started.
func (p *process) kill() {
	_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL) // it may have ended
	<-p.ended
}

// awaited keeps what is written, and tells when a word was.
type awaited struct {
	word []byte
	said chan struct{}
	mu   sync.Mutex
	b    bytes.Buffer
	done bool
}

func (a *awaited) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, err := a.b.Write(p)
	if !a.done && bytes.Contains(a.b.Bytes(), a.word) {
		a.done = true
		close(a.said)
	}
	return n, err
}

func (a *awaited) text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.b.String()
}

// finished waits until nothing is queued, runs, or is to be told. It gives up where
// for minutes nothing goes on.
func finished(t *testing.T, s *audit.Store) []audit.Run {
	t.Helper()
	last, since := -1, time.Now()
	for ; ; time.Sleep(50 * time.Millisecond) {
		g, err := s.Gauges(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		left := g.Queued["queued"] + g.Queued["running"] + g.Unsent
		if left == 0 {
			break
		}
		if left != last {
			last, since = left, time.Now()
		}
		if time.Since(since) > 3*time.Minute {
			t.Fatalf("for minutes there are %v runs and %d notifications", g.Queued, g.Unsent)
		}
	}
	runs, err := s.Runs(t.Context(), "", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// Three workers share one PostgreSQL and scan two hundred images of one registry:
// each is scanned once, and every worker has its part. How long it takes is logged,
// beside what one worker takes for a part of them.
func TestThreeWorkersScanTwoHundredImages(t *testing.T) {
	postgrestest.Need(t)
	const images, alone = 200, 40
	server, err := postgrestest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	shop := openShop(t, images, "")
	database := server.Database(t)
	s := history(t, database)
	if err := s.Configure(t.Context(), shop.audits); err != nil {
		t.Fatal(err)
	}
	enqueue := func(n int) time.Time {
		t.Helper()
		for _, a := range shop.audits[:n] {
			if _, err := s.Enqueue(t.Context(), a.Name); err != nil {
				t.Fatal(err)
			}
		}
		return time.Now()
	}
	shop.start(t, "audit", "work", "--database", database)
	began := enqueue(alone)
	finished(t, s)
	single := time.Since(began) / alone
	pulls := shop.pulled("app-000") // by one scan
	for range 2 {
		shop.start(t, "audit", "work", "--database", database)
	}
	began = enqueue(images)
	runs := finished(t, s)
	three := time.Since(began) / images
	t.Logf("%d images by three workers: %s each, %s together; one worker takes %s each", images, three.Round(time.Millisecond), (three * images).Round(time.Second), single.Round(time.Millisecond))
	if len(runs) != images+alone {
		t.Errorf("%d runs, want %d", len(runs), images+alone)
	}
	workers, audits := map[string]int{}, map[string]int{}
	for i := range runs[:images] { // the latest
		r := &runs[i]
		if r.State != audit.Done || r.Attempt != 1 || !r.Complete || r.Counts.Critical+r.Counts.High == 0 {
			t.Errorf("%+v", r)
		}
		workers[r.Worker]++
		audits[r.Audit]++
	}
	if len(workers) != 3 {
		t.Errorf("%d workers took part: %v", len(workers), workers)
	}
	t.Logf("runs by worker: %v", workers)
	for i, a := range shop.audits {
		if audits[a.Name] != 1 {
			t.Errorf("%s was run %d times", a.Name, audits[a.Name])
		}
		if got := shop.pulled(a.Name); i >= alone && got != pulls || pulls == 0 {
			t.Errorf("the image of %s was asked for %d times, one scan asks %d times", a.Name, got, pulls)
		}
	}
}
