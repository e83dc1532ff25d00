package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// How much of a long list the table shows; JSON has all.
const (
	maxMessages = 10 // of one check in one target
	maxPlaces   = 3  // of one message
	maxLines    = 8  // of one message
	maxChecks   = 8  // named beside one reason for not seeing
	maxPackages = 40 // with vulnerabilities in one target
	maxTold     = 3  // vulnerabilities of one check that are told one by one
)

// Table writes the report for people: targets with the worst findings first, in
// each the findings worst first with repeated ones folded, vulnerabilities by
// package; then what is suppressed, what was not seen and why, and one line that
// sums up. It fits into o.Width columns. Text from targets cannot reach the
// terminal as control characters.
func Table(w io.Writer, r *scanner.Report, o Options) error {
	t := &table{w: bufio.NewWriter(w), opts: o, width: o.Width}
	if t.width == 0 {
		t.width = 80
	}
	t.images = imagesByTarget(r.Images)
	sections, hidden := groupByTarget(r, o.MinSeverity)
	for _, s := range sections {
		t.target(s)
	}
	t.failed(r.Run.Targets)
	t.isolation(r.Isolation)
	t.compliance(r)
	t.suppressed(r.Findings)
	t.compared(r)
	t.notSeen(r)
	t.sources(r)
	t.summary(r, hidden)
	return t.w.Flush()
}

// table prints. Write errors stick in w and come out of Flush.
type table struct {
	w     *bufio.Writer
	opts  Options
	width int
	// images are those that workloads of the report run, by target.
	images map[string]*scanner.RunningImage
}

// section is what the table says of one target.
type section struct {
	target   facts.Target
	counts   [scanner.SeverityCritical + 1]int
	groups   []group // told one by one
	listings []group // vulnerabilities of one check, of any severity, told by package
	findings int     // shown
	packages int
}

// group is the findings of one check and severity in one target. They stay in
// the report: a report may hold very many.
type group struct {
	rule     *scanner.Rule
	severity scanner.Severity
	findings []*scanner.Finding
}

// groupByTarget sorts the findings that count, from least on, into the targets
// that yielded facts. hidden counts those below least.
func groupByTarget(r *scanner.Report, least scanner.Severity) (sections []section, hidden int) {
	index := map[string]int{}
	for _, t := range r.Run.Targets {
		if t.Error != "" {
			continue
		}
		if _, known := index[t.Ref]; !known {
			index[t.Ref] = len(sections)
			sections = append(sections, section{target: t})
		}
	}
	for k := range r.Findings {
		f := &r.Findings[k]
		if f.Suppressed != nil {
			continue
		}
		if f.Severity < least {
			hidden++
			continue
		}
		i, known := index[f.Target]
		if !known {
			index[f.Target], i = len(sections), len(sections)
			sections = append(sections, section{target: facts.Target{Ref: f.Target}})
		}
		s := &sections[i]
		s.findings++
		s.counts[f.Severity]++
		s.add(f)
	}
	for i := range sections {
		sections[i].list()
	}
	for _, p := range r.Packages {
		if i, known := index[p.Target]; known {
			sections[i].packages++
		}
	}
	slices.SortStableFunc(sections, worstFirst)
	return sections, hidden
}

// add puts a finding into its group. Findings come sorted, so a group is
// continued or begun.
func (s *section) add(f *scanner.Finding) {
	if n := len(s.groups); n > 0 && s.groups[n-1].rule.ID == f.Rule.ID && s.groups[n-1].severity == f.Severity {
		s.groups[n-1].findings = append(s.groups[n-1].findings, f)
		return
	}
	s.groups = append(s.groups, group{rule: f.Rule, severity: f.Severity, findings: []*scanner.Finding{f}})
}

// list moves the vulnerabilities of checks that found many into listings.
func (s *section) list() {
	n := map[string]int{}
	for _, g := range s.groups {
		for _, f := range g.findings {
			if f.Vulnerability != nil {
				n[g.rule.ID]++
			}
		}
	}
	kept := s.groups[:0]
	index := map[string]int{}
	for _, g := range s.groups {
		if n[g.rule.ID] <= maxTold {
			kept = append(kept, g)
			continue
		}
		listed, rest := split(g.findings)
		if len(rest) > 0 { // a check may find something beside vulnerabilities
			kept = append(kept, group{rule: g.rule, severity: g.severity, findings: rest})
		}
		at, known := index[g.rule.ID]
		if !known {
			index[g.rule.ID], at = len(s.listings), len(s.listings)
			s.listings = append(s.listings, group{rule: g.rule})
		}
		s.listings[at].findings = append(s.listings[at].findings, listed...)
	}
	s.groups = kept
}

// split parts findings about a vulnerability from others.
func split(fs []*scanner.Finding) (vulnerabilities, others []*scanner.Finding) {
	for _, f := range fs {
		if f.Vulnerability != nil {
			vulnerabilities = append(vulnerabilities, f)
		} else {
			others = append(others, f)
		}
	}
	return vulnerabilities, others
}

func worstFirst(a, b section) int {
	for sev := scanner.SeverityCritical; sev >= scanner.SeverityUnknown; sev-- {
		if c := cmp.Compare(b.counts[sev], a.counts[sev]); c != 0 {
			return c
		}
	}
	return 0
}

func (t *table) target(s section) {
	t.line(t.bold(shorten(Clean(s.target.Ref), t.width, true)))
	for _, l := range flow(properties(s.target, s.packages), t.width-2) {
		t.line("  " + t.dim(l))
	}
	t.runBy(s.target.Ref)
	t.line("")
	if s.findings == 0 {
		t.line("  No findings to show.")
		t.line("")
	}
	for _, g := range s.groups {
		t.group(g)
	}
	if len(s.groups) > 0 {
		t.line("")
	}
	for _, g := range s.listings {
		t.vulnerabilities(g)
		t.line("")
	}
}

func imagesByTarget(images []scanner.RunningImage) map[string]*scanner.RunningImage {
	out := map[string]*scanner.RunningImage{}
	for i := range images {
		out[images[i].Target] = &images[i]
	}
	return out
}

// runBy leads from an image to the workloads that run it.
func (t *table) runBy(target string) {
	im := t.images[target]
	if im == nil {
		return
	}
	var names []string
	for _, w := range im.Workloads {
		if len(names) == maxPlaces && len(im.Workloads) > maxPlaces+1 {
			names = append(names, fmt.Sprintf("and %d more", len(im.Workloads)-maxPlaces))
			break
		}
		names = append(names, Clean(w.Resource.ID))
	}
	for _, l := range wrap("run by "+strings.Join(names, ", "), t.width-2) {
		t.line("  " + t.dim(l))
	}
	if im.Problem == "" {
		return
	}
	for _, l := range wrap("Unknown for them: "+Clean(im.Problem), t.width-2) {
		t.line("  " + l)
	}
}

// properties writes what is worth knowing of a target beside its name. Of an
// image that is which one it was; the rest stands in its reference.
func properties(t facts.Target, packages int) []string {
	names := slices.Sorted(maps.Keys(t.Properties))
	if t.Kind == string(facts.KindImage) {
		names = []string{"digest", "platform"}
	}
	parts := make([]string, 0, len(names)+1)
	for _, k := range names {
		if v := t.Properties[k]; v != "" {
			parts = append(parts, Clean(k+" "+v))
		}
	}
	if packages > 0 {
		parts = append(parts, count(packages, "package"))
	}
	return parts
}

func (t *table) group(g group) {
	head := pad(strings.ToUpper(g.severity.String()), 8) + "  " + Clean(g.rule.ID) + "  "
	title := Clean(g.rule.Title)
	if n := len(g.findings); n > 1 {
		title += fmt.Sprintf(" (%d)", n)
	}
	indent := columns(head) + 2
	for i, l := range wrap(title, t.width-indent) {
		if i == 0 {
			t.line("  " + t.severity(g.severity, head) + t.bold(l))
			continue
		}
		t.line(strings.Repeat(" ", indent) + t.bold(l))
	}
	messages := foldMessages(g.findings)
	for i, m := range messages {
		if i == maxMessages {
			t.line(fmt.Sprintf("      … and %d more: -o json lists them", len(messages)-maxMessages))
			break
		}
		// What came from one place is told together, and the place once.
		last := i+1 == len(messages) || i+1 == maxMessages
		t.message(m, last || m.total != messages[i+1].total || !slices.Equal(m.places, messages[i+1].places))
	}
}

// folded is one message with the places where it holds.
type folded struct {
	message string
	places  []string // the first ones, as many as are shown
	total   int      // of different places
}

func foldMessages(fs []*scanner.Finding) []folded {
	var out []folded
	index := map[string]int{}
	type messagePlace struct {
		message int
		place   string
	}
	seen := map[messagePlace]bool{}
	for _, f := range fs {
		m := Clean(f.Message)
		at, known := index[m]
		if !known {
			at = len(out)
			index[m] = at
			out = append(out, folded{message: m})
		}
		p := messagePlace{at, placeOf(f)}
		if p.place == "" || seen[p] {
			continue
		}
		seen[p] = true
		out[at].total++
		if out[at].total <= maxPlaces+1 {
			out[at].places = append(out[at].places, p.place)
		}
	}
	return out
}

// placeOf says where a finding is: the resource (an image is its target, which
// the heading names), the file and line, and the layer that brought it. What the
// message says already is left out.
func placeOf(f *scanner.Finding) string {
	var parts []string
	if f.Resource.Kind != facts.KindImage {
		parts = append(parts, f.Resource.ID)
	}
	switch {
	case f.Origin.File != "" && strings.Contains(f.Message, f.Origin.File):
	case f.Origin.File != "" && f.Origin.Line > 0:
		parts = append(parts, fmt.Sprintf("%s:%d", f.Origin.File, f.Origin.Line))
	case f.Origin.File != "":
		parts = append(parts, f.Origin.File)
	case f.Resource.Kind == facts.KindImage && f.Layer == nil:
		parts = append(parts, f.Evidence[0].Path)
	}
	if f.Layer != nil {
		layer := fmt.Sprintf("layer %d", f.Layer.Index)
		if f.Layer.Instruction != "" {
			layer += ": " + f.Layer.Instruction
		}
		parts = append(parts, layer)
	}
	return Clean(strings.Join(parts, ", "))
}

func (t *table) message(m folded, places bool) {
	const indent = "      "
	for _, l := range wrap(shorten(m.message, maxLines*(t.width-len(indent)), false), t.width-len(indent)) {
		t.line(indent + l)
	}
	if !places {
		return
	}
	for i, p := range m.places {
		if i == maxPlaces && m.total > maxPlaces+1 {
			t.line(indent + t.dim(fmt.Sprintf("  and %d more places", m.total-maxPlaces)))
			break
		}
		t.line(indent + t.dim("  "+shorten(p, t.width-len(indent)-2, false)))
	}
}

// failed lists the targets that yielded no facts.
func (t *table) failed(targets []facts.Target) {
	head := false
	for _, target := range targets {
		if target.Error == "" {
			continue
		}
		if !head {
			t.line(t.severity(scanner.SeverityCritical, "Not scanned"))
			head = true
		}
		t.line("  " + shorten(Clean(target.Ref), t.width-2, true))
		for _, l := range wrap(Clean(target.Error), t.width-4) {
			t.line("    " + l)
		}
	}
	if head {
		t.line("")
	}
}

// suppressed counts the findings that do not count, by reason.
func (t *table) suppressed(fs []scanner.Finding) {
	n := map[string]int{}
	for i := range fs {
		if f := &fs[i]; f.Suppressed != nil {
			n[f.Suppressed.By+": "+f.Suppressed.Reason]++
		}
	}
	if len(n) == 0 {
		return
	}
	t.line(t.bold("Suppressed") + " (they do not count; -o json has them)")
	for _, reason := range slices.Sorted(maps.Keys(n)) {
		t.item(fmt.Sprintf("  %5d  ", n[reason]), Clean(reason))
	}
	t.line("")
}

// compared says what changed since the baseline, and what filters had to say.
func (t *table) compared(r *scanner.Report) {
	if b := r.Baseline; b != nil {
		text := fmt.Sprintf("%d new, %d unchanged, %d gone since %s of %s", b.New, b.Unchanged, len(b.Gone), Clean(b.Name), b.Collected.UTC().Format(time.DateOnly))
		if b.Unseen > 0 {
			text += fmt.Sprintf("; %d could not be looked for", b.Unseen)
		}
		t.item(t.bold("Baseline  "), text)
		for _, g := range b.Gone {
			t.item("  gone  ", Clean(fmt.Sprintf("%s %s: %s", g.Check, g.Resource.ID, g.Message)))
		}
		t.line("")
	}
	for _, n := range r.Notices {
		t.item(t.severity(scanner.SeverityMedium, "Notice  "), Clean(n.Source+": "+n.Text))
	}
	if len(r.Notices) > 0 {
		t.line("")
	}
}

// unseen is one reason for not knowing, with what it hides.
type unseen struct {
	status    facts.Gap
	reason    string
	checks    []string
	resources map[string]bool
}

// notSeen tells what could not be judged: unknown before not assessed, each
// reason once.
func (t *table) notSeen(r *scanner.Report) {
	gaps := foldGaps(r.Gaps)
	if len(gaps) == 0 {
		return
	}
	t.line(t.bold("Not seen"))
	for _, g := range gaps {
		checks := strings.Join(g.checks, ", ")
		if n := len(g.checks); n > maxChecks {
			checks = strings.Join(g.checks[:maxChecks], ", ") + fmt.Sprintf(" and %d more", n-maxChecks)
		}
		if len(g.resources) > 1 {
			checks += fmt.Sprintf(" (on %d resources)", len(g.resources))
		}
		label, color := "unknown       ", scanner.SeverityMedium
		if g.status == facts.NotAssessed {
			label, color = "not assessed  ", scanner.SeverityInfo
		}
		for i, l := range wrap(Clean(checks), t.width-2-len(label)) {
			if i > 0 {
				label = strings.Repeat(" ", len(label))
			}
			t.line("  " + t.severity(color, label) + l)
		}
		for _, l := range wrap(Clean(g.reason), t.width-6) {
			t.line("      " + t.dim(l))
		}
	}
	t.line("")
}

func foldGaps(entries []scanner.GapEntry) []*unseen {
	var out []*unseen
	index := map[string]*unseen{}
	for _, e := range entries {
		for _, reason := range e.Reasons {
			key := string(e.Status) + "\x00" + reason
			g := index[key]
			if g == nil {
				g = &unseen{status: e.Status, reason: reason, resources: map[string]bool{}}
				index[key] = g
				out = append(out, g)
			}
			if !slices.Contains(g.checks, e.Check) {
				g.checks = append(g.checks, e.Check)
			}
			g.resources[e.Target+"\x00"+e.Resource.ID] = true
		}
	}
	for _, g := range out {
		slices.Sort(g.checks)
	}
	slices.SortStableFunc(out, func(a, b *unseen) int {
		return cmp.Or(-cmp.Compare(a.status, b.status), cmp.Compare(a.checks[0], b.checks[0]), cmp.Compare(a.reason, b.reason))
	})
	return out
}

// sources names the data that the findings rest on, with its age. Data that is
// not there is told once, by what could not be seen for want of it.
func (t *table) sources(r *scanner.Report) {
	told := map[string]bool{}
	for _, g := range r.Gaps {
		for _, reason := range g.Reasons {
			told[reason] = true
		}
	}
	var parts []string
	for _, s := range r.Sources {
		if s.Updated.IsZero() && told[s.Problem] {
			continue
		}
		text := Clean(s.Name)
		if !s.Updated.IsZero() {
			text += " of " + s.Updated.UTC().Format(time.DateOnly) + " (" + age(r.Run.Collected.Sub(s.Updated)) + ")"
		}
		if s.Problem != "" {
			text += ": " + Clean(s.Problem)
		}
		parts = append(parts, text)
	}
	if len(parts) > 0 {
		t.item(t.dim("Data: "), strings.Join(parts, "; "))
		t.line("")
	}
}

// age says how old something is, in whole days.
func age(d time.Duration) string {
	switch days := int(d / (24 * time.Hour)); {
	case d < 0 || days == 0:
		return "less than a day old"
	default:
		return count(days, "day") + " old"
	}
}

func (t *table) summary(r *scanner.Report, hidden int) {
	if !r.Run.Complete {
		t.item(t.severity(scanner.SeverityCritical, "Incomplete: "), "the scan was broken off: "+Clean(r.Run.Error))
	}
	if hidden > 0 {
		t.line(fmt.Sprintf("%s below %s not shown.", count(hidden, "finding"), t.opts.MinSeverity))
	}
	s := r.Summary
	if id := worstCheck(r.Findings); id != "" {
		t.line(t.dim("Why, and how to mend it: postscan checks explain " + Clean(id)))
	}
	text := count(s.Findings, "finding")
	var parts []string
	for sev := scanner.SeverityCritical; sev >= scanner.SeverityUnknown; sev-- {
		if n := s.BySeverity[sev]; n > 0 {
			name := sev.String()
			if sev == scanner.SeverityUnknown {
				name = "of unknown severity"
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, name))
		}
	}
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	text += " in " + count(s.Targets-s.Failed, "target")
	if s.Suppressed > 0 {
		text += fmt.Sprintf(", %d suppressed", s.Suppressed)
	}
	if s.Failed > 0 {
		text += ", " + count(s.Failed, "target") + " not scanned"
	}
	text += fmt.Sprintf("; checks: %d passed, %d failed, %d unknown, %d not assessed, %d not applicable.",
		s.Pass, s.Fail, s.Unknown, s.NotAssessed, s.NotApplic)
	t.item(t.bold("Summary: "), text)
}

// worstCheck is the check of the worst finding that counts; empty where none does.
func worstCheck(fs []scanner.Finding) string {
	worst := -1
	for i := range fs {
		if fs[i].Suppressed == nil && (worst < 0 || fs[i].Severity > fs[worst].Severity) {
			worst = i
		}
	}
	if worst < 0 {
		return ""
	}
	return fs[worst].Rule.ID
}

// item writes text behind a head, and the lines that it wraps into below it.
func (t *table) item(head, text string) {
	indent := columns(stripColor(head))
	for i, l := range wrap(text, t.width-indent) {
		if i == 0 {
			t.line(head + l)
			continue
		}
		t.line(strings.Repeat(" ", indent) + l)
	}
}

// line writes one line; spaces at its end are cut.
func (t *table) line(s string) {
	_, _ = t.w.WriteString(strings.TrimRight(s, " ") + "\n") // the error comes out of Flush
}
