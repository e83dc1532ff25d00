package checks_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner/facts"
)

// good is a policy that keeps the contract; tests break it line by line.
const good = `# METADATA
# scope: package
# title: Runs as root
# description: |
#   Why it matters.
# related_resources:
#   - ref: https://example.com/a
#     description: A page
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-001
#   severity: medium
#   needs: [os, config.user, tools]
#   params:
#     - name: allowed
#       type: strings
#       default: [a, b]
#       description: What may be
#   remediation: Change it.
#   references:
#     nist-800-190: ["4.1.2"]
#     cwe: ["250"]
#   since: "0.1.0"
package postscan.image.root

import data.postscan.lib.text

applies if input.os == "linux"

deny contains {"message": text.loud(why), "path": "config.user", "value": input.config.user} if {
	input.config.user == ""
	some tool in input.tools
	not tool.name in data.params.allowed
}

why := "no user"
`

const library = `package postscan.lib.text

loud(words) := upper(words)
`

const goodTest = `package postscan.image.root_test

import data.postscan.image.root

test_fails if {
	count(root.deny) == 1 with input as {"os": "linux", "config": {"user": ""}, "tools": [{"name": "x"}]}
		with data.params as {"allowed": []}
}

test_passes if {
	count(root.deny) == 0 with input as {"os": "linux", "config": {"user": "7"}, "tools": []}
}
`

// source makes an official source of files by path.
func source(files map[string]string) checks.Source {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return checks.Source{FS: fsys, Name: "p", Official: true}
}

func load(t *testing.T, files map[string]string) *checks.Catalogue {
	t.Helper()
	c, err := checks.Load(source(files))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoad(t *testing.T) {
	c := load(t, map[string]string{"image/root.rego": good, "image/root_test.rego": goodTest, "lib/text.rego": library, "README.md": "no policy"})
	want := &checks.Check{
		ID: "PS-IMG-001", Title: "Runs as root", Description: "Why it matters.", Severity: "medium",
		Needs:       []string{"os", "config.user", "tools"},
		Params:      []checks.Param{{Name: "allowed", Type: "strings", Default: []string{"a", "b"}, Description: "What may be"}},
		Remediation: "Change it.", References: []checks.Reference{{Framework: "nist-800-190", Control: "4.1.2"}, {Framework: "cwe", Control: "250"}},
		RelatedResources: []checks.RelatedResource{{Ref: "https://example.com/a", Description: "A page"}},
		Since:            "0.1.0", Subject: facts.KindImage, Package: "postscan.image.root", File: "p/image/root.rego", Source: good, BuiltIn: true,
	}
	got, ok := c.Lookup("ps-img-001")
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("check\n%+v\nwant\n%+v", got, want)
	}
	if got.Name() != "root" || len(c.All()) != 1 {
		t.Errorf("name %q, %d checks", got.Name(), len(c.All()))
	}
	if err := c.Verify(); err != nil {
		t.Errorf("verify: %v", err)
	}
}

// Each change breaks one promise. The line is that of the good policy.
func TestLoadRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		old, new string
		want     string
	}{
		"unknown METADATA field":  {"# scope: package", "# scoop: package", `p/image/root.rego:2: METADATA has the unknown field "scoop"`},
		"unknown custom field":    {"#   since:", "#   sins:", `p/image/root.rego:24: custom has the unknown field "sins"`},
		"field twice":             {"#   since: \"0.1.0\"", "#   id: PS-IMG-002\n#   since: \"0.1.0\"", `:24: custom has the field "id" twice`},
		"unknown param field":     {"#       type: strings", "#       typ: strings", `:17: params has the unknown field "typ"`},
		"no YAML":                 {"# title: Runs", "# title: [Runs", "METADATA is not YAML"},
		"other scope":             {"scope: package", "scope: rule", `:2: scope is "rule"`},
		"no METADATA":             {"# METADATA", "# metadata", "has no METADATA"},
		"no title":                {"# title: Runs as root\n", "", "METADATA has no title"},
		"no description":          {"# description: |\n#   Why it matters.\n", "", "METADATA has no description"},
		"no remediation":          {"#   remediation: Change it.\n", "", "METADATA has no remediation"},
		"no since":                {"#   since: \"0.1.0\"\n", "", "METADATA has no since"},
		"no version":              {"since: \"0.1.0\"", "since: \"1\"", `:24: since is "1"`},
		"no id":                   {"#   id: PS-IMG-001\n", "", "METADATA has no id"},
		"id of another form":      {"PS-IMG-001", "PS-IMG-1", `:12: id "PS-IMG-1" is not of the form PS-XXX-000`},
		"severity unknown word":   {"severity: medium", "severity: bad", `:13: severity "bad": use one of`},
		"two kinds of severity":   {"severity: medium", "severity: medium\n#   severities: [high, low]", "exactly one of severity and severities"},
		"no severity":             {"#   severity: medium\n", "", "exactly one of severity and severities"},
		"severity listed twice":   {"severity: medium", "severities: [high, high]", `severity "high" stands twice`},
		"one severity in a list":  {"severity: medium", "severities: [high]", "one severity alone"},
		"need that no fact has":   {"config.user,", "config.usr,", `:14: needs "config.usr", which no image has`},
		"need within a leaf":      {"config.user,", "config.user, os.name,", `needs "os.name"`},
		"optional that is not":    {"needs: [os,", "optional: [usr]\n#   needs: [os,", `:14: needs "usr", which no image has`},
		"needed and optional":     {"needs: [os,", "optional: [os]\n#   needs: [os,", `needs "os" twice`},
		"need twice":              {"config.user,", "config.user, os,", `needs "os" twice`},
		"param of unknown type":   {"type: strings", "type: text", `parameter "allowed" has type "text"`},
		"param without default":   {"#       default: [a, b]\n", "", `parameter "allowed" has no default`},
		"default of another type": {"default: [a, b]", "default: 7", `:18: default: parameter allowed`},
		"param undescribed":       {"#       description: What may be\n", "", `parameter "allowed" has no description`},
		"param called now":        {"name: allowed", "name: now", "parameter now is given"},
		"param badly named":       {"name: allowed", "name: Allowed", `parameter "Allowed": names`},
		"required undeclared":     {"#   remediation:", "#   requires_params: [others]\n#   remediation:", `requires_params names "others", which params does not declare`},
		"unknown framework":       {"nist-800-190", "nist-800-191", `:22: framework "nist-800-191" is not known`},
		"unknown control":         {`["4.1.2"]`, `["9.9"]`, `:22: framework nist-800-190 has no control "9.9"`},
		"no references":           {"#   references:\n#     nist-800-190: [\"4.1.2\"]\n#     cwe: [\"250\"]\n", "", "METADATA has no references"},
		"page without https":      {"https://example.com/a", "example.com", `:7: related_resources: "example.com"`},
		"no schema":               {"# schemas:\n#   - input: schema[\"image\"]\n", "", "METADATA must name its schema"},
		"other schema":            {`schema["image"]`, `schema["node"]`, "METADATA must name its schema"},
		"other package":           {"package postscan.image.root", "package postscan.image.boot", "package is postscan.image.boot, but the file's place says postscan.image.root"},
		"no package":              {"package postscan.image.root", "", "has no package statement"},
		"needs is no list":        {"needs: [os, config.user, tools]", "needs: os", "needs must be a list"},
		"severity is no text":     {"severity: medium", "severity: [medium]", "severity must be a text"},
		"custom is no mapping":    {"# custom:\n", "# custom: 7\n# x:\n", "custom must be a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, tt.old, tt.new, 1)
			if text == good {
				t.Fatal("the test changes nothing")
			}
			_, err := checks.Load(source(map[string]string{"image/root.rego": text, "lib/text.rego": library}))
			var problems checks.Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error:\n%v\nwant one with %q", err, tt.want)
			}
		})
	}
}

func TestLoadRefusesPlaces(t *testing.T) {
	second := strings.NewReplacer("PS-IMG-001", "PS-IMG-002", "image.root", "image.second").Replace(good)
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"duplicate id":             {map[string]string{"image/root.rego": good, "image/second.rego": strings.Replace(second, "002", "001", 1)}, "p/image/second.rego:12: id PS-IMG-001 is that of p/image/root.rego already"},
		"param that differs":       {map[string]string{"image/root.rego": good, "image/second.rego": strings.Replace(second, "[a, b]", "[a]", 1)}, `parameter "allowed" has another type or default in p/image/root.rego`},
		"unknown subject":          {map[string]string{"toaster/root.rego": strings.ReplaceAll(good, "image", "toaster")}, `would never be evaluated: no resource is of kind "toaster"`},
		"outside of any folder":    {map[string]string{"root.rego": good}, "stands where no policy is looked for"},
		"too deep":                 {map[string]string{"image/sub/root.rego": good}, "stands where no policy is looked for"},
		"capital in the file name": {map[string]string{"image/Root.rego": good}, "file names are made of"},
		"library with an id":       {map[string]string{"lib/root.rego": strings.Replace(good, "postscan.image", "postscan.lib", 1)}, "has the METADATA of a check, but is a library"},
		"test of another package":  {map[string]string{"image/root.rego": good, "image/root_test.rego": "package postscan.image.other_test\n"}, "package is postscan.image.other_test"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := checks.Load(source(tt.files)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error:\n%v\nwant one with %q", err, tt.want)
			}
		})
	}
	if _, err := checks.Load(source(map[string]string{"image/root.rego": good}), source(map[string]string{"image/root.rego": strings.Replace(good, "001", "002", 1)})); err == nil || !strings.Contains(err.Error(), "package postscan.image.root is that of") {
		t.Errorf("two files with one package: %v", err)
	}
	if _, err := checks.Load(checks.Source{}); err == nil {
		t.Error("a source without files was loaded")
	}
	if _, err := checks.Load(checks.Dir(filepath.Join(t.TempDir(), "none"))); err == nil {
		t.Error("a folder that is not there was loaded")
	}
}

// A user's own policies have ids of their own, and keep the same contract.
func TestOwnPolicies(t *testing.T) {
	own := func(id string) error {
		src := source(map[string]string{"image/mine.rego": strings.NewReplacer("PS-IMG-001", id, "image.root", "image.mine").Replace(good), "lib/text.rego": library})
		src.Official = false
		c, err := checks.Load(checks.BuiltIn(), src)
		if err == nil {
			check, ok := c.Lookup(id)
			if !ok || check.BuiltIn {
				t.Errorf("%s: %v %+v", id, ok, check)
			}
		}
		return err
	}
	for id, ok := range map[string]bool{"ACME-001": true, "ACME-IMG-7": true, "PS-IMG-900": false, "acme-1": false, "ACME": false, "ACME-": false} {
		if err := own(id); (err == nil) != ok {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// What is below the METADATA is held to the contract when it is compiled.
func TestVerifyRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ old, new, want string }{
		"no deny":              {"deny contains", "deni contains", "has no deny"},
		"deny is no set":       {"deny contains {", "deny := {", "deny must be a set"},
		"applies is a set":     {"applies if", "applies contains 1 if", "applies must be true or false"},
		"misspelt applies":     {"applies if", "aplies if", "rule aplies is never used"},
		"field not needed":     {"[os, config.user, tools]", "[os, tools]", "p/image/root.rego:31: reads input.config.user, but needs does not name it"},
		"whole of a part":      {`input.os == "linux"`, "count(input.config) > 0", "reads input.config, but needs"},
		"whole input":          {`input.os == "linux"`, "count(input) > 0", "reads the whole input"},
		"param undeclared":     {"data.params.allowed", "data.params.alowed", "reads data.params.alowed, but params does not declare it"},
		"all params":           {"data.params.allowed", "data.params", "reads data.params;"},
		"param by variable":    {"data.params.allowed", "data.params[tool.name]", "reads data.params"},
		"other policy":         {"why := \"no user\"", "why := data.postscan.image.other.why", "reads data.postscan.image.other.why"},
		"unknown library rule": {"why := \"no user\"", "why := text.quiet", `library postscan.lib.text has no rule "quiet"`},
		"unknown library":      {"why := \"no user\"", "why := data.postscan.lib.nothing.x", `library postscan.lib.nothing has no rule "x"`},
		"other data":           {"why := \"no user\"", "why := data.secrets.x", "reads data.secrets.x"},
		"http.send":            {"why := \"no user\"", `why := http.send({"method": "get", "url": "https://example.com"}).body`, "built-in http.send is not allowed"},
		"clock":                {"why := \"no user\"", `why := time.now_ns()`, "built-in time.now_ns is not allowed"},
		"chance":               {"why := \"no user\"", `why := rand.intn("a", 3)`, "built-in rand.intn is not allowed"},
		"network":              {"why := \"no user\"", `why := net.lookup_ip_addr("example.com")`, "built-in net.lookup_ip_addr is not allowed"},
		"unbounded list":       {"why := \"no user\"", `why := net.cidr_expand("10.0.0.0/8")`, "built-in net.cidr_expand is not allowed"},
		"environment":          {"why := \"no user\"", `why := opa.runtime().env`, "built-in opa.runtime is not allowed"},
		"misspelt field":       {"tool.name", "tool.nam", "undefined ref"},
		"impossible compare":   {`input.os == "linux"`, `input.os == 7`, "match error"},
		"unused variable":      {"some tool in input.tools", "some tool in input.tools\n\tx := 1", "x unused"},
		"unsafe variable":      {`why := "no user"`, `why := y`, "y is unsafe"},
		"no Rego":              {`why := "no user"`, `why := :`, "rego_parse_error"},
		"rules beside decided": {"#   severity: medium", "#   decided_by: the graph\n#   severity: medium", "decided_by says that the graph decides, but there are rules"},
		"old Rego":             {"applies if input.os == \"linux\"", "applies { input.os == \"linux\" }", "rego_parse_error"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, tt.old, tt.new, 1)
			if text == good {
				t.Fatal("the test changes nothing")
			}
			c := load(t, map[string]string{"image/root.rego": text, "lib/text.rego": library})
			err := c.Verify()
			var problems checks.Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error:\n%v\nwant one with %q", err, tt.want)
			}
			for _, p := range problems {
				if p.File != "p/image/root.rego" || p.Line == 0 {
					t.Errorf("the problem has no place: %q %d", p.File, p.Line)
				}
			}
		})
	}
}

// What computes with addresses reaches nothing and may be used.
func TestVerifyAllowsAddresses(t *testing.T) {
	for _, expr := range []string{
		`net.cidr_contains("10.0.0.0/8", "10.1.2.3")`, `net.cidr_intersects("10.0.0.0/8", "10.1.0.0/16")`,
		`count(net.cidr_merge(["10.0.0.0/9", "10.128.0.0/9"]))`, `net.cidr_is_valid("10.0.0.0/8")`,
	} {
		text := strings.Replace(good, `why := "no user"`, "why := sprintf(\"%v\", ["+expr+"])", 1)
		if text == good {
			t.Fatal("the test changes nothing")
		}
		if err := load(t, map[string]string{"image/root.rego": text, "lib/text.rego": library}).Verify(); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

// What a library reads, the policies that ask for it declare.
func TestVerifyLibraries(t *testing.T) {
	for name, tt := range map[string]struct{ lib, want string }{
		"clock":                      {"x := time.now_ns()", "p/lib/text.rego:5: built-in time.now_ns"},
		"whole input":                {"x := count(input)", "p/lib/text.rego:5: reads the whole input"},
		"all parameters":             {"x := data.params", "p/lib/text.rego:5: reads data.params"},
		"nobody asks":                {"x := [input.architecture, data.params.other]", ""},
		"reads what is needed":       {"loud(_) := input.os if data.params.allowed", ""},
		"reads more input":           {"loud(_) := input.architecture", "p/image/root.rego:31: through postscan.lib.text.loud it reads input.architecture, but needs"},
		"reads more parameters":      {"loud(_) := data.params.other", "p/image/root.rego:31: through postscan.lib.text.loud it reads data.params.other, but params"},
		"reads them with object.get": {`loud(_) := object.get(data.params, "other", "")`, "p/image/root.rego:31: through postscan.lib.text.loud it reads data.params.other, but params"},
		"reads through another":      {"loud(_) := x\n\nx := input.architecture", "through postscan.lib.text.x it reads input.architecture, but needs"},
	} {
		c := load(t, map[string]string{"image/root.rego": good, "lib/text.rego": library + "\n" + tt.lib + "\n"})
		switch err := c.Verify(); {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: error:\n%v\nwant one with %q", name, err, tt.want)
		}
	}
}

func TestSelect(t *testing.T) {
	files := map[string]string{"lib/text.rego": library}
	for i, severity := range []string{"low", "high", "high"} {
		name := fmt.Sprint("p", i+1)
		files["image/"+name+".rego"] = strings.NewReplacer("PS-IMG-001", fmt.Sprintf("PS-IMG-00%d", i+1), "image.root", "image."+name, "severity: medium", "severity: "+severity).Replace(good)
	}
	files["image/p3.rego"] = strings.NewReplacer("PS-IMG-003", "PS-ABC-003", `["4.1.2"]`, `["4.1.4"]`).Replace(files["image/p3.rego"])
	c := load(t, files)
	for _, tt := range []struct {
		include, exclude []string
		want             string
	}{
		{nil, nil, "PS-ABC-003 PS-IMG-001 PS-IMG-002"},
		{[]string{"PS-IMG-001"}, nil, "PS-IMG-001"},
		{[]string{"ps-img-*"}, []string{"PS-*-001"}, "PS-IMG-002"},
		{[]string{"subject:image"}, []string{"severity:HIGH"}, "PS-IMG-001"},
		{[]string{"framework:nist-800-190/4.1.4", "PS-IMG-001"}, nil, "PS-ABC-003 PS-IMG-001"},
		{[]string{"framework:cwe"}, []string{"framework:nist-800-190/4.1.2"}, "PS-ABC-003"},
		{[]string{"PS-IMG-009"}, nil, "error"},
		{nil, []string{"PS-IMG-009"}, "error"},
		{[]string{"PS-[IMG"}, nil, "error"},
		{[]string{"colour:red"}, nil, "error"},
		{[]string{"severity:info"}, nil, "error"},
		{[]string{"PS-IMG-*"}, []string{"PS-*"}, "error"},
	} {
		got, err := c.Select(tt.include, tt.exclude)
		var ids []string
		for _, check := range got {
			ids = append(ids, check.ID)
		}
		text := strings.Join(ids, " ")
		if err != nil {
			text = "error"
		}
		if text != tt.want {
			t.Errorf("Select(%q, %q) = %s (%v), want %s", tt.include, tt.exclude, text, err, tt.want)
		}
	}
}

// The digest says what decides: it changes with a policy or a library, not with
// a test, a name or the order of sources.
func TestDigest(t *testing.T) {
	digest := func(sources ...checks.Source) string {
		c, err := checks.Load(sources...)
		if err != nil {
			t.Fatal(err)
		}
		return c.Digest()
	}
	base := digest(source(map[string]string{"image/root.rego": good, "lib/text.rego": library}))
	if len(base) != 64 {
		t.Errorf("digest %q", base)
	}
	if digest(source(map[string]string{"image/root.rego": good, "lib/text.rego": library, "image/root_test.rego": goodTest})) != base {
		t.Error("a test changes it")
	}
	lib, pol := source(map[string]string{"lib/text.rego": library}), source(map[string]string{"image/root.rego": good})
	if digest(lib, pol) != base || digest(pol, lib) != base {
		t.Error("the order of sources changes it")
	}
	if digest(source(map[string]string{"image/root.rego": good + "\n", "lib/text.rego": library})) == base {
		t.Error("a policy does not change it")
	}
	if digest(source(map[string]string{"image/root.rego": good, "lib/text.rego": library + "\n"})) == base {
		t.Error("a library does not change it")
	}
}

func TestRunTests(t *testing.T) {
	files := func(test string) checks.Source {
		return source(map[string]string{"image/root.rego": good, "lib/text.rego": library, "image/root_test.rego": test})
	}
	fails, passes, _ := strings.Cut(goodTest, "test_passes")
	passes = "package postscan.image.root_test\n\nimport data.postscan.image.root\n\ntest_passes" + passes
	for name, tt := range map[string]struct{ test, want string }{
		"good":              {goodTest, ""},
		"one test for both": {strings.Replace(goodTest, "}\n\ntest_passes if {\n", "", 1), ""},
		"nothing fails":     {passes, "p/image/root.rego: no test sees deny with something in it"},
		"nothing passes":    {fails, "p/image/root.rego: no test sees deny empty"},
		"no test":           {"package postscan.image.root_test\n", "p/image/root.rego: no test looks at deny"},
		"a test is false":   {goodTest + "\ntest_wrong if 1 == 2\n", "p/image/root_test.rego:14: test_wrong is false"},
		"a test is left":    {goodTest + "\ntodo_test_later if true\n", "todo_test_later is left to do"},
		"a built-in error":  {goodTest + "\ntest_error if not to_number(\"x\")\n", "test_error: "},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := checks.RunTests(t.Context(), files(tt.test))
			if err != nil {
				t.Fatal(err)
			}
			err = report.Err()
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error:\n%v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error:\n%v\nwant one with %q", err, tt.want)
			}
		})
	}
	misshapen := source(map[string]string{"image/root.rego": strings.Replace(good, `"path"`, `"where"`, 1), "lib/text.rego": library, "image/root_test.rego": goodTest})
	if report, err := checks.RunTests(t.Context(), misshapen); err != nil || report.Err() == nil || !strings.Contains(report.Err().Error(), `it has the unknown field "where"`) {
		t.Errorf("a misshapen violation: %v, %v", err, report.Err())
	}
	if _, err := checks.RunTests(t.Context(), files("package postscan.image.root_test\n\ntest_x if nope(1)\n")); err == nil || !strings.Contains(err.Error(), "undefined function") {
		t.Errorf("a test that does not compile: %v", err)
	}
}

func TestScaffold(t *testing.T) {
	for _, kind := range facts.Kinds() {
		for _, official := range []bool{true, false} {
			c := load(t, map[string]string{"image/root.rego": good, "lib/text.rego": library})
			s, err := c.Scaffold(kind, "my_check", official)
			if err != nil {
				t.Errorf("%s: %v", kind, err)
				continue
			}
			if kind == facts.KindImage && official && s.ID != "PS-IMG-002" {
				t.Errorf("the next id is %s", s.ID)
			}
			src := source(s.Files)
			src.Official = official
			report, err := checks.RunTests(t.Context(), src)
			if err == nil {
				err = report.Err()
			}
			if err != nil {
				t.Errorf("%s: the new check does not stand by itself:\n%v\n%s", kind, err, s.Files[string(kind)+"/my_check.rego"])
			}
		}
	}
	c := load(t, map[string]string{"image/root.rego": good, "lib/text.rego": library})
	for _, bad := range [][2]string{{"toaster", "x"}, {"image", "Root"}, {"image", ""}, {"image", "root"}, {"image", "x_test"}, {"image", "../x"}} {
		if s, err := c.Scaffold(facts.Kind(bad[0]), bad[1], true); err == nil {
			t.Errorf("%q was made: %+v", bad, s)
		}
	}
}

// Every framework is complete, and each of its controls is there once.
func TestFrameworks(t *testing.T) {
	list, err := checks.Frameworks()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 || !slices.IsSortedFunc(list, func(a, b checks.Framework) int { return strings.Compare(a.ID, b.ID) }) {
		t.Errorf("%d frameworks, or not in order", len(list))
	}
	for _, f := range list {
		if f.Title == "" || f.Version == "" || !strings.HasPrefix(f.URL, "https://") || f.Description == "" || len(f.Controls) == 0 {
			t.Errorf("framework %s is not complete", f.ID)
		}
		seen := map[string]bool{}
		for _, c := range f.Controls {
			if c.ID == "" || seen[c.ID] {
				t.Errorf("framework %s: control %q is empty or twice there", f.ID, c.ID)
			}
			seen[c.ID] = true
			if strings.HasPrefix(f.ID, "cis-") != (c.Title == "") && f.ID != "vsphere-8" && f.ID != "vsphere-9" && f.ID != "aws-fsbp" {
				t.Errorf("framework %s: control %s has the title %q", f.ID, c.ID, c.Title)
			}
		}
	}
	c, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := c.Framework("nist-800-190"); !ok {
		t.Error("nist-800-190 is not there")
	} else if control, ok := f.Control("4.1.2"); !ok || control.Title == "" {
		t.Errorf("control 4.1.2 is %+v", control)
	}
}

func TestParamValue(t *testing.T) {
	for _, tt := range []struct {
		typ   string
		given any
		want  any // nil for an error
	}{
		{"string", "a", "a"},
		{"string", 1, nil},
		{"integer", 1, int64(1)},
		{"integer", float64(2), int64(2)},
		{"integer", 2.5, nil},
		{"integer", "2", nil},
		{"integer", 1e300, nil},
		{"number", 2, float64(2)},
		{"number", true, nil},
		{"boolean", true, true},
		{"boolean", "true", nil},
		{"strings", []any{"a"}, []string{"a"}},
		{"strings", []string{}, []string{}},
		{"strings", []any{1}, nil},
		{"strings", "a", nil},
		{"string", nil, nil},
	} {
		got, err := checks.Param{Name: "p", Type: tt.typ}.Value(tt.given)
		if (err != nil) != (tt.want == nil) || err == nil && !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s from %#v: %#v, %v; want %#v", tt.typ, tt.given, got, err, tt.want)
		}
	}
}

func TestDir(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "image"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "image", "mine.rego"), []byte(strings.NewReplacer("PS-IMG-001", "ACME-1", "image.root", "image.mine").Replace(good)), 0o600); err != nil {
		t.Fatal(err)
	}
	if src := checks.Dir(dir); src.Official {
		t.Error("a user's folder is official")
	}
	if src := checks.Dir(filepath.Join("..", "policies")); !src.Official {
		t.Error("our own folder is not official")
	}
	c, err := checks.Load(checks.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	if c.All()[0].File != filepath.ToSlash(dir)+"/image/mine.rego" {
		t.Errorf("file is %s", c.All()[0].File)
	}
}

// many is a catalogue of n checks, the size that postscan grows to.
func many(tb testing.TB, n int) checks.Source {
	tb.Helper()
	files := fstest.MapFS{"lib/text.rego": &fstest.MapFile{Data: []byte(library)}}
	for i := range n {
		name := fmt.Sprint("p", i)
		text := strings.NewReplacer("PS-IMG-001", fmt.Sprintf("PS-IMG-%03d", i), "image.root", "image."+name).Replace(good)
		files["image/"+name+".rego"] = &fstest.MapFile{Data: []byte(text)}
	}
	return checks.Source{FS: fs.FS(files), Name: "p", Official: true}
}

// BenchmarkLoad reads the METADATA of 250 checks.
func BenchmarkLoad(b *testing.B) {
	src := many(b, 250)
	for b.Loop() {
		if _, err := checks.Load(src); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoadBuiltIn reads what is compiled in.
func BenchmarkLoadBuiltIn(b *testing.B) {
	for b.Loop() {
		if _, err := checks.Load(checks.BuiltIn()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile compiles 50 checks of one subject.
func BenchmarkCompile(b *testing.B) {
	for _, types := range []bool{false, true} {
		b.Run(fmt.Sprintf("types=%v", types), func(b *testing.B) {
			c, err := checks.Load(many(b, 50))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := c.Compile(c.All(), checks.CompileOptions{Types: types}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Only the libraries that the selected policies use are compiled.
func TestCompileLeavesOut(t *testing.T) {
	c := load(t, map[string]string{
		"image/root.rego": good,
		"lib/text.rego":   "package postscan.lib.text\n\nloud(words) := data.postscan.lib.case.up(words)\n",
		"lib/case.rego":   "package postscan.lib.case\n\nup(words) := upper(words)\n",
		"lib/other.rego":  "package postscan.lib.other\n\nbroken := nothing\n",
	})
	compiled, err := c.Compile(c.All(), checks.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(compiled.Modules) != 3 {
		t.Errorf("%d modules, want the policy and two libraries", len(compiled.Modules))
	}
	if err := c.Verify(); err == nil || !strings.Contains(err.Error(), "p/lib/other.rego:3") {
		t.Errorf("verify does not see the broken library: %v", err)
	}
}
