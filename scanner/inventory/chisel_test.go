package inventory

import (
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// wall makes a manifest of chisel's.
func wall(t testing.TB, lines ...string) string {
	t.Helper()
	zw, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(zw.EncodeAll([]byte(strings.Join(lines, "\n")+"\n"), nil))
}

const wallHead = `{"jsonwall":"1.0","schema":"1.0","count":3}`

// TestChisel: packages are listed with their layer, and vulnerabilities are unknown
// in part, since nothing names the source packages.
func TestChisel(t *testing.T) {
	release := file{path: "etc/lsb-release", content: "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=24.04\n"}
	whole := wall(t, wallHead, `{"kind":"package","name":"libssl3t64","version":"1:3.0.13-0ubuntu3","sha256":"ac","arch":"amd64"}`, `{"kind":"path","path":"/etc/","mode":"0755"}`, `{"kind":"slice","name":"libssl3t64_libs"}`)
	inv := merge(t, Runtime{}, scan(t, Options{}, release), scan(t, Options{}, file{path: chiselManifest, content: whole}))
	if len(inv.Packages) != 1 {
		t.Fatalf("packages %+v, want one", inv.Packages)
	}
	p := inv.Packages[0]
	if p.Name != "libssl3t64" || p.Epoch != 1 || p.Version != "3.0.13" || p.Release != "0ubuntu3" || p.Arch != "amd64" || p.Class != "os" || p.Type != "ubuntu" || p.SourceName != "" || p.Layer != 1 || p.Path != chiselManifest || !strings.HasPrefix(p.Purl, "pkg:deb/ubuntu/libssl3t64@") {
		t.Errorf("package %+v", p)
	}
	if m := inv.Missing["vulnerabilities"]; !m.Partial || !strings.Contains(m.Reason, "source packages") {
		t.Errorf("vulnerabilities: %+v", m)
	}
	if m, bad := inv.Missing["packages"]; bad {
		t.Errorf("packages: %+v", m)
	}
	for what, content := range map[string]string{
		"no zstd":     "hello",
		"cut":         whole[:len(whole)-4],
		"other":       wall(t, `{"hello":"world"}`),
		"no JSON":     wall(t, wallHead, "kind: package"),
		"bad version": wall(t, wallHead, `{"kind":"package","name":"a","version":"!"}`),
	} {
		inv := merge(t, Runtime{}, scan(t, Options{}, release, file{path: chiselManifest, content: content}))
		if m := inv.Missing["packages"]; !m.Partial || !strings.Contains(m.Reason, chiselManifest) {
			t.Errorf("%s: packages: %+v", what, m)
		}
	}
}

func FuzzChisel(f *testing.F) {
	fuzzPath(f, chiselManifest, wall(f, wallHead, `{"kind":"package","name":"a","version":"1:2-3","arch":"amd64"}`), "x")
}
