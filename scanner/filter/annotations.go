package filter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// Annotations is a [scanner.Filter] for waivers that stand as annotations on
// Kubernetes objects:
//
//	postscan.dev/waive.PS-K8S-001: "reason; owner=team-web; expires=2027-01-31"
//
// One holds for its own object alone. It may have key=PATTERN too. The rules are
// those of [Waivers], but what is wrong with an annotation is told in the report
// and the annotation waives nothing: it is read in the middle of the scan, and
// whoever writes it is not who scans.
type Annotations struct {
	allow bool
	known func(id string) bool
	now   time.Time

	mu    sync.Mutex
	found []annotation
}

// annotation is one waiver on one resource.
type annotation struct {
	target   string
	resource scanner.ResourceRef
	origin   facts.Origin
	name     string
	value    string
}

// NewAnnotations returns a filter that waives where allow is true, and else only
// says how many annotations it saw. known says whether a check of an id exists.
func NewAnnotations(allow bool, known func(id string) bool, now time.Time) *Annotations {
	return &Annotations{allow: allow, known: known, now: now.UTC()}
}

// Add keeps a resource's annotations until [Annotations.Apply]. It is safe for
// concurrent use.
func (a *Annotations) Add(r *facts.Resource) {
	if len(r.Annotations) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, value := range r.Annotations {
		a.found = append(a.found, annotation{r.Target, scanner.ResourceRef{Kind: r.Kind, ID: r.ID}, r.Origin, name, value})
	}
}

// Apply implements [scanner.Filter].
func (a *Annotations) Apply(r *scanner.Report) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.SortFunc(a.found, func(x, y annotation) int {
		return cmp.Or(cmp.Compare(x.target, y.target), cmp.Compare(x.resource.ID, y.resource.ID), cmp.Compare(x.origin.File, y.origin.File),
			cmp.Compare(x.origin.Line, y.origin.Line), cmp.Compare(x.name, y.name))
	})
	if len(a.found) == 0 {
		return nil
	}
	if !a.allow {
		a.notice(r, fmt.Sprintf("seen without effect: %s of the form %sID; with --allow-annotations they waive", count(len(a.found), "annotation"), facts.WaiverAnnotation))
		return nil
	}
	byResource := map[scanner.ResourceRef][]*scanner.Finding{}
	for i := range r.Findings {
		f := &r.Findings[i]
		byResource[f.Resource] = append(byResource[f.Resource], f)
	}
	for i := range a.found {
		a.apply(r, &a.found[i], byResource[a.found[i].resource])
	}
	return nil
}

// apply waives what one annotation accepts among the findings of its resource.
func (a *Annotations) apply(r *scanner.Report, an *annotation, findings []*scanner.Finding) {
	w := an.waiver()
	if err := w.validate(a.known); err != nil {
		a.notice(r, fmt.Sprintf("%s: %s. It waives nothing", w.Place, err))
		return
	}
	list := Waivers{now: a.now}
	hits, expired := 0, list.expired(&w)
	for _, f := range findings {
		// Another object of the same name, read elsewhere, is not meant.
		if f.Target != an.target || an.origin.File != "" && f.Origin.File != "" && f.Origin.File != an.origin.File {
			continue
		}
		if ok, _ := w.covers(f); !ok {
			continue
		}
		hits++
		if f.Suppressed == nil && !expired {
			f.Suppressed = &scanner.Suppression{By: "annotation", Reason: w.Reason, Owner: w.Owner, Expiry: w.Expires}
		}
	}
	switch {
	case expired:
		a.notice(r, fmt.Sprintf("%s: it expired on %s and waives nothing; it would match %s", w.Place, w.Expires, count(hits, "finding")))
	case hits == 0:
		a.notice(r, fmt.Sprintf("%s: it matches no finding; remove it", w.Place))
	}
}

func (a *Annotations) notice(r *scanner.Report, text string) {
	r.Notices = append(r.Notices, scanner.Notice{Source: "annotations", Text: text})
}

// waiver reads the annotation: parts with ";" between, of which owner=, expires=
// and key= are fields and the others are the reason.
func (an *annotation) waiver() Waiver {
	w := Waiver{
		ID:    strings.TrimPrefix(an.name, facts.WaiverAnnotation),
		Place: an.resource.ID + " " + an.name,
	}
	var reason []string
	for part := range strings.SplitSeq(an.value, ";") {
		part = strings.TrimSpace(part)
		name, value, _ := strings.Cut(part, "=")
		switch strings.TrimSpace(name) {
		case "owner":
			w.Owner = strings.TrimSpace(value)
		case "expires":
			w.Expires = strings.TrimSpace(value)
		case "key":
			w.Key = strings.TrimSpace(value)
		default:
			if part != "" {
				reason = append(reason, part)
			}
		}
	}
	w.Reason = strings.Join(reason, "; ")
	return w
}
