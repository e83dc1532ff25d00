package checks

import (
	"strings"
	"testing"
	"testing/fstest"
)

// An id that was taken back is refused, whoever uses it.
func TestRetired(t *testing.T) {
	const text = `# METADATA
# title: t
# description: d
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-001
#   severity: low
#   remediation: r
#   references: {cwe: ["250"]}
#   since: 0.1.0
package postscan.image.x
`
	src := Source{FS: fstest.MapFS{"image/x.rego": &fstest.MapFile{Data: []byte(text)}}, Name: "p", Official: true}
	if _, err := load([]Source{src}, map[string]string{}); err != nil {
		t.Fatal(err)
	}
	if _, err := load([]Source{src}, map[string]string{"PS-IMG-001": "merged into PS-IMG-002"}); err == nil || !strings.Contains(err.Error(), "p/image/x.rego:7: id PS-IMG-001 is retired (merged into PS-IMG-002)") {
		t.Errorf("error: %v", err)
	}
	ids, err := retiredIDs()
	if err != nil {
		t.Fatal(err)
	}
	for id, reason := range ids {
		if !officialID(id) || reason == "" {
			t.Errorf("retired id %q has the reason %q", id, reason)
		}
	}
}
