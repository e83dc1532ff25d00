package regoeval

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/postscan/postscan/checks"
)

// Two documents that differ only in what a policy does not look at have the same
// answer from it. So answers are remembered by policy, under a digest of what it
// depends on: most workloads of a cluster differ in names and images and are
// equal in what most policies ask. Whether a policy denies at all depends on less
// than the texts of its denials do: a container's name is only shown. Two digests
// are kept for each policy, therefore.

// digest names the parts of a document that a policy looks at.
type digest [sha256.Size]byte

// column is one part of a document: a field, or a field of the elements of lists.
type column func(*digester, reflect.Value)

// parts are what the policies of a subject look at.
type parts struct {
	columns []column
	groups  [][]int                    // of columns, each asked by at least one policy
	body    []int                      // by policy: the group that decides whether it says anything
	full    []int                      // by policy: the group that decides all that it says
	paths   [][]string                 // by policy: all that it looks at; nil where that is not known
	off     []func(reflect.Value) bool // by policy: it is known to say nothing; nil where that is never known
	away    []func(reflect.Value) bool // by policy: it is known not to apply; nil where that is never known
	pool    sync.Pool
}

// scratch is what digesting takes; it is used again.
type scratch struct {
	digester
	columns []digest
	groups  []digest
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
			full, all = body, nil
		}
		if slices.Contains(all, "") {
			all = nil
		}
		p.paths = append(p.paths, all)
		p.off, p.away = append(p.off, e.off(d.Switches)), append(p.away, e.off(d.Applies))
		p.body, p.full = append(p.body, body), append(p.full, full)
	}
	p.pool.New = func() any {
		return &scratch{
			digester: digester{h: sha256.New(), buf: make([]byte, 0, 1<<12)},
			columns:  make([]digest, len(p.columns)), groups: make([]digest, len(p.groups)),
		}
	}
	return p
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

// digests returns the digest of each group, and a function that gives the memory back.
func (p *parts) digests(doc reflect.Value) (groups []digest, done func()) {
	s, ok := p.pool.Get().(*scratch)
	if !ok {
		panic("the pool holds scratch alone")
	}
	for i, c := range p.columns {
		c(&s.digester, doc.Elem())
		s.columns[i] = s.sum()
	}
	for i, own := range p.groups {
		for _, c := range own {
			s.room(sha256.Size)
			s.buf = append(s.buf, s.columns[c][:]...)
		}
		s.groups[i] = s.sum()
	}
	return s.groups, func() { p.pool.Put(s) }
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
		test := onAt(e.typ.Elem(), s.Path, s.Texts)
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

// onAt plans the test of one switch below a type; nil where the path does not end
// in a field of truth, or in a text where texts are asked for.
func onAt(t reflect.Type, path string, texts []string) func(reflect.Value) bool {
	switch {
	case path == "" && texts == nil && t.Kind() == reflect.Bool:
		return reflect.Value.Bool
	case path == "" && texts != nil && t.Kind() == reflect.String && !t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return func(v reflect.Value) bool {
			_, found := slices.BinarySearch(texts, v.String())
			return found
		}
	case strings.HasPrefix(path, "[]") && t.Kind() == reflect.Slice:
		inner := onAt(t.Elem(), path[2:], texts)
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
	path = strings.TrimPrefix(path, ".")
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		end = len(path)
	}
	for _, f := range reflect.VisibleFields(t) {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && tag == path[:end] {
			inner := onAt(f.Type, path[end:], texts)
			if inner == nil {
				return nil
			}
			return func(v reflect.Value) bool { return inner(v.FieldByIndex(f.Index)) }
		}
	}
	return nil
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
	path = strings.TrimPrefix(path, ".")
	end := strings.IndexAny(path, ".[=")
	if end < 0 {
		end = len(path)
	}
	name := path[:end]
	if t.Kind() == reflect.Struct {
		for _, f := range reflect.VisibleFields(t) {
			if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && tag == name && name != "" {
				inner, err := p.column(f.Type, path[end:])
				if err != nil {
					return nil, err
				}
				return func(d *digester, v reflect.Value) { inner(d, v.FieldByIndex(f.Index)) }, nil
			}
		}
	}
	return nil, fmt.Errorf("%v has no field %q", t, name)
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

// sum is the digest of what was added, and begins anew.
func (d *digester) sum() (out digest) {
	if d.written {
		_, _ = d.h.Write(d.buf)
		d.buf = d.h.Sum(d.buf[:0]) // out would have to leave the stack
		copy(out[:], d.buf)
		d.h.Reset()
	} else {
		out = sha256.Sum256(d.buf)
	}
	d.buf, d.written = d.buf[:0], false
	return out
}

// key is what an answer is remembered under.
type key struct {
	policy int32
	full   bool
	part   [16]byte // of the digest: half of SHA-256 is enough to tell documents apart
}

func newKey(policy int, full bool, d *digest) key {
	k := key{policy: int32(policy), full: full} //nolint:gosec // an index of a few hundred
	binary.NativeEndian.PutUint64(k.part[:8], binary.NativeEndian.Uint64(d[:8]))
	binary.NativeEndian.PutUint64(k.part[8:], binary.NativeEndian.Uint64(d[8:16]))
	return k
}
