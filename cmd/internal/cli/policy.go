package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner/facts"
)

// policyFlags say which checks judge, and with which parameters.
type policyFlags struct {
	checks    []string
	skip      []string
	dirs      []string
	params    []string // name=value
	framework frameworkFlags
}

func (f *policyFlags) define(fs *pflag.FlagSet) {
	fs.StringSliceVar(&f.checks, "checks", nil, "judge only these `CHECKS`: ids, globs (PS-IMG-*), severity:high, framework:nist-800-190; separated by commas")
	f.framework.define(fs)
	fs.StringSliceVar(&f.skip, "skip-checks", nil, "leave out these `CHECKS`")
	f.definePolicies(fs)
}

func (f *policyFlags) definePolicies(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.dirs, "policy", nil, "add the policies of a `DIR`")
	fs.StringArrayVar(&f.params, "param", nil, "set a parameter of the policies, as `NAME=VALUE`; lists are separated by commas; checks explain shows them")
}

// catalogue loads the checks that are built in and those of --policy.
func (f *policyFlags) catalogue() (*checks.Catalogue, error) {
	sources := []checks.Source{checks.BuiltIn()}
	for _, dir := range f.dirs {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			err = errors.New("it is no directory")
		}
		if err != nil {
			return nil, usage(fmt.Errorf("--policy %s: %w", dir, errorCause(err)))
		}
		sources = append(sources, checks.Dir(dir))
	}
	cat, err := checks.Load(sources...)
	if err != nil && len(f.dirs) > 0 {
		return nil, usageHint(fmt.Errorf("the policies of %s:\n%w", strings.Join(f.dirs, ", "), err), "try: postscan checks test "+f.dirs[0])
	}
	return cat, err
}

// selection is what a scan judges by.
type selection struct {
	catalogue *checks.Catalogue
	checks    []*checks.Check
	params    map[string]any // effective, of the selected checks
}

// load selects the checks that judge one of the kinds (none: any) and settles
// their parameters: the default, or what the facts were collected with, or
// --param.
func (f *policyFlags) load(kinds []facts.Kind, recorded map[string]any, log *slog.Logger) (*selection, error) {
	cat, err := f.catalogue()
	if err != nil {
		return nil, err
	}
	include, err := f.framework.patterns(cat)
	if err != nil {
		return nil, err
	}
	selected, err := cat.Select(append(include, f.checks...), f.skip)
	if err != nil {
		return nil, usage(err)
	}
	if len(kinds) > 0 {
		selected = slices.DeleteFunc(selected, func(c *checks.Check) bool {
			return !slices.ContainsFunc(c.Subjects(), func(k facts.Kind) bool { return slices.Contains(kinds, k) })
		})
	}
	if len(selected) == 0 {
		return nil, usageHint(fmt.Errorf("none of the selected checks judges what this command looks at: %v", kinds), "see: postscan checks list")
	}
	params, err := f.effective(cat, recorded, log)
	if err != nil {
		return nil, err
	}
	used := map[string]any{}
	for _, c := range selected {
		for _, p := range c.AllParams() {
			used[p.Name] = params[p.Name]
		}
	}
	return &selection{catalogue: cat, checks: selected, params: used}, nil
}

// effective returns the value of every parameter of the catalogue.
func (f *policyFlags) effective(cat *checks.Catalogue, recorded map[string]any, log *slog.Logger) (map[string]any, error) {
	known := map[string]checks.Param{}
	values := map[string]any{}
	for _, p := range cat.Params() {
		known[p.Name], values[p.Name] = p, p.Default
	}
	for name, given := range recorded {
		p, ok := known[name]
		if !ok {
			log.Warn("the facts were collected with a parameter that no check takes", "parameter", name)
			continue
		}
		v, err := p.Value(given)
		if err != nil {
			return nil, fmt.Errorf("the facts' header: %w", err)
		}
		values[name] = v
	}
	for _, setting := range f.params {
		name, text, ok := strings.Cut(setting, "=")
		if !ok {
			return nil, usage(fmt.Errorf("--param %s: write it as NAME=VALUE", setting))
		}
		p, ok := known[name]
		if !ok {
			return nil, usageHint(fmt.Errorf("--param %s: no check takes such a parameter", name), "they are: "+paramNames(cat))
		}
		v, err := parseParam(p, text)
		if err != nil {
			return nil, usage(fmt.Errorf("--param %s: %w", setting, err))
		}
		values[name] = v
	}
	return values, nil
}

func paramNames(cat *checks.Catalogue) string {
	var names []string
	for _, p := range cat.Params() {
		names = append(names, p.Name)
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// parseParam reads a parameter's value as text, by its type.
func parseParam(p checks.Param, text string) (any, error) {
	var given any = text
	var err error
	switch p.Type {
	case checks.TypeInteger:
		given, err = strconv.ParseInt(text, 10, 64)
	case checks.TypeNumber:
		given, err = strconv.ParseFloat(text, 64)
	case checks.TypeBoolean:
		given, err = strconv.ParseBool(text)
	case checks.TypeStrings:
		list := []string{}
		for _, e := range strings.Split(text, ",") {
			if e = strings.TrimSpace(e); e != "" {
				list = append(list, e)
			}
		}
		given = list
	}
	if err != nil {
		return nil, fmt.Errorf("%q is not of type %s", text, p.Type)
	}
	return p.Value(given)
}
