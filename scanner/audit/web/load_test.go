package web

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
	"github.com/postscan/postscan/scanner/audit/postgrestest"
)

// BenchmarkLoad asks for the overview and the list in turn, 200 times a second, of a
// history with a million findings on either database, and states how long the slowest
// hundredth took.
func BenchmarkLoad(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "h.db")
		db, err := sql.Open("sqlite", "file:"+file)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = db.Close() }() // everything is committed
		benchmarkLoad(b, "sqlite:"+file, func(statement string) error {
			_, err := db.ExecContext(b.Context(), statement)
			return err
		})
	})
	b.Run("postgres", func(b *testing.B) {
		postgrestest.Need(b)
		server, err := postgrestest.Start(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer server.Stop()
		name := server.Database(b)
		db, err := pgx.Connect(b.Context(), name)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = db.Close(b.Context()) }() // everything is committed
		benchmarkLoad(b, name, func(statement string) error {
			_, err := db.Exec(b.Context(), statement+"; ANALYZE") // as it does by itself after a while
			return err
		})
	})
}

func benchmarkLoad(b *testing.B, name string, exec func(statement string) error) {
	const findings, rate, asks = 1_000_000, 200, 2400
	s, err := audit.Open(b.Context(), name, audit.Options{
		Encode: func(w io.Writer, r *scanner.Report) error { return json.NewEncoder(w).Encode(r) },
		Decode: decode,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	if err := s.Configure(b.Context(), []audit.Audit{{Name: "web", Target: audit.TargetSpec{VM: &audit.VMSpec{}}}}); err != nil {
		b.Fatal(err)
	}
	run, err := s.Begin(b.Context(), "web", audit.CauseDirect)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Record(b.Context(), run.ID, testReport("a")); err != nil {
		b.Fatal(err)
	}
	for _, statement := range million(run.ID, findings) {
		if err := exec(statement); err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
	h, err := New(b.Context(), Options{Store: s, Open: true})
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(h)
	b.Cleanup(srv.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 500}}
	for b.Loop() {
		var wg sync.WaitGroup
		var mu sync.Mutex
		took := map[string][]time.Duration{}
		tick := time.NewTicker(time.Second / rate)
		for i := range asks {
			<-tick.C
			wg.Go(func() {
				path := []string{"/", "/findings"}[i%2]
				began := time.Now()
				resp, err := client.Get(srv.URL + path)
				if err != nil {
					b.Error(err)
					return
				}
				_, err = io.Copy(io.Discard, resp.Body)
				if closed := resp.Body.Close(); err != nil || closed != nil || resp.StatusCode != http.StatusOK {
					b.Error(resp.Status, err, closed)
				}
				mu.Lock()
				took[path] = append(took[path], time.Since(began))
				mu.Unlock()
			})
		}
		wg.Wait()
		tick.Stop()
		for path, name := range map[string]string{"/": "overview", "/findings": "list"} {
			slices.Sort(took[path])
			b.ReportMetric(float64(took[path][len(took[path])*99/100].Microseconds())/1000, name+"-p99-ms")
			b.ReportMetric(float64(took[path][len(took[path])/2].Microseconds())/1000, name+"-p50-ms")
		}
	}
}

// million are the statements that write n findings, a tenth of them fixed, past the store.
func million(run string, n int) []string {
	now := time.Now().UnixMicro()
	return []string{
		fmt.Sprintf(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d) INSERT INTO target (audit, identity, kind, ref, seen_at, seen_run) SELECT 'web', 'id-' || i, 'image', 'registry.example/team/app-' || i || ':1.0', %d, '%s' FROM c`, n/1000, now, run),
		fmt.Sprintf(`WITH RECURSIVE c(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM c WHERE i < %[1]d - 1) INSERT INTO finding (target, fingerprint, check_id, severity, kind, resource, key, message, copies, standing, first_seen, fixed_at, last_run)
			SELECT 2 + i %% %[2]d, 'fp-' || i, 'PS-VM-001', 1 + (i * 7) %% 5, 'image', 'package-' || (i %% 5000), 'k' || i, 'the package has a vulnerability, number ' || i, 1, CASE WHEN i %% 10 = 9 THEN 'fixed' ELSE 'open' END, %[3]d - i * 60000, CASE WHEN i %% 10 = 9 THEN %[3]d END, '%[4]s' FROM c`, n, n/1000, now, run),
		fmt.Sprintf(`INSERT INTO tally (target, at, severity, n) SELECT target, %d, severity, COUNT(*) FROM finding WHERE standing = 'open' GROUP BY target, severity`, now),
		`INSERT INTO change (finding, run, at, kind, to_value) SELECT id, last_run, first_seen, 'new', 'high' FROM finding WHERE id > 2`,
	}
}
