package regoeval_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// policy is the text of a policy: custom fields of the METADATA, then rules.
func policy(name, id, custom, rules string) string {
	var meta strings.Builder
	for line := range strings.Lines(custom) {
		meta.WriteString("#   " + strings.TrimSpace(line) + "\n")
	}
	return `# METADATA
# scope: package
# title: Title of ` + id + `
# description: Description.
# related_resources:
#   - https://example.com/page
# schemas:
#   - input: schema["image"]
# custom:
#   id: ` + id + `
` + meta.String() + `#   remediation: Remediation.
#   references: {cwe: ["250"]}
#   since: 1.0.0
package postscan.image.` + name + "\n\n" + rules
}

// evaluator makes one of policies by name.
func evaluator(t *testing.T, o regoeval.Options, files map[string]string) *regoeval.Evaluator {
	t.Helper()
	e, err := tryEvaluator(t, o, files)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func tryEvaluator(t *testing.T, o regoeval.Options, files map[string]string) (*regoeval.Evaluator, error) {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys["image/"+name+".rego"] = &fstest.MapFile{Data: []byte(text)}
	}
	c, err := checks.Load(checks.Source{FS: fsys, Name: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	return regoeval.New(t.Context(), c, c.All(), o)
}

func resource(im *facts.Image) *facts.Resource {
	return &facts.Resource{Kind: facts.KindImage, ID: "web:1", Target: "web:1", Facts: im}
}

// judge evaluates a resource and returns the outcomes by check.
func judge(t *testing.T, e *regoeval.Evaluator, r *facts.Resource) map[string]scanner.Outcome {
	t.Helper()
	outcomes, err := e.Evaluate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(outcomes) != len(e.Rules()) {
		t.Errorf("%d outcomes of %d checks", len(outcomes), len(e.Rules()))
	}
	out := map[string]scanner.Outcome{}
	for _, o := range outcomes {
		if o.Resource != r {
			t.Errorf("%s: the outcome is of another resource", o.Rule.ID)
		}
		out[o.Rule.ID] = o
	}
	return out
}

// root fails where the user is empty.
const rootRules = `
deny contains {"message": "no user", "path": "config.user", "value": input.config.user} if input.config.user == ""
`

func TestOutcomes(t *testing.T) {
	e := evaluator(t, regoeval.Options{}, map[string]string{
		"root": policy("root", "T-1", "severity: medium\nneeds: [config.user, base, users]", rootRules),
		"linux": policy("linux", "T-2", "severity: high\nneeds: [os, secrets]", `
applies if input.os == "linux"

deny contains {"message": s.title, "path": sprintf("secrets[%d]", [i]), "value": {"line": s.start_line, "tags": {"b", "a"}}, "key": s.path} if some i, s in input.secrets

unknown contains "some file was odd" if {
	some s in input.secrets
	s.path == "odd"
}
`),
	})
	partial := facts.Missing{Status: facts.Unknown, Reason: "two files were broken", Partial: true}
	type want struct {
		status  scanner.Status
		gap     facts.Gap
		reasons []string
		denies  int
	}
	pass, na := want{status: scanner.Pass}, want{status: scanner.NotApplicable}
	for name, tt := range map[string]struct {
		image   facts.Image
		missing map[string]facts.Missing
		t1, t2  want
	}{
		"all well": {facts.Image{OS: "linux", Config: facts.ImageConfig{User: "7"}}, nil, pass, pass},
		"fails": {
			facts.Image{OS: "linux", Secrets: []facts.Secret{{Path: "a", Title: "A"}, {Path: "b", Title: "B"}}},
			nil, want{status: scanner.Fail, denies: 1}, want{status: scanner.Fail, denies: 2},
		},
		"not applicable": {facts.Image{OS: "windows", Secrets: []facts.Secret{{Path: "a", Title: "A"}}}, nil, want{status: scanner.Fail, denies: 1}, na},
		"the policy does not know": {
			facts.Image{OS: "linux", Config: facts.ImageConfig{User: "7"}, Secrets: []facts.Secret{{Path: "odd", Title: "Odd"}}},
			nil, pass, want{scanner.Fail, facts.Unknown, []string{"some file was odd"}, 1},
		},
		"a parent is missing": {
			facts.Image{OS: "linux"},
			map[string]facts.Missing{"config": {Status: facts.NotAssessed, Reason: "an SBOM has no config"}},
			want{scanner.NotAssessed, facts.NotAssessed, []string{"an SBOM has no config"}, 0}, pass,
		},
		"unknown outweighs not assessed": {
			facts.Image{OS: "linux", Config: facts.ImageConfig{User: "7"}, Secrets: []facts.Secret{{Path: "a", Title: "A"}}},
			map[string]facts.Missing{"os": {Status: facts.NotAssessed, Reason: "nobody looked"}, "secrets": {Status: facts.Unknown, Reason: "unreadable"}},
			pass, want{scanner.Unknown, facts.Unknown, []string{"nobody looked", "unreadable"}, 0},
		},
		"seen in part, nothing there": {
			facts.Image{OS: "linux", Config: facts.ImageConfig{User: "7"}}, map[string]facts.Missing{"secrets": partial},
			pass, want{scanner.Unknown, facts.Unknown, []string{partial.Reason}, 0},
		},
		"seen in part, something there": {
			facts.Image{OS: "linux", Config: facts.ImageConfig{User: "7"}, Secrets: []facts.Secret{{Path: "odd", Title: "Odd"}}}, map[string]facts.Missing{"secrets": partial},
			pass, want{scanner.Fail, facts.Unknown, []string{partial.Reason, "some file was odd"}, 1},
		},
		"seen in part, and not applicable by that": {
			facts.Image{OS: "windows", Config: facts.ImageConfig{User: "7"}}, map[string]facts.Missing{"os": partial},
			pass, want{scanner.Unknown, facts.Unknown, []string{partial.Reason}, 0},
		},
		"a gap of no known status": {
			facts.Image{OS: "linux"}, map[string]facts.Missing{"config.user": {}},
			want{scanner.Unknown, facts.Unknown, []string{"config.user was not seen"}, 0}, pass,
		},
		"a part of what is needed is missing": {
			facts.Image{OS: "linux", Config: facts.ImageConfig{User: "7"}}, map[string]facts.Missing{"base.tag": {Reason: "hidden"}, "users[].shell": {Reason: "not read"}},
			want{scanner.Unknown, facts.Unknown, []string{"hidden"}, 0}, pass,
		},
		"a field that is read of elements is missing": {
			facts.Image{OS: "linux", Config: facts.ImageConfig{User: "7"}}, map[string]facts.Missing{"secrets[].title": {Reason: "older version"}, "secrets[].length": {Reason: "not read"}},
			pass, want{scanner.Unknown, facts.Unknown, []string{"older version"}, 0},
		},
		"a gap that nobody needs": {
			facts.Image{OS: "linux", Config: facts.ImageConfig{User: "7"}}, map[string]facts.Missing{"packages": partial, "config.path": partial}, pass, pass,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := resource(&tt.image)
			r.Missing = tt.missing
			got := judge(t, e, r)
			for id, w := range map[string]want{"T-1": tt.t1, "T-2": tt.t2} {
				o := got[id]
				if o.Status != w.status || o.Gap != w.gap || !slices.Equal(o.Reasons, w.reasons) || len(o.Violations) != w.denies {
					t.Errorf("%s is %s %s %q with %d violations, want %+v", id, o.Status, o.Gap, o.Reasons, len(o.Violations), w)
				}
			}
		})
	}
}

// What is optional is handed over where it was seen, and missed by nobody.
func TestOptional(t *testing.T) {
	e := evaluator(t, regoeval.Options{}, map[string]string{
		"p": policy("p", "T-1", "severity: low\nneeds: [os]\noptional: [variant, tools]", `
deny contains {"message": concat(" ", [input.variant, tool.name]), "path": "os", "value": 1} if some tool in input.tools
`),
	})
	r := resource(&facts.Image{OS: "linux", Variant: "v8", Tools: []facts.Tool{{Name: "gcc"}}})
	if o := judge(t, e, r)["T-1"]; o.Status != scanner.Fail || o.Violations[0].Message != "v8 gcc" {
		t.Errorf("seen: %s %+v", o.Status, o.Violations)
	}
	r = resource(&facts.Image{OS: "linux"})
	r.Missing = map[string]facts.Missing{"variant": {Reason: "a"}, "tools[].name": {Reason: "b"}}
	if o := judge(t, e, r)["T-1"]; o.Status != scanner.Pass || o.Gap != "" {
		t.Errorf("not seen: %s %s %q", o.Status, o.Gap, o.Reasons)
	}
}

func TestViolation(t *testing.T) {
	e := evaluator(t, regoeval.Options{}, map[string]string{
		"one": policy("one", "T-1", "severity: medium\nneeds: [secrets]", `
deny contains {"message": s.title, "path": sprintf("secrets[%d]", [i]), "value": {"line": s.start_line, "half": 0.5, "tags": {"b", "a"}, "none": null, "yes": true}, "key": s.path} if some i, s in input.secrets
`),
	})
	o := judge(t, e, resource(&facts.Image{Secrets: []facts.Secret{{Path: "b", Title: "B", StartLine: 3}, {Path: "a", Title: "A"}}}))["T-1"]
	want := []scanner.Violation{
		{Message: "A", Path: "secrets[1]", Key: "a", Severity: scanner.SeverityMedium, Value: map[string]any{"line": int64(0), "half": 0.5, "tags": []any{"a", "b"}, "none": nil, "yes": true}},
		{Message: "B", Path: "secrets[0]", Key: "b", Severity: scanner.SeverityMedium, Value: map[string]any{"line": int64(3), "half": 0.5, "tags": []any{"a", "b"}, "none": nil, "yes": true}},
	}
	for i := range want {
		want[i].Evidence = []scanner.Evidence{{Path: want[i].Path, Value: want[i].Value}}
	}
	if !reflect.DeepEqual(o.Violations, want) {
		t.Errorf("violations\n%#v, want\n%#v", o.Violations, want)
	}
	rule := scanner.Rule{
		ID: "T-1", Title: "Title of T-1", Description: "Description.", Severity: scanner.SeverityMedium, Severities: []scanner.Severity{scanner.SeverityMedium},
		Subject: facts.KindImage, Remediation: "Remediation.",
		References: []scanner.Reference{{Framework: "cwe", Control: "250"}, {Framework: "url", Control: "https://example.com/page"}},
	}
	if !reflect.DeepEqual(*o.Rule, rule) {
		t.Errorf("rule %+v, want %+v", *o.Rule, rule)
	}
}

// A violation that is not as promised is never dropped: the check is unknown,
// and what it said well still counts.
func TestMisshapenViolations(t *testing.T) {
	for name, tt := range map[string]struct{ severity, deny, want string }{
		"no message":        {"severity: low", `{"path": "os", "value": 1}`, "no message"},
		"empty message":     {"severity: low", `{"message": " ", "path": "os", "value": 1}`, "message that is no text"},
		"message no text":   {"severity: low", `{"message": 5, "path": "os", "value": 1}`, "message that is no text"},
		"no path":           {"severity: low", `{"message": "m", "value": 1}`, "no path"},
		"no value":          {"severity: low", `{"message": "m", "path": "os"}`, "no value"},
		"unknown field":     {"severity: low", `{"message": "m", "path": "os", "value": 1, "colour": "red"}`, `unknown field "colour"`},
		"key no text":       {"severity: low", `{"message": "m", "path": "os", "value": 1, "key": 7}`, "key that is no text"},
		"no object":         {"severity: low", `"m"`, "no object"},
		"other severity":    {"severity: low", `{"message": "m", "path": "os", "value": 1, "severity": "high"}`, `severity "high", which`},
		"severity no text":  {"severity: low", `{"message": "m", "path": "os", "value": 1, "severity": 3}`, "severity that is no text"},
		"severity unlisted": {"severities: [high, low]", `{"message": "m", "path": "os", "value": 1, "severity": "info"}`, `severity "info", which`},
		"severity missing":  {"severities: [high, low]", `{"message": "m", "path": "os", "value": 1}`, "no severity"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			good := `{"message": "good", "path": "os", "value": 1, "severity": "low"}`
			e := evaluator(t, regoeval.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, map[string]string{
				"bad":  policy("bad", "T-1", tt.severity, "deny contains "+tt.deny+"\n"),
				"both": policy("both", "T-2", tt.severity, "deny contains "+tt.deny+"\n\ndeny contains "+good+"\n"),
			})
			got := judge(t, e, resource(&facts.Image{}))
			if o := got["T-1"]; o.Status != scanner.Unknown || len(o.Reasons) != 1 || !strings.Contains(o.Reasons[0], tt.want) || len(o.Violations) != 0 {
				t.Errorf("outcome %s %q with %d violations, want unknown with %q", o.Status, o.Reasons, len(o.Violations), tt.want)
			}
			if o := got["T-2"]; o.Status != scanner.Fail || o.Gap != facts.Unknown || len(o.Violations) != 1 || o.Violations[0].Message != "good" {
				t.Errorf("outcome %s %s with %+v, want fail with the good one, and unknown", o.Status, o.Gap, o.Violations)
			}
			if !strings.Contains(log.String(), "check=T-1") || !strings.Contains(log.String(), "web:1") {
				t.Errorf("the log does not tell which check and resource: %s", log.String())
			}
		})
	}
}

func TestSeverities(t *testing.T) {
	e := evaluator(t, regoeval.Options{}, map[string]string{
		"some": policy("some", "T-1", "severities: [low, critical]", `
deny contains {"message": s, "path": "os", "value": 1, "severity": s} if some s in ["low", "critical"]
`),
	})
	if r := e.Rules()[0]; r.Severity != scanner.SeverityCritical || !slices.Equal(r.Severities, []scanner.Severity{scanner.SeverityCritical, scanner.SeverityLow}) {
		t.Errorf("the check's severities are %v %v", r.Severity, r.Severities)
	}
	for _, v := range judge(t, e, resource(&facts.Image{}))["T-1"].Violations {
		if v.Severity.String() != v.Message {
			t.Errorf("violation %q has severity %v", v.Message, v.Severity)
		}
	}
}

// A policy that ends in an error is unknown; the others of the subject count.
func TestErrors(t *testing.T) {
	for name, rules := range map[string]string{
		"built-in": `deny contains {"message": "m", "path": "os", "value": to_number(input.os)}`,
		"conflict": "deny contains {\"message\": x, \"path\": \"os\", \"value\": 1}\n\nx := \"a\" if input.os == \"linux\"\n\nx := \"b\" if startswith(input.os, \"lin\")",
		"applies":  "applies if to_number(input.os) == 1\n\ndeny contains {\"message\": \"m\", \"path\": \"os\", \"value\": 1}",
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			e := evaluator(t, regoeval.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, map[string]string{
				"bad":  policy("bad", "T-1", "severity: low\nneeds: [os]", rules+"\n"),
				"root": policy("root", "T-2", "severity: low\nneeds: [config.user]", rootRules),
			})
			got := judge(t, e, resource(&facts.Image{OS: "linux"}))
			if o := got["T-1"]; o.Status != scanner.Unknown || o.Gap != facts.Unknown || len(o.Reasons) != 1 || !strings.Contains(o.Reasons[0], "mine/image/bad.rego") {
				t.Errorf("the bad policy is %s %q", o.Status, o.Reasons)
			}
			if o := got["T-2"]; o.Status != scanner.Fail || o.Gap != "" {
				t.Errorf("the good policy is %s %q", o.Status, o.Reasons)
			}
			if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
				t.Errorf("the log has %d errors: %s", n, log.String())
			}
		})
	}
}

// endless takes longer than anybody waits.
const endless = `
deny contains {"message": "m", "path": "os", "value": 1} if {
	some a in numbers.range(1, 100000)
	some b in numbers.range(1, 100000)
	a * b == -1
}
`

func TestTimeout(t *testing.T) {
	e := evaluator(t, regoeval.Options{Timeout: 2 * time.Second}, map[string]string{
		"bad":  policy("bad", "T-1", "severity: low", endless),
		"root": policy("root", "T-2", "severity: low\nneeds: [config.user]", rootRules),
	})
	got := judge(t, e, resource(&facts.Image{}))
	if o := got["T-1"]; o.Status != scanner.Unknown || len(o.Reasons) != 1 || !strings.Contains(o.Reasons[0], "longer than 2s") {
		t.Errorf("the endless policy is %s %q", o.Status, o.Reasons)
	}
	if o := got["T-2"]; o.Status != scanner.Fail {
		t.Errorf("the other policy is %s %q", o.Status, o.Reasons)
	}
}

func TestCancel(t *testing.T) {
	e := evaluator(t, regoeval.Options{}, map[string]string{"bad": policy("bad", "T-1", "severity: low", endless)})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if o, err := e.Evaluate(ctx, resource(&facts.Image{})); !errors.Is(err, context.Canceled) || o != nil {
		t.Errorf("outcomes %v, error %v; want none and cancelled", o, err)
	}
	if _, err := e.Evaluate(ctx, resource(&facts.Image{})); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want cancelled", err)
	}
}

// Documents that differ only in what no policy needs are evaluated once: the
// error of the policy is told once.
func TestEqualFactsOnce(t *testing.T) {
	var log bytes.Buffer
	e := evaluator(t, regoeval.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, map[string]string{
		"bad": policy("bad", "T-1", "severity: low\nneeds: [os, secrets]", "deny contains {\"message\": \"m\", \"path\": \"os\", \"value\": to_number(input.os)} if count(input.secrets) == 0\n"),
	})
	told := func() int { return strings.Count(log.String(), "level=ERROR") }
	judge(t, e, resource(&facts.Image{OS: "linux", Repository: "a"}))
	second := resource(&facts.Image{OS: "linux", Repository: "b", Secrets: []facts.Secret{}})
	if o := judge(t, e, second)["T-1"]; o.Status != scanner.Unknown || told() != 1 {
		t.Errorf("equal facts: %s, told %d times", o.Status, told())
	}
	judge(t, e, resource(&facts.Image{OS: "linuz", Repository: "a"}))
	if told() != 2 {
		t.Errorf("other facts: told %d times, want 2", told())
	}
	gone := resource(&facts.Image{OS: "linux"})
	gone.Missing = map[string]facts.Missing{"os": {Status: facts.NotAssessed, Reason: "r"}}
	if o := judge(t, e, gone)["T-1"]; o.Status != scanner.NotAssessed {
		t.Errorf("equal facts of which one is missing: %s", o.Status)
	}
}

const paramFields = `severity: low
needs: [os]
params:
  - {name: words, type: strings, default: [a], description: d}
  - {name: limit, type: integer, default: 3, description: d}
`

func paramPolicy(id string) string {
	text := policy("p", id, "", `
deny contains {"message": sprintf("%v %v %v", [data.params.words, data.params.limit, data.params.now]), "path": "os", "value": input.os}
`)
	var meta strings.Builder
	for line := range strings.Lines(paramFields) {
		meta.WriteString("#   " + line)
	}
	return strings.Replace(text, "#   remediation", meta.String()+"#   remediation", 1)
}

func TestParams(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.FixedZone("x", 3600))
	e := evaluator(t, regoeval.Options{Now: now, Params: map[string]any{"words": []any{"b", "c"}}}, map[string]string{"p": paramPolicy("T-1")})
	if got := judge(t, e, resource(&facts.Image{}))["T-1"].Violations; len(got) != 1 || got[0].Message != `["b", "c"] 3 2030-01-02T02:04:05Z` {
		t.Errorf("violations %+v", got)
	}
	if got, want := e.Params(), map[string]any{"words": []string{"b", "c"}, "limit": int64(3)}; !reflect.DeepEqual(got, want) {
		t.Errorf("parameters %#v, want %#v", got, want)
	}
	for name, given := range map[string]map[string]any{
		`"lmit": no check has it`: {"lmit": 4},
		"is not of type integer":  {"limit": 4.5},
		"is not of type strings":  {"words": []any{"a", 1}},
	} {
		if _, err := tryEvaluator(t, regoeval.Options{Params: given}, map[string]string{"p": paramPolicy("T-1")}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("parameters %v: error %v, want %q", given, err, name)
		}
	}
}

func TestRequiredParams(t *testing.T) {
	text := strings.Replace(paramPolicy("T-1"), "default: [a]", "default: []", 1)
	text = strings.Replace(text, "#   remediation", "#   requires_params: [words]\n#   remediation", 1)
	e := evaluator(t, regoeval.Options{}, map[string]string{"p": text})
	if o := judge(t, e, resource(&facts.Image{}))["T-1"]; o.Status != scanner.NotAssessed || !slices.Equal(o.Reasons, []string{"the parameter words is not configured"}) {
		t.Errorf("not configured: %s %q", o.Status, o.Reasons)
	}
	e = evaluator(t, regoeval.Options{Params: map[string]any{"words": []string{"x"}}}, map[string]string{"p": text})
	if o := judge(t, e, resource(&facts.Image{}))["T-1"]; o.Status != scanner.Fail {
		t.Errorf("configured: %s %q", o.Status, o.Reasons)
	}
}

func TestDecidedElsewhere(t *testing.T) {
	e := evaluator(t, regoeval.Options{}, map[string]string{"far": policy("far", "T-1", "severity: low\ndecided_by: the attack-path graph", "")})
	if o := judge(t, e, resource(&facts.Image{}))["T-1"]; o.Status != scanner.NotAssessed || !strings.Contains(o.Reasons[0], "the attack-path graph") {
		t.Errorf("outcome %s %q", o.Status, o.Reasons)
	}
}

// A misspelt field in a user's policy would be undefined, and the policy would
// never fail: its types are checked when it is loaded.
func TestTypesOfOwnPolicies(t *testing.T) {
	for name, rules := range map[string]string{
		"field":   `deny contains {"message": "m", "path": "os", "value": v.kevv} if some v in input.vulnerabilities`,
		"compare": `deny contains {"message": "m", "path": "os", "value": 1} if input.vulnerabilities == "x"`,
	} {
		_, err := tryEvaluator(t, regoeval.Options{}, map[string]string{"p": policy("p", "T-1", "severity: low\nneeds: [vulnerabilities]", rules+"\n")})
		var problems checks.Problems
		if !errors.As(err, &problems) || problems[0].File != "mine/image/p.rego" || problems[0].Line == 0 {
			t.Errorf("%s: error %v, want a problem with its place", name, err)
		}
	}
}

func TestOtherKinds(t *testing.T) {
	e := evaluator(t, regoeval.Options{}, map[string]string{"root": policy("root", "T-1", "severity: low\nneeds: [config.user]", rootRules)})
	if o, err := e.Evaluate(t.Context(), &facts.Resource{Kind: "toaster"}); err != nil || o != nil {
		t.Errorf("a kind without checks: %v, %v", o, err)
	}
	wrong := &facts.Resource{Kind: facts.KindImage, ID: "x", Facts: &facts.Layer{}}
	if o := judge(t, e, wrong)["T-1"]; o.Status != scanner.Unknown {
		t.Errorf("facts of another type: %s", o.Status)
	}
	if o := judge(t, e, &facts.Resource{Kind: facts.KindImage, ID: "x", Facts: (*facts.Image)(nil)})["T-1"]; o.Status != scanner.Unknown {
		t.Errorf("no facts: %s", o.Status)
	}
}

func TestNothingSelected(t *testing.T) {
	c, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := regoeval.New(t.Context(), c, nil, regoeval.Options{}); err == nil {
		t.Error("an evaluator without checks would call everything clean")
	}
}

// Many resources at once, half of them equal, give each its own answer.
func TestParallel(t *testing.T) {
	e := evaluator(t, regoeval.Options{Parallel: 3}, map[string]string{
		"root": policy("root", "T-1", "severity: low\nneeds: [config.user]", rootRules),
		"tool": policy("tool", "T-2", "severity: low\nneeds: [tools]", `deny contains {"message": x.name, "path": "tools", "value": 1} if some x in input.tools`+"\n"),
	})
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			name := fmt.Sprint("tool-", i/2)
			r := resource(&facts.Image{Tools: []facts.Tool{{Name: name}}})
			if i%5 == 0 {
				r.Missing = map[string]facts.Missing{"config": {Status: facts.Unknown, Reason: name}}
			}
			outcomes, err := e.Evaluate(t.Context(), r)
			switch {
			case err != nil:
				t.Error(err)
			case outcomes[1].Violations[0].Message != name:
				t.Errorf("%s got the answer of %s", name, outcomes[1].Violations[0].Message)
			case (outcomes[0].Status == scanner.Unknown) != (i%5 == 0):
				t.Errorf("%s is %s", name, outcomes[0].Status)
			}
		})
	}
	wg.Wait()
}
