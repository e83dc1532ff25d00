package report_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/report"
)

// Which workloads run an image, and what is unknown for them, stands in every
// format for people.
func TestRunningImagesAreShown(t *testing.T) {
	rep := kindsSample()
	rep.Images = []scanner.RunningImage{{
		Target: "registry.example/team/web:1.4", Resource: scanner.ResourceRef{Kind: facts.KindImage, ID: "registry.example/team/web:1.4"}, Problem: "no such <host>",
		Workloads: []scanner.ImageUse{
			{Target: "prod", Resource: scanner.ResourceRef{Kind: facts.KindWorkload, ID: "shop/Deployment/web"}, Masks: []string{"PS-IMG-001"}},
			{Target: "prod", Resource: scanner.ResourceRef{Kind: facts.KindWorkload, ID: "shop/Job/once"}, Masks: []string{}},
		},
	}}
	for format, want := range map[string][]string{
		"table":    {"shop/Deployment/web", "shop/Job/once", "no such <host>"},
		"html":     {"Images that run", "shop/Deployment/web (PS-IMG-001 does not hold), shop/Job/once", "no such &lt;host&gt;"},
		"markdown": {"1 image</b> that workloads run", "shop/Deployment/web (PS-IMG-001 does not hold), shop/Job/once", "no such &lt;host&gt;"},
	} {
		out := string(write(t, rep, format, report.Options{}))
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s does not say %q", format, w)
			}
		}
	}
	for i := range 5000 {
		im := rep.Images[0]
		im.Resource.ID = fmt.Sprintf("registry.example/team/%d", i)
		rep.Images = append(rep.Images, im)
	}
	out := string(write(t, rep, "markdown", report.Options{}))
	if n := utf8.RuneCountInString(out); n > 65_536 || !strings.Contains(out, "more images do not fit into a comment") {
		t.Errorf("the comment has %d characters, or does not say what it leaves out", n)
	}
}
