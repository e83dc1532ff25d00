package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner/facts"
)

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const cycloneTrivy = `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
 {"type":"operating-system","name":"debian","version":"12.4","bom-ref":"os"},
 {"type":"library","name":"zlib1g","version":"1:1.2.13.dfsg-1","bom-ref":"z","purl":"pkg:deb/debian/zlib1g@1.2.13.dfsg-1?arch=amd64&distro=debian-12.4&epoch=1",
  "properties":[{"name":"aquasecurity:trivy:SrcName","value":"zlib"},{"name":"aquasecurity:trivy:SrcVersion","value":"1.2.13.dfsg"},{"name":"aquasecurity:trivy:SrcRelease","value":"1"},{"name":"aquasecurity:trivy:SrcEpoch","value":"1"}]},
 {"type":"library","name":"spring-core","group":"org.springframework","version":"5.3.0","bom-ref":"s","purl":"pkg:maven/org.springframework/spring-core@5.3.0"}]}`

const cycloneSyft = `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
 {"type":"library","name":"libssl3","version":"3.0.2-0ubuntu1.1","purl":"pkg:deb/ubuntu/libssl3@3.0.2-0ubuntu1.1?arch=amd64&distro=ubuntu-22.04&upstream=openssl"},
 {"type":"library","name":"left-pad","version":"1.0.0","purl":"pkg:npm/left-pad@1.0.0"}]}`

const spdxSyft = `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","packages":[
 {"SPDXID":"SPDXRef-Package-rpm","name":"openssl-libs","versionInfo":"1:3.0.7-24.el9","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:rpm/redhat/openssl-libs@3.0.7-24.el9?arch=x86_64&distro=redhat-9.3&epoch=1&upstream=openssl-3.0.7-24.el9.src.rpm"}]}]}`

const spdxNoDistro = `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","packages":[
 {"SPDXID":"SPDXRef-Package-1","name":"musl","versionInfo":"1.2.4-r2","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:apk/musl@1.2.4-r2"}]}]}`

// TestSBOM: packages come with what advisories are matched by; the rest is not assessed.
func TestSBOM(t *testing.T) {
	find := func(im *facts.Image, name string) facts.Package {
		t.Helper()
		i := slices.IndexFunc(im.Packages, func(p facts.Package) bool { return p.Name == name })
		if i < 0 {
			t.Fatalf("no package %q in %+v", name, im.Packages)
		}
		return im.Packages[i]
	}
	scan := func(name, text string) (*facts.Image, *facts.Resource, facts.Target) {
		t.Helper()
		path := writeFile(t, name, text)
		o := options(t, path)
		o.EndOfLife = func(facts.Distribution, time.Time) (bool, bool) { return true, true }
		s := collect(t, o)
		im, res := s.image(t, path)
		return im, res, s.targets[path]
	}
	im, res, target := scan("trivy.cdx.json", cycloneTrivy)
	if im.Source != SourceSBOM || im.Distribution.Family != "debian" || im.Distribution.Version != "12.4" || !im.Distribution.EndOfLife {
		t.Errorf("source %q, distribution %+v", im.Source, im.Distribution)
	}
	if target.Identity != "trivy.cdx.json" || res.ID != target.Ref {
		t.Errorf("target %+v, id %q", target, res.ID)
	}
	if p := find(im, "zlib1g"); p.SourceName != "zlib" || p.Epoch != 1 || p.Layer != -1 || p.Class != "os" {
		t.Errorf("zlib1g %+v", p)
	}
	if p := find(im, "org.springframework:spring-core"); p.Class != "language" || p.Type != "jar" {
		t.Errorf("spring-core %+v", p)
	}
	for _, path := range []string{"config", "secrets", "history", "signature", "created", "users"} {
		if m := res.Missing[path]; m.Status != facts.NotAssessed || m.Partial {
			t.Errorf("%s: %+v", path, m)
		}
	}
	if _, gone := res.Missing["packages"]; gone {
		t.Error("packages are called missing")
	}
	if raw := jsonOf(t, res); strings.Contains(raw, "null") {
		t.Errorf("the facts hold null: %s", raw)
	}

	im, _, _ = scan("syft.cdx.json", cycloneSyft)
	if p := find(im, "libssl3"); p.SourceName != "openssl" || im.Distribution.Family != "ubuntu" || im.Distribution.Version != "22.04" {
		t.Errorf("libssl3 %+v, distribution %+v", p, im.Distribution)
	}
	im, _, _ = scan("syft.spdx.json", spdxSyft)
	if p := find(im, "openssl-libs"); p.SourceName != "openssl" || p.Epoch != 1 || p.Release != "24.el9" || im.Distribution.Version != "9.3" {
		t.Errorf("openssl-libs %+v, distribution %+v", p, im.Distribution)
	}
	_, res, _ = scan("none.spdx.json", spdxNoDistro)
	if m := res.Missing["distribution"]; m.Status != facts.Unknown {
		t.Errorf("distribution: %+v", m)
	}
	if m := res.Missing["vulnerabilities"]; m.Status != facts.Unknown || !strings.Contains(m.Reason, "no operating system") {
		t.Errorf("vulnerabilities: %+v", m)
	}

	for what, text := range map[string]string{
		"something else": `{"hello":"world"}`, "cut": cycloneTrivy[:200], "empty list": `[]`,
	} {
		o := options(t, writeFile(t, "bad.json", text))
		o.Source = SourceSBOM
		if got := failure(t, o); !strings.Contains(got, "read SBOM") {
			t.Errorf("%s: %q", what, got)
		}
	}
	o := options(t, writeFile(t, "big.json", cycloneTrivy))
	o.Limits.File = 100
	wantText(t, failure(t, o), "limit passed")
}

// FuzzSBOM: no document breaks the reader, and every package has a name and no layer.
func FuzzSBOM(f *testing.F) {
	for _, s := range []string{cycloneTrivy, cycloneSyft, spdxSyft, spdxNoDistro, "SPDXVersion: SPDX-2.3\nPackageName: x\n", "{}"} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(dir, "x")
		must(t, os.WriteFile(path, raw, 0o600))
		s, err := readSBOM(path, 1<<20)
		if err != nil {
			return
		}
		for _, p := range s.packages {
			if p.Name == "" || p.Layer != -1 {
				t.Errorf("package %+v", p)
			}
		}
	})
}
