package regoeval

import (
	"encoding"
	"fmt"
	"hash/maphash"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/postscan/postscan/checks"
)

// Two documents that differ only in what a policy does not look at have the same
// answer from it. So answers are remembered by policy, under a digest of what it
// depends on: most workloads of a cluster differ in names and images and are
// equal in what most policies ask. Whether a policy says anything at all depends on
// less than its texts do: a container's name is only shown. Three digests are kept
// for each policy, therefore: of what decides whether it says anything, of all that
// it says, and of all that it says but for the texts that it shows as they are.

// column is one part of a document: a field, or a field of the elements of lists.
type column func(*digester, reflect.Value)

// parts are what the policies of a subject look at.
type parts struct {
	columns []column
	groups  [][]int                    // of columns, each asked by at least one policy
	body    []int                      // by policy: the group that decides whether it says anything
	full    []int                      // by policy: the group that decides all that it says
	bare    []int                      // by policy: full without what is shown as it is; full where nothing is
	paths   [][]string                 // by policy: all that it looks at; nil where that is not known
	shown   [][]int                    // by policy: the slots that it shows as they are
	slots   []slot                     // each shown by at least one policy
	classes []set                      // of policies that can be asked at once with stand-ins in their slots
	off     []func(reflect.Value) bool // by policy: it is known to say nothing; nil where that is never known
	away    []func(reflect.Value) bool // by policy: it is known not to apply; nil where that is never known
	pool    sync.Pool
}

// seen is one document as the policies look at it. What nobody asks for is not
// looked at. It is used again for other documents.
type seen struct {
	parts   *parts
	doc     reflect.Value
	d       digester
	columns []digest
	groups  []digest
	texts   [][]string // by slot
	known   struct{ columns, groups, texts []bool }
	keys    []key         // by policy: asked for last
	found   []*remembered // by policy: under that key
}

// newParts plans for documents of the encoder's type. What a policy depends on
// is not known where depends has no entry for it; the whole document counts then.
func newParts(e *encoder, policies []*policy, depends map[*checks.Check]checks.Depends) *parts {
	p := &parts{}
	columnOf, groupOf := map[string]int{}, map[string]int{}
	group := func(paths []string) int {
		var own []int
		for _, path := range distinct(paths) {
			i, ok := columnOf[path]
			if !ok {
				c, err := e.column(path)
				if err != nil { // a field that these facts do not have
					if path == "" {
						panic(err) // the whole document always has a plan
					}
					return -1
				}
				i = len(p.columns)
				p.columns, columnOf[path] = append(p.columns, c), i
			}
			own = append(own, i)
		}
		name := fmt.Sprint(own)
		i, ok := groupOf[name]
		if !ok {
			i = len(p.groups)
			p.groups, groupOf[name] = append(p.groups, own), i
		}
		return i
	}
	for _, policy := range policies {
		d, ok := depends[policy.check]
		if !ok {
			d = checks.Depends{Body: []string{""}}
		}
		all := slices.Concat(d.Body, d.Head)
		body, full := group(d.Body), group(all)
		if body < 0 || full < 0 {
			body = group([]string{""})
			full, all, d.Shown = body, nil, nil
		}
		if slices.Contains(all, "") {
			all = nil
		}
		shown, rest := p.shownBy(e, &d, all)
		bare := full
		if len(shown) > 0 {
			bare = group(rest)
		}
		p.paths, p.shown = append(p.paths, all), append(p.shown, shown)
		p.off, p.away = append(p.off, e.off(d.Switches)), append(p.away, e.off(d.Applies))
		p.body, p.full, p.bare = append(p.body, body), append(p.full, full), append(p.bare, bare)
	}
	p.classify()
	seeds := [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	p.pool.New = func() any {
		s := &seen{parts: p, d: newDigester(seeds), columns: make([]digest, len(p.columns)), groups: make([]digest, len(p.groups)), texts: make([][]string, len(p.slots)), keys: make([]key, len(policies)), found: make([]*remembered, len(policies))}
		s.known.columns, s.known.groups, s.known.texts = make([]bool, len(p.columns)), make([]bool, len(p.groups)), make([]bool, len(p.slots))
		return s
	}
	return p
}

// see begins to look at a document; the caller calls done at the end.
func (p *parts) see(doc reflect.Value) *seen {
	s, ok := p.pool.Get().(*seen)
	if !ok {
		panic("the pool holds documents that are seen, alone")
	}
	s.doc = doc.Elem()
	return s
}

func (s *seen) done() {
	s.doc = reflect.Value{}
	clear(s.known.columns)
	clear(s.known.groups)
	clear(s.known.texts)
	for i := range s.texts {
		clear(s.texts[i])
	}
	s.parts.pool.Put(s)
}

// group is the digest of a group of columns.
func (s *seen) group(i int) digest {
	if s.known.groups[i] {
		return s.groups[i]
	}
	own := s.parts.groups[i]
	for _, c := range own {
		if !s.known.columns[c] {
			s.parts.columns[c](&s.d, s.doc)
			s.columns[c], s.known.columns[c] = s.d.sum(), true
		}
	}
	for _, c := range own {
		s.d.digest(s.columns[c])
	}
	s.groups[i], s.known.groups[i] = s.d.sum(), true
	return s.groups[i]
}

// on leaves out the policies that say nothing of a document, and those that do not
// apply, which it books, without asking them.
func (p *parts) on(doc reflect.Value, run set, out []answer) set {
	left := slices.Clone(run)
	for i := range p.off {
		switch {
		case !run.has(i):
		case p.off[i] != nil && p.off[i](doc.Elem()):
			left.remove(i)
		case p.away[i] != nil && p.away[i](doc.Elem()):
			out[i].notApplicable = true
			left.remove(i)
		}
	}
	return left
}

// distinct leaves out what another path holds already.
func distinct(paths []string) []string {
	out := slices.Clone(paths)
	slices.Sort(out)
	out = slices.Compact(out)
	return slices.DeleteFunc(out, func(p string) bool {
		bare, length := strings.CutSuffix(p, "#")
		if field, _, ok := checks.Compared(p); ok {
			bare = field
		}
		return slices.ContainsFunc(paths, func(q string) bool {
			if q == "" || length && q != p && strings.HasPrefix(q, bare) { // whoever walks the list sees its length
				return p != ""
			}
			return q != p && checks.Covers(q, bare)
		})
	})
}

// off tells of a document that none of the switches is on; nil where there is none,
// or one of them asks what these facts do not hold.
func (e *encoder) off(switches []checks.Switch) func(reflect.Value) bool {
	var on []func(reflect.Value) bool
	for _, s := range switches {
		test := onAt(e.typ.Elem(), s.Path, &s)
		if test == nil {
			return nil
		}
		on = append(on, test)
	}
	if len(on) == 0 {
		return nil
	}
	return func(doc reflect.Value) bool {
		return !slices.ContainsFunc(on, func(test func(reflect.Value) bool) bool { return test(doc) })
	}
}

// onAt plans the test of a switch below a type; nil where the path does not end in a
// field of truth, or in a text where texts are asked for.
func onAt(t reflect.Type, path string, s *checks.Switch) func(reflect.Value) bool {
	switch {
	case path == "" && s.Texts == nil && t.Kind() == reflect.Bool:
		return reflect.Value.Bool
	case path == "" && s.Texts != nil && t.Kind() == reflect.String && !t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return func(v reflect.Value) bool {
			_, found := slices.BinarySearch(s.Texts, v.String())
			return found != s.Not
		}
	case strings.HasPrefix(path, "[]") && t.Kind() == reflect.Slice:
		inner := onAt(t.Elem(), path[2:], s)
		if inner == nil {
			return nil
		}
		return func(v reflect.Value) bool {
			for i := range v.Len() {
				if inner(v.Index(i)) {
					return true
				}
			}
			return false
		}
	case path == "" || t.Kind() != reflect.Struct || path[0] == '[':
		return nil
	}
	f, rest, ok := fieldAt(t, path)
	if !ok {
		return nil
	}
	inner := onAt(f.Type, rest, s)
	if inner == nil {
		return nil
	}
	return func(v reflect.Value) bool { return inner(v.FieldByIndex(f.Index)) }
}

// fieldAt is the field of a struct that a path begins with, and the rest of the path.
func fieldAt(t reflect.Type, path string) (f reflect.StructField, rest string, ok bool) {
	path = strings.TrimPrefix(path, ".")
	end := strings.IndexAny(path, ".[=")
	if end < 0 {
		end = len(path)
	}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && name == path[:end] && name != "" {
			return f, path[end:], true
		}
	}
	return f, "", false
}

// column plans for one path of [checks.Depends]; "" is what the encoder hands to
// policies. The error is that the facts have no such field.
func (e *encoder) column(path string) (column, error) {
	if path == "" {
		return e.plan.hash, nil
	}
	return e.planner.column(e.typ.Elem(), path)
}

func (p *planner) column(t reflect.Type, path string) (column, error) {
	if rest, ok := strings.CutPrefix(path, "[]"); ok && t.Kind() == reflect.Slice {
		return p.elements(t, rest)
	}
	if path == "" || t.Kind() == reflect.Map || t.Kind() == reflect.Struct && path[0] == '[' { // a field that is chosen by a variable
		whole, err := p.plan(t)
		if err != nil {
			return nil, err
		}
		return whole.hash, nil
	}
	if path[0] == '=' {
		_, text, _ := checks.Compared(path)
		return p.equals(t, text)
	}
	if t.Kind() == reflect.Struct {
		if f, rest, ok := fieldAt(t, path); ok {
			inner, err := p.column(f.Type, rest)
			if err != nil {
				return nil, err
			}
			return func(d *digester, v reflect.Value) { inner(d, v.FieldByIndex(f.Index)) }, nil
		}
	}
	return nil, fmt.Errorf("%v has no field %q", t, path)
}

// equals plans for whether a field is a text. What is no plain text counts whole.
func (p *planner) equals(t reflect.Type, text string) (column, error) {
	if t.Kind() != reflect.String || t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		whole, err := p.plan(t)
		if err != nil {
			return nil, err
		}
		return whole.hash, nil
	}
	return func(d *digester, v reflect.Value) {
		if v.String() == text {
			d.mark('=')
		} else {
			d.mark('!')
		}
	}, nil
}

// elements plans for a path below the elements of a list; "#" asks for their number alone.
func (p *planner) elements(t reflect.Type, path string) (column, error) {
	if path == "#" {
		return func(d *digester, v reflect.Value) { d.number('[', int64(v.Len())) }, nil
	}
	inner, err := p.column(t.Elem(), path)
	if err != nil {
		return nil, err
	}
	return func(d *digester, v reflect.Value) {
		d.number('[', int64(v.Len()))
		for i := range v.Len() {
			inner(d, v.Index(i))
		}
	}, nil
}
