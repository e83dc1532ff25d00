package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
)

// TestAMillionTinyFiles: an image of a million small files is scanned like any
// other. Of each only the name is kept, packed, to know what later layers remove.
func TestAMillionTinyFiles(t *testing.T) {
	const files = 1_000_000
	var stored bytes.Buffer
	z, err := gzip.NewWriterLevel(&stored, gzip.BestSpeed)
	must(t, err)
	sum := sha256.New()
	tw := tar.NewWriter(io.MultiWriter(z, sum))
	for _, f := range baseFiles() {
		h := &tar.Header{Name: f.name, Mode: 0o755, Size: int64(len(f.body)), Typeflag: tar.TypeReg}
		if f.dir {
			h.Typeflag, h.Size = tar.TypeDir, 0
		}
		must(t, tw.WriteHeader(h))
		_, err := io.WriteString(tw, f.body)
		must(t, err)
	}
	for i := range files {
		// Empty, so that the archive stays at half a gigabyte.
		must(t, tw.WriteHeader(&tar.Header{Name: fmt.Sprintf("srv/%03d/%x", i%1000, i*2654435761), Mode: 0o644, Typeflag: tar.TypeReg, Uid: i % 7}))
	}
	must(t, tw.Close())
	must(t, z.Close())
	// From a folder: a registry in this process would keep the layer in memory.
	ref := t.TempDir()
	folder, err := layout.Write(ref, empty.Index)
	must(t, err)
	must(t, folder.AppendImage(imageOf(t, v1.Config{}, &rawLayer{stored.Bytes(), v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sum.Sum(nil))}, types.OCILayer})))
	stored = bytes.Buffer{}

	var peak atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapAlloc))
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	im, r := collect(t, options(t, ref)).image(t, ref)
	close(stop)
	<-stopped
	if len(im.Packages) == 0 || im.Distribution.Family != "debian" || len(r.Missing) != 0 && len(im.Secrets) != 0 {
		t.Errorf("%d packages of %+v, missing %v", len(im.Packages), im.Distribution, r.Missing)
	}
	// Packed they take 24 MB, and three times as much while the cache writes them.
	if grown := int64(peak.Load()) - int64(before.HeapAlloc); grown > 150<<20 {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
	o := options(t, ref)
	o.Limits.Files = files
	o.CacheDir = t.TempDir()
	wantText(t, failure(t, o), "limit passed", "1000000 files", "--max-files")
}
