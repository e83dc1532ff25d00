package scanner

import (
	"testing"

	"github.com/postscan/postscan/scanner/facts"
)

// An image leads to the workloads that run it, and its finding about root counts
// less only where all of them hold it off.
func TestRunningImages(t *testing.T) {
	workload := func(id, image string, users ...int64) *facts.Resource {
		w := &facts.Workload{}
		for _, u := range users {
			w.Containers = append(w.Containers, facts.Container{Effective: facts.Effective{User: u}})
		}
		return &facts.Resource{Kind: facts.KindWorkload, ID: id, Target: "cluster", Links: []facts.Link{{Type: "runs-image", To: image}}, Facts: w}
	}
	image := func(target string, missing map[string]facts.Missing) *facts.Resource {
		return &facts.Resource{Kind: facts.KindImage, ID: target, Target: target, Missing: missing, Facts: &facts.Image{}}
	}
	named := func(r *facts.Resource, name string) *facts.Resource {
		r.Aliases = []facts.Alias{{Type: AliasReference, Value: name}}
		return r
	}
	r := &running{uses: map[string][]ImageUse{}}
	for _, res := range []*facts.Resource{
		workload("b", "masked", 1000), workload("a", "masked", 7, 8), workload("c", "open", 1000), workload("d", "open", 1000, -1), workload("e", "unread"),
		workload("f", "alias", 1000), workload("f", "renamed", 1000), named(image("renamed", nil), "alias"),
		image("masked", nil), image("open", nil), image("unread", map[string]facts.Missing{"config": {Status: facts.Unknown, Reason: "why"}}), image("alone", nil),
	} {
		r.add(res)
	}
	rep := &Report{}
	for _, target := range []string{"masked", "open", "alone"} {
		rep.Findings = append(rep.Findings, Finding{Rule: &Rule{ID: imageRunsAsRoot}, Target: target, Severity: SeverityMedium})
	}
	r.join(rep)
	if len(rep.Images) != 4 || len(rep.Images[2].Workloads) != 1 || rep.Images[0].Workloads[0].Resource.ID != "a" || len(rep.Images[0].Workloads[0].Masks) != 1 || rep.Images[3].Problem != "why" {
		t.Errorf("images %+v", rep.Images)
	}
	for i, want := range []Severity{SeverityInfo, SeverityMedium, SeverityMedium} {
		if got := rep.Findings[i].Severity; got != want {
			t.Errorf("%s is %v, want %v", rep.Findings[i].Target, got, want)
		}
	}
}
