package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/report"
)

// outputFlags are the flags that say in which formats a report is written.
type outputFlags struct {
	outputs  []string
	severity severityValue
}

func (f *outputFlags) define(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&f.outputs, "output", "o", nil,
		"write the report as `FORMAT[=FILE]`, without a file to stdout, which takes one; sarif=DIR/ writes a file for each target: "+formatNames()+" (default table)")
	fs.Var(&f.severity, "severity", "show people nothing below this `SEVERITY`: critical, high, medium, low, info; machines and gates see all")
}

// formatNames lists the formats for the help text.
func formatNames() string {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// formatTable lists the formats with what they are.
func formatTable() string {
	var b strings.Builder
	for _, f := range report.Formats() {
		fmt.Fprintf(&b, "  %-18s %s\n", f.Name, f.About)
	}
	return b.String()
}

// severityValue is a flag that holds a severity; its zero value is not set.
type severityValue struct {
	severity scanner.Severity
	set      bool
}

func (v *severityValue) String() string {
	if v == nil || !v.set {
		return ""
	}
	return v.severity.String()
}

func (v *severityValue) Set(s string) error {
	sev, err := scanner.ParseSeverity(s)
	if err != nil {
		return err
	}
	v.severity, v.set = sev, true
	return nil
}

func (v *severityValue) Type() string { return "severity" }

// outputs are the opened places of a report, in the order of the flags.
type outputs struct {
	list  []output
	parts []*outFile // in folders
	opts  report.Options
}

type output struct {
	format report.Format
	file   *outFile // nil for stdout and for a folder
	folder string   // where each target gets a file of its own; empty for none
	made   bool     // the folder was not there before
}

// open parses the -o flags and opens their files, so that what cannot be
// written is told before the scan and not after it.
func (f *outputFlags) open() (*outputs, error) {
	specs := f.outputs
	if len(specs) == 0 {
		specs = []string{report.Formats()[0].Name}
	}
	o := &outputs{opts: report.Options{MinSeverity: f.severity.severity}}
	stdout, seen := "", map[string]bool{}
	for _, spec := range specs {
		name, file, toFile := strings.Cut(spec, "=")
		format, err := report.Lookup(name)
		if err != nil {
			o.abort()
			return nil, usage(fmt.Errorf("-o %s: %w", spec, err))
		}
		if file == "-" {
			toFile = false
		}
		switch {
		case toFile && strings.HasSuffix(file, "/") && format.Name != "sarif":
			err = fmt.Errorf("-o %s: a folder is for sarif alone, whose files take 20 targets; name a file", spec)
		case toFile && file == "":
			err = fmt.Errorf("-o %s: the file name is missing", spec)
		case toFile && seen[samePlace(file)]:
			err = fmt.Errorf("-o %s: two reports cannot share one file", spec)
		case !toFile && stdout != "":
			err = fmt.Errorf("-o %s: stdout has the %s report already; give one of them a file, as -o %s=FILE", spec, stdout, name)
		}
		if err != nil {
			o.abort()
			return nil, usage(err)
		}
		if !toFile {
			stdout = name
			o.list = append(o.list, output{format: format})
			continue
		}
		seen[samePlace(file)] = true
		if strings.HasSuffix(file, "/") {
			made, err := createFolder(file)
			if err != nil {
				o.abort()
				return nil, err
			}
			o.list = append(o.list, output{format: format, folder: file, made: made})
			continue
		}
		out, err := createFile(file)
		if err != nil {
			o.abort()
			return nil, err
		}
		o.list = append(o.list, output{format: format, file: out})
	}
	return o, nil
}

// samePlace is one text for all names of a file: ./a and a, and a link to it.
func samePlace(file string) string {
	path := followLinks(file)
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// writeReport writes the report everywhere, and says which files of folders are
// from an earlier run: whoever uploads the folder uploads them too.
func (a *app) writeReport(ctx context.Context, o *outputs, rep *scanner.Report) error {
	if ctx.Err() != nil { // nobody waits for it any more
		return ctx.Err()
	}
	if err := o.write(a.env, rep); err != nil {
		return err
	}
	for _, out := range o.list {
		if older := o.older(out); len(older) > 0 {
			a.log.Warn("the folder holds reports on targets that were not scanned now; remove what nobody needs", "folder", out.folder, "files", len(older), "first", older[0])
		}
	}
	return nil
}

// older lists the reports in a folder that this run did not write, by name.
func (o *outputs) older(out output) []string {
	if out.folder == "" {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(out.folder, "*."+out.format.Name))
	if err != nil { // a name that is a pattern too; nothing is said then
		return nil
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return !report.IsPart(filepath.Base(name)) || slices.ContainsFunc(o.parts, func(f *outFile) bool { return f.name == name })
	})
}

// write writes the report everywhere. Files appear only once all are whole. A
// reader of stdout that stops reading, as head does, is no error: the gate's
// answer still counts.
func (o *outputs) write(env Env, rep *scanner.Report) error {
	if err := o.writeFolders(rep); err != nil {
		return err
	}
	for _, out := range o.list {
		if out.file == nil {
			continue
		}
		if err := out.format.Write(out.file, rep, o.opts); err != nil {
			return fmt.Errorf("write the %s report to %s: %w", out.format.Name, out.file.name, err)
		}
	}
	for _, out := range o.list {
		if out.file == nil {
			continue
		}
		if err := out.file.Commit(); err != nil {
			return err
		}
	}
	for _, file := range o.parts {
		if err := file.Commit(); err != nil {
			return err
		}
	}
	for _, out := range o.list {
		if out.file != nil || out.folder != "" {
			continue
		}
		opts := o.opts
		opts.Color, opts.Width = terminal(env)
		if err := out.format.Write(env.Stdout, rep, opts); err != nil && !errors.Is(err, syscall.EPIPE) {
			return fmt.Errorf("write the %s report to stdout: %w", out.format.Name, err)
		}
	}
	return nil
}

// writeFolders writes a file for each target into the folders, to be committed
// with all others. Those of other targets stay: another command may have written
// them, for the same upload.
func (o *outputs) writeFolders(rep *scanner.Report) error {
	for _, out := range o.list {
		if out.folder == "" {
			continue
		}
		for _, part := range report.Parts(rep) {
			file, err := createFile(filepath.Join(out.folder, part.Name+"."+out.format.Name))
			if err != nil {
				return err
			}
			o.parts = append(o.parts, file)
			if err := out.format.Write(file, part.Report, o.opts); err != nil {
				return fmt.Errorf("write the %s report to %s: %w", out.format.Name, file.name, err)
			}
		}
	}
	return nil
}

// abort removes the files that were not written, and the folders that stayed empty.
func (o *outputs) abort() {
	for _, file := range o.parts {
		file.Abort()
	}
	for _, out := range o.list {
		if out.file != nil {
			out.file.Abort()
		}
		if out.made {
			_ = os.Remove(out.folder) // it stays where something is in it
		}
	}
}

// narrowest is the number of columns that the table needs.
const narrowest = 60

// terminal says whether stdout takes colour, and how wide it is (0: unknown).
func terminal(env Env) (color bool, width int) {
	f, ok := env.Stdout.(*os.File)
	if ok && term.IsTerminal(int(f.Fd())) {
		color = env.Getenv("NO_COLOR") == "" && env.Getenv("TERM") != "dumb"
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			width = max(narrowest, min(w, 140))
		}
	}
	if w, err := strconv.Atoi(env.Getenv("COLUMNS")); err == nil && width == 0 && w > 0 && w <= 1000 {
		width = max(narrowest, w)
	}
	return color, width
}

// isTerminal says whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// readInput opens a file that a command reads, stdin for "-".
func readInput(env Env, name string) (io.ReadCloser, error) {
	if name == "-" {
		if env.Stdin == nil {
			return nil, errors.New("read stdin: there is none")
		}
		return io.NopCloser(env.Stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, errorCause(err))
	}
	return f, nil
}

// untilDone reads r until the command is interrupted: a report may be large.
func untilDone(ctx context.Context, r io.Reader) io.Reader {
	return readFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// errorCause drops the "open NAME:" that package os puts before its errors.
func errorCause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
