package audit

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit/postgrestest"
)

// next is where the schedule stands after a moment, over both changes of the clock.
func TestScheduleOverDaylightSaving(t *testing.T) {
	for _, c := range []struct{ zone, schedule, after, want string }{
		// Spring: 02:00 to 03:00 is skipped.
		{"Europe/Berlin", "30 2 * * *", "2027-03-27T12:00:00Z", "2027-03-28T01:30:00Z 2027-03-29T00:30:00Z"},
		{"Europe/Berlin", "0 3 * * *", "2027-03-27T12:00:00Z", "2027-03-28T01:00:00Z 2027-03-29T01:00:00Z"},
		{"Europe/Berlin", "30 * * * *", "2027-03-28T00:00:00Z", "2027-03-28T00:30:00Z 2027-03-28T01:30:00Z"},
		{"America/New_York", "30 2 * * *", "2027-03-13T12:00:00Z", "2027-03-14T07:30:00Z 2027-03-15T06:30:00Z"},
		// Autumn: 02:00 to 03:00 comes twice.
		{"Europe/Berlin", "30 2 * * *", "2027-10-30T12:00:00Z", "2027-10-31T00:30:00Z 2027-11-01T01:30:00Z"},
		{"Europe/Berlin", "30 * * * *", "2027-10-31T00:00:00Z", "2027-10-31T00:30:00Z 2027-10-31T01:30:00Z"},
		{"America/New_York", "30 1 * * *", "2027-11-06T12:00:00Z", "2027-11-07T05:30:00Z 2027-11-08T06:30:00Z"},
		{"", "0 3 * * *", "2027-03-28T00:00:00Z", "2027-03-28T03:00:00Z 2027-03-29T03:00:00Z"},
		{"Europe/Berlin", "@every 6h", "2027-03-28T00:00:00Z", "2027-03-28T06:00:00Z 2027-03-28T12:00:00Z"},
		{"Europe/Berlin", "0 0 29 2 *", "2026-11-23T00:00:00Z", "2028-02-28T23:00:00Z"},
	} {
		a := Audit{Schedule: c.schedule, TimeZone: c.zone}
		at, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		for want := range strings.SplitSeq(c.want, " ") {
			if at, err = a.next(at); err != nil || at.Format(time.RFC3339) != want {
				t.Errorf("%s %s after %s: %s, want %s, %v", c.schedule, c.zone, c.after, at.Format(time.RFC3339), want, err)
			}
		}
	}
}

func TestClockJumps(t *testing.T) { onBoth(t, testClockJumps) }

func testClockJumps(t *testing.T, s *Store, c *clock) {
	due := func() []Run {
		t.Helper()
		if err := s.Due(t.Context()); err != nil {
			t.Fatal(err)
		}
		// What waits is taken away, as by a worker.
		if err := s.db.write(t.Context(), func(x tx) error {
			_, err := x.exec(t.Context(), `UPDATE run SET state = 'failed', finished_at = queued_at WHERE state = 'queued'`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		runs, err := s.Runs(t.Context(), "web", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		return runs
	}
	c.pass(16 * time.Hour) // 04:00, past the 03:00 of the schedule
	if runs := due(); len(runs) != 1 {
		t.Fatalf("%d runs", len(runs))
	}
	c.pass(-2 * time.Hour) // the clock goes back to 02:00, and comes to 03:00 again
	due()
	c.pass(2 * time.Hour)
	if runs := due(); len(runs) != 1 {
		t.Errorf("the clock came to 03:00 twice: %d runs, want 1", len(runs))
	}
	c.pass(24 * 400 * time.Hour) // it goes far ahead, which runs once …
	if runs := due(); len(runs) != 2 {
		t.Errorf("%d runs, want 2", len(runs))
	}
	c.pass(-24 * 400 * time.Hour) // … and back: the schedule does not wait for a year
	due()
	for day := range 3 { // nor leaves it out what ran when the clock was ahead
		c.pass(24 * time.Hour)
		if runs := due(); len(runs) != 3+day {
			t.Errorf("%d days after the clock was put back: %d runs, want %d", day+1, len(runs), 3+day)
		}
	}
	c.pass(24 * time.Hour) // a day ahead: what is due then runs at once …
	if runs := due(); len(runs) != 6 {
		t.Errorf("%d runs, want 6", len(runs))
	}
	c.pass(-24 * time.Hour) // … and again at its time
	due()
	c.pass(24 * time.Hour)
	if runs := due(); len(runs) != 7 {
		t.Errorf("the clock was a day ahead: %d runs, want 7", len(runs))
	}
}

// Several servers look at one schedule at once.
func TestTwoServersRunAScheduleOnce(t *testing.T) {
	name := newPostgres(t)
	var mu sync.Mutex
	at := start
	o := testOptions(func() time.Time { mu.Lock(); defer mu.Unlock(); return at })
	var stores []*Store
	for range 3 {
		s, err := Open(t.Context(), name, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		stores = append(stores, s)
	}
	var audits []Audit
	for _, n := range []string{"a", "b", "c", "d"} {
		audits = append(audits, Audit{Name: n, Target: TargetSpec{VM: &VMSpec{}}, Schedule: "*/10 * * * *"})
	}
	if err := stores[0].Configure(t.Context(), audits); err != nil {
		t.Fatal(err)
	}
	const rounds = 15
	for range rounds {
		mu.Lock()
		at = at.Add(10 * time.Minute)
		mu.Unlock()
		var wg sync.WaitGroup
		for _, s := range stores {
			for range 2 {
				wg.Go(func() {
					if err := s.Due(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		if err := stores[0].db.write(t.Context(), func(x tx) error {
			n, err := x.exec(t.Context(), `UPDATE run SET state = 'failed', finished_at = queued_at WHERE state = 'queued'`)
			if n != int64(len(audits)) {
				t.Errorf("%d runs were queued for %d audits", n, len(audits))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	// Who asks at once for the same gets the same.
	ids := make([]string, 12)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			var err error
			if ids[i], err = stores[i%3].Enqueue(t.Context(), "a"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if slices.Sort(ids); ids[0] == "" || ids[0] != ids[len(ids)-1] {
		t.Errorf("several runs of one audit wait: %v", ids)
	}
}

func TestAWaiverEnds(t *testing.T) { onBoth(t, testAWaiverEnds) }

func testAWaiverEnds(t *testing.T, s *Store, c *clock) {
	if err := s.Configure(t.Context(), []Audit{{Name: "web", Target: TargetSpec{VM: &VMSpec{}}, Notify: []string{"log"}}}); err != nil {
		t.Fatal(err)
	}
	rep := report("a", "b")
	rep.Findings[0].Suppressed = &scanner.Suppression{By: "waiver", Reason: "known", Expiry: "2026-11-25"}
	record(t, s, rep)
	open := func() int {
		t.Helper()
		o, err := s.Overview(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return o.Open["medium"]
	}
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 1}, {59 * time.Hour, 1}, {2 * time.Hour, 2}, {time.Hour, 2}} { // it counts until the end of its day
		c.pass(step.pass)
		if err := s.EndWaivers(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := open(); n != step.want {
			t.Errorf("%s: %d open, want %d", c.at, n, step.want)
		}
	}
	var told []*Notification
	s.takeAll(t, func(n *Notification) { told = append(told, n) })
	if len(told) != 2 || told[1].Run != "" || told[1].Counts.Reopened != 1 || len(told[1].Changes) != 1 || told[1].Changes[0].Change != ChangeReopened {
		t.Errorf("notifications: %+v", told)
	}
	if d, err := s.Diff(t.Context(), "", start.Add(-time.Hour), start.Add(time.Hour)); err != nil || len(d.New) != 1 || len(d.Reopened) != 0 {
		t.Errorf("a finding that a waiver covered at once is told as new: %+v, %v", d, err)
	}
	// The next run finds it open, which is no news.
	if run := record(t, s, report("a", "b")); run.Counts.Reopened+run.Counts.New != 0 {
		t.Errorf("%+v", run.Counts)
	}
}

// takeAll takes every notification as a worker does, and books it as sent.
func (s *Store) takeAll(t *testing.T, fn func(*Notification)) {
	t.Helper()
	var keys []string
	err := s.db.read(t.Context(), func(q querier) error {
		return each(t.Context(), q, func(r rows) error {
			var key string
			err := r.Scan(&key)
			keys = append(keys, key)
			return err
		}, `SELECT key FROM notification WHERE sent_at IS NULL ORDER BY queued_at, key`)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		n, err := s.take(t.Context(), key)
		if err != nil || n == nil {
			t.Fatalf("take %s: %v, %v", key, n, err)
		}
		if _, err := s.take(t.Context(), key); !errors.Is(err, errTaken) {
			t.Errorf("a notification is taken twice: %v", err)
		}
		fn(n)
		if err := s.db.write(t.Context(), func(x tx) error { return s.sent(t.Context(), x, key) }); err != nil {
			t.Fatal(err)
		}
		if n, err := s.take(t.Context(), key); n != nil || err != nil {
			t.Errorf("a notification that was sent is taken: %v, %v", n, err)
		}
	}
}

func TestAnUploadThatDoesNotCome(t *testing.T) { onBoth(t, testAnUploadThatDoesNotCome) }

func testAnUploadThatDoesNotCome(t *testing.T, s *Store, c *clock) {
	if err := s.Configure(t.Context(), []Audit{{Name: "far", Target: TargetSpec{Upload: &UploadSpec{Every: Duration(26 * time.Hour)}}}}); err != nil {
		t.Fatal(err)
	}
	stale := func() bool {
		t.Helper()
		if err := s.StaleUploads(t.Context()); err != nil {
			t.Fatal(err)
		}
		targets, err := s.Targets(t.Context(), "far")
		if err != nil || len(targets) != 1 {
			t.Fatalf("%+v, %v", targets, err)
		}
		return !targets[0].Stale.IsZero()
	}
	upload := func() {
		t.Helper()
		id, err := newID()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Upload(t.Context(), "far", id, report("a")); err != nil {
			t.Fatal(err)
		}
	}
	upload()
	c.pass(25 * time.Hour)
	if stale() {
		t.Error("stale before its time")
	}
	c.pass(2 * time.Hour)
	if !stale() {
		t.Error("not stale after 27 hours of 26")
	}
	upload()
	if stale() {
		t.Error("stale though a report came")
	}
}

func TestRetentionByItself(t *testing.T) { onBoth(t, testRetentionByItself) }

func testRetentionByItself(t *testing.T, s *Store, c *clock) {
	if err := s.Configure(t.Context(), []Audit{{Name: "web", Target: TargetSpec{VM: &VMSpec{}}, Retention: Retention{Runs: 2}}}); err != nil {
		t.Fatal(err)
	}
	kept := func() int {
		t.Helper()
		if err := s.pruneDaily(t.Context()); err != nil {
			t.Fatal(err)
		}
		runs, err := s.Runs(t.Context(), "web", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		return len(runs)
	}
	kept()
	for range 5 {
		record(t, s, report("a"))
	}
	if n := kept(); n != 5 {
		t.Errorf("%d runs are kept within a day, want 5", n)
	}
	c.pass(25 * time.Hour)
	if n := kept(); n != 2 {
		t.Errorf("%d runs are kept after a day, want 2", n)
	}
}

func TestExportAndImport(t *testing.T) { onBoth(t, testExportAndImport) }

func testExportAndImport(t *testing.T, s *Store, c *clock) {
	if err := s.Configure(t.Context(), []Audit{{Name: "web", Target: TargetSpec{VM: &VMSpec{}}, Notify: []string{"ch"}}}); err != nil {
		t.Fatal(err)
	}
	record(t, s, report("a", "b"))
	s.takeAll(t, func(*Notification) {}) // sent
	c.pass(time.Hour)
	sending := record(t, s, report("b", "c"))
	if n, err := s.take(t.Context(), sending.ID+"/ch"); n == nil || err != nil {
		t.Fatal(n, err)
	}
	waiting := record(t, s, report("c"))
	unsent := map[string]bool{sending.ID + "/ch": true, waiting.ID + "/ch": false} // whether it may have arrived
	if _, err := s.Begin(t.Context(), "web", CauseDirect); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.NewToken(t.Context(), "secret-name", Viewer, "", 0); err != nil {
		t.Fatal(err)
	}
	var first bytes.Buffer
	if err := s.Export(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(first.String(), "secret-name") {
		t.Error("an export holds tokens")
	}
	if _, err := s.Import(t.Context(), bytes.NewReader(first.Bytes())); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("import over a history: %v", err)
	}
	// Into the other kind of database and from there on.
	names := map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "other.db")}
	if _, ok := s.db.(*sqlite); ok && postgrestest.Installed() {
		names["postgres"] = newPostgres(t)
	}
	for kind, name := range names {
		other, err := Open(t.Context(), name, testOptions(c.now))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(other.Close)
		for what, data := range map[string][]byte{"half": first.Bytes()[:first.Len()/2], "without its end": first.Bytes()[:bytes.LastIndexByte(first.Bytes()[:first.Len()-1], '\n')+1], "something else": []byte("{}\n")} {
			if _, err := other.Import(t.Context(), bytes.NewReader(data)); err == nil {
				t.Errorf("%s: an import of %s is taken", kind, what)
			}
		}
		n, err := other.Import(t.Context(), bytes.NewReader(first.Bytes()))
		if err != nil || n == 0 {
			t.Fatalf("%s: %d rows, %v", kind, n, err)
		}
		runs, err := other.Runs(t.Context(), "web", "", 0)
		if err != nil || len(runs) != 4 || runs[0].State != Failed || runs[0].Reason == "" {
			t.Fatalf("%s: %+v, %v", kind, runs, err)
		}
		if rep, err := other.Report(t.Context(), runs[2].ID); err != nil || len(rep.Findings) != 2 {
			t.Errorf("%s: %v", kind, err)
		}
		got := sendAll(t, other, len(unsent))
		for key, repeat := range unsent {
			if got[key] == nil || got[key].Repeat != repeat {
				t.Errorf("%s: %s was sent as %+v", kind, key, got[key])
			}
		}
		if len(got) != len(unsent) {
			t.Errorf("%s: sent were %v", kind, got)
		}
		if run := record(t, other, report("d")); run.Counts.New != 1 || run.Counts.Fixed != 1 {
			t.Errorf("%s: the next run: %+v", kind, run.Counts)
		}
	}
}

// sendAll works the queue until so many notifications were sent, and none is unsent.
func sendAll(t *testing.T, s *Store, n int) map[string]*Notification {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	sent, done := make(chan *Notification, 99), make(chan error, 1)
	go func() {
		done <- s.Work(ctx, WorkOptions{Drain: time.Minute, Send: func(_ context.Context, n *Notification) error { sent <- n; return nil }})
	}()
	out := map[string]*Notification{}
	for range n {
		m := <-sent
		out[m.Key] = m
	}
	settled(t, s)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for len(sent) > 0 {
		m := <-sent
		t.Errorf("%s was sent too", m.Key)
	}
	return out
}

// A worker that is told to end lets its scan end, or gives it back.
func TestDrain(t *testing.T) { onBoth(t, testDrain) }

func testDrain(t *testing.T, s *Store, _ *clock) {
	for _, c := range []struct {
		name  string
		scan  time.Duration
		drain time.Duration
		want  State
	}{{"short", 300 * time.Millisecond, time.Minute, Done}, {"long", time.Hour, 200 * time.Millisecond, Queued}} {
		id, err := s.Enqueue(t.Context(), "web")
		if err != nil {
			t.Fatal(err)
		}
		began := make(chan struct{}, 9)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- s.Work(ctx, WorkOptions{Drain: c.drain, Scan: func(ctx context.Context, _ *Audit) (*scanner.Report, error) {
				began <- struct{}{}
				select {
				case <-time.After(c.scan):
					return report("a"), nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}})
		}()
		<-began
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if run, err := s.Run(t.Context(), id); err != nil || run.State != c.want {
			t.Errorf("%s: the run is %+v, want %s, %v", c.name, run, c.want, err)
		}
	}
}

// A target that takes long, or for ever, does not keep those of other kinds waiting.
func TestASlowTargetDoesNotStarveOthers(t *testing.T) { onBoth(t, testSlowTarget) }

func testSlowTarget(t *testing.T, s *Store, _ *clock) {
	if err := s.Configure(t.Context(), []Audit{{Name: "slow", Target: TargetSpec{Registry: &RegistrySpec{}}}, {Name: "slow2", Target: TargetSpec{Registry: &RegistrySpec{}}}, {Name: "quick", Target: TargetSpec{VM: &VMSpec{}}}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	quick := make(chan struct{}, 100)
	slow := make(chan struct{}, 100)
	for _, n := range []string{"slow", "slow2"} {
		if _, err := s.Enqueue(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		done <- s.Work(ctx, WorkOptions{Drain: time.Millisecond, Scan: func(ctx context.Context, a *Audit) (*scanner.Report, error) {
			if a.Name == "quick" {
				quick <- struct{}{}
				return report("a"), nil
			}
			slow <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		}})
	}()
	<-slow
	for range 3 {
		if _, err := s.Enqueue(ctx, "quick"); err != nil {
			t.Fatal(err)
		}
		select {
		case <-quick:
		case <-time.After(3 * time.Minute):
			t.Fatal("the quick target waits for the slow one")
		}
	}
	if len(slow) != 0 {
		t.Error("two of a kind are scanned at once, with a bound of one")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) { onBoth(t, testANewerSchema) }

func testANewerSchema(t *testing.T, s *Store, _ *clock) {
	if err := s.db.write(t.Context(), func(x tx) error {
		_, err := x.exec(t.Context(), `INSERT INTO postscan_schema (version, applied_at) VALUES (99, 0)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), s.db); !errors.Is(err, errNewer) {
		t.Errorf("a newer database is opened: %v", err)
	}
}

// The job of a killed worker is running for River for ever: it must go once its
// work is done, and its notification must be sent by another.
func TestJobsOfKilledWorkers(t *testing.T) { onBoth(t, testJobsOfKilledWorkers) }

func testJobsOfKilledWorkers(t *testing.T, s *Store, c *clock) {
	if err := s.Configure(t.Context(), []Audit{{Name: "web", Target: TargetSpec{VM: &VMSpec{}}, Notify: []string{"log"}}}); err != nil {
		t.Fatal(err)
	}
	id, err := s.Enqueue(t.Context(), "web")
	if err != nil {
		t.Fatal(err)
	}
	killed := *s
	killed.worker = "another/machine/1/1"
	if ok, err := killed.claim(t.Context(), id); !ok || err != nil {
		t.Fatal(ok, err)
	}
	state := func(kind, state string) (n int) {
		t.Helper()
		err := s.db.read(t.Context(), func(q querier) error {
			_, err := one(t.Context(), q, []any{&n}, `SELECT COUNT(*) FROM river_job WHERE kind = $1 AND state = $2`, kind, state)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	stick := func(kind string) {
		t.Helper()
		if err := s.db.write(t.Context(), func(x tx) error {
			_, err := x.exec(t.Context(), `UPDATE river_job SET state = 'running' WHERE kind = $1`, kind)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	look := func() {
		t.Helper()
		if err := s.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	stick("scan")
	silence(t, s, c, 2*time.Minute)
	if old, fresh := state("scan", "running"), state("scan", "available"); old != 1 || fresh != 1 {
		t.Fatalf("%d jobs run, %d wait", old, fresh)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	tried := make(chan struct{}, 9)
	go func() {
		done <- s.Work(ctx, WorkOptions{Drain: 10 * time.Second, Scan: func(context.Context, *Audit) (*scanner.Report, error) { return report("a"), nil }, Send: func(context.Context, *Notification) error {
			tried <- struct{}{}
			return errors.New("nobody listens")
		}})
	}()
	<-tried
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	look()
	if n := state("scan", "running"); n != 0 {
		t.Errorf("%d jobs of killed workers are left", n)
	}
	if run, err := s.Run(t.Context(), id); err != nil || run.State != Done || run.Attempt != 2 {
		t.Errorf("%+v, %v", run, err)
	}
	// A notification whose worker is killed while it sends.
	if n, err := killed.take(t.Context(), id+"/log"); n == nil || err != nil {
		t.Fatal(n, err)
	}
	stick("notify")
	look()
	if n := state("notify", "available"); n != 0 {
		t.Errorf("%d jobs for a notification that is being sent", n)
	}
	silence(t, s, c, 10*time.Minute)
	if n := state("notify", "available"); n != 1 {
		t.Errorf("%d jobs for a notification whose worker is gone, want 1", n)
	}
	s.takeAll(t, func(*Notification) {})
	look()
	if n := state("notify", "running"); n != 0 {
		t.Errorf("%d jobs of a notification that was sent are left", n)
	}
}
