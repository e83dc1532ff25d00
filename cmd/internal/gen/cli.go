package main

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postscan/postscan/cmd/internal/cli"
)

// cliDir is where the pages of the commands stand.
const cliDir = "docs/cli"

// cliReference makes one page for each command, with what its --help says.
func cliReference(string) (files, error) {
	out := files{}
	var index bytes.Buffer
	fmt.Fprint(&index, "# Commands\n\nMade from the program itself by `go generate ./...`; `--help` says the same.\n\n")
	var walk func(c *cobra.Command) error
	walk = func(c *cobra.Command) error {
		if !c.IsAvailableCommand() && c.HasParent() {
			return nil
		}
		page := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".md"
		var help bytes.Buffer
		c.SetOut(&help)
		if err := c.Help(); err != nil {
			return err
		}
		out[path.Join(cliDir, page)] = fmt.Appendf(nil, "# %s\n\n```text\n%s```\n", c.CommandPath(), help.Bytes())
		fmt.Fprintf(&index, "- [%s](%s): %s\n", c.CommandPath(), page, c.Short)
		for _, sub := range c.Commands() {
			if err := walk(sub); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(cli.Tree()); err != nil {
		return nil, fmt.Errorf("write the pages of the commands: %w", err)
	}
	out[path.Join(cliDir, "README.md")] = index.Bytes()
	return out, nil
}
