package audit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
)

// benchStore opens a database for a benchmark.
func benchStore(b *testing.B, name string) *Store {
	b.Helper()
	s, err := Open(b.Context(), name, testOptions(time.Now))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	if err := s.Configure(b.Context(), []Audit{{Name: "web", Target: TargetSpec{VM: &VMSpec{}}}}); err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkUnchangedRun states what another run of a target with 5,000 findings
// costs where nothing changed: in time, and in bytes of the database.
func BenchmarkUnchangedRun(b *testing.B) {
	file := filepath.Join(b.TempDir(), "h.db")
	s := benchStore(b, "sqlite:"+file)
	keys := make([]string, 5000)
	for i := range keys {
		keys[i] = fmt.Sprintf("a key of usual length, number %d", i)
	}
	rep := report(keys...)
	run := func() {
		r, err := s.Begin(b.Context(), "web", CauseDirect)
		if err != nil {
			b.Fatal(err)
		}
		rep.Run.Started = time.Now()
		if err := s.Record(b.Context(), r.ID, rep); err != nil {
			b.Fatal(err)
		}
	}
	size := func() int64 {
		if err := s.db.write(b.Context(), func(t tx) error { return nil }); err != nil {
			b.Fatal(err)
		}
		if _, err := s.db.(*sqlite).writer.ExecContext(b.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			b.Fatal(err)
		}
		return info.Size()
	}
	run()
	before := size()
	n := 0
	for b.Loop() {
		run()
		n++
	}
	b.StopTimer()
	b.ReportMetric(float64(size()-before)/float64(n), "bytes/run")
	b.ReportMetric(float64(before), "bytes-first")
}

// fill writes n findings on n/1000 targets, a tenth of them fixed: what is new of the
// last 16 hours and more.
func fill(b *testing.B, s *Store, n int) {
	b.Helper()
	run := record1(b, s)
	targets := max(1, n/1000)
	err := s.db.write(b.Context(), func(t tx) error {
		for i, sql := range []string{
			`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < $1) INSERT INTO target (audit, identity, kind, ref, seen_at, seen_run) SELECT 'web', 'id-' || i, 'image', 'registry.example/team/app-' || i || ':1.0', $2, $3 FROM c`,
			`WITH RECURSIVE c(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM c WHERE i < CAST($1 AS BIGINT) - 1) INSERT INTO finding (target, fingerprint, check_id, severity, kind, resource, key, message, copies, standing, first_seen, fixed_at, last_run)
				SELECT 2 + i % CAST($2 AS BIGINT), 'fp-' || i, 'PS-VM-001', 1 + (i * 7) % 5, 'image', 'package-' || (i % 5000), 'k' || i, 'the package has a vulnerability, number ' || i, 1, CASE WHEN i % 10 = 9 THEN 'fixed' ELSE 'open' END, CAST($3 AS BIGINT) - i * 60000, CASE WHEN i % 10 = 9 THEN CAST($3 AS BIGINT) END, $4 FROM c`,
			`INSERT INTO tally (target, at, severity, n) SELECT target, $1, severity, COUNT(*) FROM finding WHERE standing = 'open' GROUP BY target, severity`,
			`INSERT INTO change (finding, run, at, kind, to_value) SELECT id, last_run, first_seen, 'new', 'high' FROM finding WHERE id > 1`,
			`INSERT INTO change (finding, run, at, kind, from_value, to_value) SELECT id, last_run, fixed_at, 'fixed', 'open', 'fixed' FROM finding WHERE standing = 'fixed'`,
		} {
			args := [][]any{{targets, s.now(), run}, {n, targets, s.now(), run}, {s.now()}, {}, {}}[i]
			if _, err := t.exec(b.Context(), sql, args...); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if p, ok := s.db.(*postgres); ok { // as it does by itself after a while
		if _, err := p.pool.Exec(b.Context(), `VACUUM ANALYZE`); err != nil {
			b.Fatal(err)
		}
	}
}

func record1(b *testing.B, s *Store) string {
	r, err := s.Begin(b.Context(), "web", CauseDirect)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Record(b.Context(), r.ID, report("a")); err != nil {
		b.Fatal(err)
	}
	return r.ID
}

// BenchmarkMillion asks a history of a million findings what the pages ask, on both
// databases.
func BenchmarkMillion(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "h.db")
		benchmarkMillion(b, benchStore(b, "sqlite:"+file))
		if info, err := os.Stat(file); err == nil {
			b.Logf("the database takes %d bytes", info.Size())
		}
	})
	b.Run("postgres", func(b *testing.B) {
		s := benchStore(b, newPostgres(b))
		benchmarkMillion(b, s)
		var size int64
		if err := s.db.(*postgres).pool.QueryRow(b.Context(), `SELECT pg_database_size(current_database())`).Scan(&size); err != nil {
			b.Fatal(err)
		}
		b.Logf("the database takes %d bytes", size)
	})
}

func benchmarkMillion(b *testing.B, s *Store) {
	began := time.Now()
	fill(b, s, 1_000_000)
	b.Logf("filled in %s", time.Since(began).Round(time.Second))
	now := time.Now()
	for _, c := range []struct {
		name string
		ask  func(ctx context.Context) error
	}{
		{"overview", func(ctx context.Context) error { _, err := s.Overview(ctx); return err }},
		{"latest", func(ctx context.Context) error {
			_, err := s.Latest(ctx, "", now.Add(-7*24*time.Hour), now, 1000)
			return err
		}},
		{"diff-week", func(ctx context.Context) error {
			_, err := s.Diff(ctx, "", now.Add(-7*24*time.Hour), now)
			return err
		}},
		{"trend", func(ctx context.Context) error { _, err := s.Trend(ctx, "", now.Add(-90*24*time.Hour)); return err }},
		{"list", func(ctx context.Context) error {
			_, _, err := s.Findings(ctx, Filter{Standing: StandingOpen})
			return err
		}},
		{"list-audit", func(ctx context.Context) error {
			_, _, err := s.Findings(ctx, Filter{Standing: StandingOpen, Audit: "web"})
			return err
		}},
		{"list-severity", func(ctx context.Context) error {
			_, _, err := s.Findings(ctx, Filter{Standing: StandingOpen, Severity: []scanner.Severity{scanner.SeverityLow}})
			return err
		}},
		{"list-target", func(ctx context.Context) error {
			_, _, err := s.Findings(ctx, Filter{Standing: StandingOpen, Target: 7})
			return err
		}},
		{"text-common", func(ctx context.Context) error {
			_, _, err := s.Findings(ctx, Filter{Standing: StandingOpen, Text: "package-77"})
			return err
		}},
		{"text-rare", func(ctx context.Context) error {
			_, _, err := s.Findings(ctx, Filter{Standing: StandingOpen, Text: "number 777777"})
			return err
		}},
		{"text-none", func(ctx context.Context) error {
			_, _, err := s.Findings(ctx, Filter{Standing: StandingOpen, Text: "not there at all"})
			return err
		}},
		{"text-everywhere", func(ctx context.Context) error {
			_, _, err := s.Findings(ctx, Filter{Standing: StandingOpen, Text: "vulnerability"})
			return err
		}},
		{"finding", func(ctx context.Context) error { _, err := s.Finding(ctx, 500_000); return err }},
		{"promises", func(ctx context.Context) error { _, err := s.Promises(ctx); return err }},
		{"gauges", func(ctx context.Context) error { _, err := s.Gauges(ctx); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.ask(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
