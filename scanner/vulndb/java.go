package vulndb

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver of the index's file format

	"github.com/postscan/postscan/scanner/facts"
)

const (
	javaDir    = "java"
	javaDB     = "trivy-java.db"
	javaSchema = 1
)

// JavaDB is trivy's index of Maven artifacts: it names a jar that does not name
// itself. It is opened, and fetched where Options allow it, at the first
// question, so that a scan without such a jar does without it. It is safe for
// concurrent use.
type JavaDB struct {
	opts Options

	mu      sync.Mutex
	opened  bool // asked once, with success or not
	db      *sql.DB
	err     error // why there is no index
	meta    metadata
	problem string // what is wrong with an index that is used all the same
}

// NewJavaDB returns the index of o without any I/O.
func NewJavaDB(o Options) *JavaDB { return &JavaDB{opts: o} }

// open makes the index ready, once. A context that ends is not remembered.
func (j *JavaDB) open(ctx context.Context) (*sql.DB, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.opened {
		return j.db, j.err
	}
	err := j.prepare(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	j.opened, j.err = true, err
	return j.db, err
}

// prepare finds or fetches the index and opens it read-only.
func (j *JavaDB) prepare(ctx context.Context) error {
	o, err := j.opts.withDefaults()
	if err != nil {
		return err
	}
	j.opts = o
	dir := filepath.Join(o.Dir, javaDir)
	meta, err := checkJava(ctx, dir)
	switch {
	case err != nil && (!o.canFetch() || !replaceable(err)):
		return fmt.Errorf("%w; run `postscan db update java-db`", err)
	case err != nil:
		o.Log.Info("fetching the Java index", "dir", dir, "because", err)
		if err := refresh(ctx, o, javaArtifact(o)); err != nil {
			return err
		}
	case meta.due(o.Now()) && o.canFetch():
		if err := refresh(ctx, o, javaArtifact(o)); err != nil {
			o.Log.Warn("the Java index could not be refreshed, using the old one", "dir", dir, "error", err)
			j.problem = "could not be refreshed: " + err.Error()
		}
	}
	if j.meta, err = checkJava(ctx, dir); err != nil {
		return err
	}
	j.db, err = openSQLite(filepath.Join(dir, javaDB))
	return err
}

// openSQLite opens the file so that nothing is written to it or beside it.
func openSQLite(path string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: "mode=ro&immutable=1"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w: %w", path, ErrCorrupt, err)
	}
	return db, nil
}

// checkJava checks that dir holds an index of the right schema with artifacts
// in it.
func checkJava(ctx context.Context, dir string) (metadata, error) {
	path := filepath.Join(dir, javaDB)
	if _, err := checkFile(path); err != nil {
		return metadata{}, fmt.Errorf("java index %w", err)
	}
	meta, err := readMetadata(dir, javaSchema)
	if err != nil {
		return meta, fmt.Errorf("java index: metadata %w", err)
	}
	db, err := openSQLite(path)
	if err != nil {
		return meta, fmt.Errorf("java index: %w", err)
	}
	defer db.Close() //nolint:errcheck // read only
	var one int
	err = db.QueryRowContext(ctx, "SELECT 1 FROM indices JOIN artifacts ON artifacts.id = indices.artifact_id LIMIT 1").Scan(&one)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return meta, fmt.Errorf("java index %s: %w", path, ErrEmpty)
	case err != nil:
		return meta, fmt.Errorf("java index %s: %w: %w", path, ErrCorrupt, err)
	}
	return meta, nil
}

// Exists says whether the index has the artifact in any version. The error says
// that there is no index, or that it is not readable.
func (j *JavaDB) Exists(ctx context.Context, groupID, artifactID string) (bool, error) {
	db, err := j.open(ctx)
	if err != nil {
		return false, err
	}
	var n int
	err = db.QueryRowContext(ctx, `SELECT EXISTS (
		SELECT 1 FROM artifacts a JOIN indices i ON i.artifact_id = a.id
		WHERE a.artifact_id = ? AND a.group_id = ?)`, artifactID, groupID).Scan(&n)
	if err != nil {
		return false, j.broken(ctx, err)
	}
	return n == 1, nil
}

// SearchBySHA1 returns the coordinates of the jar with the digest (hex); found
// is false where the index does not have it.
func (j *JavaDB) SearchBySHA1(ctx context.Context, sha1 string) (groupID, artifactID, version string, found bool, err error) {
	digest, err := hex.DecodeString(sha1)
	if err != nil {
		return "", "", "", false, fmt.Errorf("look up jar by SHA-1 %q: %w", clip(sha1), err)
	}
	db, err := j.open(ctx)
	if err != nil {
		return "", "", "", false, err
	}
	err = db.QueryRowContext(ctx, `SELECT a.group_id, a.artifact_id, i.version
		FROM indices i JOIN artifacts a ON a.id = i.artifact_id WHERE i.sha1 = ?`, digest).Scan(&groupID, &artifactID, &version)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", "", "", false, nil
	case err != nil:
		return "", "", "", false, j.broken(ctx, err)
	}
	return groupID, artifactID, version, true, nil
}

// SearchByArtifactID returns the group of the artifact among those that publish
// the version as a jar: the one with the most versions, and of equals the first
// in alphabet (trivy takes any of them). found is false where the index has none.
func (j *JavaDB) SearchByArtifactID(ctx context.Context, artifactID, version string) (groupID string, found bool, err error) {
	db, err := j.open(ctx)
	if err != nil {
		return "", false, err
	}
	err = db.QueryRowContext(ctx, `SELECT a.group_id FROM artifacts a JOIN indices i ON i.artifact_id = a.id
		WHERE a.id IN (
			SELECT a.id FROM artifacts a JOIN indices i ON i.artifact_id = a.id
			WHERE a.artifact_id = ? AND i.version = ? AND i.archive_type = 'jar')
		GROUP BY a.group_id ORDER BY count(*) DESC, a.group_id LIMIT 1`, artifactID, version).Scan(&groupID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, j.broken(ctx, err)
	}
	return groupID, true, nil
}

// broken says that the index could not be read.
func (j *JavaDB) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("java index %s: %w: %w; run `postscan db update java-db`",
		filepath.Join(j.opts.Dir, javaDir, javaDB), ErrCorrupt, err)
}

// Source describes the index; used is false where no question has been asked,
// and then a report need not name it.
func (j *JavaDB) Source() (src facts.Source, used bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	src = facts.Source{Name: string(Java), Location: filepath.Join(j.opts.Dir, javaDir, javaDB)}
	if !j.opened {
		return src, false
	}
	if j.err != nil {
		src.Problem = j.err.Error()
		return src, true
	}
	src.Version = fmt.Sprintf("schema %d", j.meta.Version)
	src.Updated, src.NextUpdate, src.Problem = j.meta.UpdatedAt.UTC(), j.meta.NextUpdate.UTC(), j.problem
	if from, ok := readOrigin(filepath.Join(j.opts.Dir, javaDir), javaDB, j.meta); ok {
		src.Location, src.Version = from.Reference, from.Digest
	}
	return src, true
}

// Close gives the index up.
func (j *JavaDB) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	db := j.db
	j.db, j.opened, j.err = nil, true, ErrClosed
	if db == nil {
		return nil
	}
	return db.Close()
}
