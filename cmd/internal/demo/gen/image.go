package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
)

// built is when the image says that it was built.
var built = time.Date(2024, 5, 14, 9, 30, 0, 0, time.UTC)

// entry is one entry of a layer.
type entry struct {
	path string
	mode int64 // permissions with set-uid, set-gid and sticky bits
	kind byte  // of package tar
	text string
	uid  int
}

func file(path, text string) entry {
	return entry{path: path, mode: 0o644, kind: tar.TypeReg, text: text}
}
func dir(path string, mode int64) entry { return entry{path: path, mode: mode, kind: tar.TypeDir} }
func link(path, target string) entry {
	return entry{path: path, mode: 0o777, kind: tar.TypeSymlink, text: target}
}
func program(path string, mode int64) entry {
	return entry{path: path, mode: mode, kind: tar.TypeReg, text: "a program of the demonstration\n"}
}

// step is a step of the build; one without entries made no layer.
type step struct {
	createdBy string
	entries   []entry
}

// steps is the image: the shop of a company that does not exist, built as nobody
// should.
func steps() []step {
	return []step{
		{"/bin/sh -c #(nop) ADD file:demo in / ", base()},
		{`/bin/sh -c #(nop)  ENV SHOP_DB_PASSWORD=` + password() + ` PATH=/opt/shop/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`, nil},
		{"/bin/sh -c apt-get update && apt-get install -y curl sudo openssh-server python3 default-jre-headless", packages()},
		{"/bin/sh -c curl -fsSL https://get.shop.example/setup.sh | sh", setup()},
		{"/bin/sh -c #(nop) COPY file:demo in /root/.ssh/id_rsa ", []entry{
			dir("root/.ssh", 0o700), {path: "root/.ssh/id_rsa", mode: 0o600, kind: tar.TypeReg, text: privateKey()},
		}},
		{"/bin/sh -c rm /root/.ssh/id_rsa", []entry{dir("root/.ssh", 0o700), file("root/.ssh/.wh.id_rsa", "")}},
		{"/bin/sh -c #(nop) COPY dir:demo in /opt/shop ", application()},
		{`/bin/sh -c #(nop)  USER shop`, nil},
		{`/bin/sh -c #(nop)  EXPOSE 22 8080`, nil},
		{`/bin/sh -c #(nop)  ENTRYPOINT ["/opt/shop/bin/start.sh"]`, nil},
	}
}

// base is a Debian that is out of support.
func base() []entry {
	return []entry{
		dir("etc", 0o755),
		file("etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 10 (buster)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"10\"\nVERSION=\"10 (buster)\"\nID=debian\n"),
		file("etc/debian_version", "10.13\n"),
		file("etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"),
		{path: "etc/shadow", mode: 0o640, kind: tar.TypeReg, text: "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n"},
		file("etc/group", "root:x:0:\ndaemon:x:1:\n"),
		program("bin/bash", 0o755),
		link("bin/sh", "bash"),
		program("bin/su", 0o4755),
		program("usr/bin/passwd", 0o4755),
		program("usr/bin/apt-get", 0o755),
		program("usr/bin/dpkg", 0o755),
		dir("tmp", 0o1777),
		file("var/lib/dpkg/status", dpkg(basePackages...)),
	}
}

// packages are what the second layer installs.
func packages() []entry {
	return []entry{
		file("var/lib/dpkg/status", dpkg(append(append([]deb{}, basePackages...), addedPackages...)...)),
		program("usr/bin/curl", 0o755),
		program("usr/bin/sudo", 0o4755),
		program("usr/sbin/sshd", 0o755),
		{path: "etc/sudoers", mode: 0o440, kind: tar.TypeReg, text: "root ALL=(ALL:ALL) ALL\n"},
		file("var/lib/apt/lists/deb.debian.org_debian_dists_buster_Release", "Origin: Debian\n"),
	}
}

// setup is what a script from the network did.
func setup() []entry {
	return []entry{
		file("etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nshop:x:0:0:the shop:/opt/shop:/bin/bash\nsupport:x:1001:1001:remote support:/home/support:/bin/bash\n"),
		{path: "etc/shadow", mode: 0o640, kind: tar.TypeReg, text: "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\nshop:!:19000:0:99999:7:::\nsupport::19000:0:99999:7:::\n"},
		file("etc/group", "root:x:0:\ndaemon:x:1:\nsupport:x:1001:\n"),
		{path: "etc/sudoers.d/shop", mode: 0o440, kind: tar.TypeReg, text: "shop ALL=(ALL) NOPASSWD: ALL\n"},
		program("usr/local/bin/backup", 0o4755),
		dir("opt/shop/bin", 0o777),
	}
}

// application is the shop itself, in three languages.
func application() []entry {
	const modules, site = "opt/shop/node_modules/", "usr/local/lib/python3.7/site-packages/"
	out := []entry{
		{path: "opt/shop/bin/start.sh", mode: 0o777, kind: tar.TypeReg, text: "#!/bin/sh\nservice ssh start\nexec node /opt/shop/server.js\n"},
		file("opt/shop/server.js", "require('http').createServer().listen(8080)\n"),
		file("opt/shop/lib/log4j-core-2.14.1.jar", jar("org.apache.logging.log4j", "log4j-core", "2.14.1")),
	}
	for _, p := range []struct{ name, version string }{{"express", "4.19.2"}, {"lodash", "4.17.15"}, {"minimist", "1.2.0"}, {"request", "2.88.2"}} {
		out = append(out, file(modules+p.name+"/package.json", fmt.Sprintf("{\n  \"name\": %q,\n  \"version\": %q,\n  \"license\": \"MIT\"\n}\n", p.name, p.version)))
	}
	for _, p := range []struct{ name, version string }{{"Flask", "2.2.5"}, {"Jinja2", "3.0.3"}, {"PyYAML", "5.3.1"}, {"requests", "2.25.1"}} {
		out = append(out, file(site+p.name+"-"+p.version+".dist-info/METADATA", fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", p.name, p.version)))
	}
	return out
}

// deb is a package of Debian.
type deb struct{ name, version, source, sourceVersion string }

var (
	basePackages = []deb{
		{"base-files", "10.3+deb10u13", "", ""},
		{"bash", "5.0-4", "", ""},
		{"libc6", "2.28-10+deb10u1", "glibc", ""},
		{"passwd", "1:4.5-1.1", "shadow", ""},
		{"tar", "1.30+dfsg-6", "", ""},
		{"zlib1g", "1:1.2.11.dfsg-1", "zlib", ""},
	}
	addedPackages = []deb{
		{"curl", "7.64.0-4+deb10u2", "", ""},
		{"libssl1.1", "1.1.1d-0+deb10u5", "openssl", ""},
		{"openssh-server", "1:7.9p1-10+deb10u2", "openssh", ""},
		{"sudo", "1.8.27-1+deb10u2", "", ""},
	}
)

// dpkg writes the database of Debian's package manager.
func dpkg(packages ...deb) string {
	var b strings.Builder
	for _, p := range packages {
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nMaintainer: Debian Maintainers <debian@lists.debian.org>\nArchitecture: amd64\n", p.name)
		if p.source != "" {
			fmt.Fprintf(&b, "Source: %s\n", p.source)
		}
		fmt.Fprintf(&b, "Version: %s\nDescription: a package of the demonstration\n\n", p.version)
	}
	return b.String()
}

// password is made up, and put together here so that no scanner of source code
// takes it for one that was lost.
func password() string { return "N0t-A-" + "Real-" + "Passw0rd-" + "7f3k9q2x" }

// privateKey has the shape of a key and holds none: its lines are the same words
// over and over.
func privateKey() string {
	words := strings.Repeat("Tm90QVJlYWxLZXlPbmx5QURlbW9uc3RyYXRpb25PZlBvc3RzY2Fu", 2)[:64]
	const what = "RSA PRIVATE" + " KEY"
	return "-----BEGIN " + what + "-----\n" + strings.Repeat(words+"\n", 12) + "-----END " + what + "-----\n"
}

// jar is a Java archive that holds nothing but the name of an artifact.
func jar(group, artifact, version string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range []struct{ name, text string }{
		{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Title: " + artifact + "\nImplementation-Version: " + version + "\n"},
		{"META-INF/maven/" + group + "/" + artifact + "/pom.properties", "groupId=" + group + "\nartifactId=" + artifact + "\nversion=" + version + "\n"},
	} {
		// Stored, as the standard library's compressor may change with its version.
		part, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store, Modified: built})
		if err == nil {
			_, err = part.Write([]byte(f.text))
		}
		if err != nil {
			panic(err) // a buffer takes everything
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// writeImage makes the OCI layout.
func writeImage(to string) error {
	blobs := filepath.Join(to, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return err
	}
	config := v1.ConfigFile{
		Architecture: "amd64", OS: "linux", Created: v1.Time{Time: built},
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User: "shop", Entrypoint: []string{"/opt/shop/bin/start.sh"}, WorkingDir: "/opt/shop",
			Env: []string{
				"PATH=/opt/shop/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"SHOP_DB_PASSWORD=" + password(),
			},
			ExposedPorts: map[string]struct{}{"22/tcp": {}, "8080/tcp": {}},
			Volumes:      map[string]struct{}{"/etc": {}},
			Labels: map[string]string{
				"org.opencontainers.image.title":     "The demonstration of postscan: insecure on purpose, do not run it",
				"org.opencontainers.image.base.name": "docker.io/library/debian:buster-slim",
			},
		},
	}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	for i, s := range steps() {
		at := built.Add(time.Duration(i) * time.Minute)
		config.History = append(config.History, v1.History{Created: v1.Time{Time: at}, CreatedBy: s.createdBy, EmptyLayer: s.entries == nil})
		if s.entries == nil {
			continue
		}
		plain, packed, err := layer(s.entries)
		if err != nil {
			return err
		}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, hash(plain))
		d, err := writeBlob(blobs, packed, types.OCILayer)
		if err != nil {
			return err
		}
		manifest.Layers = append(manifest.Layers, d)
	}
	var err error
	if manifest.Config, err = writeJSON(blobs, config, types.OCIConfigJSON); err != nil {
		return err
	}
	top, err := writeJSON(blobs, manifest, types.OCIManifestSchema1)
	if err != nil {
		return err
	}
	top.Platform = &v1.Platform{OS: "linux", Architecture: "amd64"}
	top.Annotations = map[string]string{"org.opencontainers.image.ref.name": "shop.example/web:demo"}
	index, err := json.MarshalIndent(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{top}}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(to, "index.json"), append(index, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "oci-layout"), []byte("{\"imageLayoutVersion\": \"1.0.0\"}\n"), 0o644)
}

// layer packs the entries.
func layer(entries []entry) (plain, packed []byte, err error) {
	var t bytes.Buffer
	tw := tar.NewWriter(&t)
	for _, e := range entries {
		h := tar.Header{Name: e.path, Mode: e.mode, Typeflag: e.kind, Uid: e.uid, Gid: e.uid, ModTime: built, Format: tar.FormatUSTAR}
		switch e.kind {
		case tar.TypeReg:
			h.Size = int64(len(e.text))
		case tar.TypeSymlink:
			h.Linkname = e.text
		case tar.TypeDir:
			h.Name += "/"
		}
		if err := tw.WriteHeader(&h); err != nil {
			return nil, nil, err
		}
		if e.kind != tar.TypeReg {
			continue
		}
		if _, err := tw.Write([]byte(e.text)); err != nil {
			return nil, nil, err
		}
	}
	if err := tw.Close(); err != nil {
		return nil, nil, err
	}
	var z bytes.Buffer
	zw := gzip.NewWriter(&z)
	if _, err := zw.Write(t.Bytes()); err != nil {
		return nil, nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, nil, err
	}
	return t.Bytes(), z.Bytes(), nil
}

func writeJSON(blobs string, doc any, mediaType types.MediaType) (v1.Descriptor, error) {
	b, err := json.Marshal(doc)
	if err != nil {
		return v1.Descriptor{}, err
	}
	return writeBlob(blobs, b, mediaType)
}

func writeBlob(blobs string, b []byte, mediaType types.MediaType) (v1.Descriptor, error) {
	h := hash(b)
	return v1.Descriptor{MediaType: mediaType, Size: int64(len(b)), Digest: h}, os.WriteFile(filepath.Join(blobs, h.Hex), b, 0o644)
}

func hash(b []byte) v1.Hash {
	sum := sha256.Sum256(b)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}
