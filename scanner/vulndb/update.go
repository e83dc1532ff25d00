package vulndb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/postscan/postscan/scanner/facts"
)

// Part is one body of data that [Update] fetches.
type Part string

// The parts. Their names are those of [facts.Source].
const (
	Vulnerabilities Part = "vulnerability-db"
	Java            Part = "java-db"
	KEV             Part = "kev"
	EPSS            Part = "epss"
)

const (
	lockFile  = ".lock"
	lockRetry = 200 * time.Millisecond
	tempName  = ".incoming-*" // of what is being fetched; an updater removes what a killed one left
)

// Status says what there is in a folder of databases.
type Status struct {
	Dir   string
	Parts []PartStatus // in the order of the Part constants
}

// PartStatus is the state of one part.
type PartStatus struct {
	Part   Part
	Path   string       // of the file
	Err    error        // why it cannot be used; wraps ErrMissing where it is not there
	Source facts.Source // its age and origin; zero times where Err is set
	Due    bool         // its publisher has promised a newer one by now
}

// ReadStatus says what there is, without any fetch.
func ReadStatus(ctx context.Context, o Options) (Status, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Status{}, err
	}
	s := Status{Dir: o.Dir}

	db := PartStatus{Part: Vulnerabilities, Path: databasePath(o.Dir)}
	found, err := checkDatabase(o.Dir)
	if db.Err = err; err == nil {
		db.Source, _ = describe(o, found.metadata, "")
		db.Due = found.due(o.Now())
	}
	s.Parts = append(s.Parts, db)

	java := PartStatus{Part: Java, Path: filepath.Join(o.Dir, javaDir, javaDB)}
	meta, err := checkJava(ctx, filepath.Join(o.Dir, javaDir))
	if java.Err = err; err == nil {
		java.Source = facts.Source{
			Name: string(Java), Location: java.Path, Version: fmt.Sprintf("schema %d", meta.Version),
			Updated: meta.UpdatedAt.UTC(), NextUpdate: meta.NextUpdate.UTC(),
		}
		if from, ok := readOrigin(filepath.Join(o.Dir, javaDir), javaDB, meta); ok {
			java.Source.Location, java.Source.Version = from.Reference, from.Digest
		}
		java.Due = meta.due(o.Now())
	}
	s.Parts = append(s.Parts, java,
		listStatus(KEV, openList(o.KEV, filepath.Join(o.Dir, kevFile), readKEV), filepath.Join(o.Dir, kevFile)),
		listStatus(EPSS, openList(o.EPSS, filepath.Join(o.Dir, epssFile), readEPSS), filepath.Join(o.Dir, epssFile)))
	return s, nil
}

func listStatus[T any](part Part, l list[T], fallback string) PartStatus {
	if l.path == "" {
		return PartStatus{Part: part, Path: fallback, Err: fmt.Errorf("%s: %w", fallback, ErrMissing)}
	}
	return PartStatus{Part: part, Path: l.path, Err: l.err, Source: l.source(part)}
}

// Update fetches the parts (none named: the vulnerability database), whatever
// the age of what is there, and returns the state afterwards. A part whose
// digest the registry still has is not fetched again. A part that cannot be
// fetched leaves what is there as it was, and the others are fetched all the
// same; the error joins what went wrong and wraps [ErrUpdate].
func Update(ctx context.Context, o Options, parts ...Part) (Status, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Status{}, err
	}
	if len(parts) == 0 {
		parts = []Part{Vulnerabilities}
	}
	if o.Offline {
		return Status{}, fmt.Errorf("databases: %w: offline was asked for", ErrUpdate)
	}
	var problems []error
	for _, p := range parts {
		if err := updatePart(ctx, o, p); err != nil {
			problems = append(problems, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	status, err := ReadStatus(ctx, o)
	return status, errors.Join(append(problems, err)...)
}

func updatePart(ctx context.Context, o Options, p Part) error {
	switch p {
	case Vulnerabilities:
		return locked(ctx, o, func() error { return fetchArtifact(ctx, o, databaseArtifact(o), metadata{}) })
	case Java:
		return locked(ctx, o, func() error { return fetchArtifact(ctx, o, javaArtifact(o), metadata{}) })
	case KEV:
		return locked(ctx, o, func() error { return fetchList(ctx, o, p, o.KEVURL, kevFile, maxKEV, readKEV) })
	case EPSS:
		return locked(ctx, o, func() error { return fetchList(ctx, o, p, o.EPSSURL, epssFile, maxEPSS, readEPSS) })
	default:
		return fmt.Errorf("%s: %w: there is no such part", p, ErrUpdate)
	}
}

// refresh fetches an artifact that is missing, unusable or due, unless another
// process did while this one waited for the lock.
func refresh(ctx context.Context, o Options, a artifact) error {
	return locked(ctx, o, func() error {
		have, err := a.check(ctx, a.dir)
		if err == nil && !have.due(o.Now()) {
			return nil
		}
		return fetchArtifact(ctx, o, a, have)
	})
}

// locked runs do while this process alone may write to o.Dir. It waits for
// another updater as long as ctx allows.
func locked(ctx context.Context, o Options, do func() error) error {
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return fmt.Errorf("databases: %w: make their folder: %w", ErrUpdate, err)
	}
	lock := flock.New(filepath.Join(o.Dir, lockFile), flock.SetPermissions(0o640))
	if ok, err := lock.TryLockContext(ctx, lockRetry); err != nil || !ok {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("databases: %w: lock %s: %w", ErrUpdate, filepath.Join(o.Dir, lockFile), err)
	}
	defer lock.Unlock() //nolint:errcheck // the kernel gives it up with the file
	sweep(o.Dir)
	sweep(filepath.Join(o.Dir, javaDir))
	return do()
}

// sweep removes what updaters that were killed left behind. The caller holds
// the lock, so no other updater is at work.
func sweep(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, tempName))
	for _, path := range left {
		_ = os.RemoveAll(path)
	}
}

// fetchList gets a list by URL, checks it whole, and only then replaces the old
// one.
func fetchList[T any](ctx context.Context, o Options, p Part, url, name string, limit int64, read func(io.Reader) (T, time.Time, error)) error {
	wrap := func(err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%s: %w: %s: %w", p, ErrUpdate, url, err)
	}
	if o.FetchURL == nil {
		return wrap(errors.New("there is no way to fetch here"))
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	body, err := o.FetchURL(ctx, url)
	if err != nil {
		return wrap(err)
	}
	defer body.Close() //nolint:errcheck // read only
	temp, err := os.CreateTemp(o.Dir, tempName)
	if err != nil {
		return wrap(err)
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // it is renamed where all went well
	defer temp.Close()           //nolint:errcheck // settle closes it where all went well
	src := &watched{r: body, limit: limit, progress: func(n int64) { o.Progress(p, n, 0) }}
	unwatch := src.watch(stop, stallTimeout)
	defer unwatch()
	if _, err := io.Copy(temp, src); err != nil {
		return wrap(cause(ctx, err))
	}
	if _, err := temp.Seek(0, io.SeekStart); err != nil {
		return wrap(err)
	}
	if _, _, err := read(temp); err != nil {
		return wrap(err)
	}
	if err := settle(temp); err != nil {
		return wrap(err)
	}
	if err := os.Rename(temp.Name(), filepath.Join(o.Dir, name)); err != nil {
		return wrap(err)
	}
	return nil
}

// settle makes sure that a file is on disk as a whole, readable to others of
// the group, and closes it.
func settle(f *os.File) error {
	if err := f.Chmod(0o640); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}
