package cli

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner/audit"
	"github.com/postscan/postscan/scanner/audit/postgrestest"
)

// killRounds bounds how often a server is killed.
const killRounds = 5

// A server is killed with all that it started, in the middle of runs, and started
// again. Nothing scans on, no run is half or lost, nothing counts twice.
func TestKilledServers(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killedServers(t, "sqlite:"+filepath.Join(t.TempDir(), "h.db")) })
	t.Run("postgres", func(t *testing.T) {
		postgrestest.Need(t)
		server, err := postgrestest.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Stop)
		killedServers(t, server.Database(t))
	})
}

func killedServers(t *testing.T, database string) {
	shop := openShop(t, 6, "    schedule: \"@every 1s\"\n    notify: [log]\n")
	s := history(t, database)
	random := rand.New(rand.NewPCG(3, 4))
	serve := []string{"audit", "serve", "--database", database, "--listen", "127.0.0.1:0", "--parallel-scans", "image=2"}
	for round := range killRounds {
		server := shop.start(t, serve...)
		running(t, s)
		time.Sleep(time.Duration(random.IntN(600)) * time.Millisecond) // any moment will do
		if round%2 == 0 {
			server.kill()
		} else {
			_ = server.Process.Kill() // it alone: its scans must end with it
			<-server.ended
		}
		for left := members(t, server.Process.Pid); len(left) > 0; left = members(t, server.Process.Pid) {
			time.Sleep(10 * time.Millisecond) // a scan that goes on holds the test up until its time is over
		}
	}
	// Told to end, a server ends its runs; a worker does what is queued still.
	server := shop.start(t, serve...)
	running(t, s)
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-server.ended
	if code := server.ProcessState.ExitCode(); code != exitDone {
		t.Errorf("told to end, the server ended with %d", code)
	}
	if g, err := s.Gauges(t.Context()); err != nil || g.Queued["running"] != 0 {
		t.Errorf("the server has drained, and there are %v, %v", g.Queued, err)
	}
	shop.start(t, "audit", "work", "--database", database)
	runs := finished(t, s)
	changed := checkRuns(t, s, runs)
	checkFindings(t, s)
	checkTold(t, filepath.Join(shop.dir, "told.jsonl"), changed)
}

// running waits until a run goes on.
func running(t *testing.T, s *audit.Store) {
	t.Helper()
	for ; ; time.Sleep(5 * time.Millisecond) {
		g, err := s.Gauges(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if g.Queued["running"] > 0 {
			return
		}
	}
}

// members are the processes of a group that have not ended.
func members(t *testing.T, group int) []string {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended meanwhile
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); len(f) > 2 && f[2] == strconv.Itoa(group) && f[0] != "Z" && f[0] != "X" {
			out = append(out, name)
		}
	}
	return out
}

// checkRuns holds every run to its end, and returns those that changed something.
func checkRuns(t *testing.T, s *audit.Store, runs []audit.Run) map[string]bool {
	t.Helper()
	changed := map[string]bool{}
	states := map[audit.State]int{}
	for i := range runs {
		r := &runs[i]
		states[r.State]++
		_, err := s.Report(t.Context(), r.ID)
		switch {
		case r.State == audit.Done && err != nil:
			t.Errorf("the run %s has no report: %v", r.ID, err)
		case r.State == audit.Failed && (r.Reason == "" || err == nil):
			t.Errorf("a failed run: %+v, %v", r, err)
		case r.State != audit.Done && r.State != audit.Failed:
			t.Errorf("the run %s is %s", r.ID, r.State)
		}
		if c := r.Counts; c.New+c.Fixed+c.Reopened+c.Changed > 0 {
			changed[r.ID] = true
		}
	}
	t.Logf("runs by state: %v", states)
	if states[audit.Done] == 0 || len(changed) == 0 {
		t.Errorf("the runs are %v, %d of them changed something", states, len(changed))
	}
	return changed
}

// checkFindings holds findings to what happened to them, and to what is counted.
func checkFindings(t *testing.T, s *audit.Store) {
	t.Helper()
	open := map[string]int{}
	for filter := (audit.Filter{Limit: 1000}); ; {
		list, next, err := s.Findings(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			f, err := s.Finding(t.Context(), list[i].ID)
			if err != nil {
				t.Fatal(err)
			}
			// The images do not change.
			if f.Standing != audit.StandingOpen || len(f.Changes) != 1 || f.Changes[0].Kind != audit.ChangeNew || len(f.Evidence) != f.Copies {
				t.Errorf("finding %d is %s, with %d copies and %d in the report: %+v", f.ID, f.Standing, f.Copies, len(f.Evidence), f.Changes)
			}
			open[f.Severity.String()] += f.Copies
		}
		if next == nil {
			break
		}
		filter.After = next
	}
	o, err := s.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for severity, n := range o.Open {
		if n != open[severity] {
			t.Errorf("the overview counts %d %s, the findings are %d", n, severity, open[severity])
		}
	}
	if len(open) == 0 {
		t.Error("no scan found anything")
	}
}

// checkTold holds the file of notifications to one whole line for each run that
// changed something.
func checkTold(t *testing.T, name string, changed map[string]bool) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for line := range strings.Lines(string(b)) {
		var n audit.Notification
		if err := json.Unmarshal([]byte(line), &n); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		times[n.Run]++
	}
	for run := range changed {
		if times[run] != 1 {
			t.Errorf("of the run %s was told %d times", run, times[run])
		}
	}
	if len(times) != len(changed) {
		t.Errorf("told was of %d runs, %d changed something", len(times), len(changed))
	}
}
