package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Headings of flags that settings do not reach, see settable.
const (
	outputHeading = "Output"
	filterHeading = "Filter"
)

// groupKey is the annotation that puts a flag under a heading of the help page.
const groupKey = "group"

// setGroup puts the flags of fs that have no heading yet under one.
func setGroup(fs *pflag.FlagSet, heading string) {
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Annotations == nil {
			f.Annotations = map[string][]string{}
		}
		if f.Annotations[groupKey] == nil {
			f.Annotations[groupKey] = []string{heading}
		}
	})
}

// addFlags adds flags to a command under a heading.
func addFlags(cmd *cobra.Command, heading string, define func(*pflag.FlagSet)) {
	fs := pflag.NewFlagSet(heading, pflag.ContinueOnError)
	fs.SortFlags = false
	define(fs)
	setGroup(fs, heading)
	cmd.Flags().SortFlags = false
	cmd.Flags().AddFlagSet(fs)
}

// setHelp gives the whole tree one kind of help page: what, how, examples,
// flags under headings, and the exit codes.
func setHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(cmd.OutOrStdout(), cmd) })
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		writeHelp(cmd.OutOrStderr(), cmd)
		return nil
	})
}

func writeHelp(w io.Writer, cmd *cobra.Command) {
	var b strings.Builder
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	b.WriteString(strings.TrimSpace(about) + "\n\nUsage:\n")
	if cmd.Runnable() && !cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND\n", cmd.CommandPath())
	}
	if cmd.Example != "" {
		b.WriteString("\nExamples:\n" + strings.TrimRight(cmd.Example, "\n") + "\n")
	}
	writeCommands(&b, cmd)
	for _, g := range flagGroups(cmd) {
		fmt.Fprintf(&b, "\n%s:\n", g.heading)
		for _, f := range g.flags {
			writeFlag(&b, f)
		}
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nMore about a command: %s COMMAND --help\n", cmd.CommandPath())
	}
	if !cmd.HasParent() {
		b.WriteString("\nExit codes: 0 done, 1 could not run or a target failed, 2 wrong usage,\n" +
			"3 findings at or above --fail-on, 4 --fail-on depends on something unknown,\n130 interrupted.\n")
	}
	_, _ = io.WriteString(w, b.String()) // help has nobody to report an error to
}

func writeCommands(b *strings.Builder, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	list := func(heading, id string) {
		first := true
		for _, c := range cmd.Commands() {
			if c.GroupID != id || !c.IsAvailableCommand() {
				continue
			}
			if first {
				fmt.Fprintf(b, "\n%s\n", heading)
				first = false
			}
			fmt.Fprintf(b, "  %-10s %s\n", c.Name(), c.Short)
		}
	}
	for _, g := range cmd.Groups() {
		list(g.Title, g.ID)
	}
	list("Commands:", "")
}

// The columns of a help page.
const (
	helpWidth  = 80
	textColumn = 31 // where the text of a flag begins
)

// writeFlag writes a flag and its text, wrapped; a line break in the text stays.
func writeFlag(b *strings.Builder, f *pflag.Flag) {
	value, text := pflag.UnquoteUsage(f)
	head := "      --" + f.Name
	if f.Shorthand != "" {
		head = "  -" + f.Shorthand + ", --" + f.Name
	}
	if value != "" {
		head += " " + value
	}
	if repeatable(f) {
		text += "; repeatable"
	}
	if f.DefValue == "true" {
		text += " (default true)"
	}
	var lines []string
	for l := range strings.SplitSeq(text, "\n") {
		lines = append(lines, wrapText(l, helpWidth-textColumn)...)
	}
	if len(head) >= textColumn-1 {
		lines = append([]string{""}, lines...)
	}
	for i, l := range lines {
		if i > 0 {
			head = ""
		}
		fmt.Fprintln(b, strings.TrimRight(fmt.Sprintf("%-*s%s", textColumn, head, l), " "))
	}
}

// wrapText breaks text at spaces into lines of at most width characters; what the
// first line is indented by, the others are too.
func wrapText(text string, width int) []string {
	words := strings.TrimLeft(text, " ")
	indent := text[:len(text)-len(words)]
	var lines []string
	line := indent
	for word := range strings.FieldsSeq(words) {
		if n := len([]rune(line)); n > len(indent) && n+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = indent
		}
		if len(line) > len(indent) {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// flagGroup is the flags under one heading.
type flagGroup struct {
	heading string
	flags   []*pflag.Flag
}

// flagGroups returns a command's flags by heading, in the order in which the
// headings come first; the global ones come last.
func flagGroups(cmd *cobra.Command) []flagGroup {
	cmd.InitDefaultHelpFlag()
	var groups []flagGroup
	add := func(f *pflag.Flag) {
		if f.Hidden || len(f.Annotations[groupKey]) == 0 {
			return // --help, which cobra adds, is known
		}
		heading := f.Annotations[groupKey][0]
		at := slices.IndexFunc(groups, func(g flagGroup) bool { return g.heading == heading })
		if at < 0 {
			at = len(groups)
			groups = append(groups, flagGroup{heading: heading})
		}
		groups[at].flags = append(groups[at].flags, f)
	}
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return groups
}
