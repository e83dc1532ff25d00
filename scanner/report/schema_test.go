package report_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/report"
)

// The published schema holds for what is written, and refuses what is not a report.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("schema/report.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	withOutcomes := sample()
	withOutcomes.Outcomes = []scanner.OutcomeEntry{{Check: "PS-IMG-001", Status: scanner.Pass, Reasons: []string{}}}
	for name, rep := range map[string]*scanner.Report{"sample": sample(), "clean": cleanSample(), "outcomes": withOutcomes, "workloads": workloadSample()} {
		if err := schema.Validate(decode(t, write(t, rep, "json", report.Options{}))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(doc map[string]any){
		"no findings":       func(doc map[string]any) { delete(doc, "findings") },
		"unknown severity":  func(doc map[string]any) { first(doc)["severity"] = "awful" },
		"no fingerprint":    func(doc map[string]any) { delete(first(doc), "fingerprint") },
		"evidence is a map": func(doc map[string]any) { first(doc)["evidence"] = map[string]any{} },
	} {
		doc := decode(t, write(t, sample(), "json", report.Options{}))
		change(doc)
		if schema.Validate(doc) == nil {
			t.Errorf("%s: the schema allows it", name)
		}
	}
}

func first(doc map[string]any) map[string]any {
	return doc["findings"].([]any)[0].(map[string]any)
}

func decode(t *testing.T, b []byte) map[string]any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var doc map[string]any
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc
}
