package checks

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReads(t *testing.T) {
	const head = `# METADATA
# title: t
# description: d
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-001
#   severity: low
#   needs: [os, architecture, registry, config, tools, vulnerabilities, secrets]
#   remediation: r
#   references: {cwe: ["250"]}
#   since: 0.1.0
package postscan.image.x

import data.postscan.lib.l

`
	const library = `package postscan.lib.l

both(tool, other) := concat("", [tool.name, object.get(other, "id", "")])

deep(list) := {inner(e) | some e in list}

inner(e) := e.path

system := concat("", [input.os, arch])

arch := input.architecture

known(t) := concat("", [t.name, input.registry])
`
	for name, tt := range map[string]struct{ rules, want string }{
		"field":         {`deny contains input.os if input.config.user == ""`, "config.user os"},
		"some":          {`deny contains v.kev if some v in input.vulnerabilities`, "vulnerabilities vulnerabilities[].kev"},
		"some key":      {`deny contains i if { some i, v in input.vulnerabilities; v.references[_] == "x" }`, "vulnerabilities vulnerabilities[].references[]"},
		"index":         {`deny contains input.tools[i].kind if input.tools[i].reachable`, "tools[].kind tools[].reachable"},
		"assigned":      {"deny contains y if {\n\tx := input.tools[_]\n\ty := x.layer\n}", "tools[] tools[].layer"},
		"assigned late": {"deny contains 1 if {\n\tx.layer == 1\n\tx = input.tools[_]\n}", "tools[] tools[].layer"},
		"every":         {`deny contains 1 if { every v in input.tools { v.kind == "x" } }`, "tools tools[].kind"},
		"comprehension": {`deny contains {s.path | some s in input.secrets}`, "secrets secrets[].path"},
		"own function":  {"deny contains f(v) if some v in input.tools\n\nf(x) := x.path if x.layer == 1", "tools tools[].layer tools[].path"},
		"library":       {`deny contains l.both(t, v) if { some t in input.tools; some v in input.vulnerabilities }`, "tools tools[].name vulnerabilities vulnerabilities[].id"},
		"by library":    {`deny contains l.system`, "architecture os"},
		"by library 2":  {`deny contains l.known(v) if some v in input.tools`, "registry tools tools[].name"},
		"deep":          {`deny contains l.deep(input.secrets)`, "secrets secrets[].path"},
		"helper rule":   {"deny contains 1 if bad\n\nbad if input.os == \"x\"", "os"},
		"else":          {"deny contains w\n\nw := 1 if { input.os == \"x\" } else := input.config.working_dir", "config.working_dir os"},
		"object.get":    {`deny contains object.get(v, "kev", false) if some v in input.vulnerabilities`, "vulnerabilities vulnerabilities[].kev"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := strings.ReplaceAll(strings.ReplaceAll(tt.rules, `\n`, "\n"), `\t`, "\t")
			text := head + rules + "\n"
			if !strings.Contains(rules, "l.") {
				text = strings.Replace(text, "import data.postscan.lib.l\n", "", 1)
			}
			c, err := Load(Source{FS: fstest.MapFS{
				"image/x.rego": &fstest.MapFile{Data: []byte(text)},
				"lib/l.rego":   &fstest.MapFile{Data: []byte(library)},
			}, Name: "p", Official: true})
			if err != nil {
				t.Fatal(err)
			}
			compiled, err := c.Compile(c.All(), CompileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := compiled.Reads[c.All()[0]]; !slices.Equal(got, strings.Fields(tt.want)) {
				t.Errorf("reads %q, want %q", got, tt.want)
			}
		})
	}
}

// What a policy reads below a list is found in our own policies too.
func TestReadsOfOwnPolicies(t *testing.T) {
	c, err := Load(BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(c.All(), CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range c.All() {
		reads := compiled.Reads[check]
		if check.DecidedBy == "" && len(reads) == 0 {
			t.Errorf("%s seems to read nothing", check.ID)
		}
		for _, r := range reads {
			if !slices.ContainsFunc(slices.Concat(check.Needs, check.Optional), func(path string) bool { return Covers(ofList(path), ofList(r)) }) {
				t.Errorf("%s reads %s, which neither needs nor optional covers", check.ID, r)
			}
		}
	}
}
