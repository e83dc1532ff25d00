package image

import (
	"context"
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

const cycloneXML = `<?xml version="1.0" encoding="UTF-8"?><bom xmlns="http://cyclonedx.org/schema/bom/1.4" version="1"><components>
 <component type="operating-system"><name>debian</name><version>12.4</version></component>
 <component type="library"><name>libssl3</name><version>3.0.11-1</version><purl>pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&amp;upstream=openssl</purl></component></components></bom>`

const spdxText = "# made by hand\n\nSPDXVersion: SPDX-2.3\nDocumentName: x\n\nPackageName: left-pad\nPackageVersion: 1.0.0\nExternalRef: PACKAGE-MANAGER purl pkg:npm/left-pad@1.0.0\n"

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

	im, _, _ = scan("bom.xml", cycloneXML)
	if p := find(im, "libssl3"); p.SourceName != "openssl" || im.Distribution.Version != "12.4" {
		t.Errorf("libssl3 %+v, distribution %+v", p, im.Distribution)
	}
	for name, text := range map[string]string{"a.spdx": spdxText, "bom.spdx": "\ufeff" + strings.TrimPrefix(spdxText, "# made by hand\n\n")} {
		im, res, _ := scan(name, text)
		if p := find(im, "left-pad"); p.Version != "1.0.0" || res.Missing["packages"].Reason != "" {
			t.Errorf("%s: %+v, missing %+v", name, p, res.Missing["packages"])
		}
	}

	for what, text := range map[string]string{
		"something else": `{"hello":"world"}`, "cut": cycloneTrivy[:200], "empty list": `[]`, "cut XML": cycloneXML[:200],
		"other XML": "<html><body>log in</body></html>", "SPDX 3": `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}`,
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

// TestNamelessInSBOM: software that no package URL identifies, and a document that
// lists nothing, never come out as free of vulnerabilities.
func TestNamelessInSBOM(t *testing.T) {
	const left = `{"type":"library","name":"left-pad","version":"1.0.0","purl":"pkg:npm/left-pad@1.0.0"}`
	for what, tt := range map[string]struct{ text, says string }{
		"no URL":             {`{"bomFormat":"CycloneDX","components":[` + left + `,{"type":"library","name":"openssl","version":"3.0.2"}]}`, "1 of the components have no package URL of a kind that advisories know, as openssl 3.0.2"},
		"a broken URL":       {`{"bomFormat":"CycloneDX","components":[{"type":"framework","name":"x","version":"1","purl":"x"}]}`, "as x 1"},
		"an unknown kind":    {`{"bomFormat":"CycloneDX","components":[{"type":"application","name":"busybox","version":"1.36","purl":"pkg:generic/busybox@1.36"}]}`, "as busybox 1.36"},
		"in a component":     {`{"bomFormat":"CycloneDX","components":[{"type":"application","name":"app","components":[{"type":"library","name":"y","version":"2"}]}]}`, "as y 2"},
		"SPDX":               {`{"SPDXID":"SPDXRef-DOCUMENT","packages":[{"SPDXID":"SPDXRef-1","name":"zlib","versionInfo":"1.2"}]}`, "as zlib 1.2"},
		"SPDX, tag-value":    {spdxText + "PackageName: zlib\nPackageVersion: 1.3\nFileName: ./a\n", "as zlib 1.3"},
		"an empty list":      {`{"bomFormat":"CycloneDX","components":[]}`, "the SBOM lists no package"},
		"VEX, not an SBOM":   {`{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-1"}]}`, "the SBOM lists no package"},
		"what it is about":   {`{"bomFormat":"CycloneDX","metadata":{"component":{"type":"application","name":"shop","version":"1"}},"components":[` + left + `]}`, ""},
		"files, a container": {`{"bomFormat":"CycloneDX","components":[` + left + `,{"type":"file","name":"a","version":"sha256:1"},{"type":"container","name":"c","version":"1","purl":"pkg:oci/c@1"}]}`, ""},
		"a lock file":        {`{"bomFormat":"CycloneDX","components":[` + left + `,{"type":"application","name":"app/package-lock.json"}]}`, ""},
		"what SPDX is about": {`{"SPDXID":"SPDXRef-DOCUMENT","documentDescribes":["SPDXRef-0"],"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-2"}],"packages":[{"SPDXID":"SPDXRef-0","name":"img","versionInfo":"1"},{"SPDXID":"SPDXRef-2","name":"img2","versionInfo":"1"},{"SPDXID":"SPDXRef-3","name":"c","versionInfo":"1","primaryPackagePurpose":"CONTAINER"},{"SPDXID":"SPDXRef-1","name":"left-pad","versionInfo":"1.0.0","externalRefs":[{"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/left-pad@1.0.0"}]}]}`, ""},
	} {
		path := writeFile(t, "x.json", tt.text)
		o := options(t, path)
		o.Matcher = noVulnerabilities{}
		_, res := collect(t, o).image(t, path)
		for _, fact := range []string{"packages", "vulnerabilities"} {
			m := res.Missing[fact]
			if (m.Reason == "") != (tt.says == "") || !strings.Contains(m.Reason, tt.says) || m.Reason != "" && (m.Status != facts.Unknown || !m.Partial) {
				t.Errorf("%s: %s: %+v, want %q", what, fact, m, tt.says)
			}
		}
	}
}

// noVulnerabilities is a database that knows of none.
type noVulnerabilities struct{}

func (noVulnerabilities) Match(context.Context, facts.Distribution, []facts.Package) ([]facts.Vulnerability, error) {
	return nil, nil
}
func (noVulnerabilities) Missing() map[string]facts.Missing { return nil }

// FuzzSBOM: no document breaks the reader, and every package has a name and no layer.
func FuzzSBOM(f *testing.F) {
	for _, s := range []string{cycloneTrivy, cycloneSyft, cycloneXML, spdxText, spdxSyft, spdxNoDistro, "SPDXVersion: SPDX-2.3\nPackageName: x\n", "{}"} {
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
