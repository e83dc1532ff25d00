package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
	"github.com/postscan/postscan/scanner/report"
)

// historyFormats are those that hold a list of runs; the others hold findings.
func historyFormats() []string { return []string{"table", "json", "csv", "markdown", "html", "junit"} }

func newAuditHistory(a *app) *cobra.Command {
	var f auditFlags
	var out outputFlags
	var limit int
	cmd := &cobra.Command{
		Use:   "history [NAME]",
		Short: "List the runs of an audit, or of all",
		Long: `history lists runs, the latest first. What a run found is its report: see
postscan audit show.`,
		Example: `  postscan audit history web
  postscan audit history -o json -o junit=runs.xml`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			return a.auditHistory(cmd.Context(), &f, &out, name, limit)
		},
	}
	f.define(cmd)
	addFlags(cmd, outputHeading, func(fs *pflag.FlagSet) {
		fs.StringArrayVarP(&out.outputs, "output", "o", nil, "write it as `FORMAT[=FILE]`: "+strings.Join(historyFormats(), ", ")+" (default table)")
		fs.IntVar(&limit, "limit", 0, "only this many of the latest runs (default all)")
	})
	return cmd
}

func (a *app) auditHistory(ctx context.Context, f *auditFlags, out *outputFlags, name string, limit int) error {
	files, err := out.open()
	if err != nil {
		return err
	}
	defer files.abort()
	var others []string
	for _, format := range report.Formats() {
		if !slices.Contains(historyFormats(), format.Name) {
			others = append(others, format.Name)
		}
	}
	if err := files.refuse("it holds findings, and a history lists runs: use "+strings.Join(historyFormats(), ", ")+", or audit show RUN for what a run found", others...); err != nil {
		return err
	}
	s, err := a.history(ctx, f)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Recover(ctx); err != nil {
		return err
	}
	if name != "" {
		if _, err := s.Audit(ctx, name); err != nil {
			return err
		}
	}
	runs, err := s.Runs(ctx, name, "", limit)
	if err != nil {
		return err
	}
	write := map[string]report.WriteFunc{}
	for format, list := range map[string]func(io.Writer, []audit.Run) error{"table": runsTable, "json": runsJSON, "csv": runsCSV, "markdown": runsMarkdown, "html": runsHTML, "junit": runsJUnit} {
		write[format] = func(w io.Writer, _ *scanner.Report, _ report.Options) error { return list(w, runs) }
	}
	files.instead(write)
	return files.write(a.env, &scanner.Report{})
}

func runsJSON(w io.Writer, runs []audit.Run) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{"runs": runs})
}

// runColumns are the names of the cells of a run.
func runColumns() []string {
	return []string{"run", "audit", "state", "started", "new", "fixed", "critical", "high", "medium", "low", "unknown", "reason"}
}

func runCells(r *audit.Run) []string {
	cells := []string{r.ID, r.Audit, string(r.State), when(r.Started)}
	for _, n := range []int{r.Counts.New, r.Counts.Fixed, r.Counts.Critical, r.Counts.High, r.Counts.Medium, r.Counts.Low, r.Counts.Unknown} {
		cells = append(cells, strconv.Itoa(n))
	}
	return append(cells, oneLine(r.Reason))
}

func runsTable(w io.Writer, runs []audit.Run) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, strings.ToUpper(strings.Join(runColumns(), "\t"))) // the flush reports errors
	for i := range runs {
		_, _ = fmt.Fprintln(t, strings.Join(runCells(&runs[i]), "\t")) // likewise
	}
	return t.Flush()
}

// runsCSV has what a spreadsheet wants: times that it reads, and no cell that it
// would run as a formula.
func runsCSV(w io.Writer, runs []audit.Run) error {
	c := csv.NewWriter(w)
	_ = c.Write(append(runColumns(), "queued", "finished", "trigger", "reopened", "changed", "stale", "complete")) // the end reports errors
	for i := range runs {
		r := &runs[i]
		cells := append(runCells(r), exact(r.Queued), exact(r.Finished), r.Trigger, strconv.Itoa(r.Counts.Reopened), strconv.Itoa(r.Counts.Changed), strconv.Itoa(r.Counts.Stale), strconv.FormatBool(r.Complete))
		cells[3] = exact(r.Started)
		for i, cell := range cells {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				cells[i] = "'" + cell
			}
		}
		_ = c.Write(cells) // likewise
	}
	c.Flush()
	return c.Error()
}

// exact is a time that programs read; empty for none.
func exact(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func runsMarkdown(w io.Writer, runs []audit.Run) error {
	var b strings.Builder
	b.WriteString("| " + strings.Join(runColumns(), " | ") + " |\n|" + strings.Repeat("---|", len(runColumns())) + "\n")
	for i := range runs {
		cells := runCells(&runs[i])
		for i := range cells {
			cells[i] = inline(cells[i])
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const runsPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Runs · postscan</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:1rem}div{overflow-x:auto}table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8888}</style></head>
<body><main><h1>Runs</h1><div><table><thead><tr>{{range .Columns}}<th scope="col">{{.}}</th>{{end}}</tr></thead>
<tbody>{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</tbody></table></div></main></body></html>
`

func runsHTML(w io.Writer, runs []audit.Run) error {
	page, err := template.New("runs").Parse(runsPage)
	if err != nil {
		return err
	}
	rows := make([][]string, 0, len(runs))
	for i := range runs {
		rows = append(rows, runCells(&runs[i]))
	}
	return page.Execute(w, map[string]any{"Columns": runColumns(), "Rows": rows})
}

// junitRuns are runs as a CI dashboard shows them: a suite for each audit, a case for
// each run. One that failed is an error, and so is one that could not see a target;
// one that has not ended is skipped.
type junitRuns struct {
	XMLName xml.Name       `xml:"testsuites"`
	Name    string         `xml:"name,attr"`
	Suites  []*junitRunsOf `xml:"testsuite"`
}

type junitRunsOf struct {
	Name    string     `xml:"name,attr"`
	Tests   int        `xml:"tests,attr"`
	Errors  int        `xml:"errors,attr"`
	Skipped int        `xml:"skipped,attr"`
	Cases   []junitRun `xml:"testcase"`
}

type junitRun struct {
	Name      string     `xml:"name,attr"`
	Class     string     `xml:"classname,attr"`
	Time      string     `xml:"time,attr"` // seconds
	Error     *junitWord `xml:"error"`
	Skipped   *junitWord `xml:"skipped"`
	SystemOut string     `xml:"system-out"`
}

type junitWord struct {
	Message string `xml:"message,attr"`
}

func runsJUnit(w io.Writer, runs []audit.Run) error {
	all := junitRuns{Name: "postscan audit"}
	by := map[string]*junitRunsOf{}
	for i := range runs {
		r := &runs[i]
		suite := by[r.Audit]
		if suite == nil {
			suite = &junitRunsOf{Name: r.Audit}
			by[r.Audit] = suite
			all.Suites = append(all.Suites, suite)
		}
		c := junitRun{Name: r.ID, Class: "postscan.audit." + r.Audit, Time: "0", SystemOut: oneLine(sentence(r))}
		if !r.Started.IsZero() && !r.Finished.IsZero() {
			c.Time = strconv.FormatFloat(r.Finished.Sub(r.Started).Seconds(), 'f', 3, 64)
		}
		switch {
		case r.State == audit.Failed:
			c.Error = &junitWord{oneLine(r.Reason)}
		case r.State != audit.Done:
			c.Skipped = &junitWord{"it has not ended: " + string(r.State)}
		case r.Counts.Stale > 0:
			c.Error = &junitWord{plural(r.Counts.Stale, "target") + " could not be scanned"}
		}
		suite.Tests++
		if c.Error != nil {
			suite.Errors++
		}
		if c.Skipped != nil {
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", " ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
