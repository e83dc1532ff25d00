package checks

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// Select returns the checks that include takes in and exclude does not take out,
// by id. No include means all. A pattern is one of
//
//	PS-IMG-001                      an id
//	PS-IMG-*                        ids, as in file names
//	subject:image                   all that judge this kind of resource, with their other policies
//	severity:high                   all whose own severity is this
//	framework:nist-800-190          all that speak to a framework
//	framework:nist-800-190/4.1.2    … or to one of its controls
//
// and must match some check: a misspelt one would silently check less.
func (c *Catalogue) Select(include, exclude []string) ([]*Check, error) {
	in, err := c.matches(include)
	if err != nil {
		return nil, err
	}
	out, err := c.matches(exclude)
	if err != nil {
		return nil, err
	}
	selected := slices.DeleteFunc(slices.Clone(c.checks), func(check *Check) bool {
		return len(include) > 0 && !in[check] || out[check]
	})
	if len(selected) == 0 {
		return nil, fmt.Errorf("no check is left of %d; see 'postscan checks list'", len(c.checks))
	}
	return selected, nil
}

func (c *Catalogue) matches(patterns []string) (map[*Check]bool, error) {
	set := map[*Check]bool{}
	for _, p := range patterns {
		match, err := matcher(p)
		if err != nil {
			return nil, err
		}
		found := false
		for _, check := range c.checks {
			if match(check) {
				set[check], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("no check matches %q; see 'postscan checks list'", p)
		}
	}
	return set, nil
}

// matcher reads a pattern.
func matcher(pattern string) (func(*Check) bool, error) {
	key, value, ok := strings.Cut(pattern, ":")
	if !ok {
		glob := strings.ToUpper(pattern)
		if _, err := path.Match(glob, ""); err != nil {
			return nil, fmt.Errorf("check pattern %q: %w", pattern, err)
		}
		return func(c *Check) bool { m, _ := path.Match(glob, c.ID); return m }, nil
	}
	value = strings.ToLower(value)
	switch strings.ToLower(key) {
	case "subject":
		return func(c *Check) bool { return slices.Contains(c.Subjects(), facts.Kind(value)) }, nil
	case "severity":
		return func(c *Check) bool { return c.Severity == value }, nil
	case "framework":
		framework, control, one := strings.Cut(value, "/")
		return func(c *Check) bool {
			return slices.ContainsFunc(c.References, func(r Reference) bool {
				return r.Framework == framework && (!one || strings.EqualFold(r.Control, control))
			})
		}, nil
	default:
		return nil, fmt.Errorf("check pattern %q: use an id, a glob, subject:…, severity:… or framework:…", pattern)
	}
}
