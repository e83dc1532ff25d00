// Package vulndb answers which known vulnerabilities packages have. It finds,
// checks, fetches and opens trivy's vulnerability database and matches packages
// against it with trivy's own rules, so that the answer is trivy's.
//
// # It fails closed
//
// A database that is missing, empty, broken off, of another schema or without
// metadata is an error ([ErrMissing] and its siblings), never an empty answer.
// [DB.Match] says with an [IncompleteError] which packages nothing in the
// database could have matched. A failed update keeps the database that is there.
//
// # Files
//
// Options.Dir holds trivy.db and metadata.json, as trivy's own cache folder "db"
// does, so that either may be pointed at the other's. Beside them stand
// origin.json (where the database was fetched), java/trivy-java.db with its own
// metadata.json, kev.json, epss.csv.gz, and .lock, which updaters hold.
//
// # One at a time
//
// Trivy keeps its database handle in a variable of the process, so one [DB] can
// be open at a time. It is safe for concurrent use; Open again after Close.
package vulndb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	tdb "github.com/aquasecurity/trivy-db/pkg/db"
	"github.com/google/go-containerregistry/pkg/v1"
	bolt "go.etcd.io/bbolt"

	"github.com/postscan/postscan/scanner/facts"
)

// DefaultMaxAge is the age from which a database no longer proves that a package
// is clean. Its publisher makes a new one several times a day.
const DefaultMaxAge = 21 * 24 * time.Hour

// DefaultRepositories returns where the vulnerability database is fetched, in
// the order in which they are tried.
func DefaultRepositories() []string {
	return []string{"mirror.gcr.io/aquasec/trivy-db:2", "ghcr.io/aquasecurity/trivy-db:2"}
}

// DefaultJavaRepositories returns where the Java index is fetched, in the order
// in which they are tried.
func DefaultJavaRepositories() []string {
	return []string{"mirror.gcr.io/aquasec/trivy-java-db:1", "ghcr.io/aquasecurity/trivy-java-db:1"}
}

// DefaultDir returns the folder of the databases below the user's cache folder.
func DefaultDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache folder for the vulnerability database: %w; give --db-dir", err)
	}
	return filepath.Join(base, "postscan", "db"), nil
}

// Options say where the databases are and how they are fetched. The zero value
// uses what is in [DefaultDir] and cannot fetch.
type Options struct {
	// Dir is the folder of the databases; empty: [DefaultDir].
	Dir string
	// Repositories are OCI references of the vulnerability database, tried in
	// order, by tag or pinned by digest; empty: [DefaultRepositories].
	Repositories []string
	// JavaRepositories are the same for the Java index; empty: [DefaultJavaRepositories].
	JavaRepositories []string
	// Offline forbids every fetch: what is in Dir is used, whatever its age.
	Offline bool
	// MaxAge is the age at which the database stops proving that a package is
	// clean: what it finds still counts, and everything else is unknown.
	// 0: [DefaultMaxAge]; negative: no limit.
	MaxAge time.Duration
	// Bundled says that the database ships with postscan: it is never refreshed,
	// may be of any age, and its Source says so.
	Bundled bool
	// Fetch gets an image or artifact from a registry. nil: nothing is fetched.
	Fetch func(ctx context.Context, ref string) (v1.Image, error)
	// FetchURL gets a file by HTTPS; used for the KEV and EPSS lists alone. nil:
	// they are not fetched.
	FetchURL func(ctx context.Context, url string) (io.ReadCloser, error)
	// KEV is a file of CISA's catalogue of known exploited vulnerabilities
	// (JSON); empty: kev.json in Dir where there is one.
	KEV string
	// EPSS is a file of exploit prediction scores (CSV, also gzipped); empty:
	// epss.csv.gz in Dir where there is one.
	EPSS string
	// KEVURL and EPSSURL are where [Update] gets the lists; empty: [DefaultKEVURL],
	// [DefaultEPSSURL].
	KEVURL, EPSSURL string
	// Progress is told of bytes read of a download; total is 0 where unknown.
	// It is called from one goroutine at a time. nil: nobody is told.
	Progress func(part Part, done, total int64)
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Log receives what is worth telling; nil: nothing does.
	Log *slog.Logger
}

// withDefaults fills what the caller left open.
func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		dir, err := DefaultDir()
		if err != nil {
			return o, err
		}
		o.Dir = dir
	}
	if len(o.Repositories) == 0 {
		o.Repositories = DefaultRepositories()
	}
	if len(o.JavaRepositories) == 0 {
		o.JavaRepositories = DefaultJavaRepositories()
	}
	if o.MaxAge == 0 {
		o.MaxAge = DefaultMaxAge
	}
	if o.KEVURL == "" {
		o.KEVURL = DefaultKEVURL
	}
	if o.EPSSURL == "" {
		o.EPSSURL = DefaultEPSSURL
	}
	if o.Progress == nil {
		o.Progress = func(Part, int64, int64) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// canFetch says whether databases may be fetched at all.
func (o Options) canFetch() bool { return !o.Offline && !o.Bundled && o.Fetch != nil }

// handle is held while a DB is open. Trivy keeps its database in a variable of
// its own package, and every detector reads that, so two databases cannot be
// open in one process; only a lock of the process can hold the second one back.
var handle sync.Mutex

// DB is an open vulnerability database with the lists that enrich its answers.
// It is safe for concurrent use.
type DB struct {
	opts    Options
	meta    metadata
	buckets map[string]bool // names of the database's root buckets: one for each release and ecosystem that it has advisories of
	source  facts.Source
	stale   string // why nothing can be proved clean by this database; empty where it can
	kev     list[kevList]
	epss    list[epssList]

	mu     sync.RWMutex // held for reading by Match, for writing by Close
	closed bool
}

// Open finds the database in o.Dir and opens it read-only. One that is missing
// or unusable is fetched, and one that is older than its NextUpdate refreshed,
// unless o forbids it. Where the refresh does not succeed, the old one is used
// and the Source says what is wrong. It never creates an empty database.
//
// The error is, or wraps, one of [ErrMissing], [ErrEmpty], [ErrCorrupt],
// [ErrSchema], [ErrUpdate], [ErrBusy], or ctx's error.
func Open(ctx context.Context, o Options) (*DB, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	found, problem, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	if !handle.TryLock() {
		return nil, fmt.Errorf("vulnerability database %s: %w: another one is open in this process", databasePath(o.Dir), ErrBusy)
	}
	// The file was opened and checked just now. This matters: Init creates a
	// missing folder, and deletes the file where opening it panics.
	err = tdb.Init(o.Dir, tdb.WithBoltOptions(&bolt.Options{ReadOnly: true, Timeout: lockTimeout}))
	if err != nil {
		handle.Unlock()
		return nil, fmt.Errorf("vulnerability database %s: %w: %w", databasePath(o.Dir), ErrCorrupt, err)
	}
	db := &DB{opts: o, meta: found.metadata, buckets: found.buckets}
	db.source, db.stale = describe(o, found.metadata, problem)
	db.kev = openList(o.KEV, filepath.Join(o.Dir, kevFile), readKEV)
	db.epss = openList(o.EPSS, filepath.Join(o.Dir, epssFile), readEPSS)
	return db, nil
}

// prepare makes sure that o.Dir holds a database that can be used. problem says
// what is wrong with one that is used all the same.
func prepare(ctx context.Context, o Options) (found checked, problem string, err error) {
	found, err = checkDatabase(o.Dir)
	if err != nil {
		if !o.canFetch() || !replaceable(err) {
			return found, "", withRemedy(err, o)
		}
		o.Log.Info("fetching the vulnerability database", "dir", o.Dir, "because", err)
		if err := refresh(ctx, o, databaseArtifact(o)); err != nil {
			return found, "", err
		}
		found, err = checkDatabase(o.Dir)
		return found, "", err
	}
	if !found.due(o.Now()) || !o.canFetch() {
		return found, "", nil
	}
	if err := refresh(ctx, o, databaseArtifact(o)); err != nil {
		if ctx.Err() != nil {
			return found, "", ctx.Err()
		}
		o.Log.Warn("the vulnerability database could not be refreshed, using the old one", "dir", o.Dir, "error", err)
		return found, err.Error(), nil
	}
	again, err := checkDatabase(o.Dir)
	return again, "", err
}

// replaceable says whether a fetch may replace what checkDatabase refused. A
// newer schema was put there by somebody else's newer tool: it stays.
func replaceable(err error) bool {
	return errors.Is(err, ErrMissing) || errors.Is(err, ErrEmpty) || errors.Is(err, ErrCorrupt) || errors.Is(err, errOldSchema)
}

// withRemedy says what the user can do about a database that cannot be used.
func withRemedy(err error, o Options) error {
	if errors.Is(err, ErrBusy) || errors.Is(err, errNewSchema) {
		return err
	}
	if o.Offline {
		return fmt.Errorf("%w; run `postscan db update` where there is a network, or give --db-dir a folder that has one", err)
	}
	return fmt.Errorf("%w; run `postscan db update`", err)
}

// describe makes the Source of the database; stale says why the database can no
// longer prove that a package is clean.
func describe(o Options, m metadata, problem string) (src facts.Source, stale string) {
	src = facts.Source{
		Name: string(Vulnerabilities), Location: databasePath(o.Dir), Version: fmt.Sprintf("schema %d", m.Version),
		Updated: m.UpdatedAt.UTC(), NextUpdate: m.NextUpdate.UTC(),
	}
	if from, ok := readOrigin(o.Dir, trivyDB, m); ok {
		src.Location, src.Version = from.Reference, from.Digest
	}
	age := o.Now().Sub(m.UpdatedAt)
	switch {
	case o.Bundled:
		src.Problem = "bundled demonstration data: it knows the packages of the demonstration alone"
		return src, ""
	case m.UpdatedAt.IsZero():
		stale = "the vulnerability database does not say how old it is"
	case o.MaxAge > 0 && age > o.MaxAge:
		stale = fmt.Sprintf("the vulnerability database is %s old, and %s is the limit", days(age), days(o.MaxAge))
	case m.due(o.Now()):
		src.Problem = fmt.Sprintf("is %s old, past its next update", days(age))
	}
	if stale != "" {
		src.Problem = stale
	}
	switch {
	case problem != "":
		src.Problem = joinReasons(src.Problem, "could not be refreshed: "+problem)
	case src.Problem != "" && o.Offline:
		src.Problem = joinReasons(src.Problem, "not refreshed, as offline was asked for")
	}
	if stale != "" {
		stale += "; run `postscan db update`"
	}
	return src, stale
}

// days writes a duration for people.
func days(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// joinReasons joins what is not empty.
func joinReasons(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// Source describes the vulnerability database.
func (db *DB) Source() facts.Source { return db.source }

// Sources describes the database and the lists that are configured.
func (db *DB) Sources() []facts.Source {
	out := []facts.Source{db.source}
	if db.kev.path != "" {
		out = append(out, db.kev.source(KEV))
	}
	if db.epss.path != "" {
		out = append(out, db.epss.source(EPSS))
	}
	return out
}

// KEVConfigured says whether Vulnerability.KEV means something.
func (db *DB) KEVConfigured() bool { return db.kev.ok() }

// EPSSConfigured says whether Vulnerability.EPSS means something.
func (db *DB) EPSSConfigured() bool { return db.epss.ok() }

// Missing names, by path of [facts.Image], what no answer of this database can
// hold: the KEV and EPSS fields where no list is configured or it is broken.
func (db *DB) Missing() map[string]facts.Missing {
	out := map[string]facts.Missing{}
	if !db.kev.ok() {
		out["vulnerabilities[].kev"] = db.kev.missing("list of known exploited vulnerabilities", "kev")
	}
	if !db.epss.ok() {
		out["vulnerabilities[].epss"] = db.epss.missing("list of exploit prediction scores", "epss")
	}
	return out
}

// Close gives the database up, after the matching that is under way. Closing
// again does nothing.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	err := tdb.Close()
	handle.Unlock()
	if err != nil {
		return fmt.Errorf("close %s: %w", databasePath(db.opts.Dir), err)
	}
	return nil
}
