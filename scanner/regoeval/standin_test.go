package regoeval

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner/facts"
)

// awkward are texts with which putting texts together goes wrong, if it can: blank
// ones, those that need quoting, that look like a format or like a stand-in, that run
// into each other, and that sort before and after the letters.
func awkward() []string {
	return []string{
		"", " ", "\t", "a", "b", "a b", "b a", "a:b", "A", "Z", "zz", "~", "!", `"`, `a"b`, `\`, "`", "'", "%", "%s", "%d%v", "100%", "%!s(MISSING)",
		"ü", "日本", "\u202e", "\uffff", "\U0001f600", "a\x00b", "\x01", "\x02", "\x01ABC 0 0\x02", "0", "1", "-1", "true", "null", "{}", "[]", "spec", "deny",
		strings.Repeat("long ", 2000),
	}
}

// pair is two evaluators of a kind: one that remembers, and one that asks every time.
type pair struct {
	kind            facts.Kind
	remembers, asks *Evaluator
}

// newPair is nil where no policy judges the kind.
func newPair(t testing.TB, kind facts.Kind) (*pair, []*checks.Check) {
	t.Helper()
	catalogue, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	selected, err := catalogue.Select([]string{"subject:" + string(kind)}, nil)
	if err != nil || len(selected) == 0 {
		return nil, nil
	}
	made := func() *Evaluator {
		e, err := New(t.Context(), catalogue, selected, Options{Now: time.Unix(2e9, 0), Params: map[string]any{"allowed_registries": []string{"docker.io", "a"}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.subjects[kind].wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		return e
	}
	p := &pair{kind: kind, remembers: made(), asks: made()}
	p.asks.subjects[kind].wide, p.asks.subjects[kind].queries = true, map[queryOf]*prepared{}
	return p, selected
}

// same judges a document by both and returns how many denials there are.
func (p *pair) same(t *testing.T, doc any, missing map[string]facts.Missing) int {
	t.Helper()
	resource := &facts.Resource{Kind: p.kind, ID: "r", Facts: doc, Missing: missing}
	p.asks.subjects[p.kind].cache = cache{}
	got, err := p.remembers.Evaluate(t.Context(), resource)
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.asks.Evaluate(t.Context(), resource)
	if err != nil {
		t.Fatal(err)
	}
	said := 0
	for i := range want {
		said += len(want[i].Violations)
		if !slices.Equal(got[i].Reasons, want[i].Reasons) || got[i].Status != want[i].Status || !sameViolations(got[i].Violations, want[i].Violations) {
			t.Fatalf("%s is remembered as %v %+v %q, and is %v %+v %q", want[i].Rule.ID, got[i].Status, got[i].Violations, got[i].Reasons, want[i].Status, want[i].Violations, want[i].Reasons)
		}
	}
	return said
}

// rename puts texts into the slots of a document, below one path.
func rename(r *rand.Rand, v reflect.Value, path string, texts []string) {
	switch {
	case path == "":
		v.SetString(texts[r.IntN(len(texts))])
	case strings.HasPrefix(path, "[]"):
		v.Set(reflect.AppendSlice(reflect.Zero(v.Type()), v)) // what was handed out keeps its own
		for i := range v.Len() {
			if r.IntN(3) > 0 {
				rename(r, v.Index(i), path[2:], texts)
			}
		}
	default:
		f, rest, _ := fieldAt(v.Type(), path)
		rename(r, v.FieldByIndex(f.Index), rest, texts)
	}
}

// Documents that differ in names alone get what policies say of their own names, in
// the order in which Rego has it, whatever the names are.
func TestFillsShapes(t *testing.T) {
	kinds := facts.Kinds()
	if testing.Short() {
		kinds = []facts.Kind{facts.KindWorkload}
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			p, selected := newPair(t, kind)
			if p == nil {
				return
			}
			s := p.remembers.subjects[kind]
			all, names := words(selected), awkward()
			documents, renamed := 3, 6
			if kind == facts.KindWorkload && !testing.Short() {
				documents = 30
			}
			r := rand.New(rand.NewPCG(3, 9))
			doc := facts.New(kind)
			for range 300 {
				change(r, reflect.ValueOf(doc).Elem(), all)
			}
			for range documents {
				for range 12 {
					change(r, reflect.ValueOf(doc).Elem(), all)
				}
				for range renamed {
					for _, slot := range s.parts.slots {
						if r.IntN(4) > 0 {
							rename(r, reflect.ValueOf(doc).Elem(), slot.path, names)
						}
					}
					p.same(t, doc, nil)
				}
			}
		})
	}
}

// The policies about workloads are hardly ever asked about a workload that differs
// from another in names alone.
func TestShapesAreUsed(t *testing.T) {
	p, _ := newPair(t, facts.KindWorkload)
	s := p.remembers.subjects[facts.KindWorkload]
	open := 0
	for _, shown := range s.parts.shown {
		if len(shown) > 0 {
			open++
		}
	}
	if open < 40 || len(s.parts.classes) > 8 {
		t.Errorf("%d policies can be asked with stand-ins, in %d classes", open, len(s.parts.classes))
	}
	doc := func(name string) *facts.Workload {
		return &facts.Workload{PodPath: "spec", HostPID: true, Containers: []facts.Container{
			{Name: name, Path: "spec.containers[0]", Privileged: true, Role: "container"}, {Name: "b", Path: "spec.containers[1]", Privileged: true, Role: "container"},
		}}
	}
	p.same(t, doc("a"), nil)
	p.same(t, doc("c"), nil) // a second one has the policies asked with stand-ins
	s.cache.mu.Lock()
	shapes := 0
	for _, r := range s.cache.young {
		if r.shape != nil {
			shapes++
		}
	}
	s.cache.mu.Unlock()
	if shapes < 5 {
		t.Errorf("%d shapes are remembered", shapes)
	}
	for _, name := range awkward()[3:] {
		p.same(t, doc(name), nil)
	}
	privileged := slices.IndexFunc(s.policies, func(p *policy) bool { return p.check.ID == "PS-K8S-001" })
	seen := s.parts.see(reflect.ValueOf(doc("never seen before")))
	defer seen.done()
	run, out := newSet(len(s.policies)), make([]answer, len(s.policies))
	run.add(privileged)
	if ask, direct := s.cache.get(seen, run, out, &s.stand); !ask.empty() || !direct.empty() {
		t.Error("another name has the policy asked again")
	}
	if v := out[privileged].violations; len(v) != 2 || v[0].Key != "b" || v[1].Key != "never seen before" || !strings.Contains(v[1].Message, "never seen before") {
		t.Errorf("%+v", v)
	}
}

// A policy that does more with a text than show it is asked every time, and says
// the same of it.
func TestShapesOfOddPolicies(t *testing.T) {
	const header = "# METADATA\n# scope: package\n# title: T\n# description: D.\n# schemas:\n#   - input: schema[\"workload\"]\n# custom:\n#   id: PS-ODD-%s\n#   severities: [low, high]\n#   needs: [containers, volumes, pod_path]\n#   remediation: R.\n#   references:\n#     cwe: [\"250\"]\n#   since: \"0.1.0\"\n"
	bodies := []string{
		`deny contains {"message": sprintf("%q", [c.name]), "path": "p", "value": c.path, "severity": "low"} if some c in input.containers`,
		`deny contains {"message": sprintf("%5s|%v", [c.name, c.name]), "path": "p", "value": c.path, "severity": "low"} if some c in input.containers`,
		`deny contains {"message": sprintf("%v", [[c.name]]), "path": "p", "value": 1, "severity": "low"} if some c in input.containers`,
		`deny contains {"message": upper(c.name), "path": "p", "value": 1, "severity": "low"} if some c in input.containers`,
		`deny contains {"message": concat(",", {c.name | some c in input.containers}), "path": "p", "value": 1, "severity": "low"}`,
		`deny contains {"message": "m", "path": "p", "value": {c.name | some c in input.containers}, "severity": "high"}`,
		`deny contains {"message": "m", "path": c.path, "value": {"a": [c.name, c.path], "b": 1}, "severity": "high"} if some c in input.containers`,
		`deny contains {"message": "m", "path": "p", "value": {c.name: 1}, "severity": "low"} if some c in input.containers`,
		`deny contains {"message": concat(c.name, ["x", "y", c.path]), "path": "p", "value": 1, "severity": "low"} if some c in input.containers`,
		`deny contains {"message": "m", "path": "p", "value": 1, "severity": c.name} if some c in input.containers`,
		`deny contains {"message": c.name, "path": c.path, "value": 1, "key": c.name, "severity": "low"} if some c in input.containers

deny contains {"message": c.path, "path": c.name, "value": c.path, "severity": "high"} if some c in input.containers`,
		`deny contains {"message": word(c), "path": "p", "value": 1, "severity": "low"} if some c in input.containers

word(c) := sprintf("is %s", [c.name]) if c.privileged

word(c) := c.path if not c.privileged`,
		`deny contains {"message": word(c.name), "path": "p", "value": 1, "severity": "low"} if some c in input.containers

word(name) := "a" if startswith(name, "a")

else := name`,
		`deny contains {"message": name, "path": "p", "value": 1, "severity": "low"} if {
	some c in input.containers
	name := c.name
	not name in {"a", "b"}
}`,
		`deny contains {"message": c.name, "path": v.name, "value": 1, "severity": "low"} if {
	some c in input.containers
	some v in input.volumes
	c.name == v.name
}`,
		`deny contains {"message": c.name, "path": v.name, "value": 1, "severity": "low"} if {
	some c in input.containers
	some v in input.volumes
	c.privileged
}`,
		`unknown contains sprintf("%s is not known", [c.name]) if some c in input.containers

unknown contains c.path if some c in input.containers

deny contains {"message": "m", "path": "p", "value": 1, "severity": "low"} if input.pod_path == "a"`,
		`deny contains {"message": sprintf("%s", [text]), "path": "p", "value": 1, "severity": "low"} if {
	some c in input.containers
	text := trim(c.name, "a")
}`,
		`deny contains {"message": sprintf("%d %s %%s %v", [count(input.containers), input.pod_path, c.name]), "path": c.path, "value": [c.name, {c.path}], "severity": "low"} if some c in input.containers`,
	}
	source := fstest.MapFS{}
	for i, body := range bodies {
		id := string(rune('a' + i))
		source["workload/"+id+".rego"] = &fstest.MapFile{Data: []byte(strings.Replace(header, "%s", fmt.Sprintf("%03d", i+1), 1) + "package postscan.workload." + id + "\n\n" + body + "\n")}
	}
	catalogue, err := checks.Load(checks.Source{Name: "odd", FS: source, Official: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range catalogue.All() {
		c.BuiltIn = true // for what users write nothing is remembered so
	}
	made := func() *Evaluator {
		e, err := New(t.Context(), catalogue, catalogue.All(), Options{Now: time.Unix(2e9, 0)})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.subjects[facts.KindWorkload].wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		return e
	}
	p := &pair{kind: facts.KindWorkload, remembers: made(), asks: made()}
	p.asks.subjects[p.kind].wide, p.asks.subjects[p.kind].queries = true, map[queryOf]*prepared{}
	r := rand.New(rand.NewPCG(5, 5))
	texts := awkward()
	text := func() string { return texts[r.IntN(len(texts))] }
	for range 200 {
		w := &facts.Workload{PodPath: text()}
		for range r.IntN(4) {
			w.Containers = append(w.Containers, facts.Container{Name: text(), Path: text(), Privileged: r.IntN(2) == 0})
		}
		for range r.IntN(3) {
			w.Volumes = append(w.Volumes, facts.Volume{Name: text()})
		}
		p.same(t, w, nil)
	}
}

// FuzzRemembers compares what is remembered with what policies say, of workloads
// made by chance, and of the same with other names.
func FuzzRemembers(f *testing.F) {
	p, selected := newPair(f, facts.KindWorkload)
	all := words(selected)
	f.Add(uint64(1), "a", "b", `"%s`)
	f.Add(uint64(2), "", " ", "\x01 0 0\x02")
	f.Add(uint64(3), "app", "app", "ü")
	f.Fuzz(func(t *testing.T, seed uint64, a, b, c string) {
		r := rand.New(rand.NewPCG(seed, 1))
		doc := facts.New(facts.KindWorkload)
		for range 100 {
			change(r, reflect.ValueOf(doc).Elem(), append(all, a, b, c))
		}
		p.same(t, doc, nil)
		for range 4 {
			for _, slot := range p.remembers.subjects[facts.KindWorkload].parts.slots {
				rename(r, reflect.ValueOf(doc).Elem(), slot.path, []string{a, b, c, a + b, a + " " + b})
			}
			p.same(t, doc, nil)
		}
	})
}
