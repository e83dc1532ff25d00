package cli

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/report"
	"github.com/postscan/postscan/scanner/vulndb/dbfile"
)

// advisories is a database that knows a flaw of runc and one of Docker, as Go's own database tells of them.
const advisories = `
updated: 2026-02-28T06:00:00Z
next_update: 2026-03-02T06:00:00Z
sources:
  go::The Go Vulnerability Database: {id: govulndb, name: The Go Vulnerability Database, url: https://pkg.go.dev/vuln/}
advisories:
  go::The Go Vulnerability Database:
    github.com/opencontainers/runc:
      CVE-2024-21626: {vulnerable: ["<1.1.12"], patched: ["1.1.12"]}
    github.com/docker/docker:
      CVE-2024-41110: {vulnerable: [">=19.03.0, <23.0.15", ">=26.0.0, <26.1.5"], patched: ["23.0.15", "26.1.5"]}
vulnerabilities:
  CVE-2024-21626: {title: a leaked descriptor, severity: {nvd: high}}
  CVE-2024-41110: {title: a way past plugins, severity: {nvd: critical}}
`

// serveDocker answers as a Docker whose makers built it, with the version and that of its runc, without any container.
func serveDocker(t *testing.T, version, runc string) (address string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ps-adv-") // the path of a socket may have about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]any{
		"/info":            map[string]any{"ID": "T", "ServerVersion": version, "OSType": "linux", "CgroupVersion": "2", "SecurityOptions": []string{"name=seccomp,profile=builtin"}},
		"/version":         map[string]any{"Version": version, "ApiVersion": "1.50", "MinAPIVersion": "1.24", "Components": []map[string]any{{"Name": "Engine", "Version": version}, {"Name": "runc", "Version": runc}}},
		"/containers/json": []any{}, "/networks": []any{}, "/volumes": map[string]any{"Volumes": []any{}},
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "Docker/"+version+" (linux)")
		w.Header().Set("Api-Version", "1.50")
		path := strings.TrimPrefix(r.URL.Path, "/v1.50")
		if path == "/_ping" {
			_, _ = w.Write([]byte("OK")) // who hung up is not told
			return
		}
		w.Header().Set("Content-Type", "application/json")
		answer, ok := answers[path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_ = json.NewEncoder(w).Encode(answer) // the same
	})}
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	return "unix://" + socket
}

// An engine's versions are compared with the advisories of the Go modules that they are built from; without a database that is
// unknown, and what a distribution built is not assessed.
func TestEngineAdvisories(t *testing.T) {
	fixture, err := dbfile.Parse([]byte(advisories))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := fixture.Write(dir); err != nil {
		t.Fatal(err)
	}
	scan := func(code int, args ...string) *scanner.Report {
		t.Helper()
		r := run(t, nil, append([]string{"engine", "--checks", "PS-ENG-017", "--db-max-age", "100000h", "-o", "json"}, args...)...)
		if r.code != code {
			t.Fatalf("%v: exit code %d, want %d: %s", args, r.code, code, r.stderr)
		}
		rep, err := report.Read(strings.NewReader(r.stdout))
		if err != nil {
			t.Fatal(err)
		}
		return rep
	}
	keys := func(rep *scanner.Report) []string {
		var out []string
		for _, f := range rep.Findings {
			out = append(out, f.Severity.String()+" "+f.Key)
		}
		slices.Sort(out)
		return out
	}
	old := serveDocker(t, "26.1.4", "1.1.5")
	if got, want := keys(scan(exitFindings, "--host", old, "--db-dir", dir, "--fail-on", "high")), []string{"critical docker CVE-2024-41110", "high runc CVE-2024-21626"}; !slices.Equal(got, want) {
		t.Errorf("findings %q, want %q", got, want)
	}
	mended := serveDocker(t, "28.2.2", "1.2.8")
	if rep := scan(exitDone, "--host", mended, "--db-dir", dir, "--fail-on", "low"); len(rep.Findings) > 0 || rep.Summary.Pass != 1 {
		t.Errorf("findings %q, summary %+v", keys(rep), rep.Summary)
	}
	if rep := scan(exitDone, "--host", mended, "--no-vulnerabilities", "--fail-on", "low"); rep.Summary.Pass != 0 || rep.Summary.NotAssessed != 1 {
		t.Errorf("without vulnerabilities: %+v", rep.Summary)
	}
	if rep := scan(exitDone, "--host", serveDocker(t, "26.1.4-0ubuntu3", "1.1.5-0ubuntu1"), "--db-dir", dir, "--fail-on", "low"); rep.Summary.Pass != 0 || rep.Summary.NotAssessed != 1 {
		t.Errorf("built by a distribution: %+v, findings %q", rep.Summary, keys(rep))
	}
}
