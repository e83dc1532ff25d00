package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner/facts"
)

func newChecks(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "checks",
		Short: "List, explain, test and write checks",
		RunE:  needCommand,
	}
	cmd.AddCommand(newChecksList(a), newChecksExplain(a), newChecksTest(a), newChecksNew(a))
	return cmd
}

// checkView is a check as `checks list -o json` shows it.
type checkView struct {
	ID          string          `json:"id"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Severity    string          `json:"severity"`
	Severities  []string        `json:"severities"`
	Effective   []string        `json:"effective_severities"` // under the profile, worst first
	Selected    bool            `json:"selected"`             // by the profile
	Subject     string          `json:"subject"`
	Subjects    []string        `json:"subjects"` // the same and those of its other policies
	Needs       []string        `json:"needs"`
	Params      []paramView     `json:"params"`
	Remediation string          `json:"remediation"`
	References  []referenceView `json:"references"`
	Related     []string        `json:"related_resources"`
	Since       string          `json:"since"`
	DecidedBy   string          `json:"decided_by"`
	BuiltIn     bool            `json:"built_in"`
	File        string          `json:"file"`
}

type paramView struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Default     any    `json:"default"`
	Value       any    `json:"value"`
	Description string `json:"description"`
}

type referenceView struct {
	Framework string `json:"framework"`
	Control   string `json:"control"`
}

// viewCheck shows a check with the effective values of its parameters and
// severities.
func viewCheck(cat *checks.Catalogue, c *checks.Check, values map[string]any, prof profile) checkView {
	v := checkView{
		Effective: prof.severitiesOf(c), Selected: prof.selects(cat, c),
		ID: c.ID, Title: c.Title, Description: c.Description, Severity: c.Severity,
		Severities: append([]string{}, c.Severities...), Subject: string(c.Subject), Needs: append([]string{}, c.Needs...),
		Params: []paramView{}, Remediation: c.Remediation, References: []referenceView{}, Related: []string{},
		Since: c.Since, DecidedBy: c.DecidedBy, BuiltIn: c.BuiltIn, File: c.File,
	}
	for _, k := range c.Subjects() {
		v.Subjects = append(v.Subjects, string(k))
	}
	for _, p := range c.AllParams() {
		v.Params = append(v.Params, paramView{Name: p.Name, Type: p.Type, Default: p.Default, Value: values[p.Name], Description: p.Description})
	}
	for _, r := range c.References {
		v.References = append(v.References, referenceView{r.Framework, r.Control})
	}
	for _, r := range c.RelatedResources {
		v.Related = append(v.Related, r.Ref)
	}
	return v
}

func newChecksList(a *app) *cobra.Command {
	var policy policyFlags
	var severity severityValue
	var subject, framework, format string
	var frameworks bool
	cmd := &cobra.Command{
		Use:   "list [CHECKS...]",
		Short: "List the checks",
		Long: `list shows every check, or those that the arguments name: ids, globs as
PS-IMG-*, severity:high, subject:image, framework:nist-800-190. The flags narrow
it down.`,
		Example: `  postscan checks list --severity high
  postscan checks list --framework nist-800-190 -o json
  postscan checks list --frameworks`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cat, err := policy.catalogue(cmd.Context(), a)
			if err != nil {
				return err
			}
			prof, err := policy.readProfile(cat)
			if err != nil {
				return err
			}
			if frameworks {
				return listFrameworks(a.env.Stdout, format, cat)
			}
			selected, err := cat.Select(args, nil)
			if err != nil {
				return usage(err)
			}
			if framework != "" {
				if _, ok := cat.Framework(framework); !ok {
					return usageHint(fmt.Errorf("--framework %s: there is no such framework", framework), "see: postscan checks list --frameworks")
				}
			}
			selected = slices.DeleteFunc(selected, func(c *checks.Check) bool {
				return subject != "" && !slices.Contains(c.Subjects(), facts.Kind(subject)) ||
					severity.set && prof.severitiesOf(c)[0] != severity.String() ||
					framework != "" && !slices.ContainsFunc(c.References, func(r checks.Reference) bool { return r.Framework == framework })
			})
			values, err := policy.effective(cat, prof, nil, a.log)
			if err != nil {
				return err
			}
			return listChecks(a.env.Stdout, format, cat, selected, values, prof)
		},
	}
	addFlags(cmd, filterHeading, func(fs *pflag.FlagSet) {
		fs.StringVar(&subject, "subject", "", "only checks that judge this `KIND` of resource, as image")
		fs.Var(&severity, "severity", "only checks of this `SEVERITY`")
		fs.StringVar(&framework, "framework", "", "only checks that speak to this `FRAMEWORK`")
		fs.BoolVar(&frameworks, "frameworks", false, "list the frameworks instead")
	})
	addFlags(cmd, "Policy", policy.definePolicies)
	policy.defineNetwork(cmd)
	addFlags(cmd, outputHeading, func(fs *pflag.FlagSet) { defineTextOrJSON(fs, &format) })
	return cmd
}

func listChecks(w io.Writer, format string, cat *checks.Catalogue, list []*checks.Check, values map[string]any, prof profile) error {
	views := make([]checkView, len(list))
	for i, c := range list {
		views[i] = viewCheck(cat, c, values, prof)
	}
	return show(w, format, views, func() error {
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		if _, err := fmt.Fprintln(tw, "ID\tSEVERITY\tJUDGES\tTITLE"); err != nil {
			return err
		}
		for _, c := range views {
			if _, err := fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", c.ID, c.Effective[0], strings.Join(c.Subjects, ","), c.Title); err != nil {
				return err
			}
		}
		return tw.Flush()
	})
}

// frameworkView is a framework as `checks list --frameworks -o json` shows it.
type frameworkView struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Version  string `json:"version"`
	URL      string `json:"url"`
	Controls int    `json:"controls"`
	Checks   int    `json:"checks"`
}

func listFrameworks(w io.Writer, format string, cat *checks.Catalogue) error {
	var views []frameworkView
	for _, f := range cat.Frameworks() {
		v := frameworkView{ID: f.ID, Title: f.Title, Version: f.Version, URL: f.URL, Controls: len(f.Controls)}
		for _, c := range cat.All() {
			if slices.ContainsFunc(c.References, func(r checks.Reference) bool { return r.Framework == f.ID }) {
				v.Checks++
			}
		}
		views = append(views, v)
	}
	return show(w, format, views, func() error {
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		if _, err := fmt.Fprintln(tw, "ID\tCHECKS\tCONTROLS\tTITLE"); err != nil {
			return err
		}
		for _, f := range views {
			if _, err := fmt.Fprintf(tw, "%s\t%d\t%d\t%s %s\n", f.ID, f.Checks, f.Controls, f.Title, f.Version); err != nil {
				return err
			}
		}
		return tw.Flush()
	})
}

func newChecksExplain(a *app) *cobra.Command {
	var policy policyFlags
	var format string
	var noRule bool
	cmd := &cobra.Command{
		Use:   "explain ID...",
		Short: "Explain what a check looks at, why, and how to mend it",
		Example: `  postscan checks explain PS-IMG-001
  postscan checks explain PS-IMG-016 --param max_image_age_days=30`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			cat, err := policy.catalogue(cmd.Context(), a)
			if err != nil {
				return err
			}
			prof, err := policy.readProfile(cat)
			if err != nil {
				return err
			}
			values, err := policy.effective(cat, prof, nil, a.log)
			if err != nil {
				return err
			}
			var list []*checks.Check
			for _, id := range args {
				c, ok := cat.Lookup(id)
				if !ok {
					return usageHint(fmt.Errorf("there is no check %q", id), "see: postscan checks list")
				}
				list = append(list, c)
			}
			views := make([]checkView, len(list))
			for i, c := range list {
				views[i] = viewCheck(cat, c, values, prof)
			}
			return show(a.env.Stdout, format, views, func() error {
				w := bufio.NewWriter(a.env.Stdout)
				for i, c := range list {
					if i > 0 {
						writeLines(w, "", strings.Repeat("─", 80), "")
					}
					explain(w, cat, c, values, prof, !noRule)
				}
				return w.Flush()
			})
		},
	}
	addFlags(cmd, outputHeading, func(fs *pflag.FlagSet) {
		defineTextOrJSON(fs, &format)
		fs.BoolVar(&noRule, "no-rule", false, "leave out the text of the rule")
	})
	addFlags(cmd, "Policy", policy.definePolicies)
	policy.defineNetwork(cmd)
	return cmd
}

// explain writes one check for people. Errors stick in w.
func explain(w *bufio.Writer, cat *checks.Catalogue, c *checks.Check, values map[string]any, prof profile, rule bool) {
	own, now := ownSeverities(c), prof.severitiesOf(c)
	severity := strings.Join(now, ", ")
	if len(own) > 1 {
		severity += " (by what is found)"
	}
	if !slices.Equal(own, now) {
		severity += "; " + prof.name + ": " + levelsText(c, prof.Severities[c.ID])
	}
	if !prof.selects(cat, c) {
		severity += "\nSelected  no, " + prof.name + " leaves it out"
	}
	var judges, files []string
	for _, p := range c.Policies() {
		judges, files = append(judges, string(p.Subject)), append(files, p.File)
	}
	writeLines(w, c.ID+"  "+c.Title, "",
		"Severity  "+severity,
		"Judges    "+strings.Join(judges, ", "),
		"Since     "+c.Since,
		"Policy    "+strings.Join(files, ", "))
	section(w, "What, and why", paragraphs(c.Description))
	section(w, "How to mend it", paragraphs(c.Remediation))
	var lines []string
	for _, p := range c.AllParams() {
		text := fmt.Sprintf("%s (%s) = %s", p.Name, p.Type, paramText(values[p.Name]))
		if paramText(values[p.Name]) != paramText(p.Default) {
			text += fmt.Sprintf(", default %s", paramText(p.Default))
		}
		lines = append(lines, text)
		for _, l := range paragraphs(p.Description) {
			lines = append(lines, "    "+l)
		}
	}
	section(w, "Parameters (--param NAME=VALUE)", lines)
	for _, p := range c.Policies() {
		of := ""
		if len(c.Parts) > 0 {
			of = " of a " + string(p.Subject)
		}
		section(w, "Needs these facts"+of+", else it is unknown", p.Needs)
		section(w, "Uses these facts"+of+" too, where they were seen", p.Optional)
	}
	section(w, "References", references(cat, c))
	switch {
	case c.DecidedBy != "":
		section(w, "Decided by", paragraphs(c.DecidedBy))
	case rule:
		writeLines(w, "", "Rule", "")
		for _, p := range c.Policies() {
			writeLines(w, strings.TrimRight(p.Source, "\n"))
		}
	}
}

func references(cat *checks.Catalogue, c *checks.Check) []string {
	var lines []string
	refs := slices.Clone(c.References)
	slices.SortStableFunc(refs, func(x, y checks.Reference) int { return cmp.Compare(x.Framework, y.Framework) })
	for _, r := range refs {
		line := r.Framework + " " + r.Control
		if f, ok := cat.Framework(r.Framework); ok {
			line = f.Title + " " + r.Control
			if control, ok := f.Control(r.Control); ok && control.Title != "" {
				line += ": " + control.Title
			}
		}
		lines = append(lines, line)
	}
	for _, r := range c.RelatedResources {
		line := r.Ref
		if r.Description != "" {
			line += " (" + r.Description + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

func paramText(v any) string {
	switch v := v.(type) {
	case []string:
		if len(v) == 0 {
			return "not set"
		}
		return strings.Join(v, ",")
	case string:
		if v == "" {
			return "not set"
		}
		return v
	default:
		return fmt.Sprint(v)
	}
}

// section writes a heading and indented lines; nothing where there are none.
func section(w *bufio.Writer, heading string, lines []string) {
	if len(lines) == 0 {
		return
	}
	writeLines(w, "", heading)
	for _, l := range lines {
		writeLines(w, "  "+l)
	}
}

// paragraphs breaks text into lines of at most 78 columns; empty lines stay.
func paragraphs(text string) []string {
	var lines []string
	for i, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, wrapText(strings.TrimSpace(p), 76)...)
	}
	return lines
}

// writeLines writes lines to a buffer, whose Flush tells of errors.
func writeLines(w *bufio.Writer, lines ...string) {
	for _, l := range lines {
		_, _ = w.WriteString(strings.TrimRight(l, " ") + "\n")
	}
}

func newChecksTest(a *app) *cobra.Command {
	var policy policyFlags
	cmd := &cobra.Command{
		Use:   "test [DIR...]",
		Short: "Test the policies of a folder as postscan's own are tested",
		Long: `test holds the policies of each folder to the contract (METADATA, types of all
facts that they read, no I/O), runs their tests, and fails where a policy was
not seen both to fail and to pass. A bundle (bundle.tar.gz), also one in a
registry (oci://registry.example/policies:1), counts as a folder. Without any it
tests the built-in ones.`,
		Example: `  postscan checks test ./my-policies
  postscan checks test bundle.tar.gz oci://registry.example/policies:1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var sources []checks.Source
			key, err := bundleKey(policy.key)
			if err != nil {
				return err
			}
			for _, spec := range args {
				s, err := a.policySource(cmd.Context(), spec, key, policy.network)
				if err != nil {
					return fmt.Errorf("test %s: %w", spec, err)
				}
				sources = append(sources, s)
			}
			if len(sources) == 0 {
				sources = append(sources, checks.BuiltIn())
			}
			var failed []error
			for _, s := range sources {
				rep, err := checks.RunTests(cmd.Context(), s)
				if err == nil {
					err = showTests(a, s.Name, rep)
				}
				if err != nil {
					failed = append(failed, fmt.Errorf("test %s:\n%w", s.Name, err))
				}
			}
			return errors.Join(failed...)
		},
	}
	addFlags(cmd, "Policy", policy.defineKey)
	policy.defineNetwork(cmd)
	return cmd
}

// showTests tells what ran; the error is what did not pass.
func showTests(a *app, name string, rep *checks.TestReport) error {
	passed := 0
	for _, t := range rep.Tests {
		if t.Pass {
			passed++
		}
		if a.verbose {
			if _, err := fmt.Fprintf(a.env.Stdout, "%-4s %s:%d %s (%s)\n", testWord(t), t.File, t.Line, t.Name, t.Duration); err != nil {
				return err
			}
		}
	}
	if _, err := fmt.Fprintf(a.env.Stdout, "%s: %d of %d tests pass, %s\n", name, passed, len(rep.Tests), plural(len(rep.Coverage), "check")); err != nil {
		return err
	}
	return rep.Err()
}

func testWord(t checks.TestResult) string {
	switch {
	case t.Pass:
		return "ok"
	case t.Skipped:
		return "todo"
	default:
		return "FAIL"
	}
}

func newChecksNew(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "new SUBJECT NAME",
		Short: "Write a new check and its test, ready to be changed",
		Long: `new writes SUBJECT/NAME.rego and SUBJECT/NAME_test.rego below the folder, with
the next free id. SUBJECT is the kind of resource to judge, as image; NAME is in
small letters, as runs_as_root. The tests of what it writes pass.`,
		Example: `  postscan checks new image forbidden_label --dir my-policies
  postscan checks test my-policies`,
		Args: arguments(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			source := checks.Dir(dir)
			sources := []checks.Source{source}
			if !source.Official {
				sources = []checks.Source{checks.BuiltIn()}
				if _, err := os.Stat(dir); err == nil {
					sources = append(sources, source)
				}
			}
			cat, err := checks.Load(sources...)
			if err != nil {
				return fmt.Errorf("the policies of %s:\n%w", dir, err)
			}
			check, err := cat.Scaffold(facts.Kind(args[0]), args[1], source.Official)
			if err != nil {
				return usage(err)
			}
			return a.writeNew(dir, check)
		},
	}
	addFlags(cmd, outputHeading, func(fs *pflag.FlagSet) {
		fs.StringVar(&dir, "dir", "policies", "`DIR` of policies to write into (default policies)")
	})
	return cmd
}

// writeNew writes the files of a new check; it replaces none.
func (a *app) writeNew(dir string, check *checks.Scaffolded) error {
	for _, name := range slices.Sorted(maps.Keys(check.Files)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { // #nosec G301 -- policies are for others to read; the umask decides
			return fmt.Errorf("write %s: %w", path, err)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // #nosec G302 -- as above
		if err != nil {
			return fmt.Errorf("write %s: %w", path, errorCause(err))
		}
		_, err = f.WriteString(check.Files[name])
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		if _, err := fmt.Fprintln(a.env.Stdout, path); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.env.Stdout, "%s is ready to be changed. Test it with: postscan checks test %s\n", check.ID, dir)
	return err
}
