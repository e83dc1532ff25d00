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
	// whether there is anything that it does not know.
	Body []string
	// Head is what only the texts of denials, and of what is not known, are made of.
	Head []string
	// Shown are those of Head that stand in these texts as they are: alone, or put
	// together with others by sprintf or concat. Where Body compares one with constant
	// texts, it does no more with it. A policy says the same of other texts there, each
	// in its place, as long as they are none of those constants.
	Shown []string
	// Switches are tests without one of which being true the policy says nothing:
	// no denial, nothing that it does not know, and it always applies. Nil where
	// it has none.
	Switches []Switch
	// Applies are tests without one of which being true the policy does not apply;
	// nil where it has none.
	Applies []Switch
}

// Switch is a test of one field: that it is true, or that it is one of some texts, or
// none of them.
type Switch struct {
	// Path is as in [Depends]. Where it goes through lists, one element is enough.
	Path string
	// Texts are sorted; nil for a field that has to be true.
	Texts []string
	// Not is true where the field must not be one of Texts.
	Not bool
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
	texts map[string]texts           // what functions make a text of
}

// shown are the parts of the facts that texts are made of: true for one that stands
// in them as it is, wherever it stands.
type shown map[string]bool

func (s shown) add(path string, asItIs bool) {
	before, ok := s[path]
	s[path] = asItIs && (before || !ok)
}

// texts are what a function reads to decide, and what its text is made of.
type texts struct {
	reads map[string]bool
	shown shown
}

// of is what the policy of a module depends on.
func (d *dependence) of(m *ast.Module) Depends {
	pkg := packageName(m)
	body, head := maps.Clone(d.rule(pkg+".applies")), shown{}
	for _, name := range []string{".deny", ".unknown"} {
		for _, r := range d.rules[pkg+name] {
			s := &uses{dependence: d, bound: map[ast.Var]map[string]bool{}, reads: body}
			s.whole(r.Body, func() {
				if r.Head.Key == nil || r.Else != nil || len(r.Head.Args) > 0 {
					s.read("") // no set, which the contract does not allow
					return
				}
				s.text(r.Head.Key, head, true)
			})
		}
	}
	maps.DeleteFunc(head, func(path string, _ bool) bool { return body[path] })
	out := Depends{Body: slices.Sorted(maps.Keys(body)), Head: slices.Sorted(maps.Keys(head)), Switches: d.switches(pkg), Applies: d.applies(pkg)}
	for _, path := range out.Head {
		if head[path] && !out.usedOtherwise(path) {
			out.Shown = append(out.Shown, path)
		}
	}
	return out
}

// usedOtherwise is true where something that holds a path, or a part of it, counts
// beside the path itself and comparisons of it.
func (d *Depends) usedOtherwise(path string) bool {
	return slices.ContainsFunc(slices.Concat(d.Body, d.Head), func(other string) bool {
		if field, _, ok := Compared(other); ok && field == path {
			return false
		}
		return other == "" || other != path && (Covers(other, path) || Covers(path, other))
	})
}

// switches finds a test in each rule that denies, or says what is not known, that
// has to be true for it.
func (d *dependence) switches(pkg string) []Switch {
	if len(d.rules[pkg+".applies"]) > 0 {
		return nil
	}
	var out []Switch
	for _, name := range []string{".deny", ".unknown"} {
		for _, r := range d.rules[pkg+name] {
			found := d.switchesOf(r)
			if found == nil {
				return nil
			}
			out = append(out, found...)
		}
	}
	return out
}

// applies finds a test in each rule that says where the policy applies. The last is
// the narrowest, as people write.
func (d *dependence) applies(pkg string) []Switch {
	var out []Switch
	for _, r := range d.rules[pkg+".applies"] {
		found := d.testsOf(r)
		if len(found) == 0 {
			return nil
		}
		slices.Reverse(found)
		out = append(out, narrowest(found)...)
	}
	return out
}

// narrowest is the first test that is not one for anything but some texts, or the
// first of all.
func narrowest(tests [][]Switch) []Switch {
	for _, test := range tests {
		if !slices.ContainsFunc(test, func(s Switch) bool { return s.Not }) {
			return test
		}
	}
	return tests[0]
}

// switchesOf are tests without one of which being true a rule is not, nil where none is found.
func (d *dependence) switchesOf(r *ast.Rule) []Switch {
	if found := d.testsOf(r); len(found) > 0 {
		return narrowest(found)
	}
	return nil
}

// testsOf finds such tests in each expression of a rule that holds them.
func (d *dependence) testsOf(r *ast.Rule) [][]Switch {
	if r.Else != nil || r.Default || len(r.Head.Args) > 0 {
		return nil
	}
	s := &uses{dependence: d, bound: map[ast.Var]map[string]bool{}, reads: map[string]bool{}}
	s.whole(r.Body, func() {})
	var out [][]Switch
	for _, e := range r.Body {
		if e.Negated || len(e.With) > 0 {
			continue
		}
		if found := s.switchesIn(e); found != nil {
			out = append(out, found)
		}
	}
	return out
}

func (s *uses) switchesIn(e *ast.Expr) []Switch {
	switch terms := e.Terms.(type) {
	case *ast.Term:
		ref, ok := terms.Value.(ast.Ref)
		if !ok || len(groundNames(ref)) != len(ref)-1 {
			return nil
		}
		switch ref[0].Value.Compare(ast.Var("input")) {
		case 0:
			return []Switch{{Path: inputPath(ref)}}
		default:
			return s.switchesBehind(ref)
		}
	case []*ast.Term:
		if len(terms) != 3 {
			return nil
		}
		switch a, b := terms[1], terms[2]; terms[0].String() {
		case ast.Equal.Name:
			return append(s.switched(a, b), s.switched(b, a)...)
		case ast.NotEqual.Name:
			return append(s.differs(a, b), s.differs(b, a)...)
		case ast.Member.Name:
			if out := s.switched(a, b); out != nil {
				return out
			}
			if text, ok := a.Value.(ast.String); ok {
				var out []Switch
				for _, list := range elements(s.alias(b)) {
					out = append(out, Switch{Path: list, Texts: []string{string(text)}})
				}
				return out
			}
		}
	}
	return nil
}

// switchesBehind are those of a rule that an expression asks to be true: of each of its definitions.
func (s *uses) switchesBehind(ref ast.Ref) []Switch {
	var out []Switch
	for _, r := range s.rules[strings.TrimPrefix(ref.String(), "data.")] {
		found := s.switchesOf(r)
		if found == nil || r.Head.Key != nil { // a set is there also when it is empty
			return nil
		}
		out = append(out, found...)
	}
	return out
}

// switched is that a field is one of the texts of a constant.
func (s *uses) switched(field, constant *ast.Term) []Switch {
	texts, ok := constantTexts(constant)
	if !ok {
		return nil
	}
	var out []Switch
	for _, path := range s.alias(field) {
		out = append(out, Switch{Path: path, Texts: texts})
	}
	return out
}

// differs is that a field is another text than a constant.
func (s *uses) differs(field, constant *ast.Term) []Switch {
	if _, ok := constant.Value.(ast.String); !ok {
		return nil
	}
	out := s.switched(field, constant)
	for i := range out {
		out[i].Not = true
	}
	return out
}

// constantTexts are a text, or the texts of a list or set, sorted.
func constantTexts(t *ast.Term) ([]string, bool) {
	list := []*ast.Term{t}
	switch v := t.Value.(type) {
	case *ast.Array:
		list = nil
		v.Foreach(func(t *ast.Term) { list = append(list, t) })
	case ast.Set:
		list = v.Slice()
	}
	texts := make([]string, 0, len(list))
	for _, t := range list {
		text, ok := t.Value.(ast.String)
		if !ok {
			return nil, false
		}
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return texts, true
}

// rule is what a rule or function reads, by its full name.
func (d *dependence) rule(name string) map[string]bool {
	if known, ok := d.known[name]; ok {
		return known
	}
	reads := map[string]bool{}
	d.known[name] = reads // Rego has no recursion
	d.each(name, reads, func(s *uses, h *ast.Head) {
		for _, t := range h.Reference[1:] {
			s.term(t)
		}
		for _, t := range []*ast.Term{h.Key, h.Value} {
			if t != nil {
				s.term(t)
			}
		}
	})
	return reads
}

// each goes through the definitions of a rule or function. What their bodies read
// goes into reads; head then looks at what they say.
func (d *dependence) each(name string, reads map[string]bool, head func(*uses, *ast.Head)) {
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
			s.whole(r.Body, func() { head(s, r.Head) })
		}
	}
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
				s.walk(call[1:len(call)-1], call[len(call)-1])
			}
		}
	case *ast.Every:
		over := []*ast.Term{terms.Value}
		if terms.Key != nil {
			over = append([]*ast.Term{terms.Key}, over...)
		}
		s.walk(over, terms.Domain)
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

// walk goes over the elements of a list. over is its value, after its key if asked for.
func (s *uses) walk(over []*ast.Term, domain *ast.Term) {
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
	texts, ok := constantTexts(constant)
	if !ok {
		return false
	}
	s.brackets(field)
	for _, p := range paths {
		if p == "" {
			s.read(p)
			continue
		}
		for _, text := range texts {
			s.read(p + "=" + hex.EncodeToString([]byte(text)))
		}
	}
	return true
}

func (s *uses) function(name string, args []*ast.Term) {
	if len(s.rules[name]) == 0 {
		s.read("")
		return
	}
	s.handed(s.rule(name), args, func(_, path string) { s.read(path) })
}

// handed goes through what a function looks at: of is as it names it, path what
// that is of the facts for these arguments. An argument that is no part of the
// facts counts whole.
func (s *uses) handed(looksAt map[string]bool, args []*ast.Term, add func(of, path string)) {
	for p := range looksAt {
		if !strings.HasPrefix(p, param) {
			add(p, p)
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
		for of := range looksAt {
			rest, ok := strings.CutPrefix(of, own)
			if !ok || rest != "" && strings.IndexByte(".[=", rest[0]) < 0 {
				continue
			}
			for _, p := range paths {
				switch {
				case p == "" && rest != "" && rest[0] == '=':
					add(of, p)
				case rest != "" && rest[0] == '=':
					add(of, p+rest)
				default:
					add(of, join(p, strings.TrimPrefix(rest, ".")))
				}
			}
		}
	}
}

// text goes through the object of a denial, or what is not known. What cannot be
// undefined and is only shown goes to head; all else counts as the body does.
// asItIs is false below what may change a text.
func (s *uses) text(t *ast.Term, head shown, asItIs bool) {
	switch v := t.Value.(type) {
	case ast.Var:
		for _, p := range s.alias(t) {
			head.add(p, asItIs)
		}
	case ast.Ref:
		paths := s.alias(t)
		fields := !slices.ContainsFunc(v[1:], func(t *ast.Term) bool { _, ok := t.Value.(ast.String); return !ok })
		if len(paths) == 0 || !fields {
			s.term(t)
			return
		}
		for _, p := range paths {
			head.add(p, asItIs)
		}
	case *ast.Array:
		v.Foreach(func(t *ast.Term) { s.text(t, head, asItIs) })
	case ast.Object:
		v.Foreach(func(k, t *ast.Term) { s.term(k); s.text(t, head, asItIs) })
	case ast.Call:
		s.textOf(v, head, asItIs)
	default:
		s.term(t)
	}
}

// textOf is text for a call. sprintf and concat are defined for whatever they are given here.
func (s *uses) textOf(call ast.Call, head shown, asItIs bool) {
	name := call[0].String()
	rule, ours := strings.CutPrefix(name, "data.")
	list, literal := (*ast.Array)(nil), false
	if len(call) == 3 {
		list, literal = call[2].Value.(*ast.Array)
	}
	switch {
	case ours:
		s.textFunction(rule, call[1:], head, asItIs)
	case name == ast.Sprintf.Name && literal:
		s.text(call[1], head, false)
		plain := plainVerbs(call[1], list.Len())
		for i := range list.Len() {
			s.text(list.Elem(i), head, asItIs && plain[i] && isText(list.Elem(i)))
		}
	case name == ast.Concat.Name && literal:
		s.text(call[1], head, asItIs)
		list.Foreach(func(t *ast.Term) { s.text(t, head, asItIs && isText(t)) })
	case name == ast.Sprintf.Name, name == ast.Concat.Name:
		for _, t := range call[1:] {
			s.text(t, head, false)
		}
	default:
		s.term(ast.NewTerm(call))
	}
}

// isText is false for lists and objects, which sprintf writes in its own way.
func isText(t *ast.Term) bool {
	switch t.Value.(type) {
	case ast.Var, ast.Ref, ast.Call, ast.String:
		return true
	default:
		return false
	}
}

// plainVerbs says of each argument of a format whether it is written as it is. None
// is where the format is no constant, or is one with flags, widths or more than verbs
// of one letter.
func plainVerbs(format *ast.Term, args int) []bool {
	out := make([]bool, args)
	text, ok := format.Value.(ast.String)
	if !ok {
		return out
	}
	n := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			continue
		}
		if i++; i == len(text) {
			return make([]bool, args)
		}
		switch text[i] {
		case '%':
			continue
		case 's', 'v', 'd':
			if n < args {
				out[n] = text[i] != 'd'
			}
			n++
		default:
			return make([]bool, args)
		}
	}
	if n != args {
		return make([]bool, args)
	}
	return out
}

// textFunction is text for a call of a function of ours: what decides which text it
// makes, or whether it makes any, counts as the body does; what the text is made of is shown.
func (s *uses) textFunction(name string, args []*ast.Term, head shown, asItIs bool) {
	if len(s.rules[name]) == 0 {
		s.read("")
		return
	}
	f := s.textsOf(name)
	parts := slices.Clone(args)
	for i, arg := range args { // a text that is made for the function is shown by it
		own := param + strconv.Itoa(i)
		if len(s.alias(arg)) > 0 || slices.ContainsFunc(slices.Collect(maps.Keys(f.reads)), func(p string) bool { return Covers(own, p) || strings.HasPrefix(p, own+"=") }) {
			continue
		}
		parts[i] = ast.NullTerm()
		s.text(arg, head, asItIs && f.shown[own] && isText(arg))
	}
	s.handed(f.reads, parts, func(_, path string) { s.read(path) })
	s.handed(f.shown, parts, func(of, path string) { head.add(path, asItIs && f.shown[of]) })
}

// textsOf is what a function reads and shows, by its full name.
func (d *dependence) textsOf(name string) texts {
	if known, ok := d.texts[name]; ok {
		return known
	}
	out := texts{reads: map[string]bool{}, shown: shown{}}
	d.texts[name] = out // Rego has no recursion
	d.each(name, out.reads, func(s *uses, h *ast.Head) {
		for _, t := range h.Reference[1:] {
			s.term(t)
		}
		if h.Key != nil {
			s.term(h.Key)
		}
		if h.Value != nil {
			s.text(h.Value, out.shown, true)
		}
	})
	return out
}
