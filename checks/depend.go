package checks

import (
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Depends is what the answer of a policy depends on: paths of the facts, as
// [Reads] has them. All below a path counts, and "" is the whole document. A
// path that ends in "[]#" is the length of a list and no more. It never names
// less than the policy reads: what cannot be followed counts as a whole. A path
// with "=" and a text in hex behind it is whether the field is that text, and no
// more; see [Compared].
type Depends struct {
	// Body decides whether the policy applies, whether it denies at all, and
	// everything that it does not know.
	Body []string
	// Head is what only the text of a denial is made of.
	Head []string
	// Switches are fields without one of which being true the policy says nothing:
	// no denial, nothing that it does not know, and it always applies. Nil where
	// it has none.
	Switches []string
}

// Compared splits a path that ends in "=" and a text in hex; ok is false for others.
func Compared(path string) (field, text string, ok bool) {
	field, code, ok := strings.Cut(path, "=")
	b, err := hex.DecodeString(code)
	return field, string(b), ok && err == nil
}

// dependence finds what rules depend on. The references of its rules are
// resolved, nothing else is rewritten.
type dependence struct {
	rules ruleIndex
	known map[string]map[string]bool // reads of a rule, or of a function; those below its arguments begin with "$0", "$1" …
}

// of is what the policy of a module depends on.
func (d *dependence) of(m *ast.Module) Depends {
	body, head := map[string]bool{}, map[string]bool{}
	pkg := packageName(m)
	for _, name := range []string{"applies", "unknown"} {
		maps.Copy(body, d.rule(pkg+"."+name))
	}
	for _, r := range d.rules[pkg+".deny"] {
		s := &uses{dependence: d, bound: map[ast.Var]map[string]bool{}, reads: body}
		s.whole(r.Body, func() {
			if r.Head.Key == nil || r.Else != nil || len(r.Head.Args) > 0 {
				s.read("") // no set, which the contract does not allow
				return
			}
			s.text(r.Head.Key, head)
		})
	}
	for path := range head {
		if body[path] {
			delete(head, path)
		}
	}
	return Depends{Body: slices.Sorted(maps.Keys(body)), Head: slices.Sorted(maps.Keys(head)), Switches: d.switches(pkg)}
}

// switches finds a field in each rule that denies which has to be true for it.
func (d *dependence) switches(pkg string) []string {
	if len(d.rules[pkg+".applies"]) > 0 || len(d.rules[pkg+".unknown"]) > 0 {
		return nil
	}
	var out []string
	for _, r := range d.rules[pkg+".deny"] {
		at := slices.IndexFunc(r.Body, func(e *ast.Expr) bool { return switchOf(e) != "" })
		if at < 0 || r.Else != nil {
			return nil
		}
		if path := switchOf(r.Body[at]); !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	return out
}

// switchOf is the field that an expression asks to be true, "" for all others.
func switchOf(e *ast.Expr) string {
	t, ok := e.Terms.(*ast.Term)
	if !ok || e.Negated || len(e.With) > 0 {
		return ""
	}
	ref, ok := t.Value.(ast.Ref)
	if !ok || len(ref) < 2 || ref[0].Value.Compare(ast.Var("input")) != 0 {
		return ""
	}
	if path := inputPath(ref); !strings.Contains(path, "[") && len(groundNames(ref)) == len(ref)-1 {
		return path
	}
	return ""
}

// rule is what a rule or function reads, by its full name.
func (d *dependence) rule(name string) map[string]bool {
	if known, ok := d.known[name]; ok {
		return known
	}
	reads := map[string]bool{}
	d.known[name] = reads // Rego has no recursion
	for _, r := range d.rules[name] {
		for ; r != nil; r = r.Else {
			s := &uses{dependence: d, bound: map[ast.Var]map[string]bool{}, reads: reads}
			for i, arg := range r.Head.Args {
				path := param + strconv.Itoa(i)
				if v, ok := arg.Value.(ast.Var); ok {
					s.bind(v, []string{path})
				} else {
					s.read(path) // a pattern or a constant is compared with all of it
				}
			}
			s.whole(r.Body, func() {
				for _, t := range r.Head.Reference[1:] {
					s.term(t)
				}
				for _, t := range []*ast.Term{r.Head.Key, r.Head.Value} {
					if t != nil {
						s.term(t)
					}
				}
			})
		}
	}
	return reads
}

// uses follows one rule. A variable that is bound stands for parts of the facts;
// one that is not was made of what has been counted where it was made.
type uses struct {
	*dependence
	bound    map[ast.Var]map[string]bool
	bindings int
	reads    map[string]bool
}

// whole goes through a body and what is asked after it until nothing new is
// bound: a variable may stand above the line that binds it.
func (s *uses) whole(body ast.Body, after func()) {
	for before := -1; before != s.bindings; {
		before = s.bindings
		s.body(body)
		after()
	}
}

func (s *uses) bind(v ast.Var, paths []string) {
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

func (s *uses) read(paths ...string) {
	for _, p := range paths {
		s.reads[p] = true
	}
}

// alias are the parts of the facts that a term stands for; none where it is
// made in another way.
func (s *uses) alias(t *ast.Term) []string {
	switch v := t.Value.(type) {
	case ast.Var:
		return slices.Sorted(maps.Keys(s.bound[v]))
	case ast.Ref:
		head, ok := v[0].Value.(ast.Var)
		switch {
		case !ok:
			return nil
		case head == "input":
			return []string{inputPath(v)}
		}
		var out []string
		for base := range s.bound[head] {
			out = append(out, join(base, inputPath(v)))
		}
		return out
	default:
		return nil
	}
}

func (s *uses) body(body ast.Body) {
	for _, e := range body {
		s.expr(e)
	}
}

func (s *uses) expr(e *ast.Expr) {
	for _, w := range e.With {
		s.replaced(w)
	}
	switch terms := e.Terms.(type) {
	case *ast.SomeDecl:
		for _, t := range terms.Symbols {
			if call, ok := t.Value.(ast.Call); ok && len(call) > 2 { // member_2(value, list), member_3(key, value, list)
				s.each(call[1:len(call)-1], call[len(call)-1])
			}
		}
	case *ast.Every:
		over := []*ast.Term{terms.Value}
		if terms.Key != nil {
			over = append([]*ast.Term{terms.Key}, over...)
		}
		s.each(over, terms.Domain)
		s.body(terms.Body)
	case *ast.Term:
		s.term(terms)
	case []*ast.Term:
		if v, ok := terms[len(terms)-2].Value.(ast.Var); ok && len(terms) == 3 && e.IsAssignment() {
			if paths := s.alias(terms[2]); len(paths) > 0 {
				s.brackets(terms[2])
				s.bind(v, paths)
				return
			}
		}
		s.call(terms)
	default:
		s.read("")
	}
}

// replaced looks at what stands in the place of facts or parameters for one
// expression: that decides, beside the facts themselves.
func (s *uses) replaced(w *ast.With) {
	s.term(w.Value)
	target, ok := w.Target.Value.(ast.Ref)
	if !ok {
		s.read("")
		return
	}
	head, _ := target[0].Value.(ast.Var)
	names := groundNames(target)
	if head != "input" && (head != "data" || len(names) == 0 || names[0] != "params") {
		s.read("")
	}
}

// each walks the elements of a list. over is its value, after its key if asked for.
func (s *uses) each(over []*ast.Term, domain *ast.Term) {
	paths := s.alias(domain)
	value, ok := over[len(over)-1].Value.(ast.Var)
	if len(paths) == 0 || !ok {
		for _, t := range over {
			s.term(t)
		}
		s.term(domain)
		return
	}
	for _, t := range over[:len(over)-1] {
		if _, ok := t.Value.(ast.Var); !ok {
			s.term(t)
		}
	}
	s.brackets(domain)
	s.bind(value, elements(paths))
	s.lengths(paths)
}

func (s *uses) lengths(paths []string) {
	for _, p := range elements(paths) {
		s.read(p + "#")
	}
}

// brackets goes through what stands in the brackets of a reference, and reads the
// lengths of the lists that it walks.
func (s *uses) brackets(t *ast.Term) {
	ref, ok := t.Value.(ast.Ref)
	if !ok {
		return
	}
	for i, in := range ref[1:] {
		switch in.Value.(type) {
		case ast.String:
		default:
			s.lengths(s.alias(ast.NewTerm(ref[:i+1])))
			s.term(in) // a variable that stands for a fact chooses by it
		}
	}
}

// term is the use of a value: all of it counts.
func (s *uses) term(t *ast.Term) {
	switch v := t.Value.(type) {
	case ast.Var:
		s.read(s.alias(t)...)
	case ast.Ref:
		if _, ok := v[0].Value.(ast.Var); !ok {
			s.term(v[0])
		}
		s.read(s.alias(t)...)
		s.brackets(t)
		s.own(v)
	case ast.Call:
		s.call(v)
	case *ast.Array:
		v.Foreach(s.term)
	case ast.Set:
		v.Foreach(s.term)
	case ast.Object:
		v.Foreach(func(k, v *ast.Term) { s.term(k); s.term(v) })
	case *ast.ArrayComprehension:
		s.body(v.Body)
		s.term(v.Term)
	case *ast.SetComprehension:
		s.body(v.Body)
		s.term(v.Term)
	case *ast.ObjectComprehension:
		s.body(v.Body)
		s.term(v.Key)
		s.term(v.Value)
	case ast.Null, ast.Boolean, ast.Number, ast.String:
	default:
		s.read("")
	}
}

// own adds what a rule of ours reads. A reference to a whole package, which the
// contract does not allow, reads everything.
func (s *uses) own(ref ast.Ref) {
	if head, ok := ref[0].Value.(ast.Var); !ok || head != "data" {
		return
	}
	names := groundNames(ref)
	if len(names) > 0 && names[0] == "params" {
		return // the same for all resources
	}
	for i := len(names); i > 0; i-- {
		if name := strings.Join(names[:i], "."); len(s.rules[name]) > 0 {
			for p := range s.rule(name) {
				if !strings.HasPrefix(p, param) {
					s.read(p)
				}
			}
			return
		}
	}
	s.read("")
}

// call goes through the arguments of a call; of a function of ours only what it
// reads of them counts.
func (s *uses) call(terms []*ast.Term) {
	name := terms[0].String()
	args := terms[1:]
	if rule, ours := strings.CutPrefix(name, "data."); ours {
		s.function(rule, args)
		return
	}
	switch {
	case (name == ast.Equal.Name || name == ast.NotEqual.Name) && len(args) == 2:
		if s.compared(args[0], args[1]) || s.compared(args[1], args[0]) {
			return
		}
	case name == ast.Member.Name && len(args) == 2:
		if s.compared(args[0], args[1]) {
			return
		}
	case name == "object.get" && len(args) == 3:
		field, ok := args[1].Value.(ast.String)
		if paths := s.alias(args[0]); ok && len(paths) > 0 {
			s.brackets(args[0])
			for _, p := range paths {
				s.read(join(p, string(field)))
			}
			s.term(args[2])
			return
		}
	case name == "count" && len(args) == 1:
		if paths := s.alias(args[0]); len(paths) > 0 {
			s.brackets(args[0])
			s.lengths(paths)
			return
		}
	}
	for _, t := range args {
		s.term(t)
	}
}

// compared reads whether a field is one of the texts of a constant, which is a text
// or a list or set of texts; false where it is something else.
func (s *uses) compared(field, constant *ast.Term) bool {
	paths := s.alias(field)
	if len(paths) == 0 {
		return false
	}
	texts := []*ast.Term{constant}
	switch v := constant.Value.(type) {
	case *ast.Array:
		texts = nil
		v.Foreach(func(t *ast.Term) { texts = append(texts, t) })
	case ast.Set:
		texts = v.Slice()
	}
	var ends []string
	for _, t := range texts {
		text, ok := t.Value.(ast.String)
		if !ok {
			return false
		}
		ends = append(ends, "="+hex.EncodeToString([]byte(text)))
	}
	s.brackets(field)
	for _, p := range paths {
		if p == "" {
			s.read(p)
			continue
		}
		for _, end := range ends {
			s.read(p + end)
		}
	}
	return true
}

func (s *uses) function(name string, args []*ast.Term) {
	if len(s.rules[name]) == 0 {
		s.read("")
		return
	}
	reads := s.rule(name)
	for p := range reads {
		if !strings.HasPrefix(p, param) {
			s.read(p)
		}
	}
	for i, arg := range args {
		paths := s.alias(arg)
		if len(paths) == 0 {
			s.term(arg)
			continue
		}
		s.brackets(arg)
		own := param + strconv.Itoa(i)
		for read := range reads {
			rest, ok := strings.CutPrefix(read, own)
			if !ok || rest != "" && !strings.Contains(".[=", rest[:1]) {
				continue
			}
			for _, p := range paths {
				switch {
				case p == "" && rest != "" && rest[0] == '=':
					s.read(p)
				case rest != "" && rest[0] == '=':
					s.read(p + rest)
				default:
					s.read(join(p, strings.TrimPrefix(rest, ".")))
				}
			}
		}
	}
}

// text goes through the object of a denial. What cannot be undefined and is only
// shown goes to head; all else counts as the body does.
func (s *uses) text(t *ast.Term, head map[string]bool) {
	switch v := t.Value.(type) {
	case ast.Var:
		for _, p := range s.alias(t) {
			head[p] = true
		}
	case ast.Ref:
		paths := s.alias(t)
		fields := !slices.ContainsFunc(v[1:], func(t *ast.Term) bool { _, ok := t.Value.(ast.String); return !ok })
		if len(paths) == 0 || !fields {
			s.term(t)
			return
		}
		for _, p := range paths {
			head[p] = true
		}
	case *ast.Array:
		v.Foreach(func(t *ast.Term) { s.text(t, head) })
	case ast.Object:
		v.Foreach(func(k, t *ast.Term) { s.term(k); s.text(t, head) })
	case ast.Call:
		if name := v[0].String(); name == "sprintf" || name == "concat" { // defined for whatever they are given here
			for _, t := range v[1:] {
				s.text(t, head)
			}
			return
		}
		s.term(t)
	default:
		s.term(t)
	}
}
