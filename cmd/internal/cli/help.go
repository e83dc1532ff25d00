package cli

import (
	"fmt"
	"io"
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
		fmt.Fprintf(&b, "\n%s flags:\n%s", g.heading, g.flags.FlagUsagesWrapped(80))
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

// flagGroup is the flags under one heading.
type flagGroup struct {
	heading string
	flags   *pflag.FlagSet
}

// flagGroups returns a command's flags by heading, in the order in which the
// headings come first; the global ones come last.
func flagGroups(cmd *cobra.Command) []flagGroup {
	cmd.InitDefaultHelpFlag()
	var groups []flagGroup
	add := func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		heading := "Other"
		if g := f.Annotations[groupKey]; len(g) > 0 {
			heading = g[0]
		}
		for _, g := range groups {
			if g.heading == heading {
				g.flags.AddFlag(f)
				return
			}
		}
		fs := pflag.NewFlagSet(heading, pflag.ContinueOnError)
		fs.SortFlags = false
		fs.AddFlag(f)
		groups = append(groups, flagGroup{heading, fs})
	}
	cmd.LocalNonPersistentFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	cmd.PersistentFlags().VisitAll(add)
	return groups
}
