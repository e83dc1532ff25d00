package report

import (
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// The limits of GitHub code scanning, which rejects a whole file that breaks
// one of them (docs.github.com, "SARIF support for code scanning").
const (
	sarifMaxRuns    = 20     // per file
	sarifMaxResults = 25_000 // per run
	sarifMaxRules   = 25_000 // per run
	sarifMaxTags    = 20     // per rule
	sarifMaxText    = 1_024  // characters of a short or full description
	sarifMaxGzip    = 10_000_000
	// sarifMaxNotes bounds the notifications of a run, which share the file's size.
	sarifMaxNotes = 200
)

// SARIF writes the report as SARIF 2.1.0 in the way that GitHub code scanning
// accepts: a run for each target, whose category is the target's identity; a
// rule for each check (for each severity of it, where it has several) and for
// each vulnerability.
//
// Where the report is larger than the limits, the worst findings stay and a
// notification says how many were left out. Suppressed findings go first, then
// the least severe.
func SARIF(w io.Writer, r *scanner.Report, _ Options) error {
	b := newSARIFBudget(r)
	for {
		size, err := gzipSize(func(w io.Writer) error { return writeSARIF(w, r, b) })
		if err != nil {
			return err
		}
		if size <= sarifMaxGzip || !b.shrink(size) {
			break
		}
	}
	return writeSARIF(w, r, b)
}

// sarifBudget says which findings of the report go into the file.
type sarifBudget struct {
	targets []facts.Target
	order   map[string][]*scanner.Finding // by target's Ref, what to keep first
	limit   map[string]int
	dropped []string // targets that have no run
}

func newSARIFBudget(r *scanner.Report) *sarifBudget {
	b := &sarifBudget{order: map[string][]*scanner.Finding{}, limit: map[string]int{}}
	for i := range r.Findings {
		f := &r.Findings[i]
		b.order[f.Target] = append(b.order[f.Target], f)
	}
	for _, fs := range b.order {
		slices.SortStableFunc(fs, keepFirst)
	}
	b.targets = slices.Clone(r.Run.Targets)
	if len(b.targets) > sarifMaxRuns {
		slices.SortStableFunc(b.targets, func(x, y facts.Target) int { return b.compareTargets(x.Ref, y.Ref) })
		for _, t := range b.targets[sarifMaxRuns:] {
			b.dropped = append(b.dropped, t.Ref)
		}
		b.targets = b.targets[:sarifMaxRuns]
		slices.SortFunc(b.targets, func(x, y facts.Target) int { return cmp.Compare(x.Ref, y.Ref) })
	}
	for _, t := range b.targets {
		b.limit[t.Ref] = min(len(b.order[t.Ref]), sarifMaxResults)
	}
	return b
}

// keepFirst orders findings by what a budget keeps: those that count before
// suppressed ones, then by severity.
func keepFirst(x, y *scanner.Finding) int {
	return cmp.Or(
		compareBool(x.Suppressed != nil, y.Suppressed != nil),
		-cmp.Compare(x.Severity, y.Severity),
	)
}

func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	default:
		return 1
	}
}

// compareTargets puts the target with the worst finding first, and of those the
// one with more findings.
func (b *sarifBudget) compareTargets(x, y string) int {
	fx, fy := b.order[x], b.order[y]
	if len(fx) > 0 && len(fy) > 0 {
		return cmp.Or(keepFirst(fx[0], fy[0]), -cmp.Compare(len(fx), len(fy)))
	}
	return -cmp.Compare(len(fx), len(fy))
}

// shrink lowers the limits so that a file of size bytes comes to fit. It says
// whether there was anything left to take away.
func (b *sarifBudget) shrink(size int64) bool {
	total := 0
	for _, n := range b.limit {
		total += n
	}
	keep := int(float64(total) * 0.9 * sarifMaxGzip / float64(size))
	if keep >= total {
		keep = total - 1
	}
	if total == 0 || keep < 0 {
		return false
	}
	var all []*scanner.Finding
	for _, t := range b.targets {
		all = append(all, b.order[t.Ref][:b.limit[t.Ref]]...)
	}
	slices.SortStableFunc(all, keepFirst)
	clear(b.limit)
	for _, f := range all[:keep] {
		b.limit[f.Target]++
	}
	return true
}

// writeSARIF writes results and rules one by one: a run may have 25,000 of each.
func writeSARIF(w io.Writer, r *scanner.Report, b *sarifBudget) error {
	d := newDocument(w)
	d.text("{\n\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n\"version\": \"2.1.0\",\n\"runs\": [")
	sep := "\n"
	for _, t := range b.targets {
		d.text(sep)
		writeSARIFRun(d, r, t, b)
		d.text("\n")
		sep = ","
	}
	d.text("]\n}\n")
	if err := d.flush(); err != nil {
		return fmt.Errorf("write SARIF: %w", err)
	}
	return nil
}

// writeSARIFRun writes the run of one target. The rules stand before the results,
// so the findings are gone through twice: first for their rules.
func writeSARIFRun(d *document, r *scanner.Report, t facts.Target, b *sarifBudget) {
	rules := newSARIFRules(r, t)
	kept := b.order[t.Ref][:b.limit[t.Ref]]
	leftOut := len(b.order[t.Ref]) - len(kept)
	for _, f := range kept {
		if !rules.add(f) {
			leftOut++
		}
	}
	d.text(`{"tool":{"driver":`)
	d.begin(sarifDriver(r, rules))
	d.text(`,"rules":`)
	elements(d, rules.all())
	d.text(`}},"automationDetails":`)
	d.value(sarifID{ID: sarifCategory(t)})
	d.text(`,"invocations":`)
	d.value([]sarifInvocation{newSARIFInvocation(r, t, leftOut, b.dropped)})
	d.text(`,"columnKind":"unicodeCodePoints"`)
	if taxonomies := rules.taxonomies(); len(taxonomies) > 0 {
		d.text(`,"taxonomies":`)
		d.value(taxonomies)
	}
	d.text(`,"properties":`)
	d.value(map[string]any{
		"target": t.Ref, "targetProperties": t.Properties, "collected": r.Run.Collected,
		"policyDigest": r.Run.PolicyDigest, "sources": append([]facts.Source{}, r.Sources...), // [] and not null
	})
	d.text(`,"results":`)
	elements(d, func(yield func(*sarifResult) bool) {
		seen := map[string]int{}
		for _, f := range kept {
			id := sarifRuleID(f)
			index, ok := rules.byID[id]
			if !ok {
				continue // it is left out
			}
			seen[f.Fingerprint]++
			if res := newSARIFResult(f, t, id, index, seen[f.Fingerprint]); !yield(&res) {
				return
			}
		}
	})
	d.text("}")
}

// sarifCategory is the category of the target's alerts: GitHub reads the part
// up to the last slash, and closes the alerts of a category that a new upload of
// it does not hold. So it must not change with the tag.
func sarifCategory(t facts.Target) string {
	return "postscan/" + t.Kind + "/" + strings.Join(strings.Fields(cmp.Or(t.Identity, t.Ref)), "-") + "/"
}

func sarifDriver(r *scanner.Report, rules *sarifRules) sarifComponent {
	d := sarifComponent{
		Name: "postscan", Organization: "postscan", InformationURI: "https://github.com/postscan/postscan",
		Version: strings.TrimPrefix(r.Run.Version, "v"), SupportedTaxonomies: rules.supported(),
	}
	switch {
	case isSemantic(d.Version):
		d.SemanticVersion = d.Version
	case d.Version == "" || d.Version[0] < '0' || d.Version[0] > '9':
		d.Version = "0.0.0 " + cmp.Or(d.Version, "unknown") // the validator wants a number first
	}
	return d
}

// isSemantic says whether v is MAJOR.MINOR.PATCH with an optional suffix.
func isSemantic(v string) bool {
	core, _, _ := strings.Cut(v, "-")
	core, _, _ = strings.Cut(core, "+")
	parts := strings.Split(core, ".")
	return len(parts) == 3 && !slices.ContainsFunc(parts, func(p string) bool {
		return p == "" || strings.Trim(p, "0123456789") != ""
	})
}

// newSARIFInvocation tells how the scan went. It was successful only where
// everything that this scan tried was seen.
func newSARIFInvocation(r *scanner.Report, t facts.Target, leftOut int, dropped []string) sarifInvocation {
	inv := sarifInvocation{
		ExecutionSuccessful: r.Run.Complete && t.Error == "",
		StartTimeUTC:        r.Run.Started.UTC().Format(time.RFC3339),
		EndTimeUTC:          r.Run.Finished.UTC().Format(time.RFC3339),
	}
	note := func(level, text string) {
		inv.Notifications = append(inv.Notifications, sarifNotification{Level: level, Message: newSARIFText(text)})
	}
	if r.Run.Error != "" {
		note("error", "The scan was broken off: "+r.Run.Error)
	}
	if t.Error != "" {
		note("error", "The target could not be scanned: "+t.Error)
	}
	for _, s := range r.Sources {
		if s.Problem != "" {
			note("warning", s.Name+": "+s.Problem)
		}
	}
	for _, n := range r.Notices {
		note("note", n.Source+": "+n.Text)
	}
	if leftOut > 0 {
		note("warning", fmt.Sprintf("%d findings are left out, the least severe ones, because the file would be larger than code scanning takes. The JSON report has all.", leftOut))
	}
	if len(dropped) > 0 {
		note("warning", fmt.Sprintf("%d targets are left out, because a file takes %d runs: %s. Write one file per target with -o sarif=DIR/.", len(dropped), sarifMaxRuns, strings.Join(dropped, ", ")))
	}
	gaps := sarifGaps(r, t)
	for i, g := range gaps {
		if g.level == "warning" {
			inv.ExecutionSuccessful = false
		}
		if i < sarifMaxNotes {
			note(g.level, g.text())
			inv.Notifications[len(inv.Notifications)-1].Properties = map[string]any{"check": g.check}
		}
	}
	if n := len(gaps) - sarifMaxNotes; n > 0 {
		note("warning", fmt.Sprintf("%d more reasons for not seeing are left out. The JSON report has all.", n))
	}
	return inv
}

// sarifGap is a reason for not seeing, with the resources that it concerns.
type sarifGap struct {
	check, reason, level string
	resources            int
	first                string
}

func (g sarifGap) text() string {
	where := g.first
	if g.resources > 1 {
		where = fmt.Sprintf("%s and %d more", g.first, g.resources-1)
	}
	verb := "unknown"
	if g.level == "note" {
		verb = "not assessed"
	}
	return fmt.Sprintf("%s is %s for %s: %s", g.check, verb, where, g.reason)
}

// sarifGaps groups the gaps of a target by check and reason, unknown ones first.
func sarifGaps(r *scanner.Report, t facts.Target) []sarifGap {
	index := map[[3]string]int{}
	var out []sarifGap
	for _, g := range r.Gaps {
		if g.Target != t.Ref {
			continue
		}
		level := "warning"
		if g.Status == facts.NotAssessed {
			level = "note"
		}
		for _, reason := range g.Reasons {
			key := [3]string{g.Check, reason, level}
			i, ok := index[key]
			if !ok {
				i = len(out)
				index[key] = i
				out = append(out, sarifGap{check: g.Check, reason: reason, level: level, first: cmp.Or(g.Resource.ID, t.Ref)})
			}
			out[i].resources++
		}
	}
	slices.SortStableFunc(out, func(x, y sarifGap) int { return -cmp.Compare(x.level, y.level) })
	return out
}

// gzipSize is the size of what write writes after gzip.
func gzipSize(write func(io.Writer) error) (int64, error) {
	var n countWriter
	gz := gzip.NewWriter(&n)
	if err := write(gz); err != nil {
		return 0, err
	}
	if err := gz.Close(); err != nil {
		return 0, err
	}
	return int64(n), nil
}

// countWriter counts the bytes that are written to it.
type countWriter int64

func (c *countWriter) Write(p []byte) (int, error) {
	*c += countWriter(len(p))
	return len(p), nil
}
