package vulndb

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/postscan/postscan/scanner/vulndb/dbfile"
)

// server is a registry that speaks HTTP and can be made to misbehave with the
// blobs that it gives.
type server struct {
	addr  string
	blobs atomic.Int32 // given so far
	spoil atomic.Pointer[func(w http.ResponseWriter, whole []byte)]
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{}
	behind := registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, 0)))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/sha256:") {
			behind.ServeHTTP(w, r)
			return
		}
		s.blobs.Add(1)
		spoil := s.spoil.Load()
		if spoil == nil {
			behind.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		behind.ServeHTTP(rec, r)
		(*spoil)(w, rec.Body.Bytes())
	}))
	t.Cleanup(web.Close)
	s.addr = strings.TrimPrefix(web.URL, "http://")
	return s
}

// push puts an artifact with the files into the registry and returns its digest.
func (s *server) push(t testing.TB, ref, mediaType string, files map[string][]byte) string {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, static.NewLayer(pack(t, files), types.MediaType(mediaType)))
	if err != nil {
		t.Fatal(err)
	}
	to, err := name.ParseReference(s.addr+"/"+ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(to, img); err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// pushDatabase puts the database of the fixture into the registry.
func (s *server) pushDatabase(t testing.TB, ref string, f dbfile.Fixture) string {
	t.Helper()
	return s.push(t, ref, databaseMediaType, databaseFiles(t, f))
}

func databaseFiles(t testing.TB, f dbfile.Fixture) map[string][]byte {
	t.Helper()
	dir := write(t, f)
	files := map[string][]byte{"../escape": []byte("no"), "README": []byte("not asked for")}
	for _, n := range []string{trivyDB, metadataFile} {
		b, err := os.ReadFile(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		files[n] = b
	}
	return files
}

func pack(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	tw := tar.NewWriter(zw)
	for name, content := range files {
		if err := tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fetch is what the command line passes in, for a registry without TLS.
func fetch(ctx context.Context, ref string) (v1.Image, error) {
	r, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return nil, err
	}
	return remote.Image(r, remote.WithContext(ctx), remote.WithRetryBackoff(remote.Backoff{Steps: 1}))
}

func (s *server) options(dir string, refs ...string) Options {
	for i := range refs {
		refs[i] = s.addr + "/" + refs[i]
	}
	return Options{Dir: dir, Repositories: refs, JavaRepositories: refs, Fetch: fetch, Now: at(today)}
}

// dated is the fixture with other dates.
func dated(t testing.TB, updated time.Time) dbfile.Fixture {
	t.Helper()
	f := fixture(t)
	f.Updated, f.NextUpdate = updated, updated.Add(24*time.Hour)
	return f
}

func TestOpenFetchesWhatIsNotThere(t *testing.T) {
	s := newServer(t)
	digest := s.pushDatabase(t, "db:2", fixture(t))
	dir := filepath.Join(t.TempDir(), "new", "folder")
	db := open(t, s.options(dir, "nowhere/db:2", "db:2"))
	src := db.Source()
	if src.Location != s.addr+"/db:2" || src.Version != digest || src.Problem != "" {
		t.Errorf("Source = %+v, want the second repository and %s", src, digest)
	}
	if found, err := db.Match(t.Context(), debian, installed(1, "1")); err != nil || len(found) != 0 {
		t.Errorf("Match = %v, %v", found, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got, want := strings.Join(names, " "), ".lock metadata.json origin.json trivy.db"; got != want {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}

func TestOpenReplacesWhatCannotBeUsed(t *testing.T) {
	s := newServer(t)
	s.pushDatabase(t, "db:2", fixture(t))
	for name, spoil := range map[string]func(dir string) error{
		"empty":   func(dir string) error { return os.WriteFile(databasePath(dir), nil, 0o644) },
		"corrupt": func(dir string) error { return os.WriteFile(databasePath(dir), []byte("nonsense"), 0o644) },
		"old schema": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, metadataFile), []byte(`{"Version":1}`), 0o644)
		},
		"left by an updater that was killed": func(dir string) error {
			return errors.Join(os.Remove(databasePath(dir)), os.MkdirAll(filepath.Join(dir, ".incoming-1"), 0o755))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, fixture(t))
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			open(t, s.options(dir, "db:2"))
			if left, _ := filepath.Glob(filepath.Join(dir, tempName)); len(left) > 0 {
				t.Errorf("%v is left behind", left)
			}
		})
	}
	t.Run("a newer schema stays", func(t *testing.T) {
		f := fixture(t)
		f.Version = 3
		dir := write(t, f)
		if _, err := Open(t.Context(), s.options(dir, "db:2")); !errors.Is(err, ErrSchema) {
			t.Errorf("Open = %v, want ErrSchema", err)
		}
	})
}

func TestOpenRefreshesWhatIsDue(t *testing.T) {
	s := newServer(t)
	old, fresh := today.AddDate(0, 0, -4), today.Add(-time.Hour)
	s.pushDatabase(t, "db:2", dated(t, fresh))
	tests := map[string]struct {
		there   time.Time
		change  func(*Options)
		want    time.Time
		problem string
	}{
		"due":             {old, func(*Options) {}, fresh, ""},
		"not due":         {fresh.Add(-time.Hour), func(*Options) {}, fresh.Add(-time.Hour), ""},
		"offline":         {old, func(o *Options) { o.Offline = true }, old, "offline"},
		"bundled":         {old, func(o *Options) { o.Bundled = true }, old, "bundled"},
		"nowhere to go":   {old, func(o *Options) { o.Repositories = []string{s.addr + "/nowhere:2"} }, old, "could not be refreshed"},
		"no fetch at all": {old, func(o *Options) { o.Fetch = nil }, old, "4 days old"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := s.options(write(t, dated(t, tt.there)), "db:2")
			tt.change(&o)
			got := open(t, o).Source()
			if !got.Updated.Equal(tt.want) {
				t.Errorf("the database is of %v, want %v", got.Updated, tt.want)
			}
			if (tt.problem == "") != (got.Problem == "") || !strings.Contains(got.Problem, tt.problem) {
				t.Errorf("Problem = %q, want %q", got.Problem, tt.problem)
			}
		})
	}
	t.Run("a folder that cannot be written", func(t *testing.T) {
		dir := write(t, dated(t, old))
		if err := os.Mkdir(filepath.Join(dir, lockFile), 0o755); err != nil {
			t.Fatal(err)
		}
		got := open(t, s.options(dir, "db:2")).Source()
		if !got.Updated.Equal(old) || !strings.Contains(got.Problem, "could not be refreshed") {
			t.Errorf("Source = %+v, want the database that was there, and why", got)
		}
	})
	t.Run("the registry has an older one", func(t *testing.T) {
		s.pushDatabase(t, "stale:2", dated(t, old.AddDate(0, 0, -1)))
		got := open(t, s.options(write(t, dated(t, old)), "stale:2")).Source()
		if !got.Updated.Equal(old) || !strings.Contains(got.Problem, "older than the one that is here") {
			t.Errorf("Source = %+v, want the database that was there, and why", got)
		}
	})
	t.Run("the registry has nothing newer", func(t *testing.T) {
		s.pushDatabase(t, "same:2", dated(t, old))
		dir := t.TempDir()
		if _, err := Update(t.Context(), s.options(dir, "same:2")); err != nil {
			t.Fatal(err)
		}
		before := s.blobs.Load()
		got := open(t, s.options(dir, "same:2")).Source()
		if s.blobs.Load() != before {
			t.Error("what is there was fetched again")
		}
		if !strings.Contains(got.Problem, "4 days old") {
			t.Errorf("Problem = %q, want the age", got.Problem)
		}
	})
}

func TestUpdateKeepsTheOldDatabaseWhereItFails(t *testing.T) {
	s := newServer(t)
	big := manyPackages(500) // so that the blob does not come in one piece
	good := s.pushDatabase(t, "db:2", big)
	files := databaseFiles(t, fixture(t))
	s.push(t, "chart:1", "application/vnd.cncf.helm.chart.content.v1.tar+gzip", files)
	s.push(t, "nometa:2", databaseMediaType, map[string][]byte{trivyDB: files[trivyDB]})
	s.push(t, "empty:2", databaseMediaType, map[string][]byte{trivyDB: {}, metadataFile: files[metadataFile]})
	s.push(t, "bigmeta:2", databaseMediaType, map[string][]byte{trivyDB: files[trivyDB], metadataFile: bytes.Repeat([]byte(" "), maxMetadata+1)})
	s.push(t, "schema:2", databaseMediaType, map[string][]byte{trivyDB: files[trivyDB], metadataFile: []byte(`{"Version":3}`)})
	notGzip, err := mutate.AppendLayers(empty.Image, static.NewLayer([]byte("plain text"), databaseMediaType))
	if err != nil {
		t.Fatal(err)
	}
	to, err := name.ParseReference(s.addr+"/plain:2", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(to, notGzip); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		ref   string
		spoil func(w http.ResponseWriter, whole []byte)
		says  string
	}{
		"no such repository": {ref: "none:2", says: "NAME_UNKNOWN"},
		"not a database":     {ref: "chart:1", says: databaseMediaType},
		"no metadata":        {ref: "nometa:2", says: "lacks"},
		"empty database":     {ref: "empty:2", says: "empty"},
		"large metadata":     {ref: "bigmeta:2", says: "more than 65536 bytes"},
		"another schema":     {ref: "schema:2", says: "schema"},
		"not compressed":     {ref: "plain:2", says: "unpack its layer"},
		"broken off": {"db:2", func(w http.ResponseWriter, whole []byte) {
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
			w.Write(whole[:len(whole)/2])
			panic(http.ErrAbortHandler)
		}, "unexpected EOF"},
		"other bytes": {"db:2", func(w http.ResponseWriter, whole []byte) {
			whole = bytes.Clone(whole)
			whole[len(whole)/2] ^= 0xff
			w.Write(whole)
		}, "db:2: "},
		"other bytes after the archive": {"db:2", func(w http.ResponseWriter, whole []byte) {
			whole = bytes.Clone(whole)
			whole[4] ^= 0xff // gzip's time, which no checksum covers
			w.Write(whole)
		}, "sha256"},
		"an error of the server":   {"db:2", func(w http.ResponseWriter, _ []byte) { w.WriteHeader(http.StatusInternalServerError) }, "500"},
		"pinned to something else": {ref: "db@sha256:" + strings.Repeat("0", 64), says: "MANIFEST_UNKNOWN"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := write(t, fixture(t))
			before, err := os.ReadFile(databasePath(dir))
			if err != nil {
				t.Fatal(err)
			}
			listed := listing(t, dir)
			if tt.spoil != nil {
				s.spoil.Store(&tt.spoil)
				defer s.spoil.Store(nil)
			}
			_, err = Update(t.Context(), s.options(dir, tt.ref))
			if !errors.Is(err, ErrUpdate) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Update = %v, want ErrUpdate that says %q", err, tt.says)
			}
			after, err := os.ReadFile(databasePath(dir))
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("the old database changed (%v)", err)
			}
			if got := strings.Replace(listing(t, dir), filepath.Join(dir, lockFile)+" -rw-r-----\n", "", 1); got != listed {
				t.Errorf("the folder changed from\n%s\nto\n%s", listed, got)
			}
		})
	}
	t.Run("and takes the pinned one", func(t *testing.T) {
		dir := write(t, fixture(t))
		status, err := Update(t.Context(), s.options(dir, "db@"+good))
		if err != nil {
			t.Fatal(err)
		}
		if got := status.Parts[0].Source.Version; got != good {
			t.Errorf("digest %s, want %s", got, good)
		}
	})
}

func TestUpdateRefusesARegistryThatGivesAnotherDigest(t *testing.T) {
	s := newServer(t)
	s.pushDatabase(t, "db:2", fixture(t))
	o := s.options(t.TempDir(), "db@sha256:"+strings.Repeat("0", 64))
	o.Fetch = func(ctx context.Context, _ string) (v1.Image, error) { return fetch(ctx, s.addr+"/db:2") }
	if _, err := Update(t.Context(), o); !errors.Is(err, ErrUpdate) || !strings.Contains(err.Error(), "instead of the digest that was asked for") {
		t.Errorf("Update = %v, want a refusal of the other digest", err)
	}
}

// lying is a layer that gives other bytes than its digest is of. A registry
// client that checks would not let them through; ours does not rely on that.
type lying struct {
	v1.Layer
	bytes []byte
}

func (l lying) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.bytes)), nil
}

type lyingImage struct {
	v1.Image
	bytes []byte
}

func (i lyingImage) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	l, err := i.Image.LayerByDigest(h)
	return lying{l, i.bytes}, err
}

func TestUpdateChecksEveryByte(t *testing.T) {
	s := newServer(t)
	s.pushDatabase(t, "db:2", fixture(t))
	img, err := fetch(t.Context(), s.addr+"/db:2")
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	body, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(whole)
	other[4] ^= 0xff // gzip's time, which no checksum covers
	for name, tt := range map[string]struct {
		bytes []byte
		says  string
	}{
		"other bytes":        {other, "its layer has digest"},
		"more than it says":  {append(bytes.Clone(whole), 0), "more than the"},
		"nothing":            {nil, "unpack its layer"},
		"half of a database": {whole[:len(whole)/2], "unpack its layer"},
	} {
		o := s.options(t.TempDir(), "db:2")
		o.Fetch = func(context.Context, string) (v1.Image, error) { return lyingImage{img, tt.bytes}, nil }
		if _, err := Update(t.Context(), o); !errors.Is(err, ErrUpdate) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: Update = %v, want ErrUpdate that says %q", name, err, tt.says)
		}
	}
}

func TestUpdateEndsWithItsContext(t *testing.T) {
	s := newServer(t)
	s.pushDatabase(t, "db:2", manyPackages(500))
	ctx, cancel := context.WithCancel(t.Context())
	hang := func(w http.ResponseWriter, whole []byte) {
		w.Write(whole[:100])
		w.(http.Flusher).Flush()
		cancel()
		<-ctx.Done()
		panic(http.ErrAbortHandler)
	}
	s.spoil.Store(&hang)
	dir := t.TempDir()
	if _, err := Update(ctx, s.options(dir, "db:2")); !errors.Is(err, context.Canceled) {
		t.Errorf("Update = %v, want Canceled", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, tempName)); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}

func TestUpdatersWaitForEachOther(t *testing.T) {
	s := newServer(t)
	s.pushDatabase(t, "db:2", dated(t, today.Add(-time.Hour)))
	dir := write(t, dated(t, today.AddDate(0, 0, -4)))
	before := s.blobs.Load()
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			o, err := s.options(dir, "db:2").withDefaults()
			if err != nil {
				t.Error(err)
				return
			}
			if found, problem, err := prepare(context.Background(), o); err != nil || problem != "" || found.due(today) {
				t.Errorf("prepare = %v, %q, %v", found.metadata, problem, err)
			}
		})
	}
	wg.Wait()
	if got := s.blobs.Load() - before; got != 1 {
		t.Errorf("six processes fetched the database %d times, want once", got)
	}
}

func TestAStalledDownloadIsGivenUp(t *testing.T) {
	r, _ := io.Pipe()
	w := &watched{r: r, limit: 1, progress: func(int64) {}}
	ctx, stop := context.WithCancelCause(t.Context())
	unwatch := w.watch(stop, time.Millisecond)
	defer unwatch()
	<-ctx.Done()
	if err := cause(ctx, io.ErrUnexpectedEOF); !errors.Is(err, errStalled) {
		t.Errorf("cause = %v, want that it stalled", err)
	}
}

func TestUpdateFetchesTheLists(t *testing.T) {
	files := map[string]string{"/kev.json": kevText, "/epss.csv.gz": zipped(epssText), "/page": "<html>"}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(files[r.URL.Path]))
	}))
	defer web.Close()
	dir := write(t, fixture(t))
	o := Options{
		Dir: dir, Now: at(today), KEVURL: web.URL + "/kev.json", EPSSURL: web.URL + "/epss.csv.gz",
		FetchURL: func(ctx context.Context, url string) (io.ReadCloser, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return nil, err
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return nil, err
			}
			return resp.Body, nil
		},
	}
	status, err := Update(t.Context(), o, KEV, EPSS)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range status.Parts[2:] {
		if p.Err != nil || p.Source.Updated.IsZero() {
			t.Errorf("%s: %+v, want a list with a date", p.Part, p)
		}
	}
	if !errors.Is(status.Parts[1].Err, ErrMissing) {
		t.Errorf("Java index: %v, want ErrMissing", status.Parts[1].Err)
	}
	o.KEVURL, o.EPSSURL = web.URL+"/page", web.URL+"/none"
	if _, err := Update(t.Context(), o, KEV, EPSS); !errors.Is(err, ErrUpdate) || !strings.Contains(err.Error(), "CISA") || !strings.Contains(err.Error(), "no scores") {
		t.Errorf("Update = %v, want both to be refused", err)
	}
	if db := open(t, o); !db.KEVConfigured() || !db.EPSSConfigured() {
		t.Error("a failed update lost the old lists")
	}
}

func TestUpdateOffline(t *testing.T) {
	if _, err := Update(t.Context(), Options{Dir: t.TempDir(), Offline: true}); !errors.Is(err, ErrUpdate) {
		t.Errorf("Update = %v, want ErrUpdate", err)
	}
	if _, err := Update(t.Context(), Options{Dir: t.TempDir()}); !errors.Is(err, ErrUpdate) {
		t.Errorf("Update without a way to fetch = %v, want ErrUpdate", err)
	}
}
