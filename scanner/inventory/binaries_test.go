package inventory

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// goBinary builds a small program with one dependency.
func goBinary(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module example.test/shop\n\ngo 1.22\n\nrequire example.test/dep v1.4.0\n\nreplace example.test/dep => ./dep\n",
		"main.go":     "package main\n\nimport \"example.test/dep\"\n\nvar version = \"dev\"\n\nfunc main() { println(dep.Name, version) }\n",
		"dep/go.mod":  "module example.test/dep\n\ngo 1.22\n",
		"dep/name.go": "package dep\n\nvar Name = \"dep\"\n",
	} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "shop.bin")
	cmd := exec.Command("go", "build", "-ldflags", "-s -w -X main.version=1.2.3", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, msg)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGoBinary(t *testing.T) {
	data := string(goBinary(t))
	inv := merge(t, Runtime{}, scan(t, Options{}, file{path: "usr/local/bin/shop", content: data, mode: 0o755}, file{path: "srv/shop", content: data}))
	got := map[string]string{}
	for _, p := range inv.Packages {
		got[p.Name] = p.Version
		if p.Type != "gobinary" || p.Path != "usr/local/bin/shop" || p.Binary != "usr/local/bin/shop" {
			t.Errorf("package %+v; a file without a right to execute is no program", p)
		}
	}
	if got["example.test/shop"] != "1.2.3" || !strings.HasPrefix(got["stdlib"], "v1.") {
		t.Errorf("packages %v", got)
	}
	if _, ok := got["./dep"]; !ok {
		t.Errorf("packages %v, want the replacement of example.test/dep", got)
	}
}

// elfWith makes the smallest ELF file with one section of that name.
func elfWith(name string, data []byte) []byte {
	names := append([]byte("\x00.shstrtab\x00"), name+"\x00"...)
	var b bytes.Buffer
	const head, entry = 64, 64
	hdr := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: head, Phentsize: 56, Shentsize: entry, Shnum: 3, Shstrndx: 1,
		Shoff: uint64(head + len(names) + len(data)),
	}
	copy(hdr.Ident[:], "\x7fELF\x02\x01\x01")
	_ = binary.Write(&b, binary.LittleEndian, hdr)
	b.Write(names)
	b.Write(data)
	for _, s := range []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_STRTAB), Off: head, Size: uint64(len(names))},
		{Name: 11, Type: uint32(elf.SHT_PROGBITS), Off: uint64(head + len(names)), Size: uint64(len(data))},
	} {
		_ = binary.Write(&b, binary.LittleEndian, s)
	}
	return b.Bytes()
}

func pack(text string) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

func TestRustBinary(t *testing.T) {
	list := `{"packages":[{"name":"shop","version":"0.1.0","root":true},{"name":"smallvec","version":"1.6.0","kind":"runtime"},{"name":"cc","version":"1.0.0","kind":"build"}]}`
	inv := merge(t, Runtime{}, scan(t, Options{}, file{path: "bin/shop", content: string(elfWith(".dep-v0", pack(list))), mode: 0o755}))
	if got := strings.Join(names(inv), ", "); got != "rustbinary shop 0.1.0, rustbinary smallvec 1.6.0" {
		t.Errorf("packages %s", got)
	}
}

func TestBrokenBinariesAreProblems(t *testing.T) {
	bomb := pack(strings.Repeat("0", rustListSize+2))
	for name, data := range map[string][]byte{
		"cut off":             []byte("\x7fELF\x02\x01\x01\x00 and then nothing that an ELF file has"),
		"list is no list":     elfWith(".dep-v0", []byte("this is not packed")),
		"list is no JSON":     elfWith(".dep-v0", pack("[")),
		"list that explodes":  elfWith(".dep-v0", bomb),
		"sections off limits": bytes.Replace(elfWith(".dep-v0", nil), []byte{3, 0, 1, 0}, []byte{3, 0, 9, 0}, 1),
	} {
		inv := merge(t, Runtime{}, scan(t, Options{}, file{path: "bin/x", content: string(data), mode: 0o755}))
		if gap := inv.Missing["packages"]; gap.Status != "unknown" || !strings.Contains(gap.Reason, "bin/x") {
			t.Errorf("%s: missing %+v", name, inv.Missing)
		}
	}
	for name, data := range map[string]string{"script": "#!/bin/sh\necho\n", "text": "hello", "plain ELF": string(elfWith(".text", nil)), "odd EXE": "MZ but no more of a program"} {
		if inv := merge(t, Runtime{}, scan(t, Options{}, file{path: "bin/x.exe", content: data, mode: 0o755})); len(inv.Missing) != 2 {
			t.Errorf("%s: missing %+v, want no gap of packages", name, inv.Missing)
		}
	}
}

func TestFileLargerThanTheLimit(t *testing.T) {
	data := string(elfWith(".text", make([]byte, 9<<20))) // more than memory takes
	dir := t.TempDir()
	inv := merge(t, Runtime{}, scan(t, Options{MaxFile: 5 << 20, SpoolDir: dir}, file{path: "bin/x", content: data, mode: 0o755}))
	if gap := inv.Missing["packages"]; !strings.Contains(gap.Reason, "limit of 5242880 bytes") {
		t.Errorf("missing %+v", gap)
	}
	if inv := merge(t, Runtime{}, scan(t, Options{SpoolDir: dir}, file{path: "bin/x", content: data, mode: 0o755})); len(inv.Missing) != 2 {
		t.Errorf("missing %+v, want no gap within the limit", inv.Missing)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
}

// TestFullDiskEndsTheLayer must not become a problem of the file, which would be
// kept with the layer.
func TestFullDiskEndsTheLayer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	for _, f := range []file{
		{path: "bin/x", content: string(elfWith(".text", make([]byte, 5<<20))), mode: 0o755},
		{path: "a.jar", content: jar(t, "b.jar", strings.Repeat("x", 5<<20))},
	} {
		s := NewLayer(Options{SpoolDir: dir})
		err := s.Add(t.Context(), Entry{Path: f.path, Mode: 0o755, Size: int64(len(f.content))}, streamOf(f.content))
		if err == nil || !strings.Contains(err.Error(), f.path) {
			t.Errorf("%s: error %v, want one that ends the layer", f.path, err)
		}
	}
}
