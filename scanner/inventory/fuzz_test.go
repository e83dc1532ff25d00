package inventory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/postscan/postscan/scanner/facts"
)

// fuzzFile reads content as the file of that path and checks what must hold of any
// content: no parser panics, the layer survives being written and read, and it can
// be merged.
func fuzzFile(t *testing.T, p string, content []byte) *Inventory {
	t.Helper()
	o := Options{Secrets: true, MaxFile: 4 << 20, SpoolDir: os.TempDir()}
	l := scan(t, o, file{path: p, content: string(content), mode: 0o755})
	for _, pr := range l.Problems {
		if strings.Contains(pr.Reason, "gave up") {
			t.Fatalf("a parser panicked: %s", pr.Reason)
		}
	}
	kept, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	back := &Layer{}
	if err := json.Unmarshal(kept, back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || !bytes.Equal(kept, again) {
		t.Fatalf("%v\n%s\n%s", err, kept, again)
	}
	inv, err := Merge(t.Context(), []*Layer{l, back}, Runtime{User: "app"}, &index{})
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func fuzzPath(f *testing.F, p string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) { fuzzFile(t, p, content) })
}

func FuzzDpkg(f *testing.F) { fuzzPath(f, "var/lib/dpkg/status", dpkgText, "Package: a\nVersion: 1\n") }

func FuzzDpkgSums(f *testing.F) {
	fuzzPath(f, "var/lib/dpkg/info/a.md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/bin/a\n")
}

func FuzzAPK(f *testing.F) {
	fuzzPath(f, "lib/apk/db/installed", "P:musl\nV:1.2.4-r2\no:musl\nF:lib\nR:ld.so\n\nP:x\n")
}

func FuzzRPMManifest(f *testing.F) {
	fuzzPath(f, "var/lib/rpmmanifest/container-manifest-2", "a\t1-2\t1\t1\tv\t(none)\t5\tnoarch\t0\ta-1-2.src.rpm\n")
}

// fuzzRPM seeds with the heads of real databases, where there are some.
func fuzzRPM(f *testing.F, at, fixture string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	if data, err := os.ReadFile(filepath.Join(rpmFixtures(f), fixture)); err == nil {
		f.Add(data[:min(len(data), 256<<10)])
	}
	f.Fuzz(func(t *testing.T, content []byte) { fuzzFile(t, at, content) })
}

func FuzzBDB(f *testing.F) { fuzzRPM(f, "var/lib/rpm/Packages", "libuuid/Packages", "not a database") }

func FuzzNDB(f *testing.F) {
	fuzzRPM(f, "var/lib/rpm/Packages.db", "sle15-bci/Packages.db", "RpmP\x00\x00\x00\x00")
}

func FuzzSQLite(f *testing.F) {
	fuzzRPM(f, "var/lib/rpm/rpmdb.sqlite", "cbl-mariner-2.0/rpmdb.sqlite", sqliteMagic+"\x10\x00\x01\x01")
}

func FuzzRPMHeader(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x03\xe8\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x01a\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseRPMHeader(b)
		if err != nil {
			return
		}
		h.eachFile(func(string) {})
		if p := h.pkg(); p.Name == "" || p.Version == "" {
			t.Errorf("package %+v", p)
		}
	})
}

func FuzzOSRelease(f *testing.F) {
	fuzzPath(f, "etc/os-release", "ID=\"alpine\"\nVERSION_ID='3.19'\nPRETTY_NAME=x\n", "ID=gentoo\n")
}

func FuzzAPKRepositories(f *testing.F) {
	fuzzPath(f, "etc/apk/repositories", "https://dl-cdn.alpinelinux.org/alpine/v3.15/main\nhttps://x.y/alpine/edge/main\n")
}

func FuzzRedHatRelease(f *testing.F) {
	fuzzPath(f, "etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n")
}

func FuzzBuildDockerfile(f *testing.F) {
	fuzzPath(f, "root/buildinfo/Dockerfile-a-1-2", "ENV A=b \\\n C=\"d e\"\nLABEL com.redhat.component=\"${A}-x\" architecture=$C\n")
}

func FuzzPackageJSON(f *testing.F) {
	fuzzPath(f, "a/node_modules/b/package.json", `{"name":"b","version":"1.0.0","license":[{"type":"MIT"}]}`)
}

func FuzzPython(f *testing.F) {
	fuzzPath(f, "x.dist-info/METADATA", "Name: x\nVersion: 1\nClassifier: License :: OSI Approved :: MIT\n more\n\nbody")
}

func FuzzGemspec(f *testing.F) {
	fuzzPath(f, "a/specifications/x.gemspec", "Gem::Specification.new do |s|\n s.name = \"x\".freeze\n s.version = \"1\"\n s.licenses = [\"a\", 'b']\n")
}

func FuzzConda(f *testing.F) { fuzzPath(f, "conda-meta/a-1-0.json", `{"name":"a","version":"1"}`) }

func FuzzComposer(f *testing.F) {
	fuzzPath(f, "vendor/composer/installed.json", `{"packages":[{"name":"a/b","version":"1","license":["MIT"]}]}`, `[{"name":"a"}]`)
}

func FuzzDotNet(f *testing.F) {
	fuzzPath(f, "a.deps.json", `{"runtimeTarget":{"name":"t"},"targets":{"t":{"a/1":{"runtime":{}}}},"libraries":{"a/1":{"type":"package"}}}`)
}

func FuzzNuGet(f *testing.F) {
	fuzzPath(f, "packages.config", `<packages><package id="X" version="1.0"/></packages>`)
}

func FuzzPackagesProps(f *testing.F) {
	fuzzPath(f, "Directory.Packages.props", `<Project><ItemGroup><PackageVersion Include="X" Version="1.0"/></ItemGroup></Project>`)
}

func FuzzCargoLock(f *testing.F) {
	fuzzPath(f, "Cargo.lock", "[[package]]\nname=\"a\"\nversion=\"1.0.0\"\ndependencies=[\"a\", \"b 1.0\"]\n")
}

func FuzzJulia(f *testing.F) {
	fuzzPath(f, "Manifest.toml", "manifest_format=\"2.0\"\n[[deps.A]]\nuuid=\"u\"\ndeps=[\"B\"]\n", "[[A]]\nuuid=\"u\"\n")
}

func FuzzWordPress(f *testing.F) {
	fuzzPath(f, "wp-includes/version.php", "<?php\n$wp_version = '6.4';\n")
}

func FuzzSBOM(f *testing.F) {
	for _, s := range []string{
		`{"bomFormat":"CycloneDX","components":[{"name":"a","purl":"pkg:npm/a@1","components":[{}]}]}`,
		`{"SPDXID":"SPDXRef-DOCUMENT","packages":[{"SPDXID":"SPDXRef-p","name":"a","sourceInfo":"built package from: a 1","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/a@1:2-3"}]}]}`,
		"SPDXVersion: SPDX-2.3\nPackageName: a\nExternalRef: PACKAGE-MANAGER purl pkg:rpm/redhat/a@1-2\n",
		`<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components><component type="library"><name>a</name><version>1</version></component></components></bom>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		fuzzFile(t, "a.cdx.json", content)
		bom, err := ReadSBOM(content)
		if err == nil && slices.ContainsFunc(bom.Packages, func(p facts.Package) bool { return p.Purl == "" }) {
			t.Errorf("a package without a URL in %+v", bom.Packages)
		}
	})
}

func FuzzJar(f *testing.F) {
	fuzzPath(f, "a-1.0.jar", jar(f, "META-INF/MANIFEST.MF", "Implementation-Title: a\r\n b\r\n", "x/pom.properties", pom("g", "a", "1.0"), "b.jar", jar(f, "c", "d")), "PK\x05\x06")
}

func FuzzEgg(f *testing.F) {
	fuzzPath(f, "a.egg", jar(f, "EGG-INFO/PKG-INFO", "Name: a\nVersion: 1\n"))
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte("Manifest-Version: 1.0\r\nBundle-SymbolicName: a.b\r c\nImplementation-Version: %x\n\nName: y\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a := parseManifest(b); strings.ContainsAny(a.Group+a.ID+a.Version, "\r\n") {
			t.Errorf("%+v holds a line break", a)
		}
	})
}

func FuzzBinary(f *testing.F) {
	fuzzPath(f, "bin/a", string(elfWith(".dep-v0", pack(`{"packages":[{"name":"a","version":"1"}]}`))), "MZ", "\xca\xfe\xba\xbe", "#!/bin/sh\nsshd\n")
}

func FuzzAccounts(f *testing.F) {
	fuzzPath(f, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1:1::/:\n", "::::::\n")
}

func FuzzGroup(f *testing.F) { fuzzPath(f, "etc/group", "root:x:0:\nsudo:x:27:app,\n") }

func FuzzSudoers(f *testing.F) {
	fuzzPath(f, "etc/sudoers", "User_Alias A = a, b : B = c\nA, %b ALL=(ALL) NOPASSWD: ALL\\\n x\n#1 ALL=ALL\n")
}

func FuzzDoas(f *testing.F) {
	fuzzPath(f, "etc/doas.conf", "permit nopass setenv { A=b } :wheel as root cmd x\n")
}

func FuzzSupervisor(f *testing.F) {
	fuzzPath(f, "etc/supervisord.conf", "[program:a]\ncommand=/usr/sbin/sshd -D\n")
}

func FuzzCapabilities(f *testing.F) {
	f.Add(capability(2, 1, 0, 0, 0))
	f.Add(capability(3, 1, 0, 0, 0, 1000))
	f.Fuzz(func(t *testing.T, b []byte) {
		names, err := decodeCapabilities(b)
		if err == nil && len(b) > 0 && len(names) > 64 {
			t.Errorf("%d names", len(names))
		}
	})
}

func FuzzSecrets(f *testing.F) {
	forged := forge{rand.New(rand.NewPCG(1, 1))}
	f.Add([]byte(strings.Join(forged.lines(), "\n")), "etc/x.conf")
	f.Add([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02"), "a.jks")
	f.Add([]byte("users:\nclusters:\n token: abcdefghijk\n"), ".kube/config")
	f.Fuzz(func(t *testing.T, content []byte, p string) {
		if len(p) > 200 || strings.HasPrefix(path.Base(cleanPath(p)), whiteoutPrefix) {
			return
		}
		lines := bytes.Count(content, []byte("\n")) + 1
		for _, s := range fuzzFile(t, p, content).Secrets {
			if s.StartLine < 0 || s.EndLine < s.StartLine || s.EndLine > lines || s.Length <= 0 || s.Length > len(content) {
				t.Errorf("%+v in %d lines", s, lines)
			}
		}
	})
}

func FuzzConfigSecrets(f *testing.F) {
	f.Add("API_TOKEN=q7fjJ3kd9QsX2", "RUN x --password q7fjJ3kd9QsX2 && curl https://u:q7fjJ3kd@h/")
	f.Fuzz(func(t *testing.T, env, step string) {
		found, masked := ConfigSecrets(ConfigText{Env: []string{env}, History: []string{step}, Cmd: strings.Fields(step), Labels: map[string]string{env: step}})
		if len(masked.Env) != 1 || len(masked.History) != 1 || len(masked.Cmd) != len(strings.Fields(step)) {
			t.Errorf("masked %+v", masked)
		}
		// What is masked once has nothing more to find by the same patterns.
		if len(found) == 0 && (masked.Env[0] != env && masked.Env[0] != env+"=" || masked.History[0] != step) {
			t.Errorf("text changed without a finding: %q %q", masked.Env, masked.History)
		}
	})
}

// FuzzMerge stacks three layers made of the bytes and compares which packages are
// visible with a model that changes a map of paths as a runtime changes its files.
func FuzzMerge(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x10\x21\x32\x43"))
	f.Add([]byte{0x00, 0x81, 0x12, 0xff, 0x23, 0x34, 0x45, 0x56, 0xff, 0x67, 0x78, 0x89, 0x9a, 0xab})
	for seed := range uint64(64) {
		r := rand.New(rand.NewPCG(seed, 0))
		b := make([]byte, 40)
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		var layers []*Layer
		model := map[string]string{} // path → content; directories are not listed
		for n, part := range bytes.SplitN(ops, []byte{0xff}, 3) {
			files := fuzzLayer(n, part)
			layers = append(layers, scan(t, Options{}, files...))
			apply(model, files)
		}
		var want []string
		for p, content := range model {
			if path.Base(p) == "package.json" {
				want = append(want, p+" "+content)
			}
		}
		var got []string
		for _, p := range merge(t, Runtime{}, layers...).Packages {
			got = append(got, fmt.Sprintf(`%s {"name":"x","version":%q}`, p.Path, p.Version))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("visible\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// fuzzLayer makes the entries of one layer: the low bits choose a place, the high
// ones what happens there. No entry lies below another that is no directory.
func fuzzLayer(n int, ops []byte) []file {
	places := []string{"a", "a/b", "a/b/c", "a/d", "e", "e/b", "e/b/f", "g"}
	var out []file
	taken := map[string]bool{}
	free := func(p string) bool {
		for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
			if taken[dir] {
				return false
			}
		}
		for other := range taken {
			if other == p || strings.HasPrefix(other, p+"/") {
				return false
			}
		}
		return true
	}
	for i, op := range ops {
		p := places[op&7]
		file1 := func(f file) {
			if free(f.path) {
				taken[f.path] = true
				out = append(out, f)
			}
		}
		switch op >> 4 {
		case 0, 1, 2, 3, 4:
			file1(file{path: p + "/package.json", content: fmt.Sprintf(`{"name":"x","version":"%d.%d.0"}`, n, i)})
		case 5:
			file1(file{path: p, content: "a file"})
		case 6:
			file1(file{path: p, mode: linkMode, link: "/etc"})
		case 7, 8:
			if free(p) || slices.ContainsFunc(out, func(f file) bool { return strings.HasPrefix(f.path, p+"/") }) {
				out = append(out, file{path: p, mode: fs.ModeDir | 0o755})
			}
		case 9, 10:
			out = append(out, file{path: path.Join(path.Dir(p), ".wh."+path.Base(p))})
		case 11:
			out = append(out, file{path: p + "/.wh.package.json"})
		case 12, 13:
			out = append(out, file{path: p + "/.wh..wh..opq"})
		case 14:
			out = append(out, file{path: ".wh..wh..opq"})
		}
	}
	return out
}

// apply changes the model as a runtime would: first the layer deletes, then it adds.
func apply(model map[string]string, files []file) {
	drop := func(p string, itself bool) {
		for have := range model {
			if have == p && itself || strings.HasPrefix(have, p+"/") || p == "" {
				delete(model, have)
			}
		}
	}
	for _, f := range files {
		dir, base := path.Split(f.path)
		dir = strings.TrimSuffix(dir, "/")
		switch {
		case base == opaqueName:
			drop(dir, false)
		case strings.HasPrefix(base, whiteoutPrefix):
			drop(path.Join(dir, base[len(whiteoutPrefix):]), true)
		}
	}
	for _, f := range files {
		if strings.HasPrefix(path.Base(f.path), whiteoutPrefix) {
			continue
		}
		for dir := path.Dir(f.path); dir != "."; dir = path.Dir(dir) {
			delete(model, dir) // what was a file there is a directory now
		}
		if f.mode.IsDir() {
			delete(model, f.path)
			continue
		}
		drop(f.path, true)
		if f.mode.Type() == 0 {
			model[f.path] = f.content
		}
	}
}
