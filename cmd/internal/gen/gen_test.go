package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Whatever is generated and kept in the repository is what would be generated
// now. Run `go generate ./...` where this fails.
func TestNothingIsStale(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	all, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Errorf("%v; run go generate ./...", err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale; run go generate ./...", name)
		}
	}
	old, err := leftovers(root, all)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range old {
		t.Errorf("%s is no longer generated; run go generate ./...", name)
	}
}

// The schemas must stay such that the type checks of policies see everything:
// closed, required, nothing that may be this or that.
func TestFactsSchemasAreStrict(t *testing.T) {
	all, err := factsSchemas(abs(t, filepath.Join("..", "..", "..")))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("there are no schemas")
	}
	for name, text := range all {
		var schema map[string]any
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		strict(t, name, schema)
	}
}

// strict walks a schema.
func strict(t *testing.T, at string, node any) {
	t.Helper()
	schema, ok := node.(map[string]any)
	if !ok {
		t.Errorf("%s is no schema but %v", at, node)
		return
	}
	for _, loose := range []string{"anyOf", "oneOf", "allOf", "not", "if", "$ref", "patternProperties"} {
		if _, ok := schema[loose]; ok {
			t.Errorf("%s has %s", at, loose)
		}
	}
	switch schema["type"] {
	case "object":
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		if schema["additionalProperties"] != false || len(properties) == 0 || len(required) != len(properties) {
			t.Errorf("%s is open, or has fields that may be absent", at)
		}
		for name, p := range properties {
			strict(t, at+"."+name, p)
		}
	case "array":
		strict(t, at+"[]", schema["items"])
	case "string", "integer", "number", "boolean":
	default:
		t.Errorf("%s has the type %v", at, schema["type"])
	}
}

func abs(t *testing.T, dir string) string {
	t.Helper()
	full, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// write writes what differs and drops what is left over.
func TestWrite(t *testing.T) {
	root := t.TempDir()
	old := filepath.Join(root, filepath.FromSlash(pagesDir), "PS-OLD-001.md")
	if err := os.MkdirAll(filepath.Dir(old), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := files{pagesDir + "/PS-NEW-001.md": []byte("new")}
	for _, want := range []string{"removed docs/checks/PS-OLD-001.md\nwrote docs/checks/PS-NEW-001.md\n", ""} {
		var told bytes.Buffer
		if err := write(root, all, &told); err != nil {
			t.Fatal(err)
		}
		if told.String() != want {
			t.Errorf("write told %q, want %q", told.String(), want)
		}
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the old page is there still: %v", err)
	}
}
