package checks

import (
	"context"
	"fmt"

	"github.com/open-policy-agent/opa/v1/rego"
)

// LibraryNames evaluates a rule of the libraries of the policies, as
// "host_paths.sockets", and returns its names, sorted: the elements of a set, or the
// keys of an object. libraries are the texts by the names of their files. A rule that
// has no names is an error.
func LibraryNames(ctx context.Context, libraries map[string]string, rule string) ([]string, error) {
	var opts []func(*rego.Rego)
	for name, text := range libraries {
		opts = append(opts, rego.Module(name, text))
	}
	query := "sort({n | l := data.postscan.lib." + rule + "; is_object(l); some n, _ in l} | {n | l := data.postscan.lib." + rule + "; is_set(l); some n in l})"
	results, err := rego.New(append(opts, rego.Query(query))...).Eval(ctx)
	if err != nil {
		return nil, fmt.Errorf("evaluate %s of the policies: %w", rule, err)
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("%s of the policies has no value", rule)
	}
	values, _ := results[0].Expressions[0].Value.([]any)
	names := make([]string, len(values))
	for i, v := range values {
		name, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("%s of the policies holds %v, which is no name", rule, v)
		}
		names[i] = name
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s of the policies is empty", rule)
	}
	return names, nil
}
