package inventory

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rpmdb "github.com/knqyf263/go-rpmdb/pkg"
	_ "modernc.org/sqlite" // which rpmdb opens its SQLite databases with
)

// rpmFixtures finds the databases that the rpmdb module brings for its own tests:
// real ones of CentOS, Fedora, SUSE and Azure Linux, in all three formats and both
// byte orders.
func rpmFixtures(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/knqyf263/go-rpmdb").Output()
	dir := filepath.Join(strings.TrimSpace(string(out)), "pkg", "testdata")
	if _, statErr := os.Stat(dir); err != nil || statErr != nil {
		missing(t, "the test data of github.com/knqyf263/go-rpmdb in the module cache")
	}
	return dir
}

// missing skips a test on a machine without a real part that it needs, and fails it
// in CI.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing, and CI must have it", what)
	}
	t.Skipf("%s is missing", what)
}

// TestRPMDatabasesAgainstLibrary reads real databases and compares every package
// and every owned file with what the rpmdb library finds.
func TestRPMDatabasesAgainstLibrary(t *testing.T) {
	dir := rpmFixtures(t)
	for _, tc := range []struct{ file, at string }{
		{"centos5-plain/Packages", "var/lib/rpm/Packages"},
		{"centos7-plain/Packages", "var/lib/rpm/Packages"},
		{"centos8-modularitylabel/Packages", "var/lib/rpm/Packages"},
		{"ubi8-s390x/Packages", "var/lib/rpm/Packages"},
		{"libuuid/Packages", "usr/lib/sysimage/rpm/Packages"},
		{"sle15-bci/Packages.db", "usr/lib/sysimage/rpm/Packages.db"},
		{"cbl-mariner-2.0/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite"},
		{"fedora35-plus-mongo/rpmdb.sqlite", "usr/share/rpm/rpmdb.sqlite"},
	} {
		t.Run(tc.file, func(t *testing.T) {
			f, err := os.Open(filepath.Join(dir, tc.file))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			s := NewLayer(Options{})
			if err := s.Add(t.Context(), Entry{Path: tc.at, Mode: 0o644, Size: info.Size()}, f); err != nil {
				t.Fatal(err)
			}
			owned := s.owned
			l, err := s.Finish(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(l.Problems) > 0 || len(l.Databases) != 1 {
				t.Fatalf("databases %d, problems %+v", len(l.Databases), l.Problems)
			}
			var got []string
			for _, p := range l.Databases[0].Packages {
				got = append(got, rpmLine(p.Name, p.Epoch, p.Version, p.Release, p.Arch, p.Modularity, p.Maintainer))
			}
			want, files := libraryPackages(t, filepath.Join(dir, tc.file))
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%d packages, want %d; first difference: %s", len(got), len(want), firstDifference(got, want))
			}
			for _, file := range files {
				if _, ok := owned[hashPath(strings.TrimPrefix(file, "/"))]; !ok && file != "/" {
					t.Fatalf("%s is not known as owned", file)
				}
			}
		})
	}
}

func rpmLine(name string, epoch int, version, release, arch, module, vendor string) string {
	if arch == "" {
		arch = "None"
	}
	return fmt.Sprintf("%s %d %s %s %s %s %s", name, epoch, version, release, arch, module, oneLine(vendor))
}

func libraryPackages(t *testing.T, file string) (lines, files []string) {
	t.Helper()
	db, err := rpmdb.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	list, err := db.ListPackages()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		lines = append(lines, rpmLine(p.Name, p.EpochNum(), p.Version, p.Release, p.Arch, p.Modularitylabel, p.Vendor))
		h := rpmHeader{text: map[uint32]string{tagVendor: p.Vendor, tagRelease: p.Release}}
		if h.vendorIsOS() {
			names, err := p.InstalledFileNames()
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, names...)
		}
	}
	slices.Sort(lines)
	return lines, files
}

func firstDifference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("got %q, want %q", got[i], want[i])
		}
	}
	return "one is longer"
}

// TestRPMOfThisMachine makes a database with rpm itself.
func TestRPMOfThisMachine(t *testing.T) {
	rpm, err := exec.LookPath("rpm")
	if err != nil {
		missing(t, "rpm")
	}
	rpmbuild, err := exec.LookPath("rpmbuild")
	if err != nil {
		missing(t, "rpmbuild")
	}
	dir := t.TempDir()
	spec := filepath.Join(dir, "tool.spec")
	text := "Name: tool\nEpoch: 2\nVersion: 1.4\nRelease: 3.el9\nSummary: A tool\nLicense: MIT\nVendor: Red Hat, Inc.\nBuildArch: noarch\n" +
		"%description\nA tool.\n%install\nmkdir -p %{buildroot}/usr/share/tool\ntouch %{buildroot}/usr/share/tool/package.json\n%files\n/usr/share/tool/package.json\n"
	if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, rpmbuild, "-bb", "--define", "_topdir "+dir, "--define", "_build_id_links none", spec)
	built, err := filepath.Glob(filepath.Join(dir, "RPMS", "noarch", "*.rpm"))
	if err != nil || len(built) != 1 {
		t.Fatalf("built %v: %v", built, err)
	}
	for _, backend := range []struct{ name, file string }{{"sqlite", "rpmdb.sqlite"}} { // Debian's rpm makes no other
		db := filepath.Join(dir, backend.name)
		run(t, rpm, "--dbpath", db, "--define", "_db_backend "+backend.name, "--initdb")
		run(t, rpm, "--dbpath", db, "--define", "_db_backend "+backend.name, "-i", "--justdb", "--nodeps", built[0])
		data, err := os.ReadFile(filepath.Join(db, backend.file))
		if err != nil {
			t.Fatal(err)
		}
		l := scan(t, Options{},
			file{path: "usr/share/tool/package.json", content: `{"name":"tool","version":"9"}`},
			file{path: "var/lib/rpm/" + backend.file, content: string(data)})
		if len(l.Problems) > 0 {
			t.Errorf("%s: problems %+v", backend.name, l.Problems)
		}
		inv := merge(t, Runtime{}, l, scan(t, Options{}, file{path: "etc/redhat-release", content: "Red Hat Enterprise Linux release 9.4 (Plow)\n"}))
		if len(inv.Packages) != 1 {
			t.Fatalf("%s: packages %v, want the one of rpm, and not the one that it owns", backend.name, names(inv))
		}
		p := inv.Packages[0]
		if p.Name != "tool" || p.Epoch != 2 || p.Version != "1.4" || p.Release != "3.el9" || p.SourceName != "tool" || p.SourceRelease != "3.el9" || p.Type != "redhat" {
			t.Errorf("%s: package %+v", backend.name, p)
		}
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func TestBrokenRPMDatabaseIsAProblem(t *testing.T) {
	dir := rpmFixtures(t)
	for _, file := range []string{"libuuid/Packages", "sle15-bci/Packages.db", "cbl-mariner-2.0/rpmdb.sqlite"} {
		whole, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		at := "var/lib/rpm/" + filepath.Base(file)
		for name, data := range map[string][]byte{
			"cut off":     whole[:len(whole)/2],
			"overwritten": append(bytes.Clone(whole[:96]), bytes.Repeat([]byte{0xff}, len(whole)-96)...),
			"no database": []byte("this is no database at all, though it is long enough to look at"),
		} {
			l := scan(t, Options{}, fileOf(at, data))
			if len(l.Problems) == 0 {
				t.Errorf("%s, %s: no problem recorded", file, name)
			}
			inv := merge(t, Runtime{}, l)
			if gap := inv.Missing["packages"]; gap.Status != "unknown" || !gap.Partial || !strings.Contains(gap.Reason, at) {
				t.Errorf("%s, %s: missing packages %+v, want the file named", file, name, gap)
			}
			if _, ok := inv.Missing["vulnerabilities"]; !ok {
				t.Errorf("%s, %s: vulnerabilities are not said to be incomplete", file, name)
			}
		}
	}
}

func fileOf(p string, data []byte) file { return file{path: p, content: string(data)} }
