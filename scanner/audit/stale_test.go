package audit

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// stale are the stale targets by name, with the reason.
func stale(t *testing.T, s *Store) map[string]string {
	t.Helper()
	o, err := s.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, target := range o.Stale {
		out[target.Ref] = target.Reason
	}
	return out
}

// What was never scanned is stale, not clean.
func TestTheFirstRunFails(t *testing.T) { onBoth(t, testTheFirstRunFails) }

func testTheFirstRunFails(t *testing.T, s *Store, _ *clock) {
	for range 2 {
		run, err := s.Begin(t.Context(), "web", CauseDirect)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Fail(t.Context(), run.ID, errors.New("no such host")); err != nil {
			t.Fatal(err)
		}
		if got := stale(t, s); len(got) != 1 || got["web"] != "no such host" {
			t.Errorf("stale are %v", got)
		}
	}
	empty := report()
	empty.Run.Targets, empty.Run.Complete, empty.Run.Error = nil, false, "the time is over"
	if run := record(t, s, empty); run.Counts.Stale != 1 || stale(t, s)["web"] != "the time is over" {
		t.Errorf("a run that came to nothing: %+v, stale are %v", run.Counts, stale(t, s))
	}
	broken := report("a")
	broken.Run.Complete, broken.Run.Error = false, "broken off"
	if record(t, s, broken); len(stale(t, s)) != 1 || stale(t, s)["host"] != "broken off" {
		t.Errorf("stale are %v", stale(t, s))
	}
	record(t, s, report("a"))
	if got := stale(t, s); len(got) != 0 {
		t.Errorf("stale are %v", got)
	}
}

// A run that is broken off says nothing of the targets that it did not come to.
func TestABrokenOffRunLeavesOthersStale(t *testing.T) { onBoth(t, testBrokenOff) }

func testBrokenOff(t *testing.T, s *Store, _ *clock) {
	both := report("a")
	both.Run.Targets = append(both.Run.Targets, facts.Target{Kind: "vm", Ref: "other", Identity: "machine-2"})
	record(t, s, both)
	broken := report("a")
	broken.Run.Complete, broken.Run.Error = false, "the time is over"
	if run := record(t, s, broken); run.Counts.Stale != 2 {
		t.Errorf("%+v", run.Counts)
	}
	if got := stale(t, s); got["host"] == "" || got["other"] == "" {
		t.Errorf("stale are %v", got)
	}
	record(t, s, both)
	if got := stale(t, s); len(got) != 0 {
		t.Errorf("stale are %v", got)
	}
}

// An upload that never came is missed as one that comes no more, also where the
// clock was ahead when the last one came.
func TestAnUploadThatNeverCame(t *testing.T) { onBoth(t, testAnUploadThatNeverCame) }

func testAnUploadThatNeverCame(t *testing.T, s *Store, c *clock) {
	audits := []Audit{{Name: "far", Target: TargetSpec{Upload: &UploadSpec{Every: Duration(26 * time.Hour)}}}, {Name: "whenever", Target: TargetSpec{Upload: &UploadSpec{}}}}
	missed := func(after time.Duration, want int) {
		t.Helper()
		c.pass(after)
		if err := s.Configure(t.Context(), audits); err != nil { // as every start of a server does
			t.Fatal(err)
		}
		if err := s.StaleUploads(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := stale(t, s); len(got) != want {
			t.Errorf("%s: stale are %v, want %d", c.at, got, want)
		}
	}
	upload := func(rep *scanner.Report) {
		t.Helper()
		id, err := newID()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the answer got lost
			if run, err := s.Upload(t.Context(), "far", id, rep); err != nil || run.State != Done {
				t.Fatalf("%+v, %v", run, err)
			}
		}
		if _, err := s.Upload(t.Context(), "whenever", id, rep); !errors.Is(err, ErrUpload) {
			t.Errorf("an upload under the id of a run of another audit: %v", err)
		}
	}
	missed(0, 0)
	missed(25*time.Hour, 0)
	missed(2*time.Hour, 1)
	upload(report("a"))
	missed(25*time.Hour, 0)
	missed(2*time.Hour, 1)
	none := report()
	none.Run.Targets = nil
	upload(none) // there is nothing to scan any more, says who scans
	missed(25*time.Hour, 0)
	missed(2*time.Hour, 1)
	c.pass(24 * 365 * time.Hour)
	upload(report("a"))
	c.pass(-24 * 365 * time.Hour)
	missed(0, 0)
	missed(25*time.Hour, 0)
	missed(2*time.Hour, 1)
}

// A report that does not hold together is refused, and leaves nothing.
func TestAnUploadThatCannotBeStored(t *testing.T) { onBoth(t, testAnUploadThatCannotBeStored) }

func testAnUploadThatCannotBeStored(t *testing.T, s *Store, _ *clock) {
	if err := s.Configure(t.Context(), []Audit{{Name: "far", Target: TargetSpec{Upload: &UploadSpec{}}}}); err != nil {
		t.Fatal(err)
	}
	rep := report("a")
	rep.Findings[0].Target = "a stranger"
	id, err := newID()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Upload(t.Context(), "far", id, rep); !errors.Is(err, ErrUpload) {
		t.Errorf("%v", err)
	}
	if runs, err := s.Runs(t.Context(), "far", "", 0); err != nil || len(runs) != 0 {
		t.Errorf("%+v, %v", runs, err)
	}
	if run, err := s.Upload(t.Context(), "far", id, report("a")); err != nil || run.State != Done { // mended, under the same id
		t.Errorf("%+v, %v", run, err)
	}
}

// Servers start at once, with settings in different orders, and book at once.
func TestServersThatStartAtOnce(t *testing.T) {
	name := newPostgres(t)
	var audits []Audit
	for _, n := range []string{"a", "b", "c", "d", "e", "f"} {
		audits = append(audits, Audit{Name: n, Target: TargetSpec{Upload: &UploadSpec{Every: Duration(time.Hour)}}})
	}
	backward := slices.Clone(audits)
	slices.Reverse(backward)
	var wg sync.WaitGroup
	for _, order := range [][]Audit{audits, backward} {
		s, err := Open(t.Context(), name, testOptions(time.Now))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		wg.Go(func() {
			rep := report("a")
			for _, identity := range []string{"x", "y", "z"} {
				rep.Run.Targets = append(rep.Run.Targets, facts.Target{Kind: "vm", Ref: identity, Identity: identity})
			}
			for i := range 20 {
				if err := s.Configure(t.Context(), order); err != nil {
					t.Error(err)
				}
				id, err := newID()
				if err != nil {
					t.Error(err)
				}
				slices.Reverse(rep.Run.Targets) // reports name their targets in any order
				if _, err := s.Upload(t.Context(), order[i%len(order)].Name, id, rep); err != nil {
					t.Error(err)
				}
				if err := s.StaleUploads(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
