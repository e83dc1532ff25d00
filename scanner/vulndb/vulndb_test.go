package vulndb

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/vulndb/dbfile"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		updateWithoutSpace(dir)
		return
	}
	RouteLogs(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// today is a time at which the fixture is fresh.
var today = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// fixture returns the fixture for a test to change.
func fixture(t testing.TB) dbfile.Fixture {
	t.Helper()
	doc, err := os.ReadFile("testdata/database.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := dbfile.Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// write makes the database in a folder of the test.
func write(t testing.TB, f dbfile.Fixture) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := f.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// open opens the database and closes it after the test.
func open(t testing.TB, o Options) *DB {
	t.Helper()
	if o.Now == nil {
		o.Now = at(today)
	}
	db, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// The ways in which spoil functions damage a database that is whole.

func remove(name string) func(dir string) error {
	return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
}

func replace(name, content string) func(dir string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644) }
}

func edit(change func(whole []byte) []byte) func(dir string) error {
	return func(dir string) error {
		b, err := os.ReadFile(databasePath(dir))
		if err != nil {
			return err
		}
		return os.WriteFile(databasePath(dir), change(b), 0o644)
	}
}

// withoutBuckets is what opening a missing file for writing leaves.
func withoutBuckets(dir string) error {
	if err := os.Remove(databasePath(dir)); err != nil {
		return err
	}
	db, err := bbolt.Open(databasePath(dir), 0o644, nil)
	if err != nil {
		return err
	}
	return db.Close()
}

func TestOpenRefusesWhatProvesNothing(t *testing.T) {
	tests := map[string]struct {
		change func(*dbfile.Fixture)
		spoil  func(dir string) error
		want   error
		says   string
	}{
		"no folder":                {spoil: os.RemoveAll, want: ErrMissing, says: "postscan db update"},
		"no database":              {spoil: remove(trivyDB), want: ErrMissing},
		"no metadata":              {spoil: remove(metadataFile), want: ErrMissing, says: "without it the database is not used"},
		"file without bytes":       {spoil: replace(trivyDB, ""), want: ErrEmpty},
		"database without buckets": {spoil: withoutBuckets, want: ErrEmpty},
		"details alone": {
			change: func(f *dbfile.Fixture) { f.Advisories, f.Raw = nil, nil },
			want:   ErrEmpty, says: "no advisories",
		},
		"advisories alone": {change: func(f *dbfile.Fixture) { f.Vulnerabilities = nil }, want: ErrEmpty},
		"a folder for a file": {
			spoil: func(dir string) error {
				return errors.Join(os.Remove(databasePath(dir)), os.Mkdir(databasePath(dir), 0o755))
			},
			want: ErrCorrupt,
		},
		"bytes of something else":  {spoil: replace(trivyDB, strings.Repeat("no bolt file ", 4000)), want: ErrCorrupt},
		"cut short":                {spoil: edit(func(b []byte) []byte { return b[:len(b)/2] }), want: ErrCorrupt},
		"cut after the first page": {spoil: edit(func(b []byte) []byte { return b[:4096] }), want: ErrCorrupt},
		"pages overwritten": {
			spoil: edit(func(b []byte) []byte { return append(b[:2*4096:2*4096], bytes.Repeat([]byte{0xff}, len(b)-2*4096)...) }),
			want:  ErrCorrupt,
		},
		"metadata that is no JSON":   {spoil: replace(metadataFile, `{"Version":2`), want: ErrCorrupt},
		"metadata without a version": {spoil: replace(metadataFile, `{}`), want: ErrCorrupt},
		"old schema":                 {change: func(f *dbfile.Fixture) { f.Version = 1 }, want: ErrSchema, says: "older"},
		"new schema":                 {change: func(f *dbfile.Fixture) { f.Version = 3 }, want: ErrSchema, says: "update postscan"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			if tt.change != nil {
				tt.change(&f)
			}
			dir := write(t, f)
			if tt.spoil != nil {
				if err := tt.spoil(dir); err != nil {
					t.Fatal(err)
				}
			}
			before := listing(t, dir)
			_, err := Open(t.Context(), Options{Dir: dir, Offline: true, Now: at(today)})
			if !errors.Is(err, tt.want) {
				t.Fatalf("Open = %v, want an error that is %v", err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Open = %q, which does not say %q", err, tt.says)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("Open changed the folder from %q to %q", before, after)
			}
		})
	}
}

// listing names the files of a folder with their sizes, "" for one that is not there.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		b.WriteString(path + " " + info.Mode().String() + "\n")
		return nil
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return b.String()
}

func TestOpenSaysHowOldTheDatabaseIs(t *testing.T) {
	dir := write(t, fixture(t))
	tests := map[string]struct {
		options Options
		problem string // "" for none
		stale   bool
	}{
		"fresh":              {Options{Now: at(today)}, "", false},
		"past its update":    {Options{Now: at(today.AddDate(0, 0, 5))}, "is 5 days old, past its next update", false},
		"and offline":        {Options{Now: at(today.AddDate(0, 0, 5)), Offline: true}, "offline", false},
		"too old":            {Options{Now: at(today.AddDate(0, 0, 22))}, "22 days old, and 21 days is the limit", true},
		"any age is allowed": {Options{Now: at(today.AddDate(2, 0, 0)), MaxAge: -1}, "past its next update", false},
		"bundled":            {Options{Now: at(today.AddDate(2, 0, 0)), Bundled: true}, "bundled", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.options.Dir = dir
			db := open(t, tt.options)
			got := db.Source()
			if got.Name != "vulnerability-db" || !got.Updated.Equal(time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)) {
				t.Errorf("Source = %+v, want the name and date of the fixture", got)
			}
			if (tt.problem == "") != (got.Problem == "") || !strings.Contains(got.Problem, tt.problem) {
				t.Errorf("Problem = %q, want %q", got.Problem, tt.problem)
			}
			found, err := db.Match(t.Context(), debian, []facts.Package{libssl})
			var incomplete *IncompleteError
			if stale := errors.As(err, &incomplete) && incomplete.Missing().Status == facts.Unknown; stale != tt.stale {
				t.Errorf("Match = %v, stale is %t, want %t", err, stale, tt.stale)
			}
			if len(found) == 0 {
				t.Error("an old database hides what it knows")
			}
		})
	}
}

func TestOneDatabaseAtATime(t *testing.T) {
	dir := write(t, fixture(t))
	first, err := Open(t.Context(), Options{Dir: dir, Now: at(today)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Dir: dir, Now: at(today)}); !errors.Is(err, ErrBusy) {
		t.Errorf("a second Open = %v, want ErrBusy", err)
	}
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Errorf("Close twice = %v", err)
	}
	if _, err := first.Match(t.Context(), debian, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Match after Close = %v, want ErrClosed", err)
	}
	open(t, Options{Dir: dir})
}

func TestOpenStopsWhereSomebodyWrites(t *testing.T) {
	dir := write(t, fixture(t))
	writer, err := bbolt.Open(databasePath(dir), 0o644, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := Open(t.Context(), Options{Dir: dir, Now: at(today)}); !errors.Is(err, ErrBusy) {
		t.Errorf("Open = %v, want ErrBusy", err)
	}
}

func TestLogsAreRoutedAtDebugLevel(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	RouteLogs(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo})))
	slog.Default().Warn("noise")
	if out.Len() > 0 {
		t.Errorf("at level info %q was logged", out.String())
	}
	RouteLogs(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	slog.Default().With("package", "zlib").WithGroup("more").Warn("detail")
	if got := out.String(); !strings.Contains(got, "level=DEBUG") || !strings.Contains(got, "package=zlib") {
		t.Errorf("at level debug %q was logged", got)
	}
}
