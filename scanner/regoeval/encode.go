package regoeval

import (
	"cmp"
	"encoding"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// encoder turns a facts document into the input of the policies: the fields
// that they need, as encoding/json would name and write them, except that no
// list and no map is ever null. Fields that no policy needs are left out, so
// that documents which differ only in them count as equal.
type encoder struct {
	typ     reflect.Type
	plan    *plan
	planner planner
}

// plan converts and hashes values of one type. Where stand is not nil, stand-ins
// take the place of some texts.
type plan struct {
	term func(stand *standIns, v reflect.Value) *ast.Term
	hash func(*digester, reflect.Value)
}

// newEncoder plans for documents of type t, a pointer to a struct. needs are
// paths of fields; below a list everything is converted.
func newEncoder(t reflect.Type, needs []string) (*encoder, error) {
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("%v is no pointer to a struct", t)
	}
	p := planner{whole: map[reflect.Type]*plan{}}
	root, err := p.object(t.Elem(), wanted(needs))
	if err != nil {
		return nil, err
	}
	return &encoder{typ: t, plan: root, planner: p}, nil
}

// takes is true for a document of the encoder's type that is not nil.
func (e *encoder) takes(doc reflect.Value) bool {
	return doc.IsValid() && doc.Type() == e.typ && !doc.IsNil()
}

// value converts a document.
func (e *encoder) value(doc reflect.Value) ast.Value { return e.plan.term(nil, doc.Elem()).Value }

// want is the part of a struct that is converted: nil means all of it.
type want map[string]want

// wanted makes the tree of wanted fields of paths.
func wanted(needs []string) want {
	root := want{}
	for _, need := range needs {
		path, _, _ := strings.Cut(need, "[]")
		parts := strings.Split(path, ".")
		at := root
		for i, part := range parts {
			next, ok := at[part]
			if ok && next == nil {
				break // a parent is wanted whole
			}
			if i == len(parts)-1 {
				at[part] = nil
				break
			}
			if next == nil {
				next = want{}
				at[part] = next
			}
			at = next
		}
	}
	return root
}

// planner makes plans; whole holds those for complete types, so that each is
// made once and a type may hold itself.
type planner struct{ whole map[reflect.Type]*plan }

func (p *planner) plan(t reflect.Type) (*plan, error) {
	if known, ok := p.whole[t]; ok {
		return known, nil
	}
	out := &plan{}
	p.whole[t] = out
	made, err := p.make(t)
	if err != nil {
		return nil, err
	}
	*out = *made
	return out, nil
}

func (p *planner) make(t reflect.Type) (*plan, error) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return textPlan(func(v reflect.Value) string { return v.Interface().(time.Time).Format(time.RFC3339Nano) }), nil
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return textPlan(marshalText), nil
	}
	switch t.Kind() {
	case reflect.String:
		return textPlan(reflect.Value.String), nil
	case reflect.Bool:
		return &plan{
			term: func(_ *standIns, v reflect.Value) *ast.Term { return ast.InternedTerm(v.Bool()) },
			hash: func(d *digester, v reflect.Value) {
				if v.Bool() {
					d.mark('t')
				} else {
					d.mark('f')
				}
			},
		}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &plan{
			term: func(_ *standIns, v reflect.Value) *ast.Term { return ast.InternedTerm(v.Int()) },
			hash: func(d *digester, v reflect.Value) { d.number('i', v.Int()) },
		}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &plan{
			term: func(_ *standIns, v reflect.Value) *ast.Term { return ast.InternedTerm(v.Uint()) },
			hash: func(d *digester, v reflect.Value) { d.unsigned('u', v.Uint()) },
		}, nil
	case reflect.Float32, reflect.Float64:
		return &plan{
			term: func(_ *standIns, v reflect.Value) *ast.Term { return floatTerm(v.Float()) },
			hash: func(d *digester, v reflect.Value) { d.unsigned('d', math.Float64bits(v.Float())) },
		}, nil
	case reflect.Struct:
		return p.object(t, nil)
	case reflect.Slice:
		return p.list(t)
	case reflect.Map:
		return p.dictionary(t)
	default:
		return nil, fmt.Errorf("facts of type %v cannot be handed to policies", t)
	}
}

// floatTerm has no infinities: JSON has none.
func floatTerm(f float64) *ast.Term {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return ast.InternedTerm(0)
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		return ast.InternedTerm(int64(f))
	default:
		return ast.FloatNumberTerm(f)
	}
}

func marshalText(v reflect.Value) string {
	b, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return ""
	}
	return string(b)
}

func textPlan(text func(reflect.Value) string) *plan {
	return &plan{
		term: func(_ *standIns, v reflect.Value) *ast.Term { return ast.InternedTerm(text(v)) },
		hash: func(d *digester, v reflect.Value) { d.text(text(v)) },
	}
}

// member is one field of an object.
type member struct {
	name  *ast.Term
	key   string
	index []int
	plan  *plan
}

// object plans a struct; only says which fields, nil meaning all.
func (p *planner) object(t reflect.Type, only want) (*plan, error) {
	var members []member
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue // an embedded struct's fields are visible themselves
		}
		inner, ok := only[name]
		if only != nil && !ok {
			continue
		}
		var fp *plan
		var err error
		if inner != nil {
			if f.Type.Kind() != reflect.Struct {
				return nil, fmt.Errorf("%v.%s has no fields of its own", t, f.Name)
			}
			fp, err = p.object(f.Type, inner)
		} else {
			fp, err = p.plan(f.Type)
		}
		if err != nil {
			return nil, err
		}
		members = append(members, member{name: ast.StringTerm(name), key: name, index: f.Index, plan: fp})
	}
	return objectPlan(members), nil
}

func objectPlan(members []member) *plan {
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.key, b.key) })
	return &plan{
		term: func(stand *standIns, v reflect.Value) *ast.Term {
			object := ast.NewObjectWithCapacity(len(members))
			for _, m := range members {
				object.Insert(m.name, m.plan.term(stand, v.FieldByIndex(m.index)))
			}
			return ast.NewTerm(object)
		},
		hash: func(d *digester, v reflect.Value) {
			d.mark('{')
			for _, m := range members {
				m.plan.hash(d, v.FieldByIndex(m.index)) // the names are the same for all of the type
			}
		},
	}
}

func (p *planner) list(t reflect.Type) (*plan, error) {
	if t.Elem().Kind() == reflect.Uint8 {
		return nil, fmt.Errorf("facts of type %v cannot be handed to policies: bytes are no text", t)
	}
	elem, err := p.plan(t.Elem())
	if err != nil {
		return nil, err
	}
	return listPlan(elem), nil
}

func listPlan(elem *plan) *plan {
	return &plan{
		term: func(stand *standIns, v reflect.Value) *ast.Term {
			if v.Len() == 0 {
				return ast.NewTerm(ast.InternedEmptyArrayValue)
			}
			terms := make([]*ast.Term, v.Len())
			for i := range terms {
				terms[i] = elem.term(stand, v.Index(i))
			}
			return ast.ArrayTerm(terms...)
		},
		hash: func(d *digester, v reflect.Value) {
			d.number('[', int64(v.Len()))
			for i := range v.Len() {
				elem.hash(d, v.Index(i))
			}
		},
	}
}

func (p *planner) dictionary(t reflect.Type) (*plan, error) {
	if t.Key().Kind() != reflect.String {
		return nil, fmt.Errorf("facts of type %v cannot be handed to policies: keys are no text", t)
	}
	elem, err := p.plan(t.Elem())
	if err != nil {
		return nil, err
	}
	return &plan{
		term: func(stand *standIns, v reflect.Value) *ast.Term {
			object := ast.NewObjectWithCapacity(v.Len())
			for it := v.MapRange(); it.Next(); {
				object.Insert(ast.InternedTerm(it.Key().String()), elem.term(stand, it.Value()))
			}
			return ast.NewTerm(object)
		},
		hash: func(d *digester, v reflect.Value) {
			keys := v.MapKeys()
			slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
			d.number('m', int64(len(keys)))
			for _, k := range keys {
				d.text(k.String())
				elem.hash(d, v.MapIndex(k))
			}
		},
	}, nil
}

// digest names the parts of a document that a policy looks at. It differs from run
// to run; that two documents have the same by chance is as likely as for any hash of 128 bits.
type digest [2]uint64

// digester hashes values with marks and lengths between them, so that no two
// documents give the same bytes.
type digester struct {
	seeds   [2]maphash.Seed
	long    [2]maphash.Hash // of what did not fit into buf
	buf     []byte
	written bool // some of it is in long already
}

func newDigester(seeds [2]maphash.Seed) digester {
	return digester{seeds: seeds, buf: make([]byte, 0, 1<<12)}
}

func (d *digester) mark(m byte) {
	d.room(1)
	d.buf = append(d.buf, m)
}

func (d *digester) number(m byte, n int64) {
	d.room(1 + binary.MaxVarintLen64)
	d.buf = binary.AppendVarint(append(d.buf, m), n)
}

func (d *digester) unsigned(m byte, n uint64) {
	d.room(1 + binary.MaxVarintLen64)
	d.buf = binary.AppendUvarint(append(d.buf, m), n)
}

func (d *digester) text(s string) {
	d.number('s', int64(len(s)))
	for len(s) > 0 {
		d.room(1)
		n := min(len(s), cap(d.buf)-len(d.buf))
		d.buf, s = append(d.buf, s[:n]...), s[n:]
	}
}

// digest adds a digest of parts.
func (d *digester) digest(part digest) {
	d.room(16)
	d.buf = binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(d.buf, part[0]), part[1])
}

// room makes sure that n more bytes fit.
func (d *digester) room(n int) {
	if cap(d.buf)-len(d.buf) < n {
		for i := range d.long {
			if !d.written {
				d.long[i].SetSeed(d.seeds[i])
			}
			_, _ = d.long[i].Write(d.buf)
		}
		d.buf, d.written = d.buf[:0], true
	}
}

// sum is the digest of what was added, and begins anew.
func (d *digester) sum() (out digest) {
	for i, seed := range d.seeds {
		if d.written {
			_, _ = d.long[i].Write(d.buf)
			out[i] = d.long[i].Sum64()
		} else {
			out[i] = maphash.Bytes(seed, d.buf)
		}
	}
	d.buf, d.written = d.buf[:0], false
	return out
}
