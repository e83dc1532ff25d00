package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/postscan/postscan/scanner/facts"
)

// What facts.Writer writes keeps the published schema, for every kind; what it
// never writes does not.
func TestStreamKeepsItsSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "..", filepath.FromSlash(streamFile)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := facts.NewWriter(&out, facts.Header{Version: "1.0.0", Collected: time.Unix(0, 0).UTC()})
	if err != nil {
		t.Fatal(err)
	}
	steps := []error{w.Target(facts.Target{Kind: "image", Ref: "web:1"}), w.Source(facts.Source{Name: "vulnerability-db"})}
	for _, kind := range facts.Kinds() {
		steps = append(steps, w.Resource(&facts.Resource{Kind: kind, ID: "x", Facts: facts.New(kind), Missing: map[string]facts.Missing{"a": {Status: facts.Unknown}}}))
	}
	for _, err := range append(steps, w.Close(nil)) {
		if err != nil {
			t.Fatal(err)
		}
	}
	validate := func(line string) error {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(doc)
	}
	for line := range strings.Lines(out.String()) {
		if err := validate(line); err != nil {
			t.Errorf("%.100s…: %v", line, err)
		}
	}
	for _, line := range []string{
		`{}`,
		`{"trailer": {"complete": true, "resources": 0, "error": ""}, "source": {}}`,
		`{"toaster": {}}`,
		`{"resource": {"kind": "image", "id": "x", "facts": {}}}`,
	} {
		if validate(line) == nil {
			t.Errorf("%s keeps the schema", line)
		}
	}
}
