package audit

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { return c.pass(time.Millisecond) }

func (c *clock) pass(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return c.at
}

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// onBoth runs the test on a new database of each kind.
func onBoth(t *testing.T, test func(t *testing.T, s *Store, c *clock)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		c := &clock{at: start}
		test(t, open(t, c, "sqlite:"+filepath.Join(t.TempDir(), "h.db")), c)
	})
	t.Run("postgres", func(t *testing.T) {
		c := &clock{at: start}
		test(t, open(t, c, newPostgres(t)), c)
	})
}

// open opens a database and configures one audit.
func open(t *testing.T, c *clock, name string) *Store {
	t.Helper()
	s, err := Open(t.Context(), name, Options{
		Now:    c.now,
		Encode: func(w io.Writer, r *scanner.Report) error { return json.NewEncoder(w).Encode(r) },
		Decode: func(r io.Reader) (*scanner.Report, error) {
			var rep scanner.Report
			return &rep, json.NewDecoder(r).Decode(&rep)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Configure(t.Context(), []Audit{{Name: "web", Target: TargetSpec{VM: &VMSpec{}}, Schedule: "0 3 * * *"}}); err != nil {
		t.Fatal(err)
	}
	return s
}

// report makes a report on one target with a finding for each word.
func report(keys ...string) *scanner.Report {
	rule := &scanner.Rule{ID: "PS-VM-001", Title: "Secure Boot is off", Severity: scanner.SeverityMedium}
	r := &scanner.Report{
		Schema: scanner.ReportSchema,
		Run:    scanner.Run{Complete: true, Params: map[string]any{}, Targets: []facts.Target{{Kind: "vm", Ref: "host", Identity: "machine-1"}}},
		Checks: []scanner.CheckCount{{Rule: rule}},
	}
	for _, k := range keys {
		r.Findings = append(r.Findings, scanner.Finding{
			Rule: rule, Severity: rule.Severity, Target: "host", Resource: scanner.ResourceRef{Kind: facts.KindVM, ID: "host"},
			Message: "broken " + k, Key: k, Fingerprint: scanner.Fingerprint(rule.ID, "machine-1", "vm", k), Evidence: []scanner.Evidence{{Path: "x", Value: true}},
		})
	}
	return r
}

// record runs the audit once with the report.
func record(t *testing.T, s *Store, rep *scanner.Report) *Run {
	t.Helper()
	run, err := s.Begin(t.Context(), "web", CauseDirect)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Record(t.Context(), run.ID, rep); err != nil {
		t.Fatal(err)
	}
	if run, err = s.Run(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	return run
}

func TestHistoryOfFindings(t *testing.T) { onBoth(t, testHistoryOfFindings) }

func testHistoryOfFindings(t *testing.T, s *Store, _ *clock) {
	for i, step := range []struct {
		rep  *scanner.Report
		want Counts
	}{
		{report("a", "b"), Counts{Medium: 2, New: 2}},
		{report("a", "b"), Counts{Medium: 2}},
		{report("a"), Counts{Medium: 1, Fixed: 1}},
		{report("a", "b"), Counts{Medium: 2, Reopened: 1}},
		{report("a", "b", "b"), Counts{Medium: 3}},
	} {
		run := record(t, s, step.rep)
		if run.State != Done || run.Counts != step.want {
			t.Errorf("step %d: %s %+v, want %+v", i, run.State, run.Counts, step.want)
		}
	}
	runs, err := s.Runs(t.Context(), "web", "", 0)
	if err != nil || len(runs) != 5 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	rep, err := s.Report(t.Context(), runs[0].ID)
	if err != nil || len(rep.Findings) != 3 || len(rep.Run.Targets) != 1 {
		t.Errorf("the report of the last run: %+v, %v", rep, err)
	}
}

func TestWhatWasNotSeenIsNotFixed(t *testing.T) { onBoth(t, testWhatWasNotSeenIsNotFixed) }

func testWhatWasNotSeenIsNotFixed(t *testing.T, s *Store, _ *clock) {
	record(t, s, report("a"))

	broken := report()
	broken.Run.Complete, broken.Run.Error = false, "the time is over"
	if run := record(t, s, broken); run.Counts.Fixed != 0 || run.Counts.Stale != 1 {
		t.Errorf("a broken-off run: %+v", run.Counts)
	}
	gap := report()
	gap.Gaps = []scanner.GapEntry{{Check: "PS-VM-001", Target: "host", Status: facts.Unknown}}
	if run := record(t, s, gap); run.Counts.Fixed != 0 {
		t.Errorf("a check that saw nothing: %+v", run.Counts)
	}
	if run := record(t, s, report("a")); run.Counts.Reopened != 0 || run.Counts.New != 0 {
		t.Errorf("the same again: %+v", run.Counts)
	}
}

func TestALostRun(t *testing.T) { onBoth(t, testALostRun) }

func testALostRun(t *testing.T, s *Store, c *clock) {
	run, err := s.Begin(t.Context(), "web", CauseDirect)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if run, _ = s.Run(t.Context(), run.ID); run.State != Running {
		t.Fatalf("a living run is %s", run.State)
	}
	silence(t, s, c, 2*time.Minute)
	if run, _ = s.Run(t.Context(), run.ID); run.State != Failed || run.Reason == "" {
		t.Fatalf("a lost run is %+v", run)
	}
	if err := s.Record(t.Context(), run.ID, report("a")); !errors.Is(err, ErrLost) {
		t.Errorf("a lost run was recorded: %v", err)
	}
}

// silence lets time pass as a server does that looks all the while.
func silence(t *testing.T, s *Store, c *clock, d time.Duration) {
	t.Helper()
	for ; d >= 0; d -= scheduleStep {
		if err := s.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.pass(scheduleStep)
	}
}

// A worker of another machine is gone where it gives no sign of life while somebody
// looks: not where a clock jumps, where the clocks differ, or where nobody looked.
func TestSignsOfLife(t *testing.T) { onBoth(t, testSignsOfLife) }

func testSignsOfLife(t *testing.T, s *Store, c *clock) {
	far := *s
	far.worker = "another/machine/1/1"
	silence(t, s, c, time.Minute) // the server looks already
	c.pass(-time.Hour)            // the worker's clock is behind
	run, err := far.Begin(t.Context(), "web", CauseDirect)
	if err != nil {
		t.Fatal(err)
	}
	c.pass(time.Hour)
	state := func(want State, after string) {
		t.Helper()
		if run, err := s.Run(t.Context(), run.ID); err != nil || run.State != want {
			t.Errorf("after %s the run is %s, want %s: %s, %v", after, run.State, want, run.Reason, err)
		}
	}
	beat := func() {
		t.Helper()
		if err := far.beat(t.Context(), run.ID); err != nil {
			t.Fatal(err)
		}
	}
	silence(t, s, c, 30*time.Second)
	state(Running, "a start by a clock that is behind")
	beat()
	for _, jump := range []time.Duration{5 * time.Hour, -8 * time.Hour, 24 * 365 * time.Hour} {
		c.pass(jump)
		silence(t, s, c, 40*time.Second)
		state(Running, "a jump of the clock by "+jump.String())
		beat()
	}
	silence(t, s, c, 40*time.Second)
	state(Running, "less than its lease")
	silence(t, s, c, 40*time.Second)
	state(Failed, "more than its lease")
}

// A command looks once. It goes by the clocks, and leaves them ten minutes.
func TestOneLook(t *testing.T) { onBoth(t, testOneLook) }

func testOneLook(t *testing.T, s *Store, c *clock) {
	for _, step := range []struct {
		worker string
		after  time.Duration
		want   State
	}{
		{"another/machine/1/1", 5 * time.Minute, Running}, {"another/machine/1/1", 11 * time.Minute, Failed},
		{s.worker, 24 * time.Hour, Running},                  // this process lives
		{strings.TrimSuffix(s.worker, "0") + "7", 0, Failed}, // the same machine, a process that is gone
	} {
		other := *s
		other.worker = step.worker
		run, err := other.Begin(t.Context(), "web", CauseDirect)
		if err != nil {
			t.Fatal(err)
		}
		c.pass(step.after)
		command := *s
		command.signs = &signs{}
		if err := command.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if run, err = s.Run(t.Context(), run.ID); err != nil || run.State != step.want {
			t.Errorf("%s after %s: %s, want %s, %v", step.worker, step.after, run.State, step.want, err)
		}
	}
}

func TestScheduleAndQueue(t *testing.T) { onBoth(t, testScheduleAndQueue) }

func testScheduleAndQueue(t *testing.T, s *Store, c *clock) {
	c.pass(72 * time.Hour) // the machine slept: one run, not three
	for range 3 {
		if err := s.Due(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := s.Runs(t.Context(), "", "", 0)
	if err != nil || len(runs) != 1 || runs[0].State != Queued {
		t.Fatalf("%+v, %v", runs, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- s.Work(ctx, WorkOptions{Drain: time.Minute, Scan: func(context.Context, *Audit) (*scanner.Report, error) { return report("a"), nil }})
	}()
	settled(t, s)
	if runs, err = s.Runs(t.Context(), "", "", 0); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if runs[0].State != Done || runs[0].Counts.New != 1 {
		t.Errorf("%+v, %v", runs, err)
	}
}

func TestConfig(t *testing.T) {
	good := "fail-on: high\naudits:\n  - name: self\n    target: {vm: {root: /}}\n    schedule: \"0 3 * * *\"\n    timezone: Europe/Berlin\n"
	if c, err := ReadConfig([]byte(good)); err != nil || len(c.Audits) != 1 || c.Audits[0].Target.Kind() != "vm" {
		t.Errorf("%+v, %v", c, err)
	}
	for text, want := range map[string]string{
		"audits:\n  - name: a\n    target: {}\n":                                        "line 3: audit \"a\": its target is none of image",
		"x: 1\naudits:\n  - name: a\n    target: {vm: {}}\n    schedul: x\n":            "line 5: field schedul is not known",
		"audits:\n  - name: a\n    target: {vm: {}}\n    schedule: often\n":             "line 4: audit \"a\": its schedule",
		"audits:\n  - name: a\n    target: {vm: {}}\n    notify: [x]\n":                 "line 4: audit \"a\": no notification",
		"audits:\n  - name: a\n    target: {vm: {}}\n    schedule: \"0 0 31 2 *\"\n":    "never due",
		"audits:\n  - name: a\n    target: {vm: {}}\n  - name: a\n    target: {vm: {}}": "line 4: audit \"a\": needs a name of its own",
	} {
		if _, err := ReadConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestHistoryQueries(t *testing.T) { onBoth(t, testHistoryQueries) }

func testHistoryQueries(t *testing.T, s *Store, c *clock) {
	record(t, s, report("a", "b"))
	first := c.at
	c.pass(24 * time.Hour)
	record(t, s, report("b", "c"))

	d, err := s.Diff(t.Context(), "web", first, c.at)
	if err != nil || len(d.New) != 1 || d.New[0].Key != "c" || len(d.Fixed) != 1 || d.Fixed[0].Key != "a" || len(d.Reopened)+len(d.Changed) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
	list, next, err := s.Findings(t.Context(), Filter{Standing: StandingOpen, Limit: 1})
	if err != nil || len(list) != 1 || next == nil || list[0].Key != "b" || !list[0].LastSeen.After(list[0].FirstSeen) {
		t.Fatalf("%+v, %+v, %v", list, next, err)
	}
	if list, next, err = s.Findings(t.Context(), Filter{Standing: StandingOpen, After: next, Text: "BROKEN c", Severity: []scanner.Severity{scanner.SeverityMedium}}); err != nil || len(list) != 1 || next != nil || list[0].Key != "c" {
		t.Errorf("%+v, %+v, %v", list, next, err)
	}
	h, err := s.Finding(t.Context(), list[0].ID)
	if err != nil || len(h.Changes) != 1 || len(h.Evidence) != 1 || h.Rule.ID != "PS-VM-001" {
		t.Errorf("%+v, %v", h, err)
	}
	o, err := s.Overview(t.Context())
	if err != nil || o.Open["medium"] != 2 || len(o.Audits) != 1 || o.Audits[0].Last == nil || o.TimeToFix["medium"] < 23.9 || o.TimeToFix["medium"] > 24.1 {
		t.Errorf("%+v, %v", o, err)
	}
	points, err := s.Trend(t.Context(), "", start)
	if err != nil || len(points) != 2 || points[1].Open["medium"] != 2 {
		t.Errorf("%+v, %v", points, err)
	}
	p, err := s.Prune(t.Context(), []Audit{{Name: "web", Retention: Retention{Runs: 1}}})
	if err != nil || p != (Pruned{Runs: 1, Documents: 1}) {
		t.Errorf("%+v, %v", p, err)
	}
	if h, err = s.Finding(t.Context(), list[0].ID); err != nil || len(h.Evidence) != 1 {
		t.Errorf("after pruning: %+v, %v", h, err)
	}
}
