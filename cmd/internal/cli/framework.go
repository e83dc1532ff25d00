package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/postscan/postscan/checks"
)

// frameworkFlags choose the checks that speak to bodies of guidance.
type frameworkFlags struct{ names []string }

func (f *frameworkFlags) define(fs *pflag.FlagSet) {
	fs.StringSliceVar(&f.names, "framework", nil, "judge the checks that speak to this `FRAMEWORK`, and those of --checks where that is given too; checks list --frameworks names them")
}

// patterns returns the patterns that select the checks of the frameworks, for
// [checks.Catalogue.Select].
func (f *frameworkFlags) patterns(cat *checks.Catalogue) ([]string, error) {
	var patterns []string
	for _, name := range f.names {
		name = strings.ToLower(name)
		if _, ok := cat.Framework(name); !ok {
			return nil, usageHint(fmt.Errorf("--framework %s: there is no such framework", name), "they are: "+frameworkNames(cat))
		}
		for _, n := range append([]string{name}, includedFrameworks(name)...) {
			if pattern := "framework:" + n; !slices.Contains(patterns, pattern) {
				patterns = append(patterns, pattern)
			}
		}
	}
	return patterns, nil
}

// includedFrameworks are those that a framework demands as a whole.
func includedFrameworks(name string) []string {
	if name == "pss-restricted" {
		return []string{"pss-baseline"}
	}
	return nil
}

func frameworkNames(cat *checks.Catalogue) string {
	var names []string
	for _, f := range cat.Frameworks() {
		names = append(names, f.ID)
	}
	return strings.Join(names, ", ")
}
