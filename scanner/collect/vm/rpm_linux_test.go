package vm_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner/collect/vm"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/vulndb"
	"github.com/postscan/postscan/scanner/vulndb/dbfile"
)

// need skips loudly where a real part is missing on a laptop, and fails in CI.
func need(t testing.TB, programs ...string) {
	t.Helper()
	var missing []string
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	switch {
	case len(missing) == 0:
	case os.Getenv("CI") == "true":
		t.Fatalf("CI must have: %s", strings.Join(missing, ", "))
	default:
		t.Skipf("SKIPPED: not tested without: %s", strings.Join(missing, ", "))
	}
}

// install builds packages with rpmbuild and installs them below the root with rpm: "name epoch:version-release".
func install(t *testing.T, root string, packages ...string) {
	t.Helper()
	dir := t.TempDir()
	run := func(name string, args ...string) {
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
	}
	for _, p := range packages {
		name, rest, _ := strings.Cut(p, " ")
		epoch, rest, _ := strings.Cut(rest, ":")
		version, release, _ := strings.Cut(rest, "-")
		spec := filepath.Join(dir, name+".spec")
		must(t, os.WriteFile(spec, []byte("Name: "+name+"\nEpoch: "+epoch+"\nVersion: "+version+"\nRelease: "+release+
			"\nSummary: A package\nLicense: MIT\nVendor: AlmaLinux\nBuildArch: noarch\n%description\nA package.\n%files\n"), 0o600))
		run("rpmbuild", "-bb", "--define", "_topdir "+dir, "--define", "_build_id_links none", spec)
	}
	built, err := filepath.Glob(filepath.Join(dir, "RPMS", "noarch", "*.rpm"))
	must(t, err)
	if len(built) != len(packages) {
		t.Fatalf("built %v", built)
	}
	global := []string{"--root", root, "--dbpath", "/var/lib/rpm", "--define", "_db_backend sqlite"}
	run("rpm", append(global, "--initdb")...)
	run("rpm", append(append(global, "-i", "--justdb", "--nodeps", "--noscripts"), built...)...)
}

// A guest of the Red Hat family, whose packages are installed by rpm itself: what the database on disk knows of
// them is found, and what attackers use already is told apart.
func TestRedHatPackages(t *testing.T) {
	need(t, "rpm", "rpmbuild")
	root := guest().with(files{
		"usr/lib/os-release":    "ID=\"almalinux\"\nVERSION_ID=\"9.4\"\nNAME=\"AlmaLinux\"\nPRETTY_NAME=\"AlmaLinux 9.4 (Seafoam Ocelot)\"\n",
		"etc/almalinux-release": "AlmaLinux release 9.4 (Seafoam Ocelot)\n",
		"etc/debian_version":    "", "var/lib/dpkg/status": "", "usr/bin/unattended-upgrade": "",
	}).write(t)
	install(t, root, "openssl-libs 1:3.0.7-24.el9", "glibc 0:2.34-100.el9")
	fixture, err := dbfile.Parse([]byte(`
updated: 2026-02-28T06:00:00Z
next_update: 2026-03-02T06:00:00Z
sources:
  alma 9: {id: alma, name: AlmaLinux Product Errata, url: https://errata.almalinux.org/}
advisories:
  alma 9:
    openssl-libs:
      CVE-2023-0286: {fixed: "1:3.0.7-25.el9"}
      CVE-2022-3602: {fixed: "1:3.0.7-1.el9"}
    glibc:
      CVE-2023-4911: {fixed: "2.34-101.el9"}
vulnerabilities:
  CVE-2023-0286: {title: a, severity: {alma: medium}}
  CVE-2022-3602: {title: b, severity: {alma: high}}
  CVE-2023-4911: {title: c, severity: {alma: high}}
`))
	must(t, err)
	dir := t.TempDir()
	must(t, fixture.Write(dir))
	kev, epss := filepath.Join(dir, "kev.json"), filepath.Join(dir, "epss.csv")
	must(t, os.WriteFile(kev, []byte(`{"title": "CISA Catalog", "catalogVersion": "2026.02.28", "dateReleased": "2026-02-28T10:00:00Z", "count": 1, "vulnerabilities": [{"cveID": "CVE-2023-4911"}]}`), 0o600))
	must(t, os.WriteFile(epss, []byte("#model_version:v2025,score_date:2026-02-28T00:00:00+0000\ncve,epss,percentile\nCVE-2023-0286,0.2,0.9\n"), 0o600))
	db, err := vulndb.Open(t.Context(), vulndb.Options{Dir: dir, KEV: kev, EPSS: epss, Offline: true, Now: func() time.Time { return now }})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	doc, r := machine(t, vm.Options{Root: root, Matcher: db})
	if doc.Distribution.Family != "alma" || len(doc.Packages) != 2 || doc.Packages[1].Name != "openssl-libs" || doc.Packages[1].Epoch != 1 || doc.Packages[1].Release != "24.el9" {
		t.Errorf("distribution %+v, packages %+v", doc.Distribution, doc.Packages)
	}
	at := func(id, name string) string { return id + " pkg:rpm/alma/" + name + " var/lib/rpm/rpmdb.sqlite" }
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-011", "PS-VM-013"), []string{
		"PS-VM-011 " + at("CVE-2023-0286", "openssl-libs"), "PS-VM-011 " + at("CVE-2023-4911", "glibc"), "PS-VM-013 " + at("CVE-2023-4911", "glibc"),
	})
}
