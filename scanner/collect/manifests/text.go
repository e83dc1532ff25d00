package manifests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner/collect/kube"
)

// object is one Kubernetes object of a text. value is nil for a kind that is
// not read.
type object struct {
	kind  string // "Deployment"; for kinds that are not read "Foo.example.com"
	value any
	place kube.Place
}

// maxDepth and maxFields bound the index of lines of one document, against
// texts that are made to be large when their aliases are followed.
const (
	maxDepth  = 100
	maxFields = 500_000
)

// parseText reads a text of one or more documents of YAML or JSON. What was
// read before an error is returned with it.
func parseText(data []byte) ([]object, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if looksLikeJSON(bytes.TrimLeft(data, " \t\r\n")) {
		return parseJSON(data)
	}
	var out []object
	var errs []error
	template := false
	for doc := range documents(data) {
		objects, err := parseYAML(doc)
		out = append(out, objects...)
		if err != nil {
			errs = append(errs, err)
			template = template || bytes.Contains(doc.text, []byte("{{"))
		}
	}
	if template {
		errs = append(errs, errors.New("it looks like a template; name the folder of its chart, or render it first"))
	}
	return out, errors.Join(errs...)
}

// looksLikeJSON tells a JSON object, or an array of them, from a flow collection
// of YAML by its first tokens.
func looksLikeJSON(t []byte) bool {
	if array, ok := bytes.CutPrefix(t, []byte("[")); ok {
		t = bytes.TrimLeft(array, " \t\r\n")
	}
	object, ok := bytes.CutPrefix(t, []byte("{"))
	object = bytes.TrimLeft(object, " \t\r\n")
	return ok && len(object) > 0 && (object[0] == '"' || object[0] == '}')
}

// document is one document of a YAML stream; line is that of its first line, from 0.
type document struct {
	text []byte
	line int
}

// documents splits a stream where kubectl does: at lines of "---" that hold
// nothing else but a comment.
func documents(data []byte) func(func(document) bool) {
	return func(yield func(document) bool) {
		start, startLine, line := 0, 0, 0
		for at := 0; at < len(data); line++ {
			end := len(data)
			if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
				end = at + i + 1
			}
			if rest, ok := bytes.CutPrefix(data[at:end], []byte("---")); ok {
				if rest = bytes.TrimSpace(rest); len(rest) == 0 || rest[0] == '#' {
					if !yield(document{data[start:at], startLine}) {
						return
					}
					start, startLine = end, line+1
				}
			}
			at = end
		}
		yield(document{data[start:], startLine})
	}
}

// parseYAML reads one document. The values are read as Kubernetes' own clients
// read them (YAML 1.1: yes is true), the lines by a parser that keeps them.
func parseYAML(doc document) ([]object, error) {
	if len(bytes.TrimSpace(doc.text)) == 0 {
		return nil, nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(doc.text))
	var node yaml.Node
	if err := dec.Decode(&node); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil // comments only
		}
		return nil, shiftLine(err, doc.line)
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, shiftLine(err, doc.line)
		}
		return nil, fmt.Errorf("line %d: documents are told apart by lines of --- alone; put what follows on a line of its own", doc.line+1)
	}
	raw, err := sigsyaml.YAMLToJSON(doc.text)
	if err != nil {
		return nil, shiftLine(err, doc.line)
	}
	if string(raw) == "null" {
		return nil, nil
	}
	ix := &indexer{lines: map[string]int{}, shift: doc.line}
	if err := ix.yaml(&node, "", 0); err != nil {
		return nil, fmt.Errorf("line %d: %w", doc.line+1, err)
	}
	return decode(raw, ix.lines)
}

// shiftLine makes the line of a parser's message count in the file.
func shiftLine(err error, shift int) error {
	text := err.Error()
	before, rest, found := strings.Cut(text, "line ")
	if !found {
		return fmt.Errorf("line %d: %s", shift+1, strings.TrimPrefix(text, "yaml: "))
	}
	n, i := 0, 0
	for ; i < len(rest) && rest[i] >= '0' && rest[i] <= '9' && i < 9; i++ {
		n = n*10 + int(rest[i]-'0')
	}
	before = strings.TrimPrefix(strings.TrimPrefix(before, "error converting YAML to JSON: "), "yaml: ")
	return fmt.Errorf("%sline %d%s", before, n+shift, rest[i:])
}

// indexer gathers the line of every field.
type indexer struct {
	lines   map[string]int
	shift   int
	merging bool
}

// put books a field. Of a key that stands twice the last one counts, as it does
// for the value; what is merged into a mapping yields to the mapping's own.
func (ix *indexer) put(path string, line int) error {
	if len(ix.lines) >= maxFields {
		return fmt.Errorf("the document has more than %d fields", maxFields)
	}
	if _, ok := ix.lines[path]; !ok || !ix.merging {
		ix.lines[path] = line
	}
	return nil
}

func (ix *indexer) yaml(n *yaml.Node, path string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("fields are nested more than %d deep", maxDepth)
	}
	switch n.Kind {
	case yaml.DocumentNode:
		for _, c := range n.Content {
			if err := ix.yaml(c, path, depth+1); err != nil {
				return err
			}
		}
	case yaml.AliasNode:
		return ix.yaml(n.Alias, path, depth+1)
	case yaml.MappingNode:
		if path == "" {
			if err := ix.put("", n.Line+ix.shift); err != nil {
				return err
			}
		}
		return ix.mapping(n, path, depth)
	case yaml.SequenceNode:
		for i, c := range n.Content {
			sub := kube.IndexPath(path, i)
			if err := ix.put(sub, c.Line+ix.shift); err != nil {
				return err
			}
			if err := ix.yaml(c, sub, depth+1); err != nil {
				return err
			}
		}
	default: // scalars are booked by what holds them
	}
	return nil
}

// mapping books the keys of a mapping; those of merged mappings come last, for
// the mapping's own win.
func (ix *indexer) mapping(n *yaml.Node, path string, depth int) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" {
			continue
		}
		sub := kube.FieldPath(path, key.Value)
		if err := ix.put(sub, key.Line+ix.shift); err != nil {
			return err
		}
		if err := ix.yaml(value, sub, depth+1); err != nil {
			return err
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag != "!!merge" {
			continue
		}
		merged := n.Content[i+1]
		if merged.Kind == yaml.AliasNode {
			merged = merged.Alias
		}
		list := []*yaml.Node{merged}
		if merged.Kind == yaml.SequenceNode {
			list = merged.Content
		}
		for _, m := range list {
			if m.Kind == yaml.AliasNode {
				m = m.Alias
			}
			if m.Kind != yaml.MappingNode || depth > maxDepth {
				continue
			}
			outer := ix.merging
			ix.merging = true
			err := ix.mapping(m, path, depth+1)
			ix.merging = outer
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// parseJSON reads one JSON object after another.
func parseJSON(data []byte) ([]object, error) {
	var out []object
	lines := newLineCounter(data)
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		start := dec.InputOffset()
		var raw json.RawMessage
		err := dec.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			offset := dec.InputOffset()
			if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
				offset = syntax.Offset
			}
			return out, fmt.Errorf("line %d: %w", lines.at(offset), err)
		}
		end := dec.InputOffset()
		from := end - int64(len(raw))
		ix := &indexer{lines: map[string]int{}}
		sub := json.NewDecoder(bytes.NewReader(data[from:end]))
		sub.UseNumber()
		if err := ix.json(sub, func() int { return lines.at(from + sub.InputOffset()) }, "", 0); err != nil {
			return out, fmt.Errorf("line %d: %w", lines.at(start), err)
		}
		objects, err := decode(raw, ix.lines)
		out = append(out, objects...)
		if err != nil {
			return out, err
		}
	}
}

// json walks the tokens of one value. line tells the line of the last token read.
func (ix *indexer) json(dec *json.Decoder, line func() int, path string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("fields are nested more than %d deep", maxDepth)
	}
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	if path == "" {
		ix.lines[""] = line()
	} else if strings.HasSuffix(path, "]") {
		if err := ix.put(path, line()); err != nil {
			return err
		}
	}
	switch tok {
	case json.Delim('{'):
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			sub := kube.FieldPath(path, name)
			if err := ix.put(sub, line()); err != nil {
				return err
			}
			if err := ix.json(dec, line, sub, depth+1); err != nil {
				return err
			}
		}
		_, err = dec.Token()
	case json.Delim('['):
		for i := 0; dec.More(); i++ {
			if err := ix.json(dec, line, kube.IndexPath(path, i), depth+1); err != nil {
				return err
			}
		}
		_, err = dec.Token()
	}
	return err
}

// lineCounter turns offsets, which only grow, into lines.
type lineCounter struct {
	data []byte
	pos  int64
	line int
}

func newLineCounter(data []byte) *lineCounter { return &lineCounter{data: data, line: 1} }

func (c *lineCounter) at(offset int64) int {
	offset = min(offset, int64(len(c.data)))
	if offset < c.pos {
		c.pos, c.line = 0, 1
	}
	c.line += bytes.Count(c.data[c.pos:offset], []byte("\n"))
	c.pos = offset
	return c.line
}
