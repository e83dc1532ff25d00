package checks

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Reading the METADATA of some 250 policies with the YAML library takes longer than
// all else that a short command does. Nearly all of it is written in the same plain
// way, so that part of YAML is read here: mappings and lists by indentation, lists in
// brackets on one line, literal blocks, and texts on one line. Whatever else there is,
// mistakes among it, is left to the library.

// readMetadata reads YAML into the nodes that the library would make: their kind,
// value and line. The error is the library's.
func readMetadata(text string) (*yaml.Node, error) {
	if r := newPlainReader(text); r != nil {
		if n := r.block(0); n != nil && r.at == len(r.lines) {
			return n, nil
		}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// plainReader goes through lines. Its methods return nil where something else stands
// than it knows.
type plainReader struct {
	lines []string
	at    int
}

// newPlainReader is nil for texts with characters that mean something of their own to
// YAML, and for one whose last line has no end.
func newPlainReader(text string) *plainReader {
	if !strings.HasSuffix(text, "\n") {
		return nil
	}
	for _, r := range text {
		switch {
		case r == '\n', r >= ' ' && r <= '~':
		case r < 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r == utf8.RuneError, r > 0xfffd:
			return nil
		}
	}
	return &plainReader{lines: strings.Split(strings.TrimRight(text, "\n"), "\n")}
}

// indent is how far the line that comes next is indented; -1 at the end. Blank lines
// are left to the library, except in literal blocks.
func (r *plainReader) indent() int {
	if r.at == len(r.lines) {
		return -1
	}
	line := r.lines[r.at]
	return len(line) - len(strings.TrimLeft(line, " "))
}

func isItem(text string) bool { return strings.HasPrefix(text, "- ") }

// block is a mapping or list whose lines are indented so far.
func (r *plainReader) block(indent int) *yaml.Node {
	if r.indent() != indent {
		return nil
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Line: r.at + 1}
	if isItem(r.lines[r.at][indent:]) {
		n.Kind = yaml.SequenceNode
	}
	for r.indent() == indent {
		text := r.lines[r.at][indent:]
		if isItem(text) != (n.Kind == yaml.SequenceNode) {
			return n // a list may be indented as the key that it belongs to is
		}
		if n.Kind == yaml.MappingNode {
			key, value := r.entry(indent)
			if value == nil {
				return nil
			}
			n.Content = append(n.Content, key, value)
			continue
		}
		item := text[2:]
		var value *yaml.Node
		if _, _, ok := cutKey(item); ok {
			r.lines[r.at] = strings.Repeat(" ", indent+2) + item
			value = r.block(indent + 2)
		} else {
			value = r.value(item, indent)
		}
		if value == nil {
			return nil
		}
		n.Content = append(n.Content, value)
	}
	if r.indent() > indent {
		return nil
	}
	return n
}

// cutKey splits "key: value", and "key:" with nothing behind it.
func cutKey(text string) (key, value string, ok bool) {
	end := strings.IndexByte(text, ':')
	if end < 1 || end+1 < len(text) && text[end+1] != ' ' {
		return "", "", false
	}
	for i := range end {
		if c := text[i] | 0x20; (c < 'a' || c > 'z') && (text[i] < '0' || text[i] > '9' || i == 0) && text[i] != '_' && (text[i] != '-' || i == 0) {
			return "", "", false
		}
	}
	return text[:end], strings.TrimPrefix(text[end+1:], " "), true
}

func (r *plainReader) entry(indent int) (key, value *yaml.Node) {
	name, text, ok := cutKey(r.lines[r.at][indent:])
	if !ok {
		return nil, nil
	}
	key = &yaml.Node{Kind: yaml.ScalarNode, Value: name, Line: r.at + 1}
	if text != "" {
		return key, r.value(text, indent)
	}
	r.at++
	next := r.indent()
	if next > indent || next == indent && isItem(r.lines[r.at][indent:]) {
		return key, r.block(next)
	}
	return nil, nil
}

// value is what stands behind a key or in a list, on the line that comes next.
func (r *plainReader) value(text string, indent int) *yaml.Node {
	if text == "|" {
		return r.literal(indent)
	}
	n := inBrackets(text)
	if n == nil {
		n = scalar(text, "")
	}
	if n == nil {
		return nil
	}
	n.Line = r.at + 1
	for _, item := range n.Content {
		item.Line = n.Line
	}
	r.at++
	if next := r.indent(); next > indent { // it goes on
		return nil
	}
	return n
}

// scalar is a text on one line, as it is or in double quotes, without any of the
// characters of not.
func scalar(text, not string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	if text == "" || strings.TrimSpace(text) != text {
		return nil
	}
	if text[0] == '"' {
		n.Style, n.Value = yaml.DoubleQuotedStyle, strings.TrimSuffix(text[1:], `"`)
		if len(n.Value)+2 != len(text) || strings.ContainsAny(n.Value, `"\`) {
			return nil
		}
		return n
	}
	if strings.IndexByte("-?:,[]{}#&*!|>'%@`=<~", text[0]) >= 0 || strings.Contains(text, ": ") || strings.HasSuffix(text, ":") || strings.Contains(text, " #") || strings.ContainsAny(text, not) {
		return nil
	}
	return n
}

// inBrackets is a list on one line.
func inBrackets(text string) *yaml.Node {
	inner, ok := strings.CutPrefix(text, "[")
	if !ok {
		return nil
	}
	if inner, ok = strings.CutSuffix(inner, "]"); !ok {
		return nil
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	if inner == "" {
		return n
	}
	for item := range strings.SplitSeq(inner, ",") { // a quoted text with a comma is no whole text then
		value := scalar(strings.TrimPrefix(item, " "), "[]{}:,")
		if value == nil {
			return nil
		}
		n.Content = append(n.Content, value)
	}
	return n
}

// literal is the text of a block behind "|".
func (r *plainReader) literal(indent int) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.LiteralStyle, Line: r.at + 1}
	r.at++
	inner := r.indent()
	if inner <= indent || r.lines[r.at][inner:] == "" {
		return nil
	}
	var text strings.Builder
	blank := 0
	for ; r.at < len(r.lines); r.at++ {
		line := r.lines[r.at]
		if line == "" {
			blank++
			continue
		}
		if r.indent() < inner || strings.TrimLeft(line, " ") == "" {
			break
		}
		text.WriteString(strings.Repeat("\n", blank))
		text.WriteString(line[inner:])
		text.WriteByte('\n')
		blank = 0
	}
	n.Value = text.String()
	return n
}
