package inventory

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/aquasecurity/trivy/pkg/fanal/secret"
)

var writeSecretTable = flag.Bool("write-secret-table", false, "write secrettable.json anew from trivy's rules")

// TestSecretTable holds the table to the rules of the pinned trivy.
func TestSecretTable(t *testing.T) {
	expr := func(r *secret.Regexp) string {
		if r == nil {
			return ""
		}
		return r.String()
	}
	var table []tableRule
	for _, r := range secret.GetBuiltinRules() {
		if len(r.ExcludeBlock.Regexes) > 0 {
			t.Errorf("%s leaves out blocks of text, which the table cannot say", r.ID)
		}
		row := tableRule{
			ID: r.ID, Category: string(r.Category), Title: r.Title, Severity: r.Severity, Regex: expr(r.Regex),
			Group: r.SecretGroupName, Keywords: r.Keywords, Path: expr(r.Path),
		}
		for _, a := range r.AllowRules {
			row.Allow = append(row.Allow, tableAllow{Path: expr(a.Path), Match: expr(a.Regex)})
		}
		table = append(table, row)
	}
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(table); err != nil {
		t.Fatal(err)
	}
	if *writeSecretTable {
		if err := os.WriteFile("secrettable.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(secretTable, want.Bytes()) {
		t.Error("secrettable.json is not what trivy's rules say: run go generate ./scanner/inventory")
	}
	if rules, err := readSecretTable(secretTable); err != nil || len(rules) < 50 {
		t.Errorf("%d rules, %v", len(rules), err)
	}
}
