package vulndb

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	boltErrors "go.etcd.io/bbolt/errors"
)

const (
	trivyDB       = "trivy.db"
	detailsBucket = "vulnerability" // severities, titles and references by id
	metadataFile  = "metadata.json"
	schema        = 2 // of the vulnerability database

	maxMetadata = 64 << 10
	lockTimeout = 2 * time.Second // for a database that somebody writes to
)

// The two ways of having another schema: an old database may be replaced by a
// fetch, a newer one is left alone.
var (
	errOldSchema = fmt.Errorf("%w, older than this version of postscan reads", ErrSchema)
	errNewSchema = fmt.Errorf("%w, newer than this version of postscan reads: update postscan", ErrSchema)
)

// metadata is metadata.json, which stands beside a database.
type metadata struct {
	Version      int
	NextUpdate   time.Time
	UpdatedAt    time.Time
	DownloadedAt time.Time
}

// due says whether the publisher has promised a newer database by now.
func (m metadata) due(now time.Time) bool { return !now.Before(m.NextUpdate) }

// checked is a database that can be used.
type checked struct {
	metadata
	buckets map[string]bool
}

func databasePath(dir string) string { return filepath.Join(dir, trivyDB) }

// parseMetadata reads metadata.json and checks that its schema is want.
func parseMetadata(b []byte, want int) (metadata, error) {
	var m metadata
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	switch {
	case m.Version <= 0:
		return m, fmt.Errorf("%w: no schema version", ErrCorrupt)
	case m.Version < want:
		return m, fmt.Errorf("%w (schema %d, wanted %d)", errOldSchema, m.Version, want)
	case m.Version > want:
		return m, fmt.Errorf("%w (schema %d, wanted %d)", errNewSchema, m.Version, want)
	}
	return m, nil
}

// readMetadata reads metadata.json of dir.
func readMetadata(dir string, want int) (metadata, error) {
	path := filepath.Join(dir, metadataFile)
	b, err := readBounded(path, maxMetadata)
	if errors.Is(err, fs.ErrNotExist) {
		return metadata{}, fmt.Errorf("%s: %w, and without it the database is not used", path, ErrMissing)
	}
	if err != nil {
		return metadata{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	m, err := parseMetadata(b, want)
	if err != nil {
		return m, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// readBounded reads a whole file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("read %s: it is larger than %d bytes", path, limit)
	}
	return b, nil
}

// checkFile says whether dir has a database file at all, and gives its size.
func checkFile(path string) (int64, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%s: %w", path, ErrMissing)
	case err != nil:
		return 0, fmt.Errorf("%s: %w: %w", path, ErrMissing, err)
	case !info.Mode().IsRegular():
		return 0, fmt.Errorf("%s: %w: it is no regular file", path, ErrCorrupt)
	case info.Size() == 0:
		return 0, fmt.Errorf("%s: %w: the file has no bytes", path, ErrEmpty)
	}
	return info.Size(), nil
}

// checkDatabase checks that dir holds a whole vulnerability database of the
// right schema with advisories in it. It opens the file itself, read-only, as
// trivy creates what is missing and takes an empty file for a clean bill.
func checkDatabase(dir string) (checked, error) {
	path := databasePath(dir)
	size, err := checkFile(path)
	if err != nil {
		return checked{}, fmt.Errorf("vulnerability database %w", err)
	}
	meta, err := readMetadata(dir, schema)
	if err != nil {
		return checked{}, fmt.Errorf("vulnerability database: metadata %w", err)
	}
	buckets, err := checkBuckets(path, size)
	if err != nil {
		return checked{}, fmt.Errorf("vulnerability database %w", err)
	}
	return checked{metadata: meta, buckets: buckets}, nil
}

// checkBuckets opens the file and returns the names of its root buckets. A bolt
// file whose pages are damaged makes the library panic, and one that is cut
// short makes the kernel send a fault; both become errors.
func checkBuckets(path string, size int64) (names map[string]bool, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			names, err = nil, fmt.Errorf("%s: %w: %v", path, ErrCorrupt, r)
		}
	}()
	b, err := bolt.Open(path, 0o400, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
	switch {
	case errors.Is(err, boltErrors.ErrTimeout):
		return nil, fmt.Errorf("%s: %w: another program is writing to it", path, ErrBusy)
	case err != nil:
		return nil, fmt.Errorf("%s: %w: %w", path, ErrCorrupt, err)
	}
	defer b.Close() //nolint:errcheck // read only
	names = map[string]bool{}
	err = b.View(func(tx *bolt.Tx) error {
		if tx.Size() > size {
			return fmt.Errorf("%w: it ends after %d of %d bytes", ErrCorrupt, size, tx.Size())
		}
		// Trivy reads this one without asking whether it is there.
		details := tx.Bucket([]byte(detailsBucket))
		if details == nil {
			return fmt.Errorf("%w: it has no %q", ErrEmpty, detailsBucket)
		}
		if k, _ := details.Cursor().First(); k == nil {
			return fmt.Errorf("%w: nothing in %q", ErrEmpty, detailsBucket)
		}
		err := tx.ForEach(func(name []byte, bucket *bolt.Bucket) error {
			if k, _ := bucket.Cursor().First(); k != nil {
				names[string(name)] = true
			}
			return nil
		})
		delete(names, detailsBucket)
		delete(names, "data-source")
		if err == nil && len(names) == 0 {
			return fmt.Errorf("%w: it has no advisories", ErrEmpty)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return names, nil
}
