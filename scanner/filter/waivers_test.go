package filter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/filter"
)

func known(id string) bool { return id == "PS-IMG-001" || id == "PS-IMG-013" }

func day(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func findings() *scanner.Report {
	root, vuln := &scanner.Rule{ID: "PS-IMG-001"}, &scanner.Rule{ID: "PS-IMG-013"}
	res := func(id string) scanner.ResourceRef { return scanner.ResourceRef{Kind: facts.KindImage, ID: id} }
	return &scanner.Report{Findings: []scanner.Finding{
		{Rule: root, Target: "web:1", Resource: res("docker.io/team/web:1")},
		{Rule: root, Target: "db:1", Resource: res("docker.io/team/db:1")},
		{Rule: vuln, Target: "web:1", Resource: res("docker.io/team/web:1"), Key: "CVE-2021-1 pkg:npm/a x", Vulnerability: &scanner.Vulnerability{Vulnerability: facts.Vulnerability{ID: "CVE-2021-1"}}},
		{Rule: vuln, Target: "web:1", Resource: res("docker.io/team/web:1"), Key: "CVE-2021-2 pkg:npm/b x", Vulnerability: &scanner.Vulnerability{Vulnerability: facts.Vulnerability{ID: "CVE-2021-2"}}},
	}}
}

func apply(t *testing.T, yaml, now string) *scanner.Report {
	t.Helper()
	list, err := filter.ReadWaivers(strings.NewReader(yaml), "w.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w, err := filter.NewWaivers(list, known, day(now))
	if err != nil {
		t.Fatal(err)
	}
	r := findings()
	if err := w.Apply(r); err != nil {
		t.Fatal(err)
	}
	return r
}

func suppressed(r *scanner.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		if f.Suppressed != nil {
			b.WriteByte('x')
		} else {
			b.WriteByte('.')
		}
	}
	return b.String()
}

func TestWaivers(t *testing.T) {
	const rest = ", reason: r, expires: 2027-01-31}"
	for name, c := range map[string]struct {
		yaml, now, want string
		notice          string
	}{
		"a check everywhere":       {"{id: PS-IMG-001" + rest, "2026-06-01T00:00:00Z", "xx..", ""},
		"one resource":             {"{id: PS-IMG-001, resource: 'docker.io/team/web:*'" + rest, "2026-06-01T00:00:00Z", "x...", ""},
		"by target":                {"{id: PS-IMG-001, resource: 'db:?'" + rest, "2026-06-01T00:00:00Z", ".x..", ""},
		"a vulnerability":          {"{id: CVE-2021-1" + rest, "2026-06-01T00:00:00Z", "..x.", ""},
		"the check of it, by key":  {"{id: PS-IMG-013, key: '*pkg:npm/b*'" + rest, "2026-06-01T00:00:00Z", "...x", ""},
		"last day":                 {"{id: PS-IMG-001" + rest, "2027-01-31T23:59:59Z", "xx..", ""},
		"the day after":            {"{id: PS-IMG-001" + rest, "2027-02-01T00:00:00Z", "....", "expired on 2027-01-31"},
		"matches nothing":          {"{id: CVE-1999-9" + rest, "2026-06-01T00:00:00Z", "....", "matches no finding"},
		"resource matches nothing": {"{id: PS-IMG-001, resource: web" + rest, "2026-06-01T00:00:00Z", "....", "matches no finding"},
	} {
		r := apply(t, "waivers:\n  - "+c.yaml+"\n", c.now)
		if got := suppressed(r); got != c.want {
			t.Errorf("%s: suppressed %s, want %s", name, got, c.want)
		}
		var notices []string
		for _, n := range r.Notices {
			notices = append(notices, n.Text)
		}
		if all := strings.Join(notices, "\n"); (c.notice == "") != (all == "") || !strings.Contains(all, c.notice) {
			t.Errorf("%s: notices %q, want %q", name, all, c.notice)
		}
		if len(r.Findings) != 4 {
			t.Errorf("%s: a finding is gone", name)
		}
	}
}

func TestWaiversRefuse(t *testing.T) {
	for yaml, want := range map[string]string{
		"{reason: r, expires: 2027-01-31}":                               "no id",
		"{id: PS-IMG-001, expires: 2027-01-31}":                          "no reason",
		"{id: PS-IMG-001, reason: r}":                                    "no expiry",
		"{id: PS-IMG-001, reason: r, expires: soon}":                     "YYYY-MM-DD",
		"{id: PS-IMG-999, reason: r, expires: 2027-01-31}":               "neither a check nor",
		"{id: root, reason: r, expires: 2027-01-31}":                     "neither a check nor",
		"{id: PS-IMG-001, reason: r, expires: 2027-01-31, resorce: web}": "no field \"resorce\"",
		"just text": "a waiver is a mapping",
	} {
		list, err := filter.ReadWaivers(strings.NewReader("waivers:\n  - "+yaml+"\n"), "w.yaml")
		if err == nil {
			_, err = filter.NewWaivers(list, known, day("2026-01-01T00:00:00Z"))
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "w.yaml:2") {
			t.Errorf("%s: error is %v, want %q at w.yaml:2", yaml, err, want)
		}
	}
	if _, err := filter.ReadWaivers(strings.NewReader("waiver: []\n"), "w.yaml"); err == nil {
		t.Error("a misspelt top-level field is accepted")
	}
	const two = "waivers: []\n---\nwaivers:\n  - {id: PS-IMG-001, reason: r, expires: 2027-01-31}\n"
	if _, err := filter.ReadWaivers(strings.NewReader(two), "w.yaml"); err == nil || !strings.Contains(err.Error(), "put all waivers into one") {
		t.Errorf("a second document, which nobody reads, is told as %v", err)
	}
}

func TestWaiversExplain(t *testing.T) {
	list, err := filter.ReadWaivers(strings.NewReader("waivers:\n  - {id: PS-IMG-001, resource: '*web*', reason: r, expires: 2027-01-31}\n"), "w.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w, err := filter.NewWaivers(list, known, day("2026-01-01T00:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	use := w.Explain(findings())[0]
	if use.State != "active" || len(use.Hits) != 1 || len(use.Misses) != 1 || !strings.Contains(use.Misses[0].Why, "docker.io/team/db:1") {
		t.Errorf("explained as %+v", use)
	}
}

func FuzzReadWaivers(f *testing.F) {
	f.Add([]byte("waivers:\n  - {id: PS-IMG-001, reason: r, expires: 2027-01-31}\n"))
	f.Add([]byte("waivers: [&a {id: *a}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := filter.ReadWaivers(strings.NewReader(string(b)), "f")
		if err != nil {
			return
		}
		for _, w := range list {
			if w.Place == "" {
				t.Error("a waiver does not know where it stands")
			}
		}
	})
}
