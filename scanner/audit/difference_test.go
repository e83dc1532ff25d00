package audit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// state is where one finding stands after a run, as the test knows it.
type state struct {
	open     bool
	there    bool // fixed where it is not
	severity scanner.Severity
}

// Whatever happened in between: a difference is what the findings' states at its two
// ends say.
func TestDiffIsWhatTheStatesSay(t *testing.T) { onBoth(t, testDiffIsWhatTheStatesSay) }

func testDiffIsWhatTheStatesSay(t *testing.T, s *Store, c *clock) {
	random := rand.New(rand.NewPCG(7, 11)) // the same runs every time
	words := strings.Split("abcdefghijkl", "")
	known := map[string]bool{}
	var states []map[string]state // after each run
	var times []time.Time
	for range 12 {
		now := map[string]state{}
		var some []string
		for _, w := range words {
			if random.IntN(3) > 0 {
				some = append(some, w)
				known[w] = true
			} else if known[w] {
				now[w] = state{}
			}
		}
		rep := report(some...)
		for i := range rep.Findings {
			f := &rep.Findings[i]
			if random.IntN(4) == 0 {
				f.Severity = scanner.SeverityHigh
			}
			if random.IntN(3) == 0 {
				f.Suppressed = &scanner.Suppression{By: "waiver", Reason: "known"}
			}
			now[f.Key] = state{f.Suppressed == nil, true, f.Severity}
		}
		record(t, s, rep)
		states, times = append(states, now), append(times, c.at)
		c.pass(time.Hour)
	}
	keys := func(list []Finding) []string {
		out := []string{}
		for i := range list {
			out = append(out, list[i].Key)
		}
		slices.Sort(out)
		return out
	}
	for from := range states {
		for to := from + 1; to < len(states); to++ {
			want := map[string][]string{"new": {}, "fixed": {}, "reopened": {}}
			for _, w := range words {
				before, was := states[from][w]
				after, is := states[to][w]
				switch {
				case !is:
				case !was && after.open:
					want["new"] = append(want["new"], w)
				case was && before.open && !after.there:
					want["fixed"] = append(want["fixed"], w)
				case was && !before.open && after.open:
					want["reopened"] = append(want["reopened"], w)
				}
			}
			for name, ask := range map[string]func() (*Difference, error){
				"diff":   func() (*Difference, error) { return s.Diff(t.Context(), "web", times[from], times[to]) },
				"latest": func() (*Difference, error) { return s.Latest(t.Context(), "", times[from], times[to], 100_000) },
			} {
				d, err := ask()
				if err != nil || d.More {
					t.Fatal(d, err)
				}
				got := map[string][]string{"new": keys(d.New), "fixed": keys(d.Fixed), "reopened": keys(d.Reopened)}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("%s from run %d to %d: %v, want %v", name, from, to, got, want)
				}
			}
		}
	}
	d, err := s.Latest(t.Context(), "web", start, c.at, 3)
	if err != nil || !d.More || len(d.New)+len(d.Fixed)+len(d.Reopened)+len(d.Changed) > 3 {
		t.Errorf("the three latest changes: %+v, %v", d, err)
	}
}

// A search finds what a comparison of every finding would find, on both databases.
func TestSearch(t *testing.T) { onBoth(t, testSearch) }

func testSearch(t *testing.T, s *Store, _ *clock) {
	texts := []string{"OpenSSL 1.1", "openssl-libs", `100% of "it"`, "a_b", "axb", `back\slash`, "ümlaut", "ÜMLAUT", "日本語テキスト", "x", "AND OR NOT", "*"}
	record(t, s, report(texts...))
	search := func(text string) []string {
		t.Helper()
		list, _, err := s.Findings(t.Context(), Filter{Text: text})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		out := []string{}
		for i := range list {
			out = append(out, list[i].Key)
		}
		slices.Sort(out)
		return out
	}
	lower := func(s string) string { // ASCII letters alone
		return strings.Map(func(r rune) rune {
			if 'A' <= r && r <= 'Z' {
				return r + 'a' - 'A'
			}
			return r
		}, s)
	}
	for _, text := range []string{"openssl", "OPENSSL", "ssl 1", "%", "100%", `"it"`, `"`, "_b", "a_b", `\`, `k\s`, "mlaut", "ümlaut", "ÜM", "日本語", "語テキ", "x", "and or", "AND", "*", "ps-vm-001", "nowhere to be found", "vm-00", "broken "} {
		want := []string{}
		for _, w := range texts {
			if strings.Contains(lower("broken "+w), lower(text)) || strings.Contains(lower("PS-VM-001"), lower(text)) {
				want = append(want, w)
			}
		}
		slices.Sort(want)
		if got := search(text); !slices.Equal(got, want) {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	changed := report("a")
	changed.Findings[0].Message = "another message altogether"
	record(t, s, report("a"))
	record(t, s, changed)
	if got := search("broken a"); slices.Contains(got, "a") {
		t.Error("the message of before is still found")
	}
	if got := search("altogether"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("the message of now finds %q", got)
	}
}

// A database that was filled before there was an index of texts is searched too.
func TestSearchIndexOfAnOlderDatabase(t *testing.T) { onBoth(t, testSearchIndexOfAnOlderDatabase) }

func testSearchIndexOfAnOlderDatabase(t *testing.T, s *Store, _ *clock) {
	record(t, s, report("openssl", "curl"))
	undo := []string{`DROP INDEX finding_text`}
	if _, ok := s.db.(*sqlite); ok {
		undo = []string{`DROP TRIGGER finding_text_insert`, `DROP TRIGGER finding_text_update`, `DROP TRIGGER finding_text_delete`, `DROP TABLE finding_text`}
	}
	undo = append(undo, `DROP INDEX change_by_kind`, `CREATE INDEX change_by_time ON change (at)`)
	text, err := schemaFiles.ReadFile("schema/0002_search.sql")
	if err != nil {
		t.Fatal(err)
	}
	err = s.db.write(t.Context(), func(x tx) error {
		for _, statement := range slices.AppendSeq(undo, statements(string(text), s.db.words())) {
			if _, err := x.exec(t.Context(), statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if list, _, err := s.Findings(t.Context(), Filter{Text: "openssl"}); err != nil || len(list) != 1 {
		t.Errorf("%d findings, %v", len(list), err)
	}
}

// PostgreSQL without the right to add an extension is used without the index.
func TestSearchWithoutTheExtension(t *testing.T) {
	dsn := newPostgres(t)
	name := dsn[strings.LastIndex(dsn, "/")+1:]
	owner, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = owner.Exec(t.Context(), `CREATE ROLE `+name+` LOGIN; REVOKE CREATE ON DATABASE `+name+` FROM PUBLIC; GRANT ALL ON SCHEMA public TO `+name)
	if err := errors.Join(err, owner.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	c := &clock{at: start}
	s := open(t, c, strings.Replace(dsn, "postscan@", name+"@", 1))
	record(t, s, report("openssl", "curl"))
	var n int
	if err := s.db.(*postgres).pool.QueryRow(t.Context(), `SELECT COUNT(*) FROM pg_extension WHERE extname = 'pg_trgm'`).Scan(&n); err != nil || n != 0 {
		t.Fatalf("the extension is there (%d, %v): the test shows nothing", n, err)
	}
	if list, _, err := s.Findings(t.Context(), Filter{Text: "OpenSSL"}); err != nil || len(list) != 1 {
		t.Errorf("%d findings, %v", len(list), err)
	}
}

// The report of a difference has what each report has, and says how each finding changed.
func TestDifferenceReport(t *testing.T) { onBoth(t, testDifferenceReport) }

func testDifferenceReport(t *testing.T, s *Store, c *clock) {
	record(t, s, report("stays", "fixed", "again", "worse"))
	c.pass(time.Hour)
	record(t, s, report("stays", "fixed", "worse"))
	from := c.at
	c.pass(time.Hour)
	rep := report("stays", "again", "worse", "new")
	rep.Findings[2].Severity = scanner.SeverityCritical
	record(t, s, rep)
	d, err := s.Diff(t.Context(), "web", from, c.at)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.DifferenceReport(t.Context(), d, "before")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][2]string{"new": {"new", "new"}, "again": {"new", "reopened"}, "worse": {"updated", "severity"}, "fixed": {"absent", "fixed"}}
	for i := range got.Findings {
		f := &got.Findings[i]
		if w := want[f.Key]; f.Baseline != w[0] || f.Evidence[0].Value != w[1] || len(f.Evidence) != 2 || f.Rule.Title == "" || (f.Suppressed != nil) != (f.Key == "fixed") {
			t.Errorf("%+v, want %v", f, w)
		}
		delete(want, f.Key)
	}
	if len(want) > 0 || got.Findings[0].Key != "worse" {
		t.Errorf("missing %v; the worst comes first, and is %s", want, got.Findings[0].Key)
	}
	if b, sum := got.Baseline, got.Summary; b.New != 2 || len(b.Gone) != 1 || sum.Findings != 3 || sum.Suppressed != 1 || sum.BySeverity[scanner.SeverityCritical] != 1 || len(got.Run.Targets) != 1 || got.Checks[0].Fail != 3 {
		t.Errorf("%+v, %+v, %+v", b, sum, got.Checks)
	}
	if _, err := s.Prune(t.Context(), []Audit{{Name: "web", Retention: Retention{Runs: 1}}}); err != nil {
		t.Fatal(err)
	}
	if got, err = s.DifferenceReport(t.Context(), d, "before"); err != nil || len(got.Findings) != 4 || got.Findings[3].Message == "" {
		t.Errorf("after pruning: %+v, %v", got, err)
	}
}

// What a stranger wrote into a name does not keep a run from being stored.
func TestOddNames(t *testing.T) { onBoth(t, testOddNames) }

func testOddNames(t *testing.T, s *Store, _ *clock) {
	for range 2 { // the second time they are known
		rep := report("a\x00b", "\xff\xfe", "\u202egnp.exe", strings.Repeat("long ", 20_000))
		rep.Findings[0].Resource.ID, rep.Findings[0].Suppressed = "host\x00", &scanner.Suppression{By: "waiver", Reason: "a\x00b"}
		if run := record(t, s, rep); run.State != Done {
			t.Fatalf("%+v", run)
		}
	}
	for _, f := range []Filter{{}, {Text: "\x00"}, {Text: "\xff"}, {Text: strings.Repeat("long ", 100)}, {Check: "\x00"}} {
		if _, _, err := s.Findings(t.Context(), f); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
	list, _, err := s.Findings(t.Context(), Filter{})
	if err != nil || len(list) != 4 {
		t.Errorf("%d findings, %v", len(list), err)
	}
}

// A finding that the last scan could not look for says so, and why.
func TestUnconfirmed(t *testing.T) { onBoth(t, testUnconfirmed) }

func testUnconfirmed(t *testing.T, s *Store, c *clock) {
	record(t, s, report("a"))
	seen := c.at
	look := func(want string) {
		t.Helper()
		c.pass(time.Hour)
		h, err := s.Finding(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if h.Standing != StandingOpen || h.Why != want || h.Unconfirmed.IsZero() != (want == "") || h.Unconfirmed.After(seen) {
			t.Errorf("%s, not looked at since %s, because %q; want %q, seen at %s", h.Standing, h.Unconfirmed, h.Why, want, seen)
		}
	}
	look("")
	gap := report()
	gap.Gaps = []scanner.GapEntry{{Check: "PS-VM-001", Target: "host", Status: facts.NotAssessed, Reasons: []string{"no firmware variables"}}}
	record(t, s, gap)
	look("not assessed: no firmware variables")
	gap.Gaps[0].Status, gap.Gaps[0].Reasons = facts.Unknown, []string{"may not read"}
	record(t, s, gap)
	look("unknown: may not read")
	without := report()
	without.Checks = nil
	record(t, s, without)
	look("the last scan did not run the check")
	broken := report()
	broken.Run.Complete, broken.Run.Error = false, "the time is over"
	record(t, s, broken)
	look("the time is over")
	record(t, s, report("a"))
	look("")
	run, err := s.Begin(t.Context(), "web", CauseDirect)
	if err != nil {
		t.Fatal(err)
	}
	seen = c.at
	if err := s.Fail(t.Context(), run.ID, errors.New("no answer")); err != nil {
		t.Fatal(err)
	}
	look("no answer")
}

// A difference that is read in several pieces has everything once.
func TestDiffInPieces(t *testing.T) { onBoth(t, testDiffInPieces) }

func testDiffInPieces(t *testing.T, s *Store, c *clock) {
	keys := make([]string, firstPiece+300)
	for i := range keys {
		keys[i] = fmt.Sprint("key ", i)
	}
	record(t, s, report(keys...))
	from := c.at
	c.pass(time.Hour)
	record(t, s, report())
	for _, part := range []struct {
		from time.Time
		list func(*Difference) []Finding
	}{{start.Add(-time.Hour), func(d *Difference) []Finding { return d.New }}, {from, func(d *Difference) []Finding { return d.Fixed }}} {
		to := c.at
		if part.from.Before(start) {
			to = from
		}
		d, err := s.Diff(t.Context(), "web", part.from, to)
		if err != nil || d.More {
			t.Fatal(d.More, err)
		}
		seen := map[string]bool{}
		for _, f := range part.list(d) {
			seen[f.Key] = true
		}
		if len(part.list(d)) != len(keys) || len(seen) != len(keys) || len(d.New)+len(d.Fixed)+len(d.Reopened)+len(d.Changed) != len(keys) {
			t.Errorf("%d findings, %d of them different, want %d", len(part.list(d)), len(seen), len(keys))
		}
	}
}
