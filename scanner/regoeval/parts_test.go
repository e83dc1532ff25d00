package regoeval_test

import (
	"testing"
	"testing/fstest"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// A check with a policy for each of two kinds of resources answers for both
// under one rule, and what one of them lacks says nothing of the other.
func TestParts(t *testing.T) {
	const part = `# METADATA
# scope: package
# schemas:
#   - input: schema["node"]
# custom:
#   part_of: A-1
#   needs: [os]
package postscan.node.one

deny contains {"message": "m", "path": "os", "value": input.os} if input.os != "linux"
`
	fsys := fstest.MapFS{
		"image/one.rego": &fstest.MapFile{Data: []byte(policy("one", "A-1", "severity: high\nneeds: [os]",
			`deny contains {"message": "m", "path": "os", "value": input.os} if input.os == "plan9"`))},
		"node/one.rego": &fstest.MapFile{Data: []byte(part)},
	}
	c, err := checks.Load(checks.Source{FS: fsys, Name: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := regoeval.New(t.Context(), c, c.All(), regoeval.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Rules()) != 1 {
		t.Fatalf("%d rules, want 1", len(e.Rules()))
	}
	node := &facts.Resource{Kind: facts.KindNode, ID: "Node/a", Facts: &facts.Node{OS: "windows"}}
	blind := &facts.Resource{Kind: facts.KindNode, ID: "Node/b", Facts: &facts.Node{OS: "windows"}, Missing: map[string]facts.Missing{"os": {Status: facts.NotAssessed, Reason: "dark"}}}
	for _, tt := range []struct {
		r    *facts.Resource
		want scanner.Status
	}{
		{resource(&facts.Image{OS: "plan9"}), scanner.Fail},
		{resource(&facts.Image{OS: "windows"}), scanner.Pass},
		{node, scanner.Fail},
		{blind, scanner.NotAssessed},
	} {
		got := judge(t, e, tt.r)["A-1"]
		if got.Status != tt.want || got.Rule != e.Rules()[0] {
			t.Errorf("%s: %s of rule %p, want %s of %p", tt.r.ID, got.Status, got.Rule, tt.want, e.Rules()[0])
		}
	}
}
