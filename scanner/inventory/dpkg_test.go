package inventory

import (
	"strings"
	"testing"
)

const dpkgText = `Package: libssl3
Status: install ok installed
Maintainer: Debian OpenSSL Team <pkg-openssl-devel@alioth-lists.debian.net>
Architecture: amd64
Multi-Arch: same
Source: openssl
Version: 3.0.11-1~deb12u2
Depends: libc6 (>= 2.34)
Description: Secure Sockets Layer toolkit
 with a text that goes on
 .
 over lines: and colons

Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Source: glibc (2.36-9)
Version: 2.36-9+deb12u4

Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: i386
Source: glibc (2.36-9)
Version: 2.36-9+deb12u4

Package: old
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: known
Status: install ok not-installed
Architecture: amd64

Package: vim
Status: install ok installed
Maintainer: Debian Vim Maintainers <team+vim@tracker.debian.org>
Architecture: amd64
Version: 2:9.0.1378-2

Package: nodejs
Status: install ok installed
Maintainer: Ivan Iguaran <ivan@nodesource.com>
Architecture: amd64
Version: 20.9.0-1nodesource1
`

func TestDpkg(t *testing.T) {
	inv := merge(t, Runtime{}, scan(t, Options{},
		file{path: "etc/debian_version", content: "12.4\n"},
		file{path: "var/lib/dpkg/status", content: dpkgText},
		// What Debian's package owns is Debian's; what NodeSource's owns is npm's.
		file{path: "var/lib/dpkg/info/vim.md5sums", content: "d41d8cd98f00b204e9800998ecf8427e  usr/share/vim/package.json\n"},
		file{path: "var/lib/dpkg/info/libc6:amd64.md5sums", content: "d41d8cd98f00b204e9800998ecf8427e  usr/lib/c.egg-info\n"},
		file{path: "var/lib/dpkg/info/nodejs.md5sums", content: "d41d8cd98f00b204e9800998ecf8427e  usr/lib/node_modules/npm/package.json\n"},
		file{path: "usr/share/vim/package.json", content: `{"name":"vim-ui","version":"1.0.0"}`},
		file{path: "usr/lib/c.egg-info", content: "Name: c\nVersion: 1\n"},
		file{path: "usr/lib/node_modules/npm/package.json", content: `{"name":"npm","version":"10.1.0"}`},
	))
	got := strings.Join(names(inv), ", ")
	want := "debian libc6 2.36, debian libssl3 3.0.11, debian nodejs 20.9.0, debian vim 9.0.1378, node-pkg npm 10.1.0"
	if got != want {
		t.Fatalf("packages\n got %s\nwant %s", got, want)
	}
	libc := inv.Packages[0]
	if libc.Release != "9+deb12u4" || libc.SourceName != "glibc" || libc.SourceVersion != "2.36" || libc.SourceRelease != "9" || libc.Arch != "i386" {
		t.Errorf("libc6 %+v", libc)
	}
	if ssl := inv.Packages[1]; ssl.SourceName != "openssl" || ssl.SourceVersion != "3.0.11" || ssl.SourceRelease != "1~deb12u2" ||
		ssl.Purl != "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12.4" || ssl.Path != "var/lib/dpkg/status" || ssl.Class != "os" {
		t.Errorf("libssl3 %+v", ssl)
	}
	if node, vim := inv.Packages[2], inv.Packages[3]; !node.ThirdParty || vim.ThirdParty || vim.Epoch != 2 || vim.SourceEpoch != 2 {
		t.Errorf("nodejs %+v, vim %+v", node, vim)
	}
}

// TestDpkgOfDistroless reads records that each have a file.
func TestDpkgOfDistroless(t *testing.T) {
	inv := merge(t, Runtime{}, scan(t, Options{},
		file{path: "etc/debian_version", content: "12.4\n"},
		file{path: "var/lib/dpkg/status.d/base", content: "Package: base-files\nVersion: 12.4+deb12u4\nArchitecture: amd64\nMaintainer: Santiago Vila <sanvila@debian.org>\n"},
		file{path: "var/lib/dpkg/status.d/base.md5sums", content: "d41d8cd98f00b204e9800998ecf8427e  etc/debian_version\n"},
		file{path: "var/lib/dpkg/status.d/tzdata", content: "Package: tzdata\nVersion: 2023c-5\nArchitecture: all\n"},
	))
	if got := strings.Join(names(inv), ", "); got != "debian base-files 12.4+deb12u4, debian tzdata 2023c" || len(inv.Missing) != 2 {
		t.Errorf("packages %s, missing %+v", got, inv.Missing)
	}
}

func TestBrokenDpkgIsAProblem(t *testing.T) {
	for name, text := range map[string]string{
		"no records":      "this is some other file\nwith lines\n",
		"a broken record": dpkgText + "\nPackage: x\nVersion: 1.0\nthis is no field\n",
		"a bad version":   dpkgText + "\nPackage: x\nVersion: a:b:c\n",
	} {
		inv := merge(t, Runtime{}, scan(t, Options{}, file{path: "etc/debian_version", content: "12.4\n"}, file{path: "var/lib/dpkg/status", content: text}))
		if gap := inv.Missing["packages"]; gap.Status != "unknown" || !strings.Contains(gap.Reason, "var/lib/dpkg/status") {
			t.Errorf("%s: missing %+v", name, gap)
		}
		if name != "no records" && len(inv.Packages) != 4 {
			t.Errorf("%s: %d packages, want the whole ones", name, len(inv.Packages))
		}
	}
}

func TestPackagesWithoutDistribution(t *testing.T) {
	inv := merge(t, Runtime{}, scan(t, Options{}, file{path: "var/lib/dpkg/status", content: dpkgText}))
	if len(inv.Packages) != 4 || inv.Packages[0].Type != "dpkg" || inv.Packages[0].Purl != "" {
		t.Errorf("packages %+v", inv.Packages)
	}
	for _, area := range []string{"distribution", "packages", "vulnerabilities"} {
		if inv.Missing[area].Status != "unknown" {
			t.Errorf("missing %s: %+v, want unknown", area, inv.Missing[area])
		}
	}
}

func TestAPK(t *testing.T) {
	text := "C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=\nP:musl\nV:1.2.4-r2\nA:x86_64\nT:the musl c library\nL:MIT\no:musl\nm:Timo <timo@alpine.example>\nF:lib\nR:ld-musl-x86_64.so.1\n\n" +
		"P:libcrypto3\nV:3.1.4-r1\nA:x86_64\nL:Apache-2.0\no:openssl\nF:usr/lib/node_modules/x\nR:package.json\n\nP:musl\nV:1.2.4-r2\n\nP:broken\nV:not a version\n"
	inv := merge(t, Runtime{}, scan(t, Options{},
		file{path: "etc/alpine-release", content: "3.18.4\n"},
		file{path: "lib/apk/db/installed", content: text},
		file{path: "usr/lib/node_modules/x/package.json", content: `{"name":"x","version":"1.0.0"}`}))
	if got := strings.Join(names(inv), ", "); got != "alpine libcrypto3 3.1.4-r1, alpine musl 1.2.4-r2" {
		t.Errorf("packages %s", got)
	}
	if p := inv.Packages[0]; p.SourceName != "openssl" || p.SourceVersion != "3.1.4-r1" || p.Licenses[0] != "Apache-2.0" ||
		p.Purl != "pkg:apk/alpine/libcrypto3@3.1.4-r1?arch=x86_64&distro=3.18.4" {
		t.Errorf("libcrypto3 %+v", p)
	}
	if gap := inv.Missing["packages"]; !strings.Contains(gap.Reason, "1 of its packages") {
		t.Errorf("missing %+v, want the broken record", gap)
	}
}

func TestRPMManifestAndBottlerocket(t *testing.T) {
	inv := merge(t, Runtime{}, scan(t, Options{},
		file{path: "etc/os-release", content: "ID=mariner\nVERSION_ID=\"2.0\"\n"},
		file{path: "var/lib/rpmmanifest/container-manifest-2", content: "mariner-release\t2.0-12.cm2\t1653816591\t1653753130\tMicrosoft Corporation\t(none)\t580\tnoarch\t0\tmariner-release-2.0-12.cm2.src.rpm\nnot a line\n"}))
	if len(inv.Packages) != 1 || inv.Packages[0].SourceRelease != "12.cm2" || inv.Packages[0].Type != "cbl-mariner" || inv.Missing["packages"].Status != "unknown" {
		t.Errorf("packages %+v, missing %+v", inv.Packages, inv.Missing)
	}
	inv = merge(t, Runtime{}, scan(t, Options{},
		file{path: "x86_64-bottlerocket-linux-gnu/sys-root/usr/lib/os-release", content: "ID=bottlerocket\nVERSION_ID=1.20.0\n"},
		file{path: "x86_64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json", content: `{"Content":[{"Name":"glibc","Version":"2.38","Release":"1","Epoch":"1","Architecture":"x86_64"}]}`}))
	if len(inv.Packages) != 1 || inv.Packages[0].Epoch != 1 || inv.Packages[0].Type != "bottlerocket" {
		t.Errorf("packages %+v", inv.Packages)
	}
}

func TestRedHatBuilds(t *testing.T) {
	base := scan(t, Options{},
		file{path: "etc/redhat-release", content: "Red Hat Enterprise Linux release 8.3 (Ootpa)\n"},
		file{path: "var/lib/rpmmanifest/container-manifest-2", content: "bash\t5.0-1.el8\t1\t1\tRed Hat, Inc.\t(none)\t5\tx86_64\t0\tbash-5.0-1.el8.src.rpm\n"})
	build := scan(t, Options{},
		file{path: "root/buildinfo/content_manifests/ubi8.json", content: `{"metadata":{},"content_sets":["rhel-8-for-x86_64-baseos-rpms"]}`},
		file{path: "root/buildinfo/Dockerfile-ubi8-8.3-227", content: "FROM x\nENV NAME=ubi8 \\\n  VERSION=8.3\nLABEL com.redhat.component=\"${NAME}-container\" \\\n      architecture=\"x86_64\" name=$NAME\n"})
	inv := merge(t, Runtime{}, base, build, scan(t, Options{}, file{path: "app", content: "x"}))
	if len(inv.Packages) != 1 {
		t.Fatalf("packages %v", names(inv))
	}
	p := inv.Packages[0]
	if len(p.ContentSets) != 1 || p.BuildNVR != "ubi8-container-8.3-227" || p.BuildArch != "x86_64" || p.Layer != 0 {
		t.Errorf("package %+v", p)
	}
}
