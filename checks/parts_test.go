package checks_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner/facts"
)

const part = `# METADATA
# scope: package
# schemas:
#   - input: schema["node"]
# custom:
#   part_of: PS-IMG-001
#   needs: [os]
#   params:
#     - name: systems
#       type: strings
#       default: []
#       description: Systems that may be.
package postscan.node.root

deny contains {"message": "m", "path": "os", "value": input.os} if {
	input.os == "plan9"
	not input.os in data.params.systems
}
`

const partTest = `package postscan.node.root_test

import data.postscan.node.root

test_fails if {
	count(root.deny) == 1 with input as {"os": "plan9"} with data.params as {"systems": []}
}

test_passes if {
	count(root.deny) == 0 with input as {"os": "linux"} with data.params as {"systems": []}
}
`

func whole() map[string]string {
	return map[string]string{
		"image/root.rego": good, "image/root_test.rego": goodTest, "lib/text.rego": library, "node/root.rego": part, "node/root_test.rego": partTest,
	}
}

// A check of several kinds of resources is one promise with one id: lists and
// selections have it once, and what its policies ask for stands apart.
func TestParts(t *testing.T) {
	c := load(t, whole())
	if len(c.All()) != 1 {
		t.Fatalf("%d checks, want 1", len(c.All()))
	}
	check := c.All()[0]
	if want := []facts.Kind{facts.KindImage, facts.KindNode}; !slices.Equal(check.Subjects(), want) {
		t.Errorf("subjects %v, want %v", check.Subjects(), want)
	}
	p := check.Policies()[1]
	if p.ID != check.ID || p.Title != check.Title || p.Severity != check.Severity || len(p.References) != 2 || p.Package != "postscan.node.root" || p.File != "p/node/root.rego" {
		t.Errorf("part %+v", p)
	}
	if !slices.Equal(p.Needs, []string{"os"}) || slices.Equal(check.Needs, p.Needs) {
		t.Errorf("the part needs %v, the check's own policy %v", p.Needs, check.Needs)
	}
	var names []string
	for _, q := range check.AllParams() {
		names = append(names, q.Name)
	}
	if !slices.Equal(names, []string{"allowed", "systems"}) || len(c.Params()) != 2 {
		t.Errorf("parameters %v, of the catalogue %v", names, c.Params())
	}
	for _, pattern := range []string{"subject:node", "subject:image", "PS-IMG-*"} {
		if got, err := c.Select([]string{pattern}, nil); err != nil || len(got) != 1 || got[0] != check {
			t.Errorf("select %s: %v, %v", pattern, got, err)
		}
	}
	if err := c.Verify(); err != nil {
		t.Errorf("verify: %v", err)
	}
	changed := whole()
	changed["node/root.rego"] = strings.Replace(part, "plan9", "plan10", 1)
	if load(t, changed).Digest() == c.Digest() {
		t.Error("the digest does not see a part")
	}
}

// Each policy has its own tests to stand.
func TestPartsAreTested(t *testing.T) {
	run := func(files map[string]string) error {
		t.Helper()
		report, err := checks.RunTests(t.Context(), source(files))
		if err != nil {
			t.Fatal(err)
		}
		return report.Err()
	}
	if err := run(whole()); err != nil {
		t.Errorf("all is well: %v", err)
	}
	untested := whole()
	delete(untested, "node/root_test.rego")
	if err := run(untested); err == nil || !strings.Contains(err.Error(), "p/node/root.rego: no test looks at deny") {
		t.Errorf("a part without a test: %v", err)
	}
}

func TestPartsRefuse(t *testing.T) {
	for name, tt := range map[string]struct{ file, old, new, want string }{
		"of nothing":             {"node/root.rego", "PS-IMG-001", "PS-IMG-002", "p/node/root.rego:6: is a part of PS-IMG-002, which is no check"},
		"a title of its own":     {"node/root.rego", "# scope: package", "# scope: package\n# title: Other", "is a part of PS-IMG-001 and states title"},
		"a severity of its own":  {"node/root.rego", "#   needs:", "#   severity: low\n#   needs:", ":7: is a part of PS-IMG-001 and states severity"},
		"an id of its own":       {"node/root.rego", "#   needs:", "#   id: PS-IMG-002\n#   needs:", ":7: is a part of PS-IMG-001 and states id"},
		"another's schema":       {"node/root.rego", `schema["node"]`, `schema["image"]`, "METADATA must name its schema"},
		"needs no field":         {"node/root.rego", "needs: [os]", "needs: [os, config.user]", `needs "config.user", which no node has`},
		"reads what needs lacks": {"node/root.rego", "needs: [os]", "needs: [os_image]", ""},
	} {
		files := whole()
		files[tt.file] = strings.Replace(files[tt.file], tt.old, tt.new, 1)
		c, err := checks.Load(source(files))
		if tt.want == "" {
			if err == nil {
				err = c.Verify()
			}
			tt.want = "reads input.os, but needs does not name it"
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
	twice := maps.Clone(whole())
	twice["node/again.rego"] = strings.Replace(part, "node.root", "node.again", 1)
	if _, err := checks.Load(source(twice)); err == nil || !strings.Contains(err.Error(), "has a policy for node already") {
		t.Errorf("two parts for one kind: %v", err)
	}
	theirs := checks.Source{FS: source(map[string]string{"node/root.rego": part}).FS, Name: "mine"}
	official := whole()
	delete(official, "node/root.rego")
	delete(official, "node/root_test.rego")
	if _, err := checks.Load(source(official), theirs); err == nil || !strings.Contains(err.Error(), "which is postscan's own") {
		t.Errorf("a user's part of a check of ours: %v", err)
	}
}
