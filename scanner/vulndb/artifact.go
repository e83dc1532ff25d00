package vulndb

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
)

const (
	databaseMediaType = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip"
	javaMediaType     = "application/vnd.aquasec.trivy.javadb.layer.v1.tar+gzip"

	originFile = "origin.json"

	// About five times what the real ones have.
	maxDatabase = 8 << 30
	maxJava     = 12 << 30

	// A registry that says nothing for so long is given up: the next repository
	// is tried, or the old database is used.
	stallTimeout = 30 * time.Second
)

// artifact is a database as it lies in a registry: one layer with two files.
type artifact struct {
	part         Part
	repositories []string
	dir          string
	mediaType    string
	file         string
	limit        int64 // bytes of file
	schema       int
	check        func(ctx context.Context, dir string) (metadata, error)
}

func databaseArtifact(o Options) artifact {
	return artifact{
		part: Vulnerabilities, repositories: o.Repositories, dir: o.Dir,
		mediaType: databaseMediaType, file: trivyDB, limit: maxDatabase, schema: schema,
		check: func(_ context.Context, dir string) (metadata, error) {
			c, err := checkDatabase(dir)
			return c.metadata, err
		},
	}
}

func javaArtifact(o Options) artifact {
	return artifact{
		part: Java, repositories: o.JavaRepositories, dir: filepath.Join(o.Dir, javaDir),
		mediaType: javaMediaType, file: javaDB, limit: maxJava, schema: javaSchema,
		check: checkJava,
	}
}

// origin is origin.json: where the database beside it was fetched. Size and
// Updated tie it to that very database, as users put files there by hand.
type origin struct {
	Reference string    `json:"reference"`
	Digest    string    `json:"digest"` // of the manifest
	Size      int64     `json:"size"`   // of the database file
	Updated   time.Time `json:"updated"`
}

// readOrigin returns the origin of the database in dir, if it is known.
func readOrigin(dir, file string, m metadata) (origin, bool) {
	var from origin
	b, err := readBounded(filepath.Join(dir, originFile), maxMetadata)
	if err != nil || json.Unmarshal(b, &from) != nil {
		return origin{}, false
	}
	info, err := os.Stat(filepath.Join(dir, file))
	if err != nil || info.Size() != from.Size || !m.UpdatedAt.Equal(from.Updated) {
		return origin{}, false
	}
	return from, true
}

// fetchArtifact fetches from the first repository that can give it. The caller
// holds the lock. have is the database that is there and must not be replaced
// by an older one; zero where any will do.
func fetchArtifact(ctx context.Context, o Options, a artifact, have metadata) error {
	if o.Fetch == nil {
		return fmt.Errorf("%s: %w: there is no way to fetch here", a.part, ErrUpdate)
	}
	if err := os.MkdirAll(a.dir, 0o750); err != nil {
		return fmt.Errorf("%s: %w: make its folder: %w", a.part, ErrUpdate, err)
	}
	var problems []error
	for _, ref := range a.repositories {
		err := fetchFrom(ctx, o, a, ref, have)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o.Log.Debug("a repository could not give the database", "reference", ref, "error", err)
		problems = append(problems, fmt.Errorf("%s: %w", ref, err))
	}
	return fmt.Errorf("%s: %w: %w", a.part, ErrUpdate, errors.Join(problems...))
}

// fetchFrom fetches from one repository into a temporary folder, checks what
// came, and puts it in place. What is in place is not touched before.
func fetchFrom(ctx context.Context, o Options, a artifact, ref string, have metadata) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	layer, digest, err := findLayer(ctx, stop, o, a, ref)
	if err != nil {
		return cause(ctx, err)
	}
	if current, err := a.check(ctx, a.dir); err == nil {
		if from, ok := readOrigin(a.dir, a.file, current); ok && from.Digest == digest {
			return nil // the registry has nothing newer
		}
	}
	temp, err := os.MkdirTemp(a.dir, tempName)
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) //nolint:errcheck // the next updater sweeps
	if err := unpack(ctx, stop, o, a, layer, temp); err != nil {
		return cause(ctx, err)
	}
	meta, err := a.check(ctx, temp)
	if err != nil {
		return fmt.Errorf("what it gave cannot be used: %w", err)
	}
	if meta.UpdatedAt.Before(have.UpdatedAt) {
		return fmt.Errorf("it has a database of %s, older than the one that is here, of %s",
			meta.UpdatedAt.Format(time.DateOnly), have.UpdatedAt.Format(time.DateOnly))
	}
	return install(o, a, temp, meta, origin{Reference: ref, Digest: digest})
}

// findLayer resolves the reference and returns its one layer and the digest of
// its manifest.
func findLayer(ctx context.Context, stop context.CancelCauseFunc, o Options, a artifact, ref string) (v1.Layer, string, error) {
	alarm := time.AfterFunc(stallTimeout, func() { stop(errStalled) })
	defer alarm.Stop()
	img, err := o.Fetch(ctx, ref)
	if err != nil {
		return nil, "", err
	}
	digest, err := img.Digest()
	if err != nil {
		return nil, "", err
	}
	if _, pinned, ok := strings.Cut(ref, "@"); ok && pinned != digest.String() {
		return nil, "", fmt.Errorf("it gave %s instead of the digest that was asked for", digest)
	}
	manifest, err := img.Manifest()
	if err != nil {
		return nil, "", err
	}
	if len(manifest.Layers) != 1 || string(manifest.Layers[0].MediaType) != a.mediaType {
		return nil, "", fmt.Errorf("it is no %s: its manifest does not have one layer of type %s", a.part, a.mediaType)
	}
	layer, err := img.LayerByDigest(manifest.Layers[0].Digest)
	return layer, digest.String(), err
}

// unpack streams the layer into dir: the database and its metadata, nothing
// else, within their limits, with the digest checked over every byte.
func unpack(ctx context.Context, stop context.CancelCauseFunc, o Options, a artifact, layer v1.Layer, dir string) error {
	want, err := layer.Digest()
	if err != nil {
		return err
	}
	size, err := layer.Size()
	if err != nil {
		return err
	}
	if size > a.limit {
		return fmt.Errorf("its layer has %d bytes, more than the %d that are allowed", size, a.limit)
	}
	body, err := layer.Compressed()
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // read only
	src := &watched{r: body, limit: size, sum: sha256.New(), progress: func(n int64) { o.Progress(a.part, n, size) }}
	unwatch := src.watch(stop, stallTimeout)
	defer unwatch()
	if err := untar(src, a, dir); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, src); err != nil { // the digest is of the whole layer
		return err
	}
	if got := hex.EncodeToString(src.sum.Sum(nil)); got != want.Hex {
		return fmt.Errorf("its layer has digest sha256:%s instead of %s", got, want)
	}
	return ctx.Err()
}

// untar writes the two files of the archive into dir.
func untar(r io.Reader, a artifact, dir string) error {
	zr, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("unpack its layer: %w", err)
	}
	limits := map[string]int64{a.file: a.limit, metadataFile: maxMetadata}
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("unpack its layer: %w", err)
		}
		name := path.Clean(h.Name)
		limit, wanted := limits[name]
		if !wanted || h.Typeflag != tar.TypeReg {
			continue
		}
		delete(limits, name) // a second one of the name is not looked at
		if err := writeFile(filepath.Join(dir, name), tr, limit); err != nil {
			return err
		}
	}
	if len(limits) > 0 {
		return fmt.Errorf("unpack its layer: it lacks %s or %s", a.file, metadataFile)
	}
	return nil
}

// writeFile writes at most limit bytes of r to a new file, and syncs it.
func writeFile(path string, r io.Reader, limit int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // settle closes it where all went well
	n, err := io.Copy(f, io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return fmt.Errorf("unpack its layer to %s: %w", path, err)
	case n > limit:
		return fmt.Errorf("unpack its layer to %s: it has more than %d bytes", path, limit)
	}
	if err := settle(f); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// install puts the checked files of temp in place. Each rename is atomic, and
// the database goes first: broken off in between, there is a new database with
// the old metadata, which makes it look older than it is and be fetched again.
// A process that has the old file open keeps it.
func install(o Options, a artifact, temp string, meta metadata, from origin) error {
	info, err := os.Stat(filepath.Join(temp, a.file))
	if err != nil {
		return err
	}
	meta.DownloadedAt = o.Now().UTC()
	from.Size, from.Updated = info.Size(), meta.UpdatedAt
	for name, content := range map[string]any{metadataFile: meta, originFile: from} {
		b, err := json.Marshal(content)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(temp, name), append(b, '\n'), 0o640); err != nil {
			return err
		}
	}
	for _, name := range []string{a.file, metadataFile, originFile} {
		if err := os.Rename(filepath.Join(temp, name), filepath.Join(a.dir, name)); err != nil {
			return err
		}
	}
	return nil
}

var errStalled = fmt.Errorf("it said nothing for %s", stallTimeout)

// cause prefers the reason why ctx was ended over the error that this led to.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil && !errors.Is(c, context.Canceled) {
		return c
	}
	return err
}

// watched is a download: bounded, counted, hashed, and given up when nothing
// comes any more.
type watched struct {
	r        io.Reader
	limit    int64 // bytes; one more is an error
	sum      hash.Hash
	progress func(done int64)
	done     atomic.Int64
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		done := w.done.Add(int64(n))
		if done > w.limit {
			return 0, fmt.Errorf("it gives more than the %d bytes that are allowed", w.limit)
		}
		if w.sum != nil {
			w.sum.Write(p[:n])
		}
		w.progress(done)
	}
	return n, err
}

// watch calls stop when no byte came for so long. The function that it returns
// ends the watching.
func (w *watched) watch(stop context.CancelCauseFunc, patience time.Duration) (end func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(patience)
		defer tick.Stop()
		last := int64(-1)
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				now := w.done.Load()
				if now == last {
					stop(errStalled)
					return
				}
				last = now
			}
		}
	}()
	return func() { close(done) }
}
