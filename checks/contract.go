package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// verdicts are the rules of a policy that the evaluator asks for.
func verdicts() []string { return []string{"deny", "unknown", "applies"} }

// contract holds the Rego of policies and libraries to what DESIGN promises. The
// references of comp's modules are resolved, nothing else is rewritten.
func contract(comp *ast.Compiler, files []*file, rules ruleIndex) Problems {
	var problems Problems
	for _, f := range files {
		m := comp.Modules[f.name]
		if m == nil || f.kind == testFile {
			continue
		}
		r := &reader{file: f, module: m, rules: rules, used: map[string]bool{}, followed: map[string]bool{}}
		r.read()
		problems = append(problems, r.problems...)
	}
	return problems
}

// reader looks at one module.
type reader struct {
	file     *file
	module   *ast.Module
	rules    ruleIndex
	used     map[string]bool // names of own rules that something reads
	problems Problems

	// While a policy's reader looks at a rule of a library for the policy:
	followed map[string]bool // the rules, by full name
	via      string          // the rule
	viaLoc   *ast.Location   // where the policy asks for it
}

func (r *reader) problem(loc *ast.Location, format string, args ...any) {
	p := Problem{File: r.file.name, Text: fmt.Sprintf(format, args...)}
	if r.via != "" {
		loc, p.Text = r.viaLoc, "through "+r.via+" it "+p.Text
	}
	if loc != nil {
		p.Line = loc.Row
	}
	r.problems = append(r.problems, p)
}

func (r *reader) read() {
	if pkg := packageName(r.module); pkg != r.file.pkg {
		r.problem(r.module.Package.Location, "package is %s, read as %s", pkg, r.file.pkg)
	}
	for _, rule := range r.module.Rules {
		r.rule(rule)
	}
	if r.file.kind == policyFile {
		r.shape()
		r.deadRules()
	}
}

// rule looks at every reference of a rule, its else branches included.
func (r *reader) rule(rule *ast.Rule) {
	name := ruleName(rule)
	params := map[*ast.Term]bool{} // terms that are seen to
	var visitor *ast.GenericVisitor
	visitor = ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Term:
			if params[x] {
				return true
			}
			switch v := x.Value.(type) {
			case ast.Ref:
				r.ref(name, v, x.Location)
				for i, part := range v {
					if _, named := part.Value.(ast.Var); i > 0 || !named { // a named head is seen to
						visitor.Walk(part)
					}
				}
				return true
			case ast.Var:
				if v == "input" || v == "data" {
					r.ref(name, ast.Ref{x}, x.Location)
				}
			}
		case *ast.Expr:
			if terms, ok := x.Terms.([]*ast.Term); ok && len(terms) > 0 {
				r.call(terms, x.Location, params)
			}
		case ast.Call:
			r.call(x, x[0].Location, params)
		}
		return false
	})
	visitor.Walk(rule)
}

// call tells in words what the compiler would call an undefined function, and
// takes object.get(data.params, "name", …) for a reading of that parameter.
func (r *reader) call(terms []*ast.Term, loc *ast.Location, params map[*ast.Term]bool) {
	name := terms[0].String()
	if forbidden(name) {
		r.problem(loc, "built-in %s is not allowed: a policy does no I/O, and the same facts must always give the same answer", name)
	}
	if name == "object.get" && len(terms) > 2 && terms[1].String() == "data.params" {
		if param, ok := terms[2].Value.(ast.String); ok {
			params[terms[1]] = true
			r.param(string(param), loc)
		}
	}
}

// ref decides whether a reference may be read from here.
func (r *reader) ref(from string, ref ast.Ref, loc *ast.Location) {
	head, ok := ref[0].Value.(ast.Var)
	if !ok {
		return
	}
	switch head {
	case "input":
		r.input(ref, loc)
	case "data":
		r.data(from, ref, loc)
	}
}

// input holds what a policy reads of the facts against what it needs: a field
// that was not seen looks like an empty one.
func (r *reader) input(ref ast.Ref, loc *ast.Location) {
	read := inputPath(ref)
	if read == "" {
		r.problem(loc, "reads the whole input; read fields of it, so that needs can name them")
		return
	}
	if r.file.kind == libraryFile {
		return // its policies answer for it
	}
	named := slices.Concat(r.file.check.Needs, r.file.check.Optional)
	if !slices.ContainsFunc(named, func(path string) bool { return Covers(ofList(path), ofList(read)) }) {
		r.problem(loc, "reads input.%s, but needs does not name it: where it was not seen it would look empty; name it in optional where that is right", read)
	}
}

// inputPath is the path of a reference as needs writes it: "vulnerabilities[].kev".
func inputPath(ref ast.Ref) string {
	var b strings.Builder
	for _, term := range ref[1:] {
		name, ok := term.Value.(ast.String)
		switch {
		case !ok:
			b.WriteString("[]")
		case b.Len() == 0:
			b.WriteString(string(name))
		default:
			b.WriteString("." + string(name))
		}
	}
	return b.String()
}

// ofList cuts a path at the first list: whoever reads a list is handed all of it.
func ofList(path string) string {
	list, _, _ := strings.Cut(path, "[]")
	return list
}

// Covers is true where the path outer is inner or one of its parents.
func Covers(outer, inner string) bool {
	rest, ok := strings.CutPrefix(inner, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// data allows parameters, libraries and the policy's own rules.
func (r *reader) data(from string, ref ast.Ref, loc *ast.Location) {
	parts := groundNames(ref)
	rest, own := within(parts, r.file.pkg)
	switch {
	case len(parts) > 1 && parts[0] == "params":
		r.param(parts[1], loc)
	case own && len(rest) > 0:
		if rest[0] != from {
			r.used[rest[0]] = true
		}
	case own:
		r.problem(loc, "reads its whole package; name the rule")
	case len(parts) > 3 && strings.Join(parts[:2], ".") == libRoot:
		pkg := strings.Join(parts[:3], ".")
		if rules := r.rules[pkg+"."+parts[3]]; len(rules) == 0 {
			r.problem(loc, "library %s has no rule %q", pkg, parts[3])
		} else if r.file.kind == policyFile {
			r.follow(pkg+"."+parts[3], rules, loc)
		}
	default:
		r.problem(loc, "reads %s; a policy reads input, data.params.<name>, data.%s.<library>.<rule> and its own rules", ref, libRoot)
	}
}

// follow looks at a rule of a library for the policy that asks for it: what the
// library reads, the policy declares.
func (r *reader) follow(name string, rules []*ast.Rule, loc *ast.Location) {
	if r.followed[name] {
		return
	}
	r.followed[name] = true
	via, viaLoc := r.via, r.viaLoc
	if r.viaLoc == nil {
		r.viaLoc = loc
	}
	r.via = name
	for _, rule := range rules {
		r.rule(rule)
	}
	r.via, r.viaLoc = via, viaLoc
}

// param holds a parameter that is read against those that are declared. Only
// the time is there without a declaration.
func (r *reader) param(name string, loc *ast.Location) {
	if name == "now" || r.file.kind == libraryFile {
		return // a library's policies answer for it
	}
	if !slices.ContainsFunc(r.file.check.Params, func(p Param) bool { return p.Name == name }) {
		r.problem(loc, "reads data.params.%s, but params does not declare it", name)
	}
}

// groundNames are the names of a reference after data, up to the first variable.
func groundNames(ref ast.Ref) []string {
	var out []string
	for _, term := range ref[1:] {
		s, ok := term.Value.(ast.String)
		if !ok {
			break
		}
		out = append(out, string(s))
	}
	return out
}

// within cuts the package from the front of a reference's names.
func within(parts []string, pkg string) ([]string, bool) {
	names := strings.Split(pkg, ".")
	if len(parts) < len(names) || !slices.Equal(parts[:len(names)], names) {
		return nil, false
	}
	return parts[len(names):], true
}

// shape makes sure that the rules that the evaluator asks for are what it expects.
func (r *reader) shape() {
	defined := map[string]bool{}
	for _, rule := range r.module.Rules {
		name := ruleName(rule)
		defined[name] = true
		set := rule.Head.RuleKind() == ast.MultiValue
		switch name {
		case "deny", "unknown":
			if !set {
				r.problem(rule.Location, "%s must be a set: write %q", name, name+" contains … if …")
			}
		case "applies":
			if set || len(rule.Head.Args) > 0 {
				r.problem(rule.Location, "applies must be true or false: write \"applies if …\"")
			}
		}
	}
	switch decided := r.file.check.DecidedBy != ""; {
	case decided && len(r.module.Rules) > 0:
		r.problem(r.module.Package.Location, "decided_by says that %s decides, but there are rules", r.file.check.DecidedBy)
	case !decided && !defined["deny"]:
		r.problem(r.module.Package.Location, "has no deny: it could never fail")
	}
}

// deadRules finds rules that no verdict reaches: often a misspelt "applies",
// which would change the outcome in silence.
func (r *reader) deadRules() {
	var seen []string
	for _, rule := range r.module.Rules {
		name := ruleName(rule)
		if slices.Contains(verdicts(), name) || r.used[name] || slices.Contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		r.problem(rule.Location, "rule %s is never used; the evaluator asks for %s only", name, strings.Join(verdicts(), ", "))
	}
}

// packageName is the package of a module without "data.".
func packageName(m *ast.Module) string {
	return strings.Join(groundNames(m.Package.Path), ".")
}

// ruleName is the first part of a rule's name.
func ruleName(rule *ast.Rule) string {
	head := rule.Head.Ref()
	switch v := head[0].Value.(type) {
	case ast.Var:
		return string(v)
	case ast.String:
		return string(v)
	default:
		return head[0].String()
	}
}
