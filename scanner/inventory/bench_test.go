package inventory

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// benchLayer makes a packed layer like that of an application on a distribution:
// package records, node modules, Python packages, libraries, programs, sources and
// settings, 4,000 files in all.
func benchLayer(b *testing.B) []byte {
	b.Helper()
	f := forge{rand.New(rand.NewPCG(2, 2))}
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	tw := tar.NewWriter(gz)
	add := func(p string, mode int64, content string) {
		if err := tw.WriteHeader(&tar.Header{Name: p, Mode: mode, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			b.Fatal(err)
		}
		if _, err := io.WriteString(tw, content); err != nil {
			b.Fatal(err)
		}
	}
	binary := func(n int) string { // as well packed as machine code is
		out := make([]byte, n)
		for i := range out {
			two := f.r.Uint32()
			out[i] = byte(two) & byte(two>>8)
		}
		return string(out)
	}
	var status strings.Builder
	for i := range 400 {
		name := fmt.Sprintf("lib%d", i)
		fmt.Fprintf(&status, "Package: %s\nStatus: install ok installed\nMaintainer: x\nArchitecture: amd64\nVersion: 1.%d-1\nDescription: %s\n\n", name, i, f.noise(3))
		var sums strings.Builder
		for k := range 40 {
			fmt.Fprintf(&sums, "%s  usr/share/%s/%d\n", f.of(hexes, 32), name, k)
		}
		add("var/lib/dpkg/info/"+name+".md5sums", 0o644, sums.String())
		add("usr/lib/x86_64-linux-gnu/"+name+".so.1", 0o644, "\x7fELF"+binary(40<<10))
		add("usr/share/doc/"+name+"/copyright", 0o644, f.noise(60))
	}
	add("var/lib/dpkg/status", 0o644, status.String())
	add("etc/debian_version", 0o644, "12.4\n")
	for i := range 600 {
		dir := fmt.Sprintf("app/node_modules/m%d/", i)
		add(dir+"package.json", 0o644, fmt.Sprintf(`{"name":"m%d","version":"1.0.%d","license":"MIT","description":%q}`, i, i, f.noise(4)))
		add(dir+"index.js", 0o644, f.noise(200))
	}
	for i := range 200 {
		add(fmt.Sprintf("usr/local/lib/python3.11/site-packages/p%d-1.0.dist-info/METADATA", i), 0o644, fmt.Sprintf("Name: p%d\nVersion: 1.0\n\n%s", i, f.noise(80)))
		add(fmt.Sprintf("usr/local/lib/python3.11/site-packages/p%d/__init__.py", i), 0o644, f.noise(150))
	}
	for i := range 60 {
		add(fmt.Sprintf("usr/bin/tool%d", i), 0o755, string(elfWith(".text", []byte(binary(150<<10)))))
	}
	for i := range 300 { // what is searched for secrets
		add(fmt.Sprintf("app/src/file%d.py", i), 0o644, f.noise(250))
		add(fmt.Sprintf("etc/app/conf%d.yaml", i), 0o644, f.noise(40))
	}
	for i := range 600 {
		add(fmt.Sprintf("usr/share/zoneinfo/z%d", i), 0o644, binary(2<<10))
	}
	add("etc/app/secret", 0o600, f.privateKey(25))
	if err := errors.Join(tw.Close(), gz.Close()); err != nil {
		b.Fatal(err)
	}
	return packed.Bytes()
}

// walk goes through the layer and hands every entry to add, as the image collector
// does.
func walk(packed []byte, add func(Entry, io.Reader) error) (int64, error) {
	gz, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return 0, err
	}
	var size int64
	tr := tar.NewReader(gz)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return 0, err
		}
		size += h.Size
		if add == nil {
			continue
		}
		e := Entry{Path: h.Name, Mode: h.FileInfo().Mode(), UID: h.Uid, GID: h.Gid, Size: h.Size, Link: h.Linkname, HardLink: h.Typeflag == tar.TypeLink}
		if err := add(e, tr); err != nil {
			return 0, err
		}
	}
}

// BenchmarkLayer compares unpacking and walking a layer with reading it, without and
// with secrets. The figures to hold are 1.3 and 2.5 times the walk.
func BenchmarkLayer(b *testing.B) {
	packed := benchLayer(b)
	run := func(name string, o *Options) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var size int64
				var err error
				if o == nil {
					size, err = walk(packed, nil)
				} else {
					s := NewLayer(*o)
					size, err = walk(packed, func(e Entry, r io.Reader) error { return s.Add(context.Background(), e, r) })
					if err == nil {
						_, err = s.Finish(context.Background())
					}
				}
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(size)
			}
		})
	}
	run("walk", nil)
	run("inventory", &Options{})
	run("secrets", &Options{Secrets: true})
}

// BenchmarkSecretsInCode searches nothing but source text that speaks of keys and
// tokens all the time.
func BenchmarkSecretsInCode(b *testing.B) {
	f := forge{rand.New(rand.NewPCG(2, 2))}
	text := []byte(f.noise(20_000))
	sc := newSecretScanner()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if found := sc.rules.find("opt/code.py", text, sc.state); len(found) > 0 {
			b.Fatal(found)
		}
	}
}

// BenchmarkMerge stacks the layer ten times.
func BenchmarkMerge(b *testing.B) {
	packed := benchLayer(b)
	s := NewLayer(Options{Secrets: true})
	if _, err := walk(packed, func(e Entry, r io.Reader) error { return s.Add(context.Background(), e, r) }); err != nil {
		b.Fatal(err)
	}
	l, err := s.Finish(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	layers := make([]*Layer, 10)
	for i := range layers {
		layers[i] = l
	}
	for b.Loop() {
		if _, err := Merge(context.Background(), layers, Runtime{Path: []string{"/usr/bin"}}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
