package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"iter"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// JSON writes the report as one JSON document, whole whatever the options say.
// Each item of a list stands on its own line, so that two reports can be
// compared line by line. Items are written one after the other: there is never
// a second copy of the report in memory.
func JSON(w io.Writer, r *scanner.Report, _ Options) error {
	d := newDocument(w)
	d.field("schema", r.Schema)
	d.field("run", r.Run)
	writeList(d, "sources", r.Sources, func(s *facts.Source) any { return s })
	d.field("summary", r.Summary)
	writeList(d, "checks", r.Checks, func(c *scanner.CheckCount) any { return c.Document() })
	writeList(d, "packages", r.Packages, func(p *scanner.PackageEntry) any { return p })
	writeFindings(d, r.Findings)
	writeList(d, "gaps", r.Gaps, func(g *scanner.GapEntry) any { return g })
	writeList(d, "notices", r.Notices, func(n *scanner.Notice) any { return n })
	d.field("baseline", r.Baseline)
	writeIsolation(d, r.Isolation)
	if r.Images != nil {
		writeList(d, "images", r.Images, func(im *scanner.RunningImage) any { return im })
	}
	writeList(d, "compliance", r.Compliance, func(f *scanner.Framework) any { return f })
	if r.Outcomes != nil {
		writeList(d, "outcomes", r.Outcomes, func(o *scanner.OutcomeEntry) any { return o })
	}
	return d.close()
}

// document writes the fields of one JSON object in the order of the calls. The
// first error sticks and is returned by close.
type document struct {
	w    *bufio.Writer
	buf  bytes.Buffer
	enc  *json.Encoder
	open bool // a field was written
	err  error
}

func newDocument(w io.Writer) *document {
	d := &document{w: bufio.NewWriterSize(w, 1<<16)}
	d.enc = json.NewEncoder(&d.buf)
	d.enc.SetEscapeHTML(false)
	return d
}

func (d *document) field(name string, value any) {
	d.name(name)
	d.value(value)
}

func (d *document) name(name string) {
	if d.open {
		d.text(",\n")
	} else {
		d.text("{\n")
		d.open = true
	}
	d.text(`"` + name + `": `)
}

func (d *document) value(value any) { d.encode(value, "\n") }

// begin writes an object without its closing brace, so that fields that are too
// large to be held can follow.
func (d *document) begin(object any) { d.encode(object, "}\n") }

// encode writes a value without the end that the encoder gives it.
func (d *document) encode(value any, end string) {
	if d.err != nil {
		return
	}
	d.buf.Reset()
	if d.err = d.enc.Encode(value); d.err == nil {
		_, d.err = d.w.Write(literalReplacement(bytes.TrimSuffix(d.buf.Bytes(), []byte(end))))
	}
}

// elements writes a list whose items are made one by one.
func elements[T any](d *document, items iter.Seq[T]) {
	d.text("[")
	first := true
	for item := range items {
		if !first {
			d.text(",")
		}
		first = false
		d.value(item)
	}
	d.text("]")
}

func (d *document) text(s string) {
	if d.err == nil {
		_, d.err = d.w.WriteString(s)
	}
}

func (d *document) close() error {
	d.text("\n}\n")
	return d.flush()
}

func (d *document) flush() error {
	if d.err != nil {
		return d.err
	}
	return d.w.Flush()
}

func writeList[T any](d *document, name string, items []T, view func(*T) any) {
	d.name(name)
	d.text("[")
	for i := range items {
		if i > 0 {
			d.text(",")
		}
		d.text("\n")
		d.value(view(&items[i]))
	}
	if len(items) > 0 {
		d.text("\n")
	}
	d.text("]")
}

// literalReplacement turns the escape \ufffd, which the encoder writes for a
// byte that is no UTF-8, into the character itself, as the encoder writes it
// once the report was read back: so both times the bytes are the same. Facts are
// normalised; the names of files on the command line are not, and stand in notices.
func literalReplacement(b []byte) []byte {
	const escape = `\ufffd`
	if !bytes.Contains(b, []byte(escape)) {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != '\\':
			out = append(out, b[i])
		case bytes.HasPrefix(b[i:], []byte(escape)):
			out = append(out, "\uFFFD"...)
			i += len(escape) - 1
		default: // another escape: the backslash belongs to the next byte
			out = append(out, b[i], b[i+1])
			i++
		}
	}
	return out
}
