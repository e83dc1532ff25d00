package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit/postgrestest"
)

// childEnv makes this test binary a worker on the database that it names, which
// the fault tests kill.
const childEnv = "POSTSCAN_TEST_AUDIT_WORKER"

// faultRounds bounds how often workers are killed.
const faultRounds = 8

// child works the queue until it is killed. Its scans find what the number of the
// run says, so that findings come and go.
func child(name string) error {
	s, err := Open(context.Background(), name, testOptions(time.Now))
	if err != nil {
		return err
	}
	defer s.Close()
	notifier := NewNotifier([]Channel{{Name: "log", File: &FileChannel{Path: os.Getenv(childEnv + "_LOG")}}, {Name: "hook", Webhook: &WebhookChannel{URLEnv: childEnv + "_HOOK"}}}, os.Getenv, nil)
	fmt.Println("ready")
	return s.Work(context.Background(), WorkOptions{
		Schedule: true, Send: notifier.Send, Drain: time.Second, Log: slog.New(slog.DiscardHandler), Parallel: map[string]int{"vm": 2},
		Scan: func(ctx context.Context, a *Audit) (*scanner.Report, error) {
			select {
			case <-time.After(time.Duration(rand.IntN(60)) * time.Millisecond):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			keys := []string{"always"}
			for i := range 200 {
				if rand.IntN(2) == 0 {
					keys = append(keys, "k"+strconv.Itoa(i))
				}
			}
			return report(keys...), nil
		},
	})
}

func testOptions(now func() time.Time) Options {
	return Options{
		Now: now, Lease: 30 * time.Second, Attempts: 1000, // a killed worker is not the run's fault, nor is a slow machine
		Encode: func(w io.Writer, r *scanner.Report) error { return json.NewEncoder(w).Encode(r) },
		Decode: func(r io.Reader) (*scanner.Report, error) {
			var rep scanner.Report
			return &rep, json.NewDecoder(r).Decode(&rep)
		},
	}
}

// TestKilledWorkers kills workers at random moments, and then checks the books.
func TestKilledWorkers(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killedWorkers(t, "sqlite:"+filepath.Join(t.TempDir(), "h.db")) })
	t.Run("postgres", func(t *testing.T) { killedWorkers(t, newPostgres(t)) })
}

// startWorker starts this test binary as a worker on the database, which it may kill.
// env are more variables for it, without the beginning of their names.
func startWorker(t *testing.T, name string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+name)
	for _, v := range env {
		cmd.Env = append(cmd.Env, childEnv+v)
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // the test may have done both
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("a worker did not start: %v", err)
	}
	return cmd
}

func killedWorkers(t *testing.T, name string) {
	s, err := Open(t.Context(), name, testOptions(time.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Configure(t.Context(), []Audit{{Name: "web", Target: TargetSpec{VM: &VMSpec{}}, Notify: []string{"log"}}}); err != nil {
		t.Fatal(err)
	}
	told := filepath.Join(t.TempDir(), "told.jsonl")
	random := rand.New(rand.NewPCG(1, 2))
	start := func() *exec.Cmd { return startWorker(t, name, "_LOG="+told) }
	asked := map[string]bool{}
	for range faultRounds {
		cmd := start()
		end := time.Now().Add(time.Duration(100+random.IntN(700)) * time.Millisecond)
		for time.Now().Before(end) {
			id, err := s.Enqueue(t.Context(), "web")
			if err != nil {
				t.Fatal(err)
			}
			asked[id] = true
			time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
		}
		_ = cmd.Process.Kill() // it may have ended, which Wait tells
		_ = cmd.Wait()
	}
	start()
	runs := settled(t, s)
	if len(runs) != len(asked) {
		t.Errorf("%d runs, asked for %d", len(runs), len(asked))
	}
	checkBooks(t, s, runs, told)
}

// settled waits until no run is queued or running, and nothing is unsent. It gives up
// where for minutes nothing goes on.
func settled(t *testing.T, s *Store) []Run {
	t.Helper()
	last, since := -1, time.Now()
	for ; ; time.Sleep(50 * time.Millisecond) {
		var g *Gauges
		if err := again(t.Context(), func() (err error) { g, err = s.Gauges(t.Context()); return err }); err != nil {
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
			t.Fatalf("for minutes there are %+v, %d unsent", g.Queued, g.Unsent)
		}
	}
	runs, err := s.Runs(t.Context(), "", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// checkBooks holds what the history says of runs, findings and notifications to
// each other: nothing half, nothing twice, nothing lost.
func checkBooks(t *testing.T, s *Store, runs []Run, file string) {
	t.Helper()
	changes := map[string]Counts{}
	standing := map[int64]string{}
	err := s.db.read(t.Context(), func(q querier) error {
		return each(t.Context(), q, func(r rows) error {
			var id int64
			var run, kind, from, to string
			if err := r.Scan(&id, &run, &kind, &from, &to); err != nil {
				return err
			}
			c := changes[run]
			was := standing[id]
			switch kind {
			case ChangeNew:
				c.New++
				standing[id] = "open"
				if was != "" {
					t.Errorf("finding %d is new twice", id)
				}
			case ChangeFixed:
				c.Fixed++
				standing[id] = "fixed"
				if was != "open" {
					t.Errorf("finding %d was fixed when it was %q", id, was)
				}
			case ChangeReopened:
				c.Reopened++
				standing[id] = "open"
				if was != "fixed" {
					t.Errorf("finding %d was reopened when it was %q", id, was)
				}
			}
			changes[run] = c
			return nil
		}, `SELECT finding, run, kind, from_value, to_value FROM change ORDER BY id`)
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range runs {
		run := &runs[i]
		got := changes[run.ID]
		switch {
		case run.State != Done:
			t.Errorf("run %s is %s: %s", run.ID, run.State, run.Reason)
			continue
		case got.New != run.Counts.New || got.Fixed != run.Counts.Fixed || got.Reopened != run.Counts.Reopened:
			t.Errorf("run %s counts %+v, its changes are %+v", run.ID, run.Counts, got)
		}
		if _, err := s.Report(t.Context(), run.ID); err != nil {
			t.Error(err)
		}
	}
	findings, _, err := s.Findings(t.Context(), Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	open := 0
	for i := range findings {
		if standing[findings[i].ID] != string(findings[i].Standing) {
			t.Errorf("finding %d is %s, its changes say %q", findings[i].ID, findings[i].Standing, standing[findings[i].ID])
		}
		if findings[i].Standing == StandingOpen {
			open++
		}
	}
	// The trend's last word is what is open.
	o, err := s.Overview(t.Context())
	if err != nil || o.Open["medium"] != open {
		t.Errorf("the overview counts %d open, the findings %d, %v", o.Open["medium"], open, err)
	}
	notified := told(t, file)
	for run, c := range changes {
		if c != (Counts{}) && notified[run+"/log"] != 1 {
			t.Errorf("the file tells %d times of run %s", notified[run+"/log"], run)
		}
	}
	if len(notified) != len(changes) {
		t.Errorf("%d notifications for %d runs that changed something", len(notified), len(changes))
	}
}

// TestBrokenConnections takes PostgreSQL away from workers that run: their
// connections end at random moments, and then the whole server does, which is started
// again. The workers live through it, and the books are right.
func TestBrokenConnections(t *testing.T) {
	postgrestest.Need(t)
	server, err := postgrestest.Start(t.Context()) // of its own: nobody else's connections end
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	name := server.Database(t)
	s, err := Open(t.Context(), name, testOptions(time.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Configure(t.Context(), []Audit{{Name: "web", Target: TargetSpec{VM: &VMSpec{}}, Notify: []string{"log"}}}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "told.jsonl")
	for range 2 {
		startWorker(t, name, "_LOG="+file)
	}
	random := rand.New(rand.NewPCG(5, 6))
	work := func(n int) {
		t.Helper()
		for range n {
			if err := again(t.Context(), func() error { _, err := s.Enqueue(t.Context(), "web"); return err }); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond) // any moment will do
		}
	}
	for range 12 {
		work(4)
		if err := again(t.Context(), func() error {
			return ask(name, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		work(6)
		if err := server.Crash(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	work(6)
	runs := settled(t, s)
	if len(runs) == 0 {
		t.Fatal("nothing was run")
	}
	checkBooks(t, s, runs, file)
}

// A worker is killed while a receiver has its notification and has not answered: the
// next one sends the same again, says that it does, and then nobody sends it any more.
func TestKilledWhileItSends(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killedWhileItSends(t, "sqlite:"+filepath.Join(t.TempDir(), "h.db")) })
	t.Run("postgres", func(t *testing.T) { killedWhileItSends(t, newPostgres(t)) })
}

func killedWhileItSends(t *testing.T, name string) {
	s, err := Open(t.Context(), name, testOptions(time.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Configure(t.Context(), []Audit{{Name: "web", Target: TargetSpec{VM: &VMSpec{}}, Notify: []string{"hook"}}}); err != nil {
		t.Fatal(err)
	}
	got := make(chan received, 99)
	var answers atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- received{r.Header.Clone(), b}
		if !answers.Load() {
			<-r.Context().Done() // who sent it is killed
		}
	}))
	defer srv.Close()
	if _, err := s.Enqueue(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	env := []string{"_HOOK=" + srv.URL, "_LOG="}
	const kills = 2
	var all []received
	for range kills {
		cmd := startWorker(t, name, env...)
		all = append(all, <-got)
		_ = cmd.Process.Kill() // it is there: it waits for an answer
		_ = cmd.Wait()
	}
	answers.Store(true)
	startWorker(t, name, env...)
	settled(t, s)
	for len(got) > 0 {
		all = append(all, <-got)
	}
	if len(all) != kills+1 {
		t.Errorf("it was sent %d times, for %d that were not answered", len(all), kills)
	}
	for i, r := range all {
		if key := r.header.Get("Idempotency-Key"); key == "" || key != all[0].header.Get("Idempotency-Key") || !bytes.Equal(r.body, all[0].body) {
			t.Errorf("attempt %d has the key %q and says\n%s", i, key, r.body)
		}
		if repeat := r.header.Get("Postscan-Repeat") == "true"; repeat != (i > 0) {
			t.Errorf("attempt %d says that it is a repetition: %t", i, repeat)
		}
	}
}

// TestThreeWorkers lets three processes share one PostgreSQL: each run is done once.
func TestThreeWorkers(t *testing.T) {
	name := newPostgres(t)
	s, err := Open(t.Context(), name, testOptions(time.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var audits []Audit
	for i := range 40 {
		audits = append(audits, Audit{Name: "a" + strconv.Itoa(i), Target: TargetSpec{VM: &VMSpec{}}})
	}
	if err := s.Configure(t.Context(), audits); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		startWorker(t, name, "_LOG="+filepath.Join(t.TempDir(), "told"))
	}
	for i := range audits {
		if _, err := s.Enqueue(t.Context(), audits[i].Name); err != nil {
			t.Fatal(err)
		}
	}
	runs := settled(t, s)
	if len(runs) != len(audits) {
		t.Errorf("%d runs, want %d", len(runs), len(audits))
	}
	workers := map[string]int{}
	for i := range runs {
		if runs[i].State != Done || runs[i].Attempt != 1 {
			t.Errorf("%+v", runs[i])
		}
		workers[runs[i].Worker]++
	}
	if len(workers) == 0 {
		t.Error("nobody worked")
	}
	t.Logf("runs by worker: %v", workers)
}
