package report

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// Findings are written as the encoder writes them, whatever stands in them.
func TestFindingsAsTheEncoderWritesThem(t *testing.T) {
	kev := true
	texts := []string{"", "plain", `"quoted" \ back`, "<a href='x'>&amp;</a>", "tab\tline\nreturn\r\x00\x1f\x7f", "ü 日本 \u2028 \u2029 \U0001f600", "\xff no UTF-8 \xc3", `\ufffd`, "\ufffd"}
	values := []any{nil, true, false, "x", "ü", int64(-3), 0.5, json.Number("1e3"), []any{"a", int64(1), nil}, map[string]any{"b": "<", "a": []any{}}, json.Number("12345678901234567890")}
	plain := &scanner.Rule{ID: "PS-X-001", Title: "T", Remediation: "R.\nTwo lines – with a dash.", References: []scanner.Reference{{Framework: "cwe", Control: "250"}, {Framework: "url", Control: "https://example.com/?a=1&b=2"}}}
	bare := &scanner.Rule{ID: "PS-X-002"}
	var findings []scanner.Finding
	for i, text := range texts {
		for j, value := range values {
			f := scanner.Finding{
				Rule: plain, Severity: scanner.Severity(i % 6), Target: text, Resource: scanner.ResourceRef{Kind: facts.Kind(text), ID: text}, Message: text, Key: text, Fingerprint: text,
				Evidence: []scanner.Evidence{{Path: text, Value: value}}, Origin: facts.Origin{File: text, Line: j - 1, Rendered: j%2 == 0}, Baseline: text,
			}
			switch j {
			case 0:
				f.Rule, f.Evidence = bare, nil
			case 1:
				f.Evidence = []scanner.Evidence{}
			case 2:
				f.Evidence = append(f.Evidence, scanner.Evidence{Path: "second", Value: text})
			case 3:
				f.Layer = &scanner.LayerRef{Index: 1, Digest: text}
			case 4:
				f.Suppressed = &scanner.Suppression{By: "waiver", Reason: text}
			case 5:
				f.Vulnerability = &scanner.Vulnerability{KEV: &kev}
				f.Vulnerability.ID = text
			}
			findings = append(findings, f)
		}
	}
	for _, list := range [][]scanner.Finding{nil, findings[:1], findings} {
		var got, want bytes.Buffer
		d := newDocument(&got)
		writeFindings(d, list)
		if err := d.close(); err != nil {
			t.Fatal(err)
		}
		d = newDocument(&want)
		writeList(d, "findings", list, func(f *scanner.Finding) any { return f.Document() })
		if err := d.close(); err != nil {
			t.Fatal(err)
		}
		g, w := bytes.Split(got.Bytes(), []byte("\n")), bytes.Split(want.Bytes(), []byte("\n"))
		for i := range min(len(g), len(w)) {
			if !bytes.Equal(g[i], w[i]) {
				t.Fatalf("line %d:\n%s\nwant\n%s", i, g[i], w[i])
			}
		}
		if len(g) != len(w) {
			t.Fatalf("%d lines, want %d", len(g), len(w))
		}
	}
	var out bytes.Buffer
	d := newDocument(&out)
	writeFindings(d, []scanner.Finding{{Rule: plain, Evidence: []scanner.Evidence{{Value: func() {}}}}})
	if d.close() == nil {
		t.Error("a value that is no JSON is no error")
	}
}
