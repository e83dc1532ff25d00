package image

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/postscan/postscan/scanner/inventory"
)

// FuzzWalk: whatever an archive holds, its names stay below the root, and a walk ends.
func FuzzWalk(f *testing.F) {
	f.Add(tarOf(f, baseFiles()...))
	f.Add(tarOf(f, file{name: "../../x", body: "1"}, file{name: "/abs", link: "../../etc"}, file{name: "h", link: "/../x", hard: true}))
	f.Add(tarOf(f, file{name: "cap", body: "x", cap: "\x00"}, file{name: "a/.wh..wh..opq"}, file{name: ".wh.b"}))
	f.Add(make([]byte, 1024))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got collected
		lim := Limits{Files: 1000}.withDefaults()
		n, err := walkTar(t.Context(), bytes.NewReader(raw), &got, lim)
		if err == nil && n < len(got.entries) {
			t.Errorf("%d entries of %d", len(got.entries), n)
		}
		for _, e := range got.entries {
			if e.Path == "" || strings.HasPrefix(e.Path, "/") || e.Path == ".." || strings.HasPrefix(e.Path, "../") || strings.Contains(e.Path, "/../") {
				t.Errorf("path %q", e.Path)
			}
		}
	})
}

// FuzzLayer: no bytes of a layer do more than fail.
func FuzzLayer(f *testing.F) {
	raw := tarOf(f, baseFiles()...)
	enc, err := zstd.NewWriter(nil)
	must(f, err)
	f.Add(raw)
	f.Add(gz(f, raw))
	f.Add(enc.EncodeAll(raw, nil))
	f.Add([]byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0})
	dir := f.TempDir()
	lim := Limits{Size: 4 << 20, Files: 1000, File: 1 << 20, ArchiveDepth: 3}.withDefaults()
	f.Fuzz(func(t *testing.T, stored []byte) {
		b := blob{
			diffID: digestOf(stored).String(), size: int64(len(stored)),
			open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(stored)), nil },
		}
		opts := inventory.Options{SpoolDir: dir, MaxFile: lim.File, MaxArchiveDepth: lim.ArchiveDepth, Secrets: true}
		_, err := scanLayer(t.Context(), b, opts, lim, func(int64) {})
		switch {
		case err == nil, errors.Is(err, ErrTruncated), errors.Is(err, ErrCorrupt), errors.Is(err, ErrLimit), errors.Is(err, ErrDigest):
		default:
			t.Errorf("error without a type: %v", err)
		}
	})
}

// FuzzArchive: no file that is called an image does more than fail.
func FuzzArchive(f *testing.F) {
	f.Add(tarOf(f, file{name: "manifest.json", body: `[{"Config":"c","RepoTags":["a:1"],"Layers":["l"]}]`}, file{name: "c", body: `{"rootfs":{"diff_ids":["sha256:` + strings.Repeat("a", 64) + `"]}}`}, file{name: "l", body: "x"}))
	f.Add(tarOf(f, file{name: "index.json", body: `{"schemaVersion":2,"manifests":[{"digest":"sha256:` + strings.Repeat("a", 64) + `","size":1}]}`}))
	f.Add(tarOf(f, file{name: "manifest.json", link: "other"}, file{name: "other", link: "manifest.json"}))
	f.Add([]byte("\x1f\x8b"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(dir, "x.tar")
		must(t, os.WriteFile(path, raw, 0o600))
		fs, err := openPath(t.Context(), path, Limits{Spool: 1 << 20}.withDefaults(), dir)
		if err != nil {
			return
		}
		defer fs.Close()
		l, err := openFiles(t.Context(), fs, "", wanted{platform: hostPlatform("amd64")})
		if err == nil && len(l.pics) == 0 {
			t.Error("no image and no error")
		}
	})
}
