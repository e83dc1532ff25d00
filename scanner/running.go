package scanner

import (
	"cmp"
	"maps"
	"slices"

	"github.com/postscan/postscan/scanner/facts"
)

// RunningImage is an image of the report that workloads of the same report run.
// Its findings stand on the image, once; this leads from it to them.
type RunningImage struct {
	Target   string      `json:"target"` // of the image
	Resource ResourceRef `json:"resource"`
	// Problem says why the image could not be looked at: then what its checks
	// ask is unknown for all of its workloads. Empty where it was.
	Problem   string     `json:"problem"`
	Workloads []ImageUse `json:"workloads"`
}

// ImageUse is one workload that runs an image.
type ImageUse struct {
	Target   string      `json:"target"`
	Resource ResourceRef `json:"resource"`
	// Masks are the checks of the image whose findings do not hold for this
	// workload, because of what its own settings say.
	Masks []string `json:"masks"`
}

// imageRunsAsRoot is the check that a workload masks by a user of its own.
const imageRunsAsRoot = "PS-IMG-001"

// running gathers which workloads run which images.
type running struct {
	uses   map[string][]ImageUse // by where the link leads
	images []namedImage
}

// namedImage is an image with what links may call it.
type namedImage struct {
	RunningImage
	names []string
}

// AliasReference is the type of an alias that links of workloads may lead to
// where it is not the image's target: the image runs under several names.
const AliasReference = "reference"

// add books a resource.
func (r *running) add(res *facts.Resource) {
	switch f := res.Facts.(type) {
	case *facts.Image:
		im := namedImage{RunningImage{Target: res.Target, Resource: ResourceRef{res.Kind, res.ID}}, []string{res.Target}}
		for _, a := range res.Aliases {
			if a.Type == AliasReference {
				im.names = append(im.names, a.Value)
			}
		}
		if m, ok := res.Missing["config"]; ok && m.Status == facts.Unknown && !m.Partial {
			im.Problem = m.Reason
		}
		r.images = append(r.images, im)
	case *facts.Workload:
		use := ImageUse{Target: res.Target, Resource: ResourceRef{res.Kind, res.ID}, Masks: []string{}}
		if len(f.Containers) > 0 && !slices.ContainsFunc(f.Containers, func(c facts.Container) bool { return c.Effective.User < 1 }) {
			use.Masks = append(use.Masks, imageRunsAsRoot)
		}
		for _, l := range res.Links {
			if l.Type == "runs-image" {
				r.uses[l.To] = append(r.uses[l.To], use)
			}
		}
	}
}

// join puts the images that run into the report. A finding that every workload of
// its image masks is told as a matter of information.
func (r *running) join(rep *Report) {
	masked := map[string]bool{} // targets of images
	for _, im := range r.images {
		var uses []ImageUse
		for _, n := range im.names {
			uses = append(uses, r.uses[n]...)
		}
		if len(uses) == 0 {
			continue
		}
		slices.SortFunc(uses, compareUses)
		im.Workloads = slices.CompactFunc(uses, func(a, b ImageUse) bool { return compareUses(a, b) == 0 })
		rep.Images = append(rep.Images, im.RunningImage)
		masked[im.Target] = !slices.ContainsFunc(im.Workloads, func(u ImageUse) bool { return !slices.Contains(u.Masks, imageRunsAsRoot) })
	}
	maps.DeleteFunc(masked, func(_ string, all bool) bool { return !all })
	slices.SortFunc(rep.Images, func(a, b RunningImage) int { return cmp.Compare(a.Target, b.Target) })
	for i := range rep.Findings {
		f := &rep.Findings[i]
		if f.Rule.ID == imageRunsAsRoot && masked[f.Target] && f.Severity > SeverityInfo {
			f.Severity = SeverityInfo
			f.Evidence = append(slices.Clip(f.Evidence), Evidence{Path: "workloads", Value: "each of them sets another user for all of its containers"})
		}
	}
}

// compareUses orders workloads.
func compareUses(a, b ImageUse) int {
	return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Resource.ID, b.Resource.ID))
}
