package audit

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
)

// Two runs of an audit end at once, and the one that began to book first is
// overtaken: the later word of the history is that of whoever wrote last.
func TestRunsThatEndAtOnce(t *testing.T) {
	c := &clock{at: start}
	s := open(t, c, newPostgres(t))
	begin := func() string {
		t.Helper()
		run, err := s.Begin(t.Context(), "web", CauseDirect)
		if err != nil {
			t.Fatal(err)
		}
		return run.ID
	}
	slow, fast := begin(), begin()
	locked, release, unlocked := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		unlocked <- s.db.write(t.Context(), func(x tx) error {
			_, err := x.exec(t.Context(), `SELECT 1 FROM run WHERE id = $1 FOR UPDATE`, slow)
			close(locked)
			<-release
			return err
		})
	}()
	<-locked
	ended := make(chan error, 1)
	go func() { ended <- s.Record(t.Context(), slow, report("a")) }()
	for waiting := 0; waiting == 0; {
		if err := s.db.read(t.Context(), func(q querier) error {
			_, err := one(t.Context(), q, []any{&waiting}, `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	c.pass(time.Second)
	if err := s.Record(t.Context(), fast, report("a", "b", "c")); err != nil {
		t.Fatal(err)
	}
	close(release)
	for _, done := range []chan error{unlocked, ended} {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	checkTimes(t, s)
	if run, err := s.Run(t.Context(), slow); err != nil || run.Counts != (Counts{Medium: 1, Fixed: 2}) {
		t.Errorf("the slow run: %+v, %v", run.Counts, err)
	}
}

// The clock is put back between runs, and between a run and the end of a waiver.
func TestBooksWhileTheClockGoesBack(t *testing.T) { onBoth(t, testBooksWhileTheClockGoesBack) }

func testBooksWhileTheClockGoesBack(t *testing.T, s *Store, c *clock) {
	record(t, s, report("a", "b"))
	c.pass(-time.Hour)
	record(t, s, report("b", "c"))
	checkTimes(t, s)
	c.pass(-time.Hour)
	rep := report("a", "b")
	rep.Findings[0].Suppressed = &scanner.Suppression{By: "waiver", Reason: "known", Expiry: "2026-11-24"}
	record(t, s, rep)
	checkTimes(t, s)
	c.pass(48 * time.Hour)
	if err := s.EndWaivers(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkTimes(t, s)
	c.pass(-20 * time.Hour) // still behind the end of the waiver
	record(t, s, report("c"))
	checkTimes(t, s)
	runs, err := s.Runs(t.Context(), "web", "", 0)
	if err != nil || len(runs) != 4 {
		t.Fatalf("%+v, %v", runs, err)
	}
	d, err := s.Diff(t.Context(), "web", runs[len(runs)-1].Finished, runs[0].Finished)
	if err != nil || len(d.New) != 1 || len(d.Fixed) != 2 || len(d.Reopened) != 0 {
		t.Errorf("between the first run and the last: %+v, %v", d, err)
	}
}

// A waiver may have ended before its finding was booked: the report lay about.
func TestAWaiverThatEndedBefore(t *testing.T) { onBoth(t, testAWaiverThatEndedBefore) }

func testAWaiverThatEndedBefore(t *testing.T, s *Store, _ *clock) {
	rep := report("a")
	rep.Findings[0].Suppressed = &scanner.Suppression{By: "waiver", Reason: "known", Expiry: "2026-11-20"}
	record(t, s, rep)
	if err := s.EndWaivers(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkTimes(t, s)
}

// A history that was written before it had books goes on behind what it holds.
func TestBooksOfAnOlderHistory(t *testing.T) {
	c := &clock{at: start}
	s := open(t, c, "sqlite:"+filepath.Join(t.TempDir(), "h.db"))
	record(t, s, report("a", "b"))
	var booked, after int64
	read := func(at *int64) {
		t.Helper()
		if err := s.db.read(t.Context(), func(q querier) error {
			_, err := one(t.Context(), q, []any{at}, `SELECT at FROM book WHERE audit = 'web'`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	read(&booked)
	text, err := schemaFiles.ReadFile("schema/0003_books.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.write(t.Context(), func(x tx) error {
		if _, err := x.exec(t.Context(), `DELETE FROM book`); err != nil {
			return err
		}
		for statement := range statements(string(text), s.db.words()) {
			if statement[:6] == "INSERT" {
				if _, err := x.exec(t.Context(), statement); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if read(&after); after != booked {
		t.Errorf("an older history is booked up to %d, want %d", after, booked)
	}
}

// checkTimes holds the times of the history to its order, and the last tally of each
// target to its findings.
func checkTimes(t *testing.T, s *Store) {
	t.Helper()
	type last struct{ id, at int64 }
	changed := map[int64]last{}
	err := s.db.read(t.Context(), func(q querier) error {
		err := each(t.Context(), q, func(r rows) error {
			var finding, id, at int64
			if err := r.Scan(&finding, &id, &at); err != nil {
				return err
			}
			if was := changed[finding]; at < was.at {
				t.Errorf("finding %d: change %d is of %s, change %d before it of %s", finding, id, moment(&at), was.id, moment(&was.at))
			}
			changed[finding] = last{id, at}
			return nil
		}, `SELECT finding, id, at FROM change ORDER BY id`)
		if err != nil {
			return err
		}
		err = each(t.Context(), q, func(r rows) error {
			var id, first int64
			var seen, fixed *int64
			if err := r.Scan(&id, &first, &seen, &fixed); err != nil {
				return err
			}
			if seen != nil && *seen < first || fixed != nil && (*fixed < first || seen != nil && *fixed < *seen) {
				t.Errorf("finding %d was first seen %s, last seen %s, fixed %s", id, moment(&first), moment(seen), moment(fixed))
			}
			return nil
		}, `SELECT f.id, f.first_seen, COALESCE(f.last_seen, t.seen_at), f.fixed_at FROM finding f JOIN target t ON t.id = f.target`)
		if err != nil {
			return err
		}
		return each(t.Context(), q, func(r rows) error {
			var target, severity int64
			var told, open int
			if err := r.Scan(&target, &severity, &told, &open); err != nil {
				return err
			}
			if told != open {
				t.Errorf("target %d: the last tally has %d open of severity %d, the findings are %d", target, told, severity, open)
			}
			return nil
		}, `SELECT y.target, y.severity, y.n, COALESCE((SELECT SUM(f.copies) FROM finding f WHERE f.target = y.target AND f.standing = 'open' AND f.severity = y.severity), 0)
			FROM tally y WHERE y.at = (SELECT MAX(at) FROM tally WHERE target = y.target)`)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The latest run is the one that ended last, whatever the clock said when it began,
// and whatever id an uploader gave it.
func TestTheLatestRun(t *testing.T) { onBoth(t, testTheLatestRun) }

func testTheLatestRun(t *testing.T, s *Store, c *clock) {
	audits := []Audit{{Name: "far", Target: TargetSpec{Upload: &UploadSpec{}}, Retention: Retention{Runs: 2}}}
	if err := s.Configure(t.Context(), audits); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i, id := range []string{"80000000-0000-4000-8000-000000000000", "f0000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000000", "70000000-0000-4000-8000-000000000000"} {
		if _, err := s.Upload(t.Context(), "far", id, report(strings.Repeat("a", i+1))); err != nil {
			t.Fatal(err)
		}
		c.pass(-time.Hour)
		want = append([]string{id}, want...)
		if o, err := s.Overview(t.Context()); err != nil || o.Audits[0].Last == nil || o.Audits[0].Last.ID != id {
			t.Errorf("the last run is %+v, want %s, %v", o.Audits[0].Last, id, err)
		}
	}
	list := func(before string, limit int) (ids []string) {
		t.Helper()
		runs, err := s.Runs(t.Context(), "", before, limit)
		if err != nil {
			t.Fatal(err)
		}
		for i := range runs {
			ids = append(ids, runs[i].ID)
		}
		return ids
	}
	if got := list("", 0); !slices.Equal(got, want) {
		t.Errorf("the runs are %v, want %v", got, want)
	}
	if got := slices.Concat(list("", 1), list(want[0], 2), list(want[2], 0)); !slices.Equal(got, want) {
		t.Errorf("page by page the runs are %v, want %v", got, want)
	}
	c.pass(24 * time.Hour)
	if _, err := s.Prune(t.Context(), audits); err != nil {
		t.Fatal(err)
	}
	if got := list("", 0); !slices.Equal(got, want[:2]) {
		t.Errorf("kept are %v, want %v", got, want[:2])
	}
}
