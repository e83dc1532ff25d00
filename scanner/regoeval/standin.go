package regoeval

import (
	"cmp"
	"crypto/rand"
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
)

// What a policy says of a workload holds its names, so that of workloads which
// differ in names alone it would have to be asked again and again. Instead it is
// asked once with a stand-in for each text that it shows as it is; see
// [checks.Depends]. What it says then is a shape, which is filled with the texts of
// each workload. A stand-in holds a number that nobody can guess, so no fact and no
// policy has one by itself. What a shape cannot say is asked as ever.

// slot is a text, or a text of the elements of lists, that policies show as it is.
type slot struct {
	path   string
	texts  []string // constants that it is compared with; no stand-in takes the place of these
	gather gather
}

// gather adds the texts below a value, in the order in which the encoder meets them.
type gather func(v reflect.Value, out []string) []string

// shownBy finds the slots of a policy, and the rest of what it looks at.
func (p *parts) shownBy(e *encoder, d *checks.Depends, all []string) (shown []int, rest []string) {
	rest = slices.Clone(all)
	for _, path := range d.Shown {
		own := slot{path: path, gather: gathers(e.typ.Elem(), path)}
		if own.gather == nil {
			continue
		}
		for _, other := range d.Body {
			if field, text, ok := checks.Compared(other); ok && field == path {
				own.texts = append(own.texts, text)
			}
		}
		slices.Sort(own.texts)
		i := slices.IndexFunc(p.slots, func(s slot) bool { return s.path == path && slices.Equal(s.texts, own.texts) })
		if i < 0 {
			i, p.slots = len(p.slots), append(p.slots, own)
		}
		shown = append(shown, i)
		rest = slices.DeleteFunc(rest, func(other string) bool { return other == path })
	}
	return shown, rest
}

// gathers plans for the texts of a path; nil where it does not end in a plain text.
func gathers(t reflect.Type, path string) gather {
	switch {
	case path == "" && t.Kind() == reflect.String && !t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return func(v reflect.Value, out []string) []string { return append(out, v.String()) }
	case strings.HasPrefix(path, "[]") && t.Kind() == reflect.Slice:
		inner := gathers(t.Elem(), path[2:])
		if inner == nil {
			return nil
		}
		return func(v reflect.Value, out []string) []string {
			for i := range v.Len() {
				out = inner(v.Index(i), out)
			}
			return out
		}
	case path == "" || t.Kind() != reflect.Struct || path[0] == '[':
		return nil
	}
	f, rest, ok := fieldAt(t, path)
	if !ok {
		return nil
	}
	inner := gathers(f.Type, rest)
	if inner == nil {
		return nil
	}
	return func(v reflect.Value, out []string) []string { return inner(v.FieldByIndex(f.Index), out) }
}

// classify puts policies together that can be asked at once with stand-ins: what one
// has a stand-in for, no other looks at in another way.
func (p *parts) classify() {
	for i, shown := range p.shown {
		if len(shown) == 0 {
			continue
		}
		at := slices.IndexFunc(p.classes, func(class set) bool {
			for j := range p.shown {
				if class.has(j) && (p.minds(i, j) || p.minds(j, i)) {
					return false
				}
			}
			return true
		})
		if at < 0 {
			at, p.classes = len(p.classes), append(p.classes, newSet(len(p.shown)))
		}
		p.classes[at].add(i)
	}
}

// minds is true where a policy looks otherwise than by a slot of its own at what
// another one has a slot for.
func (p *parts) minds(i, other int) bool {
	for _, slot := range p.shown[other] {
		if slices.Contains(p.shown[i], slot) {
			continue
		}
		for _, path := range p.paths[i] {
			if field, _, ok := checks.Compared(path); ok {
				path = field
			}
			if checks.Covers(path, p.slots[slot].path) {
				return true
			}
		}
	}
	return false
}

// text returns the texts of a slot in the document.
func (s *seen) text(slot int) []string {
	if !s.known.texts[slot] {
		s.texts[slot], s.known.texts[slot] = s.parts.slots[slot].gather(s.doc, s.texts[slot][:0]), true
	}
	return s.texts[slot]
}

// standIns makes the stand-ins of one document.
type standIns struct {
	begin string // of every stand-in of the subject
	slots []slot
	met   []int // by slot: how many texts
}

func newStandIns(slots []slot) standIns {
	return standIns{begin: "\x01" + rand.Text() + " ", slots: slots}
}

// anew is for another document.
func (s *standIns) anew() *standIns {
	return &standIns{begin: s.begin, slots: s.slots, met: make([]int, len(s.slots))}
}

// standInEnd is the last byte of a stand-in.
const standInEnd = '\x02'

// term is a stand-in for a text, or the text itself where the policies compare it.
func (s *standIns) term(slot int, text string) *ast.Term {
	at := s.met[slot]
	s.met[slot]++
	if _, compared := slices.BinarySearch(s.slots[slot].texts, text); compared {
		return ast.InternedTerm(text)
	}
	return ast.StringTerm(s.begin + strconv.Itoa(slot) + " " + strconv.Itoa(at) + string(standInEnd))
}

// piece is a text, or where one comes from.
type piece struct {
	text     string
	slot, at int // slot is -1 for a text
}

// pieces are what a text is put together from.
type pieces []piece

// split finds the stand-ins in a text.
func (s *standIns) split(text string) pieces {
	var out pieces
	for {
		before, rest, found := strings.Cut(text, s.begin)
		if before != "" || !found && out == nil {
			out = append(out, piece{text: before, slot: -1})
		}
		if !found {
			return out
		}
		number, rest, _ := strings.Cut(rest, string(standInEnd))
		slot, at, _ := strings.Cut(number, " ")
		p := piece{}
		p.slot, _ = strconv.Atoi(slot)
		p.at, _ = strconv.Atoi(at)
		out, text = append(out, p), rest
	}
}

// fill puts a text together for a document.
func (p pieces) fill(s *seen) string {
	if len(p) == 1 {
		return p[0].of(s)
	}
	n := 0
	for i := range p {
		n += len(p[i].of(s))
	}
	var b strings.Builder
	b.Grow(n)
	for i := range p {
		b.WriteString(p[i].of(s))
	}
	return b.String()
}

func (p *piece) of(s *seen) string {
	if p.slot < 0 {
		return p.text
	}
	return s.text(p.slot)[p.at]
}

// shape is what a policy says of all documents that differ only in what it shows as
// it is.
type shape struct {
	violations []shapedViolation
	unknown    []pieces
	met        []met
}

// met is how many texts a slot had.
type met struct{ slot, texts int }

// shapedViolation is an object of deny.
type shapedViolation struct {
	message, path, key pieces
	keyed, levelled    bool // it states a key, a severity
	severity           scanner.Severity
	level              string
	value              ast.Value // with stand-ins
	text               pieces    // of a value that is a text
	plain              any       // the value, where no stand-in is in it
	bound              bool      // no stand-in is in the value
}

// newShape takes a policy's answer apart. objects are its denials, in the same order.
func newShape(a *answer, objects []*ast.Term, shown []int, stand *standIns) *shape {
	out := &shape{}
	for _, slot := range shown {
		out.met = append(out.met, met{slot, stand.met[slot]})
	}
	for i := range a.violations {
		v := &a.violations[i]
		sv := shapedViolation{message: stand.split(v.Message), path: stand.split(v.Path), key: stand.split(v.Key), severity: v.Severity, level: v.Severity.String()}
		object, ok := objects[i].Value.(ast.Object)
		if !ok {
			return nil
		}
		sv.keyed, sv.levelled = object.Get(ast.InternedTerm("key")) != nil, object.Get(ast.InternedTerm("severity")) != nil
		sv.value = object.Get(ast.InternedTerm("value")).Value
		text, isText := sv.value.(ast.String)
		switch {
		case !strings.Contains(sv.value.String(), strings.Trim(stand.begin, "\x01 ")): // String escapes what is not printed
			sv.bound, sv.plain = true, v.Value
		case isText:
			sv.text = stand.split(string(text))
		}
		out.violations = append(out.violations, sv)
	}
	for _, text := range a.unknown {
		out.unknown = append(out.unknown, stand.split(text))
	}
	return out
}

// fill is what the policy says of a document. It is false where the shape does not
// fit, or where a text that may not be blank is.
func (p *shape) fill(s *seen, stand *standIns) (answer, bool) {
	for _, m := range p.met {
		if len(s.text(m.slot)) != m.texts {
			return answer{}, false
		}
	}
	var a answer
	if len(p.unknown) > 0 {
		a.unknown = make([]string, 0, len(p.unknown))
		for _, text := range p.unknown {
			a.unknown = append(a.unknown, text.fill(s))
		}
		slices.Sort(a.unknown) // as a set of Rego has them
		a.unknown = slices.Compact(a.unknown)
		if slices.ContainsFunc(a.unknown, blank) {
			return answer{}, false
		}
	}
	if len(p.violations) == 0 {
		return a, true
	}
	a.violations = make([]scanner.Violation, len(p.violations))
	of := make([]*shapedViolation, len(p.violations))
	inOrder := true
	compare := func(i, j int) int { return compareFilled(&a.violations[i], &a.violations[j], of[i], of[j], s, stand) }
	for i := range p.violations {
		v := &p.violations[i]
		of[i], a.violations[i] = v, v.fill(s, stand)
		if f := &a.violations[i]; blank(f.Message) || blank(f.Path) || v.keyed && blank(f.Key) {
			return answer{}, false
		}
		inOrder = inOrder && (i == 0 || compare(i-1, i) < 0)
	}
	if inOrder {
		return a, true
	}
	order := make([]int, len(of))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, compare)
	order = slices.CompactFunc(order, func(i, j int) bool { return compare(i, j) == 0 })
	sorted := make([]scanner.Violation, len(order))
	for to, from := range order {
		sorted[to] = a.violations[from]
	}
	a.violations = sorted
	return a, true
}

func blank(text string) bool { return strings.TrimSpace(text) == "" }

func (v *shapedViolation) fill(s *seen, stand *standIns) scanner.Violation {
	out := scanner.Violation{Message: v.message.fill(s), Path: v.path.fill(s), Key: v.key.fill(s), Severity: v.severity, Value: v.plain}
	switch {
	case v.text != nil:
		out.Value = v.text.fill(s)
	case !v.bound:
		out.Value = plain(stand.replace(v.value, s))
	}
	out.Evidence = []scanner.Evidence{{Path: out.Path, Value: out.Value}}
	return out
}

// compareFilled is the order of two objects of deny in Rego: by their fields in the
// order of their names, and one that has a field before one that does not.
func compareFilled(a, b *scanner.Violation, x, y *shapedViolation, s *seen, stand *standIns) int {
	if c := first(x.keyed, y.keyed); c != 0 {
		return c
	}
	if c := cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Message, b.Message), cmp.Compare(a.Path, b.Path), first(x.levelled, y.levelled)); c != 0 {
		return c
	}
	if c := cmp.Compare(x.level, y.level); c != 0 {
		return c
	}
	return stand.replace(x.value, s).Compare(stand.replace(y.value, s))
}

func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// replace puts the texts of a document into a value.
func (s *standIns) replace(v ast.Value, doc *seen) ast.Value {
	switch v := v.(type) {
	case ast.String:
		return ast.String(s.split(string(v)).fill(doc))
	case *ast.Array:
		terms := make([]*ast.Term, 0, v.Len())
		v.Foreach(func(t *ast.Term) { terms = append(terms, ast.NewTerm(s.replace(t.Value, doc))) })
		return ast.NewArray(terms...)
	case ast.Set:
		terms := make([]*ast.Term, 0, v.Len())
		for _, t := range v.Slice() {
			terms = append(terms, ast.NewTerm(s.replace(t.Value, doc)))
		}
		return ast.NewSet(terms...)
	case ast.Object:
		out := ast.NewObjectWithCapacity(v.Len())
		v.Foreach(func(k, t *ast.Term) {
			out.Insert(ast.NewTerm(s.replace(k.Value, doc)), ast.NewTerm(s.replace(t.Value, doc)))
		})
		return out
	default:
		return v
	}
}
