package cli

import (
	"reflect"
	"strings"
	"testing"

	"github.com/postscan/postscan/scanner/audit"
)

// The example of docs/audits.md is read without an error and shows every field.
func TestDocumentedAuditsAreComplete(t *testing.T) {
	page := read(t, "../../../docs/audits.md")
	_, rest, _ := strings.Cut(page, "```yaml\n")
	example, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("docs/audits.md has no example")
	}
	c, err := audit.ReadConfig([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for i := range c.Audits {
		kinds[c.Audits[i].Target.Kind()] = true
	}
	for _, kind := range audit.Kinds() {
		if !kinds[kind] {
			t.Errorf("no audit of the example has the target %s", kind)
		}
	}
	for _, field := range yamlFields(reflect.TypeFor[audit.Config]()) {
		if !strings.Contains(example, field+":") {
			t.Errorf("the example does not show %s", field)
		}
	}
}

// yamlFields are the names of all fields below a type.
func yamlFields(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var out []string
	for f := range t.Fields() {
		out = append(append(out, f.Tag.Get("yaml")), yamlFields(f.Type)...)
	}
	return out
}
