package regoeval_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// builtIn is the evaluator of all image checks.
func builtIn(tb testing.TB) *regoeval.Evaluator {
	tb.Helper()
	c, err := checks.Load(checks.BuiltIn())
	if err != nil {
		tb.Fatal(err)
	}
	selected, err := c.Select([]string{"subject:image"}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	e, err := regoeval.New(tb.Context(), c, selected, regoeval.Options{Now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// image is a plausible one; n keeps images apart.
func image(n, packages, vulnerabilities int) *facts.Resource {
	im := &facts.Image{
		Registry: "docker.io", Repository: "library/web", OS: "linux", Architecture: "amd64", Created: "2029-11-01T00:00:00Z",
		Config: facts.ImageConfig{
			Path: []string{"/usr/local/bin", "/usr/bin", "/bin"}, Entrypoint: []string{"/entrypoint.sh", fmt.Sprint(n)}, Cmd: []string{"serve"},
			WorkingDir: fmt.Sprint("/app/", n), EnvNames: []string{"PATH", "LANG"}, Healthcheck: "absent", ExposedPorts: []facts.ExposedPort{{Number: 8080, Protocol: "tcp"}},
		},
		Distribution: facts.Distribution{Family: "debian", Version: "12.4", Name: "Debian GNU/Linux 12"},
		Groups:       []facts.Group{{Name: "root"}, {Name: "app", GID: 1000}},
		SSHStarters:  []facts.SSHStarter{},
	}
	for i := range 12 {
		im.Layers = append(im.Layers, facts.Layer{Digest: fmt.Sprint("sha256:", n, i), Step: i})
		im.History = append(im.History, facts.HistoryStep{Instruction: "RUN", Arguments: "apt-get update && apt-get install -y --no-install-recommends curl ca-certificates && rm -rf /var/lib/apt/lists/*", Layer: i})
	}
	for i := range 25 {
		im.Users = append(im.Users, facts.User{Name: fmt.Sprint("user", i), UID: i, GID: i, Shell: "/usr/sbin/nologin", Password: "locked"})
		im.Tools = append(im.Tools, facts.Tool{Name: fmt.Sprint("tool", i), Kind: "shell", Path: fmt.Sprint("/usr/bin/tool", i), Reachable: true})
		im.PrivilegedFiles = append(im.PrivilegedFiles, facts.PrivilegedFile{Path: fmt.Sprint("/usr/bin/su", i), Mode: "4755", SetUID: true})
	}
	for i := range packages {
		im.Packages = append(im.Packages, facts.Package{Type: "debian", Class: "os", Name: fmt.Sprint("pkg", i), Version: "1.2.3", Purl: fmt.Sprint("pkg:deb/debian/pkg", i), Path: "var/lib/dpkg/status"})
	}
	for i := range vulnerabilities {
		im.Vulnerabilities = append(im.Vulnerabilities, facts.Vulnerability{
			ID: fmt.Sprint("CVE-2029-", i), Package: fmt.Sprint("pkg", i%max(packages, 1)), PackageType: "debian", Version: "1.2.3", FixedVersion: "1.2.4",
			Status: "fixed", Severity: []string{"low", "medium", "high", "critical"}[i%4], SeveritySource: "nvd", Score: 7.5, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
			NetworkVector: true, EPSS: 0.01, Title: "A title of some length that says what is wrong", References: []string{"https://example.com/1", "https://example.com/2"},
			PrimaryURL: "https://example.com/3", DataSource: "debian", Purl: fmt.Sprint("pkg:deb/debian/pkg", i, "@1.2.3"), Path: "var/lib/dpkg/status",
		})
	}
	return &facts.Resource{Kind: facts.KindImage, ID: fmt.Sprint("web:", n), Facts: im}
}

// No built-in policy may end in an error on facts that it was given whole.
func TestBuiltInPoliciesDecide(t *testing.T) {
	e := builtIn(t)
	for name, r := range map[string]*facts.Resource{
		"plausible": image(1, 3, 5),
		"empty":     {Kind: facts.KindImage, ID: "empty", Facts: &facts.Image{}},
	} {
		outcomes, err := e.Evaluate(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range outcomes {
			if name == "plausible" && o.Status == scanner.Unknown {
				t.Errorf("%s: %s is unknown: %q", name, o.Rule.ID, o.Reasons)
			}
			for _, reason := range o.Reasons {
				if len(reason) > 8 && reason[:8] == "error in" {
					t.Errorf("%s: %s: %s", name, o.Rule.ID, reason)
				}
			}
		}
	}
}

func benchmark(b *testing.B, packages, vulnerabilities int) {
	b.Helper()
	e := builtIn(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		r := image(n, packages, vulnerabilities)
		if _, err := e.Evaluate(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkImage is all image checks over one image without vulnerabilities.
func BenchmarkImage(b *testing.B) { benchmark(b, 500, 0) }

// BenchmarkImageVulnerable is the same with 2,000 vulnerabilities, 2,000 findings.
func BenchmarkImageVulnerable(b *testing.B) { benchmark(b, 500, 2000) }

// BenchmarkImageEqual is an image whose facts were judged before.
func BenchmarkImageEqual(b *testing.B) {
	e := builtIn(b)
	r := image(1, 500, 2000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Evaluate(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCold loads the catalogue, compiles all image checks and judges one image.
func BenchmarkCold(b *testing.B) {
	r := image(1, 0, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := builtIn(b).Evaluate(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}
