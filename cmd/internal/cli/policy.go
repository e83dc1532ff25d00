package cli

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// policyFlags say which checks judge, and with which parameters.
type policyFlags struct {
	checks    []string
	skip      []string
	policies  []string // folders, bundles, oci://…
	key       string   // file of the public key that signs bundles
	params    []string // name=value
	profile   string
	framework frameworkFlags
	network   *registryFlags // for oci://…; nil for the user's own settings alone
	offline   *bool          // nothing is fetched; nil is false
}

func (f *policyFlags) define(fs *pflag.FlagSet) {
	fs.StringSliceVar(&f.checks, "checks", nil, "judge only these `CHECKS`: ids, globs (PS-IMG-*), severity:high, framework:nist-800-190; separated by commas")
	f.framework.define(fs)
	fs.StringSliceVar(&f.skip, "skip-checks", nil, "leave out these `CHECKS`")
	f.definePolicies(fs)
}

func (f *policyFlags) definePolicies(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.policies, "policy", nil, "add the policies of a folder, a bundle (`DIR`, bundle.tar.gz) or a registry (oci://registry.example/policies:1)")
	f.defineKey(fs)
	fs.StringVar(&f.profile, "profile", "", "choose checks, their severities and parameters by this `FILE` (default: "+defaultProfile+", where it is there)")
	fs.StringArrayVar(&f.params, "param", nil, "set a parameter of the policies, as `NAME=VALUE`; lists are separated by commas; checks explain shows them")
}

func (f *policyFlags) defineKey(fs *pflag.FlagSet) {
	fs.StringVar(&f.key, "policy-key", "", "take policies only from bundles that the public key in this PEM `FILE` has signed, as opa sign does")
}

// defineNetwork adds the flags for registries to a command that has none, since
// policies may be in one.
func (f *policyFlags) defineNetwork(cmd *cobra.Command) {
	f.network = &registryFlags{}
	addFlags(cmd, "Network", f.network.define)
}

// catalogue loads the checks that are built in and those of --policy.
func (f *policyFlags) catalogue(ctx context.Context, a *app) (*checks.Catalogue, error) {
	sources := []checks.Source{checks.BuiltIn()}
	key, err := bundleKey(f.key)
	if err != nil {
		return nil, err
	}
	for _, spec := range f.policies {
		if strings.HasPrefix(spec, ociScheme) && f.offline != nil && *f.offline {
			return nil, usage(fmt.Errorf("--policy %s: --offline connects to no registry but the images'; fetch the bundle to a file", spec))
		}
		source, err := a.policySource(ctx, spec, key, f.network)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && !strings.HasPrefix(spec, ociScheme): // a registry that does not answer is no wrong usage
			return nil, usage(fmt.Errorf("--policy %s: %w", spec, err))
		case err != nil:
			return nil, fmt.Errorf("--policy %s: %w", spec, err)
		}
		sources = append(sources, source)
	}
	cat, err := checks.Load(sources...)
	if err == nil && len(f.policies) > 0 {
		err = cat.VerifyOwn() // before anything is collected
	}
	if err != nil && len(f.policies) > 0 {
		return nil, usageHint(fmt.Errorf("the policies of %s:\n%w", strings.Join(f.policies, ", "), err), "try: postscan checks test "+f.policies[0])
	}
	return cat, err
}

// selection is what a scan judges by.
type selection struct {
	catalogue *checks.Catalogue
	checks    []*checks.Check
	params    map[string]any // effective, of the selected checks
	profile   profile
	notices   []scanner.Notice // what the profile changes
}

// load selects the checks that judge one of the kinds (none: any) and settles
// their parameters: the default, or what the facts were collected with, or the
// profile, or --param; the last one wins.
func (f *policyFlags) load(ctx context.Context, a *app, kinds []facts.Kind, recorded map[string]any) (*selection, error) {
	cat, err := f.catalogue(ctx, a)
	if err != nil {
		return nil, err
	}
	prof, err := f.readProfile(cat)
	if err != nil {
		return nil, err
	}
	include, err := f.framework.patterns(cat)
	if err != nil {
		return nil, err
	}
	include, exclude := append(include, f.checks...), f.skip
	byProfile := len(include) == 0
	if byProfile { // whoever names checks means those
		include, exclude = prof.Include, append(slices.Clone(prof.Exclude), f.skip...)
	}
	selected, err := cat.Select(include, exclude)
	if err != nil {
		return nil, usage(err)
	}
	selected = judging(selected, kinds)
	if len(selected) == 0 {
		return nil, usageHint(fmt.Errorf("none of the selected checks judges what this command looks at: %v", kinds), "see: postscan checks list")
	}
	params, err := f.effective(cat, prof, recorded, a.log)
	if err != nil {
		return nil, err
	}
	used := map[string]any{}
	for _, c := range selected {
		for _, p := range c.AllParams() {
			used[p.Name] = params[p.Name]
		}
	}
	return &selection{catalogue: cat, checks: selected, params: used, profile: prof, notices: prof.notices(cat, kinds, byProfile)}, nil
}

// effective returns the value of every parameter of the catalogue.
func (f *policyFlags) effective(cat *checks.Catalogue, prof profile, recorded map[string]any, log *slog.Logger) (map[string]any, error) {
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
	maps.Copy(values, prof.Params)
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
