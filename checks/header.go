package checks

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// header is what stands above a policy's rules: its METADATA and package.
type header struct {
	found       bool // there is a METADATA block
	custom      bool // it has custom fields: this is a check, not a library
	pkg         string
	pkgLine     int
	line        int // of "# METADATA"
	title       string
	description string
	related     []RelatedResource
	schemas     map[string]string
	id          string
	severity    string
	severities  []string
	needs       []located
	optional    []located
	params      []locatedParam
	required    []located // parameters
	remediation string
	references  []locatedReference
	since       string
	decidedBy   string
	partOf      string         // the id of the check that this file decides for another kind of resource
	lines       map[string]int // line of each custom field
}

// located is a text with its line.
type located struct {
	text string
	line int
}

type locatedParam struct {
	Param
	line int
}

type locatedReference struct {
	Reference
	line int
}

// parseHeader reads the METADATA block and the package of a file. Its YAML is
// what OPA's own parser sees, read here strictly and with lines.
func parseHeader(file, src string) (header, Problems) {
	h := header{lines: map[string]int{}, schemas: map[string]string{}}
	var text strings.Builder
	block := false
	n := 0
	for line := range strings.Lines(src) {
		n++
		line = strings.TrimRight(line, "\r\n")
		comment, isComment := strings.CutPrefix(line, "#")
		switch {
		case block && isComment:
			text.WriteString(strings.TrimPrefix(comment, " "))
			text.WriteByte('\n')
			continue
		case isComment && strings.TrimSpace(comment) == "METADATA" && !h.found:
			h.found, h.line, block = true, n, true
			continue
		}
		block = false
		if rest, ok := strings.CutPrefix(line, "package "); ok {
			h.pkg, _, _ = strings.Cut(rest, "#")
			h.pkg, h.pkgLine = strings.TrimSpace(h.pkg), n
			break
		}
	}
	p := headerParser{file: file, h: &h}
	switch {
	case h.pkg == "":
		p.problem(0, "has no package statement of the form \"package postscan.<subject>.<name>\"")
	case h.found:
		p.parse(text.String())
	}
	return h, p.problems
}

// headerParser walks the YAML nodes, so that every problem has its line.
type headerParser struct {
	file     string
	h        *header
	problems Problems
}

func (p *headerParser) problem(line int, format string, args ...any) {
	p.problems = append(p.problems, Problem{File: p.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// at is the line in the file of a YAML node.
func (p *headerParser) at(n *yaml.Node) int { return p.h.line + n.Line }

func (p *headerParser) parse(text string) {
	root, err := readMetadata(text)
	if err != nil {
		p.problem(p.h.line, "METADATA is not YAML: %v", err)
		return
	}
	if root == nil {
		p.problem(p.h.line, "METADATA is empty")
		return
	}
	p.fields(root, "METADATA", func(key, value *yaml.Node) bool {
		switch key.Value {
		case "scope":
			if s := p.text(key, value); s != "package" {
				p.problem(p.at(value), "scope is %q; a check's METADATA has scope: package", s)
			}
		case "title":
			p.h.title = p.text(key, value)
		case "description":
			p.h.description = p.text(key, value)
		case "related_resources":
			p.list(key, value, p.related)
		case "schemas":
			p.list(key, value, p.schema)
		case "custom":
			p.h.custom = true
			p.fields(value, "custom", p.customField)
		default:
			return false
		}
		return true
	})
}

func (p *headerParser) customField(key, value *yaml.Node) bool {
	p.h.lines[key.Value] = p.at(key)
	switch key.Value {
	case "id":
		p.h.id = p.text(key, value)
	case "severity":
		p.h.severity = p.text(key, value)
	case "severities":
		p.list(key, value, func(n *yaml.Node) { p.h.severities = append(p.h.severities, p.text(key, n)) })
	case "needs":
		p.list(key, value, func(n *yaml.Node) { p.h.needs = append(p.h.needs, located{p.text(key, n), p.at(n)}) })
	case "optional":
		p.list(key, value, func(n *yaml.Node) { p.h.optional = append(p.h.optional, located{p.text(key, n), p.at(n)}) })
	case "params":
		p.list(key, value, p.param)
	case "requires_params":
		p.list(key, value, func(n *yaml.Node) { p.h.required = append(p.h.required, located{p.text(key, n), p.at(n)}) })
	case "remediation":
		p.h.remediation = p.text(key, value)
	case "references":
		p.references(value)
	case "since":
		p.h.since = p.text(key, value)
	case "part_of":
		p.h.partOf = p.text(key, value)
	case "decided_by":
		p.h.decidedBy = p.text(key, value)
	default:
		return false
	}
	return true
}

// fields hands every pair of a mapping to known, and reports those that it does
// not know and those that stand twice.
func (p *headerParser) fields(n *yaml.Node, what string, known func(key, value *yaml.Node) bool) {
	if n.Kind != yaml.MappingNode {
		p.problem(p.at(n), "%s must be a mapping of fields", what)
		return
	}
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if slices.Contains(seen, key.Value) {
			p.problem(p.at(key), "%s has the field %q twice", what, key.Value)
		}
		seen = append(seen, key.Value)
		if !known(key, value) {
			p.problem(p.at(key), "%s has the unknown field %q", what, key.Value)
		}
	}
}

// text is a scalar, its white space tidied at the ends.
func (p *headerParser) text(key, n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		p.problem(p.at(n), "%s must be a text", key.Value)
		return ""
	}
	return strings.TrimSpace(n.Value)
}

func (p *headerParser) list(key, n *yaml.Node, each func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		p.problem(p.at(n), "%s must be a list", key.Value)
		return
	}
	for _, e := range n.Content {
		each(e)
	}
}

func (p *headerParser) related(n *yaml.Node) {
	r := RelatedResource{}
	if n.Kind == yaml.ScalarNode {
		r.Ref = n.Value
	} else {
		p.fields(n, "related_resources", func(key, value *yaml.Node) bool {
			switch key.Value {
			case "ref":
				r.Ref = p.text(key, value)
			case "description":
				r.Description = p.text(key, value)
			default:
				return false
			}
			return true
		})
	}
	if u, err := url.Parse(r.Ref); err != nil || u.Scheme != "https" || u.Host == "" {
		p.problem(p.at(n), "related_resources: %q is no https address", r.Ref)
	}
	p.h.related = append(p.h.related, r)
}

func (p *headerParser) schema(n *yaml.Node) {
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 {
		p.problem(p.at(n), "schemas must be a list of \"input: schema[\\\"<subject>\\\"]\"")
		return
	}
	p.h.schemas[n.Content[0].Value] = n.Content[1].Value
}

func (p *headerParser) param(n *yaml.Node) {
	lp := locatedParam{line: p.at(n)}
	var def *yaml.Node
	p.fields(n, "params", func(key, value *yaml.Node) bool {
		switch key.Value {
		case "name":
			lp.Name = p.text(key, value)
		case "type":
			lp.Type = p.text(key, value)
		case "default":
			def = value
		case "description":
			lp.Description = p.text(key, value)
		default:
			return false
		}
		return true
	})
	if def == nil {
		p.problem(lp.line, "parameter %q has no default", lp.Name)
		return
	}
	var v any
	if err := def.Decode(&v); err != nil {
		p.problem(p.at(def), "parameter %q: default: %v", lp.Name, err)
		return
	}
	var err error
	if lp.Default, err = lp.Value(v); err != nil && slices.Contains(paramTypes(), lp.Type) {
		p.problem(p.at(def), "default: %v", err)
		return
	}
	p.h.params = append(p.h.params, lp)
}

func (p *headerParser) references(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.problem(p.at(n), "references must map frameworks to lists of controls")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		p.list(key, n.Content[i+1], func(c *yaml.Node) {
			p.h.references = append(p.h.references, locatedReference{Reference{key.Value, p.text(key, c)}, p.at(c)})
		})
	}
}

// paramTypes are the types that a parameter may have.
func paramTypes() []string {
	return []string{TypeString, TypeInteger, TypeNumber, TypeBoolean, TypeStrings}
}
