package report

import (
	"fmt"
	"strings"

	"github.com/postscan/postscan/scanner"
)

// writeIsolation writes the isolation part, a group on each line: a cluster may
// have as many groups as workloads.
func writeIsolation(d *document, iso *scanner.Isolation) {
	if iso == nil {
		d.field("isolation", nil)
		return
	}
	d.name("isolation")
	d.text(`{"model": `)
	d.value(iso.Model)
	d.text(`, "groups": [`)
	for i := range iso.Groups {
		if i > 0 {
			d.text(",")
		}
		d.text("\n")
		d.value(&iso.Groups[i])
	}
	if len(iso.Groups) > 0 {
		d.text("\n")
	}
	d.text("]}")
}

// How much of the isolation part people are shown; JSON has all.
const (
	maxIsolationGroups = 4   // of one level, in the table
	maxIsolatedNames   = 3   // of one group
	maxIsolationPage   = 200 // groups, in HTML
)

// isolated counts the workloads of groups.
func isolated(groups []scanner.IsolationGroup) int {
	n := 0
	for i := range groups {
		n += len(groups[i].Workloads)
	}
	return n
}

// workloadNames names the first workloads of a group, and counts the others.
func workloadNames(g *scanner.IsolationGroup, most int) string {
	var names []string
	for i := range g.Workloads {
		if i == most && len(g.Workloads) > most+1 {
			return strings.Join(names, ", ") + fmt.Sprintf(" and %d more", len(g.Workloads)-most)
		}
		names = append(names, Clean(g.Workloads[i].Resource.ID))
	}
	return strings.Join(names, ", ")
}

// byLevel cuts groups, which are sorted worst first, into those of each level.
func byLevel(groups []scanner.IsolationGroup) [][]scanner.IsolationGroup {
	var out [][]scanner.IsolationGroup
	from := 0
	for i := 1; i <= len(groups); i++ {
		if i == len(groups) || groups[i].Level != groups[from].Level {
			out = append(out, groups[from:i])
			from = i
		}
	}
	return out
}

// isolation tells how well workloads are isolated: by level, the worst first,
// with what breaks it and the cheapest step up.
func (t *table) isolation(iso *scanner.Isolation) {
	if iso == nil {
		return
	}
	t.line(t.bold("Isolation") + fmt.Sprintf(" of %s, worst first", count(isolated(iso.Groups), "workload")))
	for _, groups := range byLevel(iso.Groups) {
		head := fmt.Sprintf("L%d  %s", groups[0].Level, groups[0].LevelName)
		t.line("  " + t.severity(levelColor(groups[0].Level), head) + ": " + count(isolated(groups), "workload"))
		for i := range groups {
			if i == maxIsolationGroups && len(groups) > i+1 {
				t.line(fmt.Sprintf("          … and %s: -o json lists them", count(isolated(groups[i:]), "more workload")))
				break
			}
			t.isolationGroup(&groups[i])
		}
	}
	t.line("")
}

func (t *table) isolationGroup(g *scanner.IsolationGroup) {
	head := fmt.Sprintf("    %3d %s ", g.Score, g.Grade)
	t.item(t.bold(head), workloadNames(g, maxIsolatedNames))
	const indent = "          "
	said := fmt.Sprintf("%d%% known", g.Confidence)
	if g.BestLevel != g.Level || g.BestScore != g.Score {
		said += fmt.Sprintf("; at best L%d, %d", g.BestLevel, g.BestScore)
	}
	for i, b := range g.Breakers {
		if i == maxPlaces && len(g.Breakers) > i+1 {
			said += fmt.Sprintf("; and %d more", len(g.Breakers)-i)
			break
		}
		said += "; " + Clean(b.What)
		if !b.Known {
			said += " (cannot be ruled out)"
		}
	}
	for _, l := range wrap(said, t.width-len(indent)) {
		t.line(indent + t.dim(l))
	}
	if len(g.Steps) > 0 {
		s := g.Steps[0]
		t.item(indent+"step up: ", fmt.Sprintf("%s (L%d, %d)", Clean(s.Text), s.Level, s.Score))
	}
}

// levelColor shows a level as the severity that it resembles.
func levelColor(level int) scanner.Severity {
	switch level {
	case 0:
		return scanner.SeverityCritical
	case 1:
		return scanner.SeverityHigh
	case 2:
		return scanner.SeverityMedium
	default:
		return scanner.SeverityInfo
	}
}

// isolation writes a row for each level.
func (m *markdown) isolation() {
	if m.r.Isolation == nil {
		return
	}
	groups := m.r.Isolation.Groups
	if m.b.Len() > markdownMax {
		fmt.Fprintf(&m.b, "The isolation of %s does not fit into a comment; the JSON or HTML report has it.\n\n", plural(isolated(groups), "workload"))
		return
	}
	fmt.Fprintf(&m.b, "<details><summary><b>Isolation</b> of %s, worst first</summary>\n\n| level | workloads | worst score | as | why, and the cheapest step up |\n|---|---|---|---|---|\n", plural(isolated(groups), "workload"))
	for _, level := range byLevel(groups) {
		g := &level[0]
		var why []string
		if len(g.Breakers) > 0 {
			why = append(why, g.Breakers[0].What)
		}
		if len(g.Steps) > 0 {
			why = append(why, fmt.Sprintf("step up: %s (L%d, %d)", g.Steps[0].Text, g.Steps[0].Level, g.Steps[0].Score))
		}
		fmt.Fprintf(&m.b, "| L%d %s | %d | %d %s, %d %% known | %s | %s |\n", g.Level, g.LevelName, isolated(level), g.Score, g.Grade, g.Confidence, md(workloadNames(g, 1)), md(strings.Join(why, "; ")))
	}
	m.b.WriteString("\n</details>\n\n")
}
