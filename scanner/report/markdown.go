package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner"
)

// markdownMax keeps the text below what a comment on GitHub or GitLab takes
// (65,536 characters), with room for what a bot adds.
const markdownMax = 60_000

// Markdown writes a comment for a pull request: the counts, then what is worst,
// folded by severity, then what was not seen. It stops before the size that a
// comment may have and says what it left out.
func Markdown(w io.Writer, r *scanner.Report, o Options) error {
	m := &markdown{r: r, opts: o}
	m.head()
	m.targets()
	m.baseline()
	for _, s := range severities() {
		m.severity(s)
	}
	m.images()
	m.isolation()
	m.compliance()
	m.suppressed()
	m.unseen()
	bw := bufio.NewWriter(w)
	_, _ = bw.WriteString(m.b.String())
	return bw.Flush()
}

type markdown struct {
	r    *scanner.Report
	opts Options
	b    strings.Builder
}

func (m *markdown) head() {
	s := m.r.Summary
	fmt.Fprintf(&m.b, "## postscan: %s\n\n", countLine(m.r))
	m.b.WriteString("| critical | high | medium | low | info | unknown severity | suppressed | not seen |\n|---|---|---|---|---|---|---|---|\n|")
	for _, sev := range severities() {
		fmt.Fprintf(&m.b, " %d |", s.BySeverity[sev])
	}
	fmt.Fprintf(&m.b, " %d | %d |\n\n", s.Suppressed, s.Unknown)
	if !m.r.Run.Complete {
		fmt.Fprintf(&m.b, "> **The scan was broken off:** %s\n\n", md(m.r.Run.Error))
	}
}

func (m *markdown) targets() {
	for _, t := range m.r.Run.Targets {
		if t.Error != "" {
			fmt.Fprintf(&m.b, "> **%s could not be scanned:** %s\n\n", md(t.Ref), md(t.Error))
		}
	}
}

// baseline says what changed since the baseline, and tells of notices.
func (m *markdown) baseline() {
	for _, n := range m.r.Notices {
		fmt.Fprintf(&m.b, "> **%s:** %s\n\n", md(n.Source), md(n.Text))
	}
	b := m.r.Baseline
	if b == nil {
		return
	}
	fmt.Fprintf(&m.b, "Against %s: **%d new**, %d unchanged (not listed), %d gone", md(b.Name), b.New, b.Unchanged, len(b.Gone))
	if b.Unseen > 0 {
		fmt.Fprintf(&m.b, ", %d could not be looked for", b.Unseen)
	}
	m.b.WriteString(".\n\n")
}

// severity writes a folded table of the findings of a severity, one row for each
// check, target and message; the worst is open.
func (m *markdown) severity(sev scanner.Severity) {
	if sev < m.opts.MinSeverity {
		return
	}
	var rows []markdownRow
	index := map[[3]string]int{}
	for i := range m.r.Findings {
		f := &m.r.Findings[i]
		if f.Severity != sev || f.Suppressed != nil || f.Baseline == scanner.BaselineUnchanged {
			continue // with a baseline only what is new is of interest in a review
		}
		key := [3]string{f.Target, f.Rule.ID, f.Message}
		at, ok := index[key]
		if !ok {
			at = len(rows)
			index[key] = at
			rows = append(rows, markdownRow{first: f})
		}
		rows[at].count++
	}
	if len(rows) == 0 {
		return
	}
	open := ""
	if sev >= scanner.SeverityHigh {
		open = " open"
	}
	fmt.Fprintf(&m.b, "<details%s><summary><b>%d %s</b></summary>\n\n| check | where | what |\n|---|---|---|\n", open, total(rows), sev)
	m.rows(rows)
	m.b.WriteString("\n</details>\n\n")
}

// total is the number of findings behind the rows.
func total(rows []markdownRow) int {
	n := 0
	for _, r := range rows {
		n += r.count
	}
	return n
}

// markdownRow stands for count findings that differ in their place alone.
type markdownRow struct {
	first *scanner.Finding
	count int
}

func (m *markdown) rows(rows []markdownRow) {
	for i, row := range rows {
		line := row.String()
		if m.b.Len()+len(line) > markdownMax {
			fmt.Fprintf(&m.b, "| … | | %d more rows do not fit into a comment; the JSON or HTML report has all |\n", len(rows)-i)
			return
		}
		m.b.WriteString(line)
	}
}

func (r markdownRow) String() string {
	f := r.first
	where := cmp.Or(f.Resource.ID, f.Target)
	if place := fileLine(f); place != "" {
		where += " " + place
	}
	if r.count > 1 {
		where += fmt.Sprintf(" and %d more", r.count-1)
	}
	what := f.Message
	if v := f.Vulnerability; v != nil && v.FixedVersion != "" {
		what += "; fixed in " + v.FixedVersion
	}
	return fmt.Sprintf("| %s | %s | %s |\n", md(f.Rule.ID+" "+f.Rule.Title), md(where), md(what))
}

func (m *markdown) suppressed() {
	count := map[string]int{}
	for i := range m.r.Findings {
		if s := m.r.Findings[i].Suppressed; s != nil {
			count[s.By+": "+s.Reason]++
		}
	}
	if len(count) == 0 {
		return
	}
	reasons := make([]string, 0, len(count))
	for reason := range count {
		reasons = append(reasons, reason)
	}
	slices.Sort(reasons)
	fmt.Fprintf(&m.b, "<details><summary>%d suppressed</summary>\n\n", m.r.Summary.Suppressed)
	for _, reason := range reasons {
		m.bullet(fmt.Sprintf("%d × %s", count[reason], reason))
	}
	m.b.WriteString("\n</details>\n\n")
}

func (m *markdown) unseen() {
	lines := unseenLines(m.r)
	if len(lines) == 0 {
		return
	}
	m.b.WriteString("<details open><summary><b>Not seen</b> (nothing below counts as passed)</summary>\n\n")
	for _, line := range lines {
		m.bullet(line)
	}
	m.b.WriteString("\n</details>\n")
}

func (m *markdown) bullet(text string) {
	if m.b.Len() < markdownMax {
		fmt.Fprintf(&m.b, "- %s\n", md(text))
	}
}

var mdEscape = strings.NewReplacer(
	"\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "|", "\\|", "<", "&lt;", ">", "&gt;", "&", "&amp;", "~", "\\~",
	"@", "@\u200b", "#", "#\u200b", // a name must not notify people or link to issues
)

// md makes text from a target harmless in Markdown.
func md(s string) string { return mdEscape.Replace(limitText(Clean(s), 300)) }
