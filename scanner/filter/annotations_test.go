package filter_test

import (
	"strings"
	"testing"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/filter"
)

func annotated() *scanner.Report {
	root := &scanner.Rule{ID: "PS-IMG-001"}
	finding := func(id, key, file string) scanner.Finding {
		return scanner.Finding{Rule: root, Target: "prod", Resource: scanner.ResourceRef{Kind: facts.KindWorkload, ID: id}, Key: key, Origin: facts.Origin{File: file}}
	}
	return &scanner.Report{Findings: []scanner.Finding{
		finding("shop/Deployment/web", "app", "a.yaml"), finding("shop/Deployment/web", "sidecar", "a.yaml"),
		finding("shop/Deployment/db", "app", "a.yaml"), finding("shop/Deployment/web", "app", "b.yaml"),
	}}
}

func TestAnnotations(t *testing.T) {
	for name, c := range map[string]struct {
		annotation, value string
		forbid            bool
		want, notice      string
	}{
		"its own object":     {"PS-IMG-001", "legacy; owner=team; expires=2027-01-31", false, "xx..", ""},
		"one container":      {"PS-IMG-001", "legacy; expires=2027-01-31; key=side*", false, ".x..", ""},
		"two parts of text":  {"PS-IMG-001", "legacy; really ;expires=2027-01-31", false, "xx..", ""},
		"not allowed":        {"PS-IMG-001", "legacy; expires=2027-01-31", true, "....", "seen without effect: 1 annotation of the form postscan.dev/waive.ID"},
		"expired":            {"PS-IMG-001", "legacy; expires=2026-01-31", false, "....", "expired on 2026-01-31 and waives nothing; it would match 2 findings"},
		"no reason":          {"PS-IMG-001", "expires=2027-01-31", false, "....", "has no reason"},
		"no date":            {"PS-IMG-001", "legacy; owner=team", false, "....", "has no expiry date"},
		"misspelt field":     {"PS-IMG-001", "legacy; expire=2027-01-31", false, "....", "has no expiry date"},
		"unknown check":      {"PS-IMG-999", "legacy; expires=2027-01-31", false, "....", "PS-IMG-999"},
		"nothing to waive":   {"PS-IMG-013", "legacy; expires=2027-01-31", false, "....", "matches no finding"},
		"nothing in the key": {"", "legacy; expires=2027-01-31", false, "....", "has no id"},
	} {
		f := filter.NewAnnotations(!c.forbid, known, day("2026-06-01T00:00:00Z"))
		f.Add(&facts.Resource{
			Kind: facts.KindWorkload, ID: "shop/Deployment/web", Target: "prod", Origin: facts.Origin{File: "a.yaml", Line: 3},
			Annotations: map[string]string{facts.WaiverAnnotation + c.annotation: c.value},
		})
		f.Add(&facts.Resource{Kind: facts.KindWorkload, ID: "shop/Deployment/db", Target: "prod"})
		r := annotated()
		if err := f.Apply(r); err != nil {
			t.Fatal(err)
		}
		if got := suppressed(r); got != c.want {
			t.Errorf("%s: suppressed %s, want %s", name, got, c.want)
		}
		var all []string
		for _, n := range r.Notices {
			all = append(all, n.Text)
		}
		if text := strings.Join(all, "\n"); (c.notice == "") != (text == "") || !strings.Contains(text, c.notice) {
			t.Errorf("%s: notices %q, want %q", name, text, c.notice)
		}
		for _, fd := range r.Findings {
			if s := fd.Suppressed; s != nil && (s.By != "annotation" || !strings.HasPrefix(s.Reason, "legacy") || s.Expiry != "2027-01-31") {
				t.Errorf("%s: suppression %+v", name, s)
			}
		}
	}
}
