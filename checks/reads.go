package checks

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Reads are the fields of the facts that a policy reads, as far as its text
// tells: paths as in Check.Needs. They go below lists
// ("containers[].literal_secrets"), where needs may name the list alone; what is
// handed to a built-in function as a whole is not followed.
type Reads []string

// param stands for the argument of a function that is being looked at.
const param = "$"

// flow follows fields of the facts through variables and functions. The
// references of its rules are resolved, nothing else is rewritten.
type flow struct {
	rules ruleIndex
	known map[string]map[string]bool // reads of a rule ("name") or of a function below one argument ("name 0")
}

// ruleIndex holds all rules by their full name: "postscan.lib.paths.under".
type ruleIndex map[string][]*ast.Rule

func indexRules(comp *ast.Compiler) ruleIndex {
	index := ruleIndex{}
	for _, m := range comp.Modules {
		for _, r := range m.Rules {
			name := packageName(m) + "." + ruleName(r)
			index[name] = append(index[name], r)
		}
	}
	return index
}

// reads are those of all rules of a module.
func (f *flow) reads(m *ast.Module) Reads {
	all := map[string]bool{}
	for _, r := range m.Rules {
		f.rule(r, nil, all)
	}
	return slices.Sorted(maps.Keys(all))
}

// below are the reads of a function below its i-th argument, beginning with
// [param].
func (f *flow) below(name string, i int) map[string]bool {
	key := name + " " + strconv.Itoa(i)
	if known, ok := f.known[key]; ok {
		return known
	}
	all := map[string]bool{}
	f.known[key] = all
	for _, r := range f.rules[name] {
		if i < len(r.Head.Args) {
			f.rule(r, r.Head.Args[i], all)
		}
	}
	return all
}

// whole are the reads of a rule of a library.
func (f *flow) whole(name string) map[string]bool {
	if known, ok := f.known[name]; ok {
		return known
	}
	all := map[string]bool{}
	f.known[name] = all
	for _, r := range f.rules[name] {
		f.rule(r, nil, all)
	}
	return all
}

// rule adds the reads of a rule. Where arg is not nil, it is the argument that
// [param] stands for, and only reads below it count.
func (f *flow) rule(r *ast.Rule, arg *ast.Term, all map[string]bool) {
	s := &scope{flow: f, bound: map[ast.Var]map[string]bool{}, all: all, inParam: arg != nil}
	if arg != nil {
		v, ok := arg.Value.(ast.Var)
		if !ok {
			return
		}
		s.bind(v, []string{param})
	}
	// A variable may be used above the line that binds it.
	for before := -1; before != s.bindings; {
		before = s.bindings
		ast.NewGenericVisitor(s.visit).Walk(r)
	}
}

// scope is one rule.
type scope struct {
	flow     *flow
	bound    map[ast.Var]map[string]bool // paths that a variable may stand for
	bindings int
	all      map[string]bool
	inParam  bool
}

func (s *scope) bind(v ast.Var, paths []string) {
	for _, p := range paths {
		if s.bound[v] == nil {
			s.bound[v] = map[string]bool{}
		}
		if !s.bound[v][p] {
			s.bound[v][p] = true
			s.bindings++
		}
	}
}

// bindTerm binds a term that is a variable.
func (s *scope) bindTerm(t *ast.Term, paths []string) {
	if v, ok := t.Value.(ast.Var); ok {
		s.bind(v, paths)
	}
}

// paths are what a term may stand for.
func (s *scope) paths(t *ast.Term) []string {
	switch v := t.Value.(type) {
	case ast.Var:
		return slices.Sorted(maps.Keys(s.bound[v]))
	case ast.Ref:
		return s.refPaths(v)
	default:
		return nil
	}
}

func (s *scope) refPaths(ref ast.Ref) []string {
	head, ok := ref[0].Value.(ast.Var)
	switch {
	case !ok:
		return nil
	case head == "input":
		return []string{inputPath(ref)}
	default:
		var out []string
		for base := range s.bound[head] {
			out = append(out, join(base, inputPath(ref)))
		}
		return out
	}
}

// join puts a path below another.
func join(base, rest string) string {
	if rest == "" || rest[0] == '[' || base == "" {
		return base + rest
	}
	return base + "." + rest
}

// elements are the paths of the elements of lists.
func elements(lists []string) []string {
	out := make([]string, len(lists))
	for i, p := range lists {
		out[i] = p + "[]"
	}
	return out
}

func (s *scope) read(paths []string) {
	for _, p := range paths {
		if p != "" && p != param && strings.HasPrefix(p, param) == s.inParam {
			s.all[p] = true
		}
	}
}

func (s *scope) visit(x any) bool {
	switch x := x.(type) {
	case *ast.SomeDecl:
		for _, t := range x.Symbols {
			if call, ok := t.Value.(ast.Call); ok && len(call) > 2 { // member_2(value, list), member_3(key, value, list)
				s.bindTerm(call[len(call)-2], elements(s.paths(call[len(call)-1])))
			}
		}
	case *ast.Every:
		s.bindTerm(x.Value, elements(s.paths(x.Domain)))
	case *ast.Expr:
		if terms, ok := x.Terms.([]*ast.Term); ok && len(terms) > 0 {
			if len(terms) == 3 && (x.IsAssignment() || x.IsEquality()) {
				s.bindTerm(terms[1], s.paths(terms[2]))
				s.bindTerm(terms[2], s.paths(terms[1]))
			}
			s.call(terms)
		}
	case *ast.Term:
		switch v := x.Value.(type) {
		case ast.Ref:
			s.read(s.refPaths(v))
			s.library(v)
		case ast.Call:
			s.call(v)
		}
	}
	return false
}

// library adds what a rule of a library reads by itself.
func (s *scope) library(ref ast.Ref) {
	names := groundNames(ref)
	if len(names) < 4 || strings.Join(names[:2], ".") != libRoot {
		return
	}
	for read := range s.flow.whole(strings.Join(names[:4], ".")) {
		s.read([]string{read})
	}
}

// call follows arguments into a function of ours. object.get reads one field.
func (s *scope) call(terms []*ast.Term) {
	name := strings.TrimPrefix(terms[0].String(), "data.")
	if name == "object.get" && len(terms) > 2 {
		if field, ok := terms[2].Value.(ast.String); ok {
			for _, p := range s.paths(terms[1]) {
				s.read([]string{join(p, string(field))})
			}
		}
	}
	for i, arg := range terms[1:] {
		for _, p := range s.paths(arg) {
			for read := range s.flow.below(name, i) {
				s.read([]string{join(p, strings.TrimPrefix(strings.TrimPrefix(read, param), "."))})
			}
		}
	}
}
