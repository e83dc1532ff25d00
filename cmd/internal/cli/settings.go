package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// envPrefix begins the variables that stand for flags: POSTSCAN_FAIL_ON is
// --fail-on.
const envPrefix = "POSTSCAN_"

// defaultConfig is read from the working directory where it exists.
const defaultConfig = "postscan.yaml"

// settings gives every flag that the user did not set the value of its
// variable, or else that of the settings file.
func (a *app) settings(cmd *cobra.Command) error {
	known := flagNames(cmd.Root())
	if err := a.fromEnviron(cmd.Flags()); err != nil {
		return err
	}
	for _, name := range a.strayVariables(known) {
		a.say(name + " is no setting of postscan")
	}
	file, values, err := a.readConfig(known)
	if err != nil {
		return err
	}
	var problem error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		v, ok := values[f.Name]
		if problem != nil || f.Changed || !ok || !settable(f) || f.Name == "config" {
			return
		}
		for _, text := range v {
			if err := cmd.Flags().Set(f.Name, text); err != nil {
				problem = usage(fmt.Errorf("%s: %s: %w", file, f.Name, unwrapFlag(err)))
				return
			}
		}
	})
	return problem
}

// fromEnviron sets flags from variables. A flag that takes several values takes
// them separated by commas.
func (a *app) fromEnviron(flags *pflag.FlagSet) error {
	var problem error
	flags.VisitAll(func(f *pflag.Flag) {
		name := envName(f.Name)
		value, ok := a.env.lookupEnv(name)
		if problem != nil || f.Changed || !ok || !settable(f) {
			return
		}
		values := []string{value}
		if repeatable(f) {
			values = strings.Split(value, ",")
		}
		for _, v := range values {
			if err := flags.Set(f.Name, v); err != nil {
				problem = usage(fmt.Errorf("variable %s: %w", name, unwrapFlag(err)))
				return
			}
		}
	})
	return problem
}

// envName is the variable that stands for a flag.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// strayVariables returns the POSTSCAN_ variables that stand for no flag of any
// command. One that is misspelt must not pass in silence: it may be a gate.
func (a *app) strayVariables(flags map[string]bool) []string {
	known := map[string]bool{envPrefix + "PASSWORD": true, uploadToken: true, envPrefix + "OIDC_SECRET": true, envName("config"): true}
	for flag := range flags {
		known[envName(flag)] = true
	}
	var stray []string
	for _, variable := range a.env.Environ {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, envPrefix) && !known[name] {
			stray = append(stray, name)
		}
	}
	slices.Sort(stray)
	return stray
}

// settable says whether a flag also takes its value from variables and the
// settings file. Flags of commands that look something up do not: they share
// names with flags of scans and mean something else.
func settable(f *pflag.Flag) bool {
	heading := f.Annotations[groupKey]
	return len(heading) > 0 && heading[0] != outputHeading && heading[0] != filterHeading
}

// repeatable says whether a flag collects the values of several uses.
func repeatable(f *pflag.Flag) bool {
	_, ok := f.Value.(pflag.SliceValue)
	return ok
}

// unwrapFlag drops pflag's "invalid argument … for --flag" around the cause,
// because the value did not come from a flag.
func unwrapFlag(err error) error {
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		return fmt.Errorf("value %q: %w", invalid.GetValue(), invalid.Unwrap())
	}
	return err
}

// readConfig reads the settings file: a mapping of flag names to values. It
// returns its name and, by flag, the values as they would stand behind the flag.
// A name that is no flag of any command is an error, so that a misspelt gate is
// not a gate that is off.
func (a *app) readConfig(known map[string]bool) (string, map[string][]string, error) {
	file := a.configFile
	if file == "" {
		file = defaultConfig
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && a.configFile == "" {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, usage(fmt.Errorf("read the settings: %w", err))
	}
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(b))
	err = dec.Decode(&doc)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", nil, usage(fmt.Errorf("read the settings %s: %w", file, err))
	}
	if err == nil && !errors.Is(dec.Decode(new(yaml.Node)), io.EOF) {
		return "", nil, usage(fmt.Errorf("read the settings %s: something follows the end of the YAML document (---): put it into one", file))
	}
	values := map[string][]string{}
	if len(doc.Content) == 0 {
		return file, values, nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return "", nil, usage(fmt.Errorf("%s:%d: settings are lines of the form \"flag: value\"", file, top.Line))
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		at := fmt.Sprintf("%s:%d", file, key.Line)
		if auditSetting(key.Value) {
			continue // read by the commands of audit, with errors of their own
		}
		if !known[key.Value] {
			return "", nil, usageHint(fmt.Errorf("%s: %q is no setting", at, key.Value), nearest(key.Value, known))
		}
		if _, twice := values[key.Value]; twice {
			return "", nil, usage(fmt.Errorf("%s: %q stands twice", at, key.Value))
		}
		list, err := texts(value)
		if err != nil {
			return "", nil, usage(fmt.Errorf("%s: %s: %w", at, key.Value, err))
		}
		values[key.Value] = list
	}
	return file, values, nil
}

// texts reads a scalar, or a list of scalars, or a mapping of scalars, which
// becomes "name=value" (for param and mirror).
func texts(n *yaml.Node) ([]string, error) {
	out := []string{}
	switch n.Kind {
	case yaml.ScalarNode:
		return []string{n.Value}, nil
	case yaml.SequenceNode:
		for _, e := range n.Content {
			if e.Kind != yaml.ScalarNode {
				return nil, fmt.Errorf("line %d: a list of plain values is expected", e.Line)
			}
			out = append(out, e.Value)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i+1].Kind != yaml.ScalarNode {
				return nil, fmt.Errorf("line %d: a plain value is expected", n.Content[i+1].Line)
			}
			out = append(out, n.Content[i].Value+"="+n.Content[i+1].Value)
		}
	default:
		return nil, errors.New("a value, a list or a mapping is expected")
	}
	return out, nil
}

// flagNames returns the names of all flags in the tree.
func flagNames(root *cobra.Command) map[string]bool {
	names := map[string]bool{}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, fs := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags()} {
			fs.VisitAll(func(f *pflag.Flag) {
				if settable(f) {
					names[f.Name] = true
				}
			})
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	delete(names, "config")
	delete(names, "password-stdin")
	return names
}

// nearest suggests the setting that shares the longest start with name.
func nearest(name string, known map[string]bool) string {
	best, length := "", 2
	for _, k := range slices.Sorted(maps.Keys(known)) {
		n := 0
		for n < len(k) && n < len(name) && k[n] == name[n] {
			n++
		}
		if n > length {
			best, length = k, n
		}
	}
	if best == "" {
		return "every flag of a command is a setting: see postscan image --help"
	}
	return "did you mean: " + best
}
