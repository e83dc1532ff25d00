package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"

	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
)

// collected are the entries that a walk handed out.
type collected struct {
	entries []inventory.Entry
	bodies  []string
}

func (c *collected) Add(_ context.Context, e inventory.Entry, r io.Reader) error {
	body, err := io.ReadAll(io.LimitReader(r, 100))
	c.entries = append(c.entries, e)
	c.bodies = append(c.bodies, string(body))
	return err
}

func gz(t testing.TB, raw []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	_, err := zw.Write(raw)
	must(t, err)
	must(t, zw.Close())
	return buf.Bytes()
}

// scanRaw reads a layer of given bytes under limits.
func scanRaw(t testing.TB, stored, unpacked []byte, lim Limits) (*layerResult, error) {
	t.Helper()
	return scanLayer(t.Context(), blob{
		digest: digestOf(stored).String(), diffID: digestOf(unpacked).String(), size: int64(len(stored)),
		open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(stored)), nil },
	}, inventory.Options{SpoolDir: t.TempDir()}, lim.withDefaults(), func(int64) {})
}

// TestCompressionIsToldByTheBytes: what a layer's media type says does not matter.
func TestCompressionIsToldByTheBytes(t *testing.T) {
	srv := newServer(t)
	raw := tarOf(t, baseFiles()...)
	enc, err := zstd.NewWriter(nil)
	must(t, err)
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}, enc.EncodeAll(raw, nil)...)
	twoMembers := append(gz(t, raw[:1000]), gz(t, raw[1000:])...)
	for what, l := range map[string]v1.Layer{
		"plain":            plainLayer(t, baseFiles()...),
		"gzip":             gzLayer(t, baseFiles()...),
		"zstd":             zstdLayer(t, baseFiles()...),
		"plain as gzip":    &rawLayer{raw, digestOf(raw), types.DockerLayer},
		"gzip as plain":    &rawLayer{gz(t, raw), digestOf(raw), types.OCIUncompressedLayer},
		"zstd:chunked":     &rawLayer{skippable, digestOf(raw), types.OCILayerZStd},
		"gzip in members":  &rawLayer{twoMembers, digestOf(raw), types.OCILayer},
		"padded with zero": paddedLayer(t),
	} {
		ref := srv.push(t, "app:"+strings.NewReplacer(" ", "-", ":", "-").Replace(what), imageOf(t, v1.Config{}, l))
		im, _ := collect(t, options(t, ref)).image(t, ref)
		if len(im.Packages) != 1 {
			t.Errorf("%s: %d packages", what, len(im.Packages))
		}
	}
}

func paddedLayer(t *testing.T) v1.Layer {
	raw := append(tarOf(t, baseFiles()...), make([]byte, 100_000)...)
	return &rawLayer{gz(t, raw), digestOf(raw), types.OCILayer}
}

// TestBrokenLayers: a layer that is not what it says is an error of its type.
func TestBrokenLayers(t *testing.T) {
	raw := tarOf(t, append(baseFiles(), file{name: "big", body: randomText(200_000)})...)
	packed := gz(t, raw)
	enc, err := zstd.NewWriter(nil)
	must(t, err)
	damaged := slices.Clone(packed)
	damaged[len(damaged)/2] ^= 0xff
	for what, tt := range map[string]struct {
		stored []byte
		want   error
	}{
		"cut gzip":         {packed[:len(packed)/2], ErrTruncated},
		"cut zstd":         {enc.EncodeAll(raw, nil)[:1000], ErrTruncated},
		"cut tar":          {raw[:len(raw)/2], ErrTruncated},
		"damaged gzip":     {damaged, ErrCorrupt},
		"no archive":       {[]byte(strings.Repeat("this is no archive ", 100)), ErrCorrupt},
		"gzip of nothing":  {gz(t, []byte(strings.Repeat("neither is this ", 100))), ErrCorrupt},
		"a byte of gzip":   {[]byte{0x1f, 0x8b}, ErrCorrupt},
		"garbage behind":   {append(slices.Clone(packed), "garbage that is no member of gzip"...), ErrCorrupt},
		"another diff ID":  {gz(t, append(raw, 0)), ErrDigest},
		"a window of 1 GB": {[]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0, 0, 0, 0, 0, 0}, ErrCorrupt},
	} {
		if _, err := scanRaw(t, tt.stored, raw, Limits{}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", what, err, tt.want)
		}
	}
	// An empty blob is an empty layer.
	if res, err := scanRaw(t, nil, nil, Limits{}); err != nil || res.Files != 0 {
		t.Errorf("empty: %v", err)
	}
}

// TestLimits: each is an error that says which.
func TestLimits(t *testing.T) {
	many := make([]file, 2000)
	for i := range many {
		many[i] = file{name: "f" + strings.Repeat("x", i%7), body: "1"}
	}
	tiny := tarOf(t, many...)
	_, err := scanRaw(t, gz(t, tiny), tiny, Limits{Files: 1999})
	if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "more than 1999 files") {
		t.Errorf("files: %v", err)
	}
	if _, err := scanRaw(t, gz(t, tiny), tiny, Limits{Files: 2000}); err != nil {
		t.Errorf("files, just enough: %v", err)
	}
	_, err = scanRaw(t, gz(t, tiny), tiny, Limits{Size: 1 << 20})
	if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("size: %v", err)
	}
	// Two layers that are each small enough, and together are not.
	srv := newServer(t)
	ref := srv.push(t, "app:1", imageOf(t, v1.Config{}, gzLayer(t, file{name: "a", body: strings.Repeat("a", 700_000)}), gzLayer(t, file{name: "b", body: strings.Repeat("b", 700_000)})))
	o := options(t, ref)
	o.Limits.Size = 1 << 20
	wantText(t, failure(t, o), "limit passed", "1048576")
	o.Limits = Limits{Files: 1}
	o.CacheDir = t.TempDir()
	wantText(t, failure(t, o), "limit passed", "1 files")
}

// TestBomb: a small layer that unpacks to very much is stopped by the ratio, long
// before its size.
func TestBomb(t *testing.T) {
	var packed bytes.Buffer
	enc, err := zstd.NewWriter(&packed, zstd.WithEncoderLevel(zstd.SpeedFastest))
	must(t, err)
	tw := tar.NewWriter(enc)
	must(t, tw.WriteHeader(&tar.Header{Name: "zeros", Size: 1 << 40, Typeflag: tar.TypeReg}))
	zeros := make([]byte, 1<<20)
	for range 300 {
		_, err := tw.Write(zeros)
		must(t, err)
	}
	must(t, enc.Flush())
	_, err = scanRaw(t, packed.Bytes(), nil, Limits{})
	if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "bomb") {
		t.Errorf("error is %v", err)
	}
}

// TestNames: however a name is written, it is a path below the root.
func TestNames(t *testing.T) {
	raw := tarOf(t,
		file{name: "./", dir: true}, file{name: "/", dir: true}, file{name: ".", dir: true},
		file{name: "./etc/a", body: "1"}, file{name: "/etc/b", body: "2"}, file{name: "../../etc/c", body: "3"},
		file{name: "x/../../y/./d", body: "4"}, file{name: "link", link: "/../../etc/shadow"},
		file{name: "hard", link: "../etc/a", hard: true}, file{name: "etc/.wh.gone"}, file{name: "etc/.wh..wh..opq"},
		file{name: "cap", body: "x", cap: "\x01\x00\x00\x02"}, file{name: "dir/", dir: true, mode: 0o1777},
		file{name: "suid", body: "x", mode: 0o6755},
	)
	var got collected
	n, err := walkTar(t.Context(), bytes.NewReader(raw), &got, Limits{}.withDefaults())
	must(t, err)
	var names []string
	for _, e := range got.entries {
		names = append(names, e.Path)
	}
	want := []string{"etc/a", "etc/b", "etc/c", "y/d", "link", "hard", "etc/.wh.gone", "etc/.wh..wh..opq", "cap", "dir", "suid"}
	if !slices.Equal(names, want) || n != len(want)+3 {
		t.Errorf("%d entries, names %q", n, names)
	}
	by := map[string]inventory.Entry{}
	for _, e := range got.entries {
		by[e.Path] = e
	}
	if l := by["link"]; l.Link != "/../../etc/shadow" || l.Mode&os.ModeSymlink == 0 {
		t.Errorf("link %+v", l)
	}
	if h := by["hard"]; !h.HardLink || h.Link != "etc/a" || !h.Mode.IsRegular() {
		t.Errorf("hard link %+v", h)
	}
	if string(by["cap"].Capability) != "\x01\x00\x00\x02" {
		t.Errorf("capability %q", by["cap"].Capability)
	}
	if d := by["dir"].Mode; !d.IsDir() || d&os.ModeSticky == 0 {
		t.Errorf("directory %v", d)
	}
	if m := by["suid"].Mode; m&os.ModeSetuid == 0 || m&os.ModeSetgid == 0 || m.Perm() != 0o755 {
		t.Errorf("set-uid %v", m)
	}
}

// TestWhiteouts: what a later layer deletes is gone from the image.
func TestWhiteouts(t *testing.T) {
	srv := newServer(t)
	ref := srv.push(t, "app:1", imageOf(t, v1.Config{}, gzLayer(t, baseFiles()...), gzLayer(t, file{name: "usr/bin/.wh.su"}, file{name: "var/lib/.wh..wh..opq"})))
	im, _ := collect(t, options(t, ref)).image(t, ref)
	if len(im.PrivilegedFiles) != 0 || len(im.Packages) != 0 {
		t.Errorf("privileged files %+v, packages %+v", im.PrivilegedFiles, im.Packages)
	}
}

// TestHiddenLayers: layers that nobody here can read make unknown what may stand in
// them, and nothing else.
func TestHiddenLayers(t *testing.T) {
	srv := newServer(t)
	foreign := &rawLayer{gz(t, tarOf(t, file{name: "Windows/x", body: "1"})), digestOf(tarOf(t, file{name: "Windows/x", body: "1"})), types.DockerForeignLayer}
	img := imageOf(t, v1.Config{User: "app"}, foreign, gzLayer(t, baseFiles()...))
	ref := srv.push(t, "app:1", img)
	lacking := digestOf(foreign.stored).Hex
	srv.interfere(answer(lacking, 404, ""))
	o := options(t, ref)
	o.Inventory.Secrets = true
	im, res := collect(t, o).image(t, ref)
	for _, path := range []string{"packages", "secrets", "vulnerabilities", "users", "tools"} {
		if m := res.Missing[path]; m.Status != facts.Unknown || m.Partial == (path == "vulnerabilities") || !strings.Contains(m.Reason, "1 of 2 layers could not be read; layer 1: it may not be distributed") {
			t.Errorf("%s: %+v", path, m)
		}
	}
	if m := res.Missing["config.user_uid"]; m.Partial || m.Status != facts.Unknown {
		t.Errorf("config.user_uid: %+v", m)
	}
	if _, ok := res.Missing["config.exposed_ports"]; ok || len(im.Packages) != 1 || im.Packages[0].Layer != 1 {
		t.Errorf("missing %v, packages %+v", res.Missing, im.Packages)
	}
	// A registry may have such a layer all the same.
	srv.interfere(nil)
	if _, res := collect(t, options(t, ref)).image(t, ref); res.Missing["packages"].Reason != "" {
		t.Errorf("layer that is there: %+v", res.Missing["packages"])
	}
	// Other trouble with it is no excuse.
	srv.interfere(answer(lacking, 401, ""))
	wantText(t, failure(t, options(t, ref)), "status 401")

	sealed := imageOf(t, v1.Config{}, &rawLayer{[]byte("sealed"), digestOf([]byte("?")), "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"})
	ref = srv.push(t, "app:2", sealed)
	srv.interfere(nil)
	_, res = collect(t, options(t, ref)).image(t, ref)
	if m := res.Missing["packages"]; m.Partial || !strings.Contains(m.Reason, "it is encrypted") {
		t.Errorf("all layers hidden: %+v", m)
	}
	if m := res.Missing["distribution"]; m.Status != facts.Unknown {
		t.Errorf("distribution: %+v", m)
	}
}

// TestEachLayerIsReadOnce: images that share a base read it once, with and without a cache.
func TestEachLayerIsReadOnce(t *testing.T) {
	for _, noCache := range []bool{false, true} {
		srv := newServer(t)
		base := gzLayer(t, baseFiles()...)
		h, err := base.Digest()
		must(t, err)
		var refs []string
		for i := range 20 {
			own := gzLayer(t, file{name: "app/n", body: strings.Repeat("n", i+1)})
			refs = append(refs, srv.push(t, "app:"+string(rune('a'+i)), imageOf(t, v1.Config{}, base, own)))
		}
		srv.reset()
		o := options(t, refs...)
		o.NoCache, o.Parallel, o.NoSignatures = noCache, 8, true
		o.TempDir = t.TempDir()
		s := collect(t, o)
		for _, ref := range refs {
			if im, _ := s.image(t, ref); len(im.Packages) != 1 {
				t.Errorf("%s: %d packages", ref, len(im.Packages))
			}
		}
		if n := srv.requests("GET /v2/app/blobs/" + h.String()); n != 1 {
			t.Errorf("no cache %t: the base was read %d times", noCache, n)
		}
		left, err := os.ReadDir(o.TempDir)
		must(t, err)
		if len(left) != 0 {
			t.Errorf("no cache %t: left behind %v", noCache, left)
		}
	}
}

// TestSharedLayerOutlivesItsFirstReader: cancelling the image that began to read a
// layer does not cost another image the layer.
func TestSharedLayerOutlivesItsFirstReader(t *testing.T) {
	raw := tarOf(t, baseFiles()...)
	release, started := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b := blob{digest: digestOf(raw).String(), diffID: digestOf(raw).String(), open: func(ctx context.Context) (io.ReadCloser, error) {
		once.Do(func() { close(started) })
		select {
		case <-release:
			return io.NopCloser(bytes.NewReader(raw)), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	r := newLayerReader(inventory.Options{SpoolDir: t.TempDir()}, Limits{}.withDefaults(), nil, 1, noSlog())
	first, stop := context.WithCancel(t.Context())
	firstDone, secondDone := make(chan error, 1), make(chan error, 1)
	go func() { _, err := r.read(first, b, func(int64) {}); firstDone <- err }()
	<-started
	go func() { _, err := r.read(t.Context(), b, func(int64) {}); secondDone <- err }()
	for { // until the second one waits too
		r.mu.Lock()
		n := 0
		for _, f := range r.flights {
			n += f.waiters
		}
		r.mu.Unlock()
		if n == 2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-firstDone; !errors.Is(err, context.Canceled) {
		t.Errorf("first: %v", err)
	}
	close(release)
	if err := <-secondDone; err != nil {
		t.Errorf("second: %v", err)
	}
}

// TestCache: a second scan reads nothing, a damaged entry is not believed, and
// another version reads again.
func TestCache(t *testing.T) {
	srv := newServer(t)
	ref := srv.push(t, "app:1", imageOf(t, v1.Config{}, gzLayer(t, baseFiles()...)))
	o := options(t, ref)
	scan := func() *facts.Image {
		t.Helper()
		srv.reset()
		im, _ := collect(t, o).image(t, ref)
		return im
	}
	first := scan()
	if srv.requests("/blobs/") == 0 {
		t.Fatal("nothing was read")
	}
	second := scan()
	if n := srv.requests("/blobs/"); n != 0 {
		t.Errorf("the second scan read %d blobs", n)
	}
	a, err := json.Marshal(first)
	must(t, err)
	b, err := json.Marshal(second)
	must(t, err)
	if !bytes.Equal(a, b) {
		t.Errorf("the cache gives other facts:\n%s\n%s", a, b)
	}

	layers := filepath.Join(o.CacheDir, "image", "layers")
	entries, err := os.ReadDir(layers)
	must(t, err)
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	entry := filepath.Join(layers, entries[0].Name())
	good, err := os.ReadFile(entry)
	must(t, err)
	head, body, _ := bytes.Cut(good, []byte("\n"))
	for what, bad := range map[string][]byte{
		"empty":         {},
		"cut":           good[:len(good)/2],
		"one bit":       append(slices.Clone(good[:len(good)-10]), bytes.ToUpper(good[len(good)-10:])...),
		"another layer": append(bytes.Replace(slices.Clone(head), []byte("sha256:"), []byte("sha256:0"), 1), append([]byte("\n"), body...)...),
		"no layer":      withChecksum(t, head, []byte(`{"layer":null}`)),
		"no JSON":       withChecksum(t, head, []byte(`{"layer":`)),
	} {
		must(t, os.WriteFile(entry, bad, 0o600))
		im := scan()
		if srv.requests("/blobs/") != 1 || len(im.Packages) != 1 {
			t.Errorf("%s: %d reads, %d packages", what, srv.requests("/blobs/"), len(im.Packages))
		}
		if now, err := os.ReadFile(entry); err != nil || !bytes.Equal(now, good) {
			t.Errorf("%s: the entry was not mended (%v)", what, err)
		}
	}
	// A manifest or configuration that is damaged is read again as well.
	blobs := filepath.Join(o.CacheDir, "image", "blobs")
	entries, err = os.ReadDir(blobs)
	must(t, err)
	for _, e := range entries {
		must(t, os.WriteFile(filepath.Join(blobs, e.Name()), []byte("{}"), 0o600))
	}
	scan()

	o.Inventory.Secrets = true
	scan()
	if srv.requests("/blobs/") != 1 {
		t.Error("another way of looking took the old result")
	}
}

func withChecksum(t *testing.T, head, body []byte) []byte {
	t.Helper()
	var h cacheHeader
	must(t, json.Unmarshal(head, &h))
	h.SHA256 = digestOf(body).Hex
	line, err := json.Marshal(h)
	must(t, err)
	return append(append(line, '\n'), body...)
}

// TestCacheThatCannotBeWritten costs a warning and nothing else.
func TestCacheThatCannotBeWritten(t *testing.T) {
	srv := newServer(t)
	ref := srv.push(t, "app:1", small(t))
	o := options(t, ref)
	o.CacheDir = filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(o.CacheDir, nil, 0o600))
	collect(t, o).image(t, ref)
}

// TestCachePrune keeps what was used last.
func TestCachePrune(t *testing.T) {
	c := openCache(t.TempDir(), 2500, noSlog())
	now := time.Now()
	var hashes []v1.Hash
	for i := range 4 {
		raw := bytes.Repeat([]byte{byte('a' + i)}, 1000)
		h := digestOf(raw)
		c.keepBlob(h, raw)
		at := now.Add(time.Duration(i-10) * time.Minute)
		must(t, os.Chtimes(filepath.Join(c.dir, "blobs", h.Hex), at, at))
		hashes = append(hashes, h)
	}
	if c.blob(hashes[0]) == nil { // used just now
		t.Fatal("the first entry is gone")
	}
	left := filepath.Join(c.dir, "layers", ".tmp-1")
	must(t, os.WriteFile(left, nil, 0o600))
	must(t, os.Chtimes(left, now.Add(-2*tempAge), now.Add(-2*tempAge)))
	c.prune(t.Context())
	for i, want := range []bool{true, false, false, true} {
		if got := c.blob(hashes[i]) != nil; got != want {
			t.Errorf("entry %d is there: %t", i, got)
		}
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Error("what a killed process left is still there")
	}
}
