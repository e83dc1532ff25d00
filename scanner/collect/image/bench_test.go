package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"

	"github.com/postscan/postscan/scanner/inventory"
)

// treeLayer packs a folder of this machine as a layer: real text, real binaries.
func treeLayer(b *testing.B, dir, under string) v1.Layer {
	b.Helper()
	var packed bytes.Buffer
	h := newSum()
	zw, err := gzip.NewWriterLevel(&packed, gzip.DefaultCompression)
	must(b, err)
	tw := tar.NewWriter(io.MultiWriter(zw, h))
	must(b, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if err := tw.WriteHeader(&tar.Header{Name: under + "/" + filepath.ToSlash(rel), Mode: int64(info.Mode().Perm()), Size: int64(len(body)), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err = tw.Write(body)
		return err
	}))
	must(b, tw.Close())
	must(b, zw.Close())
	return &rawLayer{packed.Bytes(), v1.Hash{Algorithm: "sha256", Hex: h.hex()}, types.OCILayer}
}

// bigImage is made of the Go installation that runs the benchmark: sources, and
// the programs of the toolchain.
func bigImage(b *testing.B) (*server, string, []v1.Layer) {
	b.Helper()
	root := runtime.GOROOT() //nolint:staticcheck // the one that runs the benchmark is wanted
	layers := []v1.Layer{
		gzLayer(b, baseFiles()...),
		treeLayer(b, filepath.Join(root, "src"), "srv/go/src"),
		treeLayer(b, filepath.Join(root, "bin"), "srv/go/bin"),
		treeLayer(b, filepath.Join(root, "pkg"), "srv/go/pkg"),
	}
	srv := newServer(b)
	return srv, srv.push(b, "big:1", imageOf(b, v1.Config{}, layers...)), layers
}

func benchOptions(b *testing.B, refs ...string) Options {
	return Options{
		References: refs, Registry: newClient(b, RegistryOptions{}), Source: SourceRegistry, Platform: "linux/amd64",
		CacheDir: b.TempDir(), NoSignatures: true, TempDir: b.TempDir(),
	}
}

// BenchmarkImage compares a whole collection with the bare cost of downloading,
// decompressing and walking the same layers, in the same run, as many at a time.
func BenchmarkImage(b *testing.B) {
	srv, ref, layers := bigImage(b)
	var size int64
	for _, l := range layers {
		n, err := l.Size()
		must(b, err)
		size += n
	}
	b.Run("bare", func(b *testing.B) {
		b.SetBytes(size)
		defer cpuTime(b)()
		for b.Loop() {
			bare(b, srv, "big", layers)
		}
	})
	for name, secrets := range map[string]bool{"hardening": false, "secrets": true} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			defer cpuTime(b)()
			for b.Loop() {
				o := benchOptions(b, ref)
				o.NoCache, o.Inventory.Secrets = true, secrets
				collect(b, o)
			}
		})
	}
	b.Run("cached", func(b *testing.B) {
		o := benchOptions(b, ref)
		collect(b, o)
		defer cpuTime(b)()
		for b.Loop() {
			collect(b, o)
		}
	})
}

// cpuTime reports processor time beside wall time: on a busy machine it is what can
// be compared.
func cpuTime(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	start := used()
	return func() { b.ReportMetric(float64((used()-start).Milliseconds())/float64(b.N), "cpu-ms/op") }
}

// bare downloads, decompresses and walks layers, and does nothing else.
func bare(b *testing.B, srv *server, repo string, layers []v1.Layer) {
	b.Helper()
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for _, l := range layers {
		h, err := l.Digest()
		must(b, err)
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			resp, err := http.Get(srv.URL + "/v2/" + repo + "/blobs/" + h.String())
			if err != nil {
				b.Error(err)
				return
			}
			defer resp.Body.Close()
			zr, err := gzip.NewReader(resp.Body)
			if err != nil {
				b.Error(err)
				return
			}
			for tr := tar.NewReader(zr); ; {
				if _, err := tr.Next(); errors.Is(err, io.EOF) {
					return
				} else if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkSharedBase scans 100 images on one base; reads tells how often the base
// was fetched in all.
func BenchmarkSharedBase(b *testing.B) {
	srv := newServer(b)
	base := treeLayer(b, filepath.Join(runtime.GOROOT(), "src", "net"), "usr/src") //nolint:staticcheck // as above
	h, err := base.Digest()
	must(b, err)
	var refs []string
	for i := range 100 {
		refs = append(refs, srv.push(b, fmt.Sprintf("app:%d", i), imageOf(b, v1.Config{}, base, gzLayer(b, append(baseFiles(), file{name: "n", body: fmt.Sprint(i)})...))))
	}
	srv.reset()
	n := 0
	for b.Loop() {
		o := benchOptions(b, refs...)
		o.NoCache = true
		collect(b, o)
		n++
	}
	b.ReportMetric(float64(srv.requests("GET /v2/app/blobs/"+h.String()))/float64(n), "reads/op")
}

// bigStream is a layer of the size that is made while it is sent, so that the
// benchmark itself holds nothing of it. It is stored as it is.
func bigStream(w io.Writer, size int64) error {
	tw := tar.NewWriter(w)
	chunk := []byte(randomText(1 << 20))
	for n := int64(0); size > 0; n++ {
		one := min(size, 64<<20)
		if err := tw.WriteHeader(&tar.Header{Name: fmt.Sprintf("data/%d.bin", n), Mode: 0o644, Size: one, Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		for left := one; left > 0; left -= int64(len(chunk)) {
			if _, err := tw.Write(chunk[:min(left, int64(len(chunk)))]); err != nil {
				return err
			}
		}
		size -= one
	}
	return tw.Close()
}

// BenchmarkMemory tells the peak of the process's memory while it reads an image
// of 3 GB and one of 100 MB, with everything that can be looked for.
func BenchmarkMemory(b *testing.B) {
	for name, size := range map[string]int64{"100MB": 100 << 20, "3GB": 3 << 30} {
		b.Run(name, func(b *testing.B) {
			h := newSum()
			must(b, bigStream(h, size))
			hash := v1.Hash{Algorithm: "sha256", Hex: h.hex()}
			srv := newServer(b)
			srv.interfere(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, hash.String()) {
					return false
				}
				if r.Method == http.MethodHead {
					return true // so that it need not be pushed
				}
				w.Header().Set("Content-Length", fmt.Sprint(h.n))
				_ = bigStream(w, size)
				return true
			})
			ref := srv.push(b, "big:1", imageOf(b, v1.Config{}, gzLayer(b, baseFiles()...), &describedLayer{hash, h.n}))
			runtime.GC()
			var most uint64
			for b.Loop() {
				o := benchOptions(b, ref)
				o.NoCache = true
				o.Inventory = inventory.Options{Secrets: true, Malware: map[[32]byte]string{{1}: "x"}}
				stop := watchMemory(&most)
				collect(b, o)
				stop()
			}
			b.SetBytes(size)
			b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
		})
	}
}

// describedLayer is a layer that somebody else serves.
type describedLayer struct {
	hash v1.Hash
	size int64
}

func (l *describedLayer) Digest() (v1.Hash, error)             { return l.hash, nil }
func (l *describedLayer) DiffID() (v1.Hash, error)             { return l.hash, nil }
func (l *describedLayer) Compressed() (io.ReadCloser, error)   { return nil, errors.New("not here") }
func (l *describedLayer) Uncompressed() (io.ReadCloser, error) { return nil, errors.New("not here") }
func (l *describedLayer) Size() (int64, error)                 { return l.size, nil }
func (l *describedLayer) MediaType() (types.MediaType, error)  { return types.OCIUncompressedLayer, nil }

// watchMemory notes the most memory that the process holds until stop is called.
func watchMemory(most *uint64) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		for ctx.Err() == nil {
			metrics.Read(s)
			*most = max(*most, s[0].Value.Uint64()-s[1].Value.Uint64())
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return func() { cancel(); <-done }
}
