package checks

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// What a policy depends on is never less than what it reads.
func TestDepends(t *testing.T) {
	header := "# METADATA\n# scope: package\n# title: T\n# description: D.\n# schemas:\n#   - input: schema[\"workload\"]\n# custom:\n#   id: X-%s\n#   severity: low\n#   needs: [containers, volumes, os, host_pid, pod_path, sysctls, namespace.name]\n#   remediation: R.\n#   references:\n#     cwe: [\"250\"]\n#   since: \"0.1.0\"\n"
	lib := "# METADATA\n# description: D.\npackage postscan.lib.parts\n\nnames := [c.name | some c in input.containers]\n\nprivileged(c) if c.privileged\n\nsome_os(name) if name == \"x\"\n"
	for name, tt := range map[string]struct {
		rego       string
		body, head []string
	}{
		"names are shown alone": {
			`deny contains {"message": sprintf("%s", [c.name]), "path": c.path, "value": true} if {
	some c in input.containers
	c.privileged
}`, []string{"containers[]#", "containers[].privileged"}, []string{"containers[].name", "containers[].path"},
		},
		"through a function": {
			`deny contains {"message": "m", "path": c.path, "value": true} if {
	some c in input.containers
	parts.privileged(c)
}`, []string{"containers[]#", "containers[].privileged"}, []string{"containers[].path"},
		},
		"a whole element": {
			`deny contains {"message": "m", "path": "p", "value": true} if {
	some c in input.containers
	count(object.keys(c)) > 1
}`, []string{"containers[]", "containers[]#"}, nil,
		},
		"a field by a variable": {
			`deny contains {"message": "m", "path": "p", "value": true} if {
	some c in input.containers
	some field in ["privileged", "name"]
	c[field]
}`, []string{"containers[]#", "containers[][]", "containers[][]#"}, nil,
		},
		"an index that is a fact": {
			`allowed := {"a": 1}

deny contains {"message": "m", "path": "p", "value": true} if {
	some s in input.sysctls
	allowed[s.name] > 0
}`, []string{"sysctls[]#", "sysctls[].name"}, nil,
		},
		"a rule of a library, and an alias": {
			`deny contains {"message": "m", "path": "p", "value": true} if {
	all := input.volumes
	some v in all
	v.type in parts.names
}`, []string{"containers[]#", "containers[].name", "volumes[]#", "volumes[].type"}, nil,
		},
		"a helper in the text may be undefined": {
			`word(c) := "x" if c.privileged

deny contains {"message": word(c), "path": "p", "value": true} if {
	some c in input.containers
}`, []string{"containers[]#", "containers[].privileged"}, nil,
		},
		"else, applies and unknown": {
			`applies if input.os != "windows"

unknown contains "u" if input.host_pid

deny contains {"message": "m", "path": input.pod_path, "value": word} if count(input.volumes) > 0

word := "a" if input.sysctls[0].value == "1"

else := input.namespace.name`, []string{"host_pid", "namespace.name", "os=77696e646f7773", "sysctls[]#", "sysctls[].value=31", "volumes[]#"}, []string{"pod_path"},
		},
		"replaced for one expression": {
			`deny contains {"message": "m", "path": "p", "value": true} if parts.some_os(input.os) with input.host_pid as input.namespace.name`,
			[]string{"namespace.name", "os=78"}, nil,
		},
		"compared with texts": {
			`deny contains {"message": "m", "path": "p", "value": input.sysctls[0].name} if {
	some c in input.containers
	not c.image.tag in {"", "latest"}
	"x" != c.image.digest
	some other in input.containers
	c.name == other.name
}`, []string{"containers[]#", "containers[].image.tag=", "containers[].image.tag=6c6174657374", "containers[].image.digest=78", "containers[].name", "sysctls[]#", "sysctls[].name"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(header, "%s", "1", 1) + "package postscan.workload.one\n\n"
			if strings.Contains(tt.rego, "parts.") {
				text += "import data.postscan.lib.parts\n\n"
			}
			text += tt.rego + "\n"
			c, err := Load(Source{Name: "mine", FS: fstest.MapFS{
				"workload/one.rego": &fstest.MapFile{Data: []byte(text)},
				"lib/parts.rego":    &fstest.MapFile{Data: []byte(lib)},
			}})
			if err != nil {
				t.Fatal(err)
			}
			compiled, err := c.Compile(c.All(), CompileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := compiled.Depends[c.All()[0]]
			for _, p := range tt.body {
				if !slices.ContainsFunc(got.Body, func(q string) bool { return q == "" || Covers(q, p) }) {
					t.Errorf("body %q lacks %s", got.Body, p)
				}
			}
			if len(tt.head) != len(got.Head) && !slices.Equal(got.Head, tt.head) {
				t.Errorf("head %q, want %q", got.Head, tt.head)
			}
			for _, p := range got.Body {
				if !slices.ContainsFunc(tt.body, func(q string) bool { return Covers(q, p) || p == q }) {
					t.Errorf("body %q has %s, want %q", got.Body, p, tt.body)
				}
			}
		})
	}
}

// What a policy shows as it is, and nothing that it does more with.
func TestShown(t *testing.T) {
	const header = "# METADATA\n# scope: package\n# title: T\n# description: D.\n# schemas:\n#   - input: schema[\"workload\"]\n# custom:\n#   id: X-1\n#   severity: low\n#   needs: [containers, volumes, pod_path]\n#   remediation: R.\n#   references:\n#     cwe: [\"250\"]\n#   since: \"0.1.0\"\npackage postscan.workload.one\n\n"
	deny := func(message string) string {
		return `deny contains {"message": ` + message + `, "path": "p", "value": 1} if some c in input.containers`
	}
	for rego, want := range map[string][]string{
		deny(`sprintf("%s %v %d%%", [c.name, c.path, count(input.volumes)])`):                             {"containers[].name", "containers[].path"},
		deny(`concat(input.pod_path, [c.name, "x"])`):                                                     {"containers[].name", "pod_path"},
		deny(`sprintf("%s", [concat(" ", [c.name])])`):                                                    {"containers[].name"},
		deny(`sprintf("%q %s", [c.name, c.path])`):                                                        nil,
		deny(`sprintf("%5s", [c.name])`):                                                                  nil,
		deny(`sprintf("%[1]s", [c.name])`):                                                                nil,
		deny(`sprintf("%s", [c.name, c.path])`):                                                           nil,
		deny(`sprintf("%s %", [c.name])`):                                                                 nil,
		deny(`sprintf(c.name, [c.path])`):                                                                 nil,
		deny(`sprintf("%s", [[c.name]])`):                                                                 nil,
		deny(`sprintf("%d", [c.name])`):                                                                   nil,
		deny(`sprintf("%s%q", [c.name, c.name])`):                                                         nil,
		deny(`concat(" ", {c.name})`):                                                                     nil,
		deny(`lower(c.name)`):                                                                             nil,
		deny(`word(c, "x")`) + "\n\nword(c, x) := concat(x, [c.name, c.path]) if c.privileged":            {"containers[].name", "containers[].path"},
		deny(`word(c.name)`) + "\n\nword(name) := sprintf(\"%s\", [name])":                                {"containers[].name"},
		deny(`word(concat("", [c.name]))`) + "\n\nword(name) := sprintf(\"%s\", [name])":                  {"containers[].name"},
		deny(`word(c.name)`) + "\n\nword(name) := name if startswith(name, \"a\")":                        nil,
		deny(`word(concat("", [c.name]))`) + "\n\nword(name) := name if name != \"a\"":                    nil,
		deny(`word(c.name)`) + "\n\nword(name) := sprintf(\"%q\", [name])":                                nil,
		deny(`c.name`) + "\n\nunknown contains c.path if { some c in input.containers; c.name != \"a\" }": {"containers[].name", "containers[].path"},
		deny(`c.name`) + "\n\nunknown contains \"u\" if { some c in input.containers; c.name > \"a\" }":   nil,
		deny(`c.name`) + "\n\napplies if { some c in input.containers; object.keys(c) }":                  nil,
	} {
		c, err := Load(Source{Name: "mine", FS: fstest.MapFS{"workload/one.rego": &fstest.MapFile{Data: []byte(header + rego + "\n")}}})
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := c.Compile(c.All(), CompileOptions{})
		if err != nil {
			t.Fatal(rego, err)
		}
		if got := compiled.Depends[c.All()[0]].Shown; !slices.Equal(got, want) {
			t.Errorf("%s\nshows %q as it is, want %q", rego, got, want)
		}
	}
}

// A policy says nothing while none of its switches is on; one that may say
// something without has none.
func TestSwitches(t *testing.T) {
	const deny = `deny contains {"message": "m", "path": "p", "value": true} if `
	for rego, want := range map[string][]string{
		deny + `{ input.host_pid; input.os == "x" }`:                                    {"host_pid"},
		deny + `{ input.os != "x"; input.host_pid }` + "\n\n" + deny + `input.host_ipc`: {"host_ipc", "host_pid"},
		deny + `input.host_pid` + "\n\n" + deny + `input.os != "x"`:                     {"host_pid", "os not [x]"},
		deny + `input.os != ["x"]`:                                                      nil,
		deny + `found` + "\n\nfound contains 1 if input.host_pid":                       nil,
		deny + `not input.host_pid`:                                                     nil,
		deny + `input.containers[0].privileged`:                                         nil,
		deny + `{ some c in input.containers; c.name == "x" }`:                          {"containers[].name [x]"},
		deny + `asked` + "\n\nasked if {\n\tsome c in input.containers\n\tsome v in c.effective.capabilities\n\tv in {\"b\", \"a\"}\n}\n\nasked if \"y\" in input.containers[_].effective.capabilities": {"containers[].effective.capabilities[] [a b]", "containers[].effective.capabilities[] [y]"},
		deny + `asked` + "\n\nasked if input.os == \"y\"\n\nasked if input.os != \"z\"":                                                                                                                 {"os [y]", "os not [z]"},
		deny + `input.host_pid with input.host_pid as true`:                                                                                                                                             nil,
		deny + `input.host_pid` + "\n\n" + `applies if input.os == "x"`:                                                                                                                                 nil,
		deny + `input.host_pid` + "\n\n" + `unknown contains "u" if input.os != "x"`:                                                                                                                    {"host_pid", "os not [x]"},
	} {
		text := "# METADATA\n# scope: package\n# title: T\n# description: D.\n# schemas:\n#   - input: schema[\"workload\"]\n# custom:\n#   id: X-1\n#   severity: low\n#   needs: [containers, os, host_pid, host_ipc]\n#   remediation: R.\n#   references:\n#     cwe: [\"250\"]\n#   since: \"0.1.0\"\npackage postscan.workload.one\n\n" + rego + "\n"
		c, err := Load(Source{Name: "mine", FS: fstest.MapFS{"workload/one.rego": &fstest.MapFile{Data: []byte(text)}}})
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := c.Compile(c.All(), CompileOptions{})
		if err != nil {
			t.Fatal(rego, err)
		}
		var got []string
		for _, s := range compiled.Depends[c.All()[0]].Switches {
			not := map[bool]string{true: "not "}[s.Not]
			got = append(got, strings.TrimSuffix(fmt.Sprint(s.Path, " ", not, s.Texts), " []"))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s\nhas the switches %q, want %q", rego, got, want)
		}
	}
}
