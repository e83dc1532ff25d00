package report

import (
	"bufio"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

//go:embed html.tmpl
var htmlTemplate string

// HTML writes one page that holds everything it needs: it fetches nothing, reads
// well without script, on a phone, in print and in the dark. A little script
// adds a filter and sorting.
func HTML(w io.Writer, r *scanner.Report, o Options) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"clean":      Clean,
		"severities": severities,
		"plural":     plural,
		"word":       controlWord,
		"controls":   func(f scanner.Framework) string { return controlLine(&f) },
		"why":        func(c scanner.Control) string { return controlWhy(&c) },
		"runs":       func(im scanner.RunningImage) string { return imageUsers(&im, maxImageUsersPage) },
		"workloads":  func(g scanner.IsolationGroup) string { return workloadNames(&g, maxIsolatedNames) },
	}).Parse(htmlTemplate)
	if err != nil {
		return fmt.Errorf("parse the HTML template: %w", err)
	}
	bw := bufio.NewWriterSize(w, 1<<16)
	page := newHTMLPage(r, o)
	if err := t.ExecuteTemplate(bw, "top", page); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	if err := newHTMLRows(bw, t).write(r, o); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	if err := t.ExecuteTemplate(bw, "bottom", page); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return bw.Flush()
}

// htmlPage is what the template shows. The findings are not in it: htmlRows
// writes them.
type htmlPage struct {
	Report     *scanner.Report
	Counts     string // "3 findings: 1 critical, 2 low"
	Hidden     int    // findings below the severity that the reader asked for
	Resources  []htmlResource
	Checks     []htmlCheck
	Frameworks []scanner.Framework
	Referred   bool // Frameworks are those that the checks refer to: none was asked for
	Gaps       []htmlGap
	Images     []scanner.RunningImage
	Isolation  []scanner.IsolationGroup // the worst
	Isolated   int                      // workloads in all
	Unlisted   int                      // workloads of groups that are not in Isolation
}

// htmlResource counts the findings of a resource.
type htmlResource struct {
	Target, ID string
	Kind       facts.Kind
	Counts     []int // by severities()
	worst      scanner.Severity
	total      int
}

// htmlCheck is a check that has findings.
type htmlCheck struct {
	scanner.CheckCount
	Links []string
}

// htmlGap is a reason for not seeing.
type htmlGap struct {
	Label, Reason string
	Checks        []string
	Resources     int
}

func newHTMLPage(r *scanner.Report, o Options) htmlPage {
	p := htmlPage{Report: r, Counts: countLine(r), Gaps: htmlGaps(r), Images: r.Images, Frameworks: r.Compliance}
	if len(p.Frameworks) == 0 {
		p.Frameworks, p.Referred = referred(r), true
	}
	for i := range r.Findings {
		if r.Findings[i].Severity < o.MinSeverity {
			p.Hidden++
		}
	}
	p.Resources = htmlResources(r, o)
	if r.Isolation != nil {
		p.Isolation = r.Isolation.Groups[:min(len(r.Isolation.Groups), maxIsolationPage)]
		p.Isolated = isolated(r.Isolation.Groups)
		p.Unlisted = p.Isolated - isolated(p.Isolation)
	}
	for _, c := range r.Checks {
		if c.Fail == 0 {
			continue
		}
		hc := htmlCheck{CheckCount: c}
		for _, ref := range c.References {
			if ref.Framework == "url" {
				hc.Links = append(hc.Links, ref.Control)
			}
		}
		p.Checks = append(p.Checks, hc)
	}
	return p
}

func htmlGaps(r *scanner.Report) []htmlGap {
	var out []htmlGap
	for _, g := range foldGaps(r.Gaps) {
		label := "unknown"
		if g.status == facts.NotAssessed {
			label = "not assessed"
		}
		out = append(out, htmlGap{Label: label, Reason: g.reason, Checks: g.checks, Resources: len(g.resources)})
	}
	return out
}

func htmlResources(r *scanner.Report, o Options) []htmlResource {
	column := map[scanner.Severity]int{}
	for i, s := range severities() {
		column[s] = i
	}
	index := map[[2]string]int{}
	var out []htmlResource
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Suppressed != nil || f.Severity < o.MinSeverity {
			continue
		}
		key := [2]string{f.Target, f.Resource.ID}
		at, ok := index[key]
		if !ok {
			at = len(out)
			index[key] = at
			out = append(out, htmlResource{Target: f.Target, ID: f.Resource.ID, Kind: f.Resource.Kind, Counts: make([]int, len(column))})
		}
		out[at].Counts[column[f.Severity]]++
		out[at].total++
		out[at].worst = max(out[at].worst, f.Severity)
	}
	slices.SortStableFunc(out, func(a, b htmlResource) int {
		return cmp.Or(-cmp.Compare(a.worst, b.worst), -cmp.Compare(a.total, b.total))
	})
	return out
}
