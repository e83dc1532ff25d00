package checks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxProfile bounds a profile: nobody writes more by hand.
const maxProfile = 1 << 20

// Profile is what a team decides about checks, as a YAML file says it: which of
// them judge, how severe what they find is, and the parameters that they take.
// [Profile.Resolve] holds it against a catalogue.
type Profile struct {
	// Name is what errors and reports call it: the file's name.
	Name             string
	include, exclude []marked
	severities       []profileSeverity
	params           []profileParam
}

// profileSeverity is the severity of one check. all is set, or byLevel.
type profileSeverity struct {
	id      marked
	all     marked
	byLevel [][2]marked // what the check says, what it counts as
}

type profileParam struct {
	name  marked
	value any
}

// marked is a text with the line where it stands.
type marked struct {
	text string
	line int
}

// Levels say what the severities of a check count as, by the names that the
// check itself uses. One that is not in it stays as it is.
type Levels map[string]string

// Of returns what a severity counts as.
func (l Levels) Of(severity string) string {
	if s, ok := l[severity]; ok {
		return s
	}
	return severity
}

// Resolved is a profile whose names are all known.
type Resolved struct {
	// Include and Exclude are patterns for [Catalogue.Select].
	Include, Exclude []string
	// Severities are by the id of the check.
	Severities map[string]Levels
	// Params are by name, of the Go types of [Param.Default].
	Params map[string]any
}

// ReadProfile reads a profile; name is what errors call it. An empty file is a
// profile that changes nothing. The error is [Problems], with lines, where the
// file is not of the form
//
//	checks:
//	  include: [framework:nist-800-190, PS-K8S-*]
//	  exclude: [PS-IMG-021]
//	severities:
//	  PS-IMG-001: high                    # whatever the check says
//	  PS-K8S-009: {critical: high}        # one of several
//	params:
//	  allowed_registries: [registry.example]
func ReadProfile(r io.Reader, name string) (*Profile, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxProfile+1))
	if err != nil {
		return nil, fmt.Errorf("read the profile %s: %w", name, err)
	}
	if len(raw) > maxProfile {
		return nil, fmt.Errorf("read the profile %s: it is larger than %d MiB", name, maxProfile>>20)
	}
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	err = dec.Decode(&doc)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the profile %s: %w", name, err)
	}
	if err == nil && !errors.Is(dec.Decode(new(yaml.Node)), io.EOF) {
		return nil, fmt.Errorf("read the profile %s: something follows the end of the YAML document (---): put it into one", name)
	}
	p := &profileReader{profile: &Profile{Name: name}}
	if len(doc.Content) > 0 && doc.Content[0].Tag != "!!null" {
		p.mapping(doc.Content[0], map[string]func(key marked, n *yaml.Node){
			"checks":     p.checks,
			"severities": p.severities,
			"params":     p.params,
		})
	}
	return p.profile, p.problems.orNil()
}

// profileReader gathers what is wrong with a file.
type profileReader struct {
	profile  *Profile
	problems Problems
}

func (p *profileReader) problem(line int, format string, args ...any) {
	p.problems = append(p.problems, Problem{File: p.profile.Name, Line: line, Text: fmt.Sprintf(format, args...)})
}

// mapping hands each value to the reader of its key. A key that has none, or
// that stands twice, is a problem. The reader of "" takes every other key.
func (p *profileReader) mapping(n *yaml.Node, readers map[string]func(key marked, n *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.problem(n.Line, "a mapping is expected here: lines of the form \"name: value\"")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := marked{n.Content[i].Value, n.Content[i].Line}
		read, ok := readers[key.text]
		if !ok {
			read, ok = readers[""]
		}
		switch {
		case seen[key.text]:
			p.problem(key.line, "%q stands twice", key.text)
		case !ok:
			known := make([]string, 0, len(readers))
			for k := range readers {
				known = append(known, k)
			}
			slices.Sort(known)
			p.problem(key.line, "there is no field %q here: use %s", key.text, strings.Join(known, ", "))
		default:
			read(key, n.Content[i+1])
		}
		seen[key.text] = true
	}
}

func (p *profileReader) checks(_ marked, n *yaml.Node) {
	p.mapping(n, map[string]func(marked, *yaml.Node){
		"include": func(_ marked, n *yaml.Node) { p.profile.include = p.texts(n) },
		"exclude": func(_ marked, n *yaml.Node) { p.profile.exclude = p.texts(n) },
	})
}

// texts reads a list of texts.
func (p *profileReader) texts(n *yaml.Node) []marked {
	if n.Kind != yaml.SequenceNode {
		p.problem(n.Line, "a list is expected here, as [PS-IMG-001, PS-K8S-*]")
		return nil
	}
	var out []marked
	for _, e := range n.Content {
		if e.Kind != yaml.ScalarNode || e.Value == "" {
			p.problem(e.Line, "a list of plain values is expected")
			continue
		}
		out = append(out, marked{e.Value, e.Line})
	}
	return out
}

func (p *profileReader) severities(_ marked, n *yaml.Node) {
	p.mapping(n, map[string]func(marked, *yaml.Node){"": func(id marked, n *yaml.Node) {
		s := profileSeverity{id: id}
		if n.Kind == yaml.ScalarNode {
			s.all = p.level(n)
			p.profile.severities = append(p.profile.severities, s)
			return
		}
		p.mapping(n, map[string]func(marked, *yaml.Node){"": func(from marked, n *yaml.Node) {
			if n.Kind != yaml.ScalarNode {
				p.problem(n.Line, "a severity is expected: %s", strings.Join(severities(), ", "))
				return
			}
			s.byLevel = append(s.byLevel, [2]marked{{strings.ToLower(from.text), from.line}, p.level(n)})
		}})
		p.profile.severities = append(p.profile.severities, s)
	}})
}

// level reads a severity.
func (p *profileReader) level(n *yaml.Node) marked {
	m := marked{strings.ToLower(n.Value), n.Line}
	if !slices.Contains(severities(), m.text) {
		p.problem(n.Line, "severity %q: use one of %s", n.Value, strings.Join(severities(), ", "))
	}
	return m
}

func (p *profileReader) params(_ marked, n *yaml.Node) {
	p.mapping(n, map[string]func(marked, *yaml.Node){"": func(name marked, n *yaml.Node) {
		var value any
		if err := n.Decode(&value); err != nil {
			p.problem(n.Line, "parameter %s: %s", name.text, err)
			return
		}
		p.profile.params = append(p.profile.params, profileParam{name, value})
	}})
}

// Resolve looks the profile's names up. A pattern that matches no check, a check
// or parameter that there is none of, a severity that the check does not have, and
// a value of another type are [Problems], with their lines.
func (p *Profile) Resolve(c *Catalogue) (*Resolved, error) {
	out := &Resolved{Severities: map[string]Levels{}, Params: map[string]any{}}
	var problems Problems
	problem := func(line int, format string, args ...any) {
		problems = append(problems, Problem{File: p.Name, Line: line, Text: fmt.Sprintf(format, args...)})
	}
	patterns := func(list []marked) (texts []string) {
		for _, m := range list {
			if _, err := c.matches([]string{m.text}); err != nil {
				problem(m.line, "%s", err)
				continue
			}
			texts = append(texts, m.text)
		}
		return texts
	}
	out.Include, out.Exclude = patterns(p.include), patterns(p.exclude)
	for _, s := range p.severities {
		check, ok := c.Lookup(s.id.text)
		if !ok {
			problem(s.id.line, "there is no check %q; see 'postscan checks list'", s.id.text)
			continue
		}
		levels, err := s.levels(check)
		if err != nil {
			problem(s.id.line, "%s", err)
		}
		out.Severities[check.ID] = levels
	}
	params := map[string]Param{}
	for _, param := range c.Params() {
		params[param.Name] = param
	}
	for _, given := range p.params {
		param, ok := params[given.name.text]
		if !ok {
			problem(given.name.line, "no check takes a parameter %q; see 'postscan checks explain'", given.name.text)
			continue
		}
		value, err := param.Value(given.value)
		if err != nil {
			problem(given.name.line, "%s", err)
			continue
		}
		out.Params[param.Name] = value
	}
	if err := problems.orNil(); err != nil {
		return nil, err
	}
	return out, nil
}

// levels are what the check's severities count as.
func (s profileSeverity) levels(check *Check) (Levels, error) {
	own := check.Severities
	if len(own) == 0 {
		own = []string{check.Severity}
	}
	out := Levels{}
	if s.all.text != "" {
		for _, level := range own {
			out[level] = s.all.text
		}
		return out, nil
	}
	var errs []error
	for _, pair := range s.byLevel {
		if !slices.Contains(own, pair[0].text) {
			errs = append(errs, fmt.Errorf("%s is never %s: it is %s", check.ID, pair[0].text, strings.Join(own, ", ")))
		}
		out[pair[0].text] = pair[1].text
	}
	return out, errors.Join(errs...)
}
