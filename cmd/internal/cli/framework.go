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
	fs.StringSliceVar(&f.names, "framework", nil, "judge the checks that speak to this `FRAMEWORK`, and those of --checks where that is given too, and report what became of each of its controls; checks list --frameworks names them")
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
	}
	for _, fw := range f.list(cat) {
		patterns = append(patterns, "framework:"+fw.ID)
	}
	return patterns, nil
}

// list returns the frameworks and those that they include, each once, in the
// order of the flags. Names that nobody knows are left out; patterns refuses them.
func (f *frameworkFlags) list(cat *checks.Catalogue) []checks.Framework {
	var out []checks.Framework
	for _, name := range f.names {
		name = strings.ToLower(name)
		for _, n := range append([]string{name}, includedFrameworks(name)...) {
			fw, ok := cat.Framework(n)
			if ok && !slices.ContainsFunc(out, func(o checks.Framework) bool { return o.ID == fw.ID }) {
				out = append(out, *fw)
			}
		}
	}
	return out
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
