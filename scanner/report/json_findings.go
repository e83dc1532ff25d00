package report

import (
	"bytes"
	"strconv"

	"github.com/postscan/postscan/scanner"
)

// findingWriter writes findings as the encoder writes their documents, byte for
// byte, in a third of the time: they are most of a large report. The texts of a
// check, which each of its findings repeats, are encoded once.
type findingWriter struct {
	d     *document
	rules map[*scanner.Rule]ruleText
	buf   []byte
}

// ruleText is what a finding holds of its check, encoded.
type ruleText struct{ id, title, remediation, references []byte }

func writeFindings(d *document, findings []scanner.Finding) {
	w := &findingWriter{d: d, rules: map[*scanner.Rule]ruleText{}}
	d.name("findings")
	d.text("[")
	for i := range findings {
		if i > 0 {
			d.text(",")
		}
		d.text("\n")
		w.finding(&findings[i])
	}
	if len(findings) > 0 {
		d.text("\n")
	}
	d.text("]")
}

func (w *findingWriter) finding(f *scanner.Finding) {
	rule, ok := w.rules[f.Rule]
	if !ok {
		doc := f.Document()
		rule = ruleText{w.encoded(doc.Check), w.encoded(doc.Title), w.encoded(doc.Remediation), w.encoded(doc.References)}
		w.rules[f.Rule] = rule
	}
	w.buf = w.buf[:0]
	w.raw(`{"check":`, rule.id)
	w.text(`,"severity":`, f.Severity.String())
	w.raw(`,"title":`, rule.title)
	w.text(`,"target":`, f.Target)
	w.text(`,"resource":{"kind":`, string(f.Resource.Kind))
	w.text(`,"id":`, f.Resource.ID)
	w.text(`},"message":`, f.Message)
	w.evidence(f.Evidence)
	w.text(`,"key":`, f.Key)
	w.text(`,"fingerprint":`, f.Fingerprint)
	w.text(`,"origin":{"file":`, f.Origin.File)
	w.buf = strconv.AppendInt(append(w.buf, `,"line":`...), int64(f.Origin.Line), 10)
	w.buf = strconv.AppendBool(append(w.buf, `,"rendered":`...), f.Origin.Rendered)
	w.buf = append(w.buf, '}')
	w.optional(`,"layer":`, f.Layer, f.Layer == nil)
	w.optional(`,"vulnerability":`, f.Vulnerability, f.Vulnerability == nil)
	w.raw(`,"remediation":`, rule.remediation)
	w.raw(`,"references":`, rule.references)
	w.optional(`,"suppressed":`, f.Suppressed, f.Suppressed == nil)
	w.text(`,"baseline":`, f.Baseline)
	w.buf = append(w.buf, '}')
	if w.d.err == nil {
		_, w.d.err = w.d.w.Write(w.buf)
	}
}

func (w *findingWriter) raw(name string, value []byte) {
	w.buf = append(append(w.buf, name...), value...)
}

// text writes a text; only one that holds nothing to escape is written here.
func (w *findingWriter) text(name, value string) {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			w.raw(name, w.encoded(value))
			return
		}
	}
	w.buf = append(append(append(append(w.buf, name...), '"'), value...), '"')
}

func (w *findingWriter) optional(name string, value any, absent bool) {
	if absent {
		w.buf = append(append(w.buf, name...), "null"...)
		return
	}
	w.raw(name, w.encoded(value))
}

func (w *findingWriter) evidence(list []scanner.Evidence) {
	if list == nil {
		w.buf = append(w.buf, `,"evidence":null`...)
		return
	}
	w.buf = append(w.buf, `,"evidence":[`...)
	for i := range list {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.text(`{"path":`, list[i].Path)
		switch value := list[i].Value.(type) {
		case string:
			w.text(`,"value":`, value)
		case bool:
			w.buf = strconv.AppendBool(append(w.buf, `,"value":`...), value)
		default:
			w.raw(`,"value":`, w.encoded(value))
		}
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, ']')
}

// encoded is a value as the document's encoder writes it, in bytes of its own.
func (w *findingWriter) encoded(value any) []byte {
	if w.d.err != nil {
		return nil
	}
	w.d.buf.Reset()
	if w.d.err = w.d.enc.Encode(value); w.d.err != nil {
		return nil
	}
	return bytes.Clone(literalReplacement(bytes.TrimSuffix(w.d.buf.Bytes(), []byte("\n"))))
}
