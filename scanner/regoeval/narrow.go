package regoeval

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/postscan/postscan/checks"
)

// Most of what a workload holds is not asked by the few policies that are left to
// ask. So the input of a query is made of what its policies depend on alone.

// node is a part of the facts that is converted.
type node struct {
	whole  bool
	slot   int              // one more than the slot where a stand-in takes the place of a text; 0 for none
	fields map[string]*node // of a struct
	elems  *node            // of a list
}

// add puts a path of [checks.Depends] into the tree, and returns its end.
func (n *node) add(path string) *node {
	if field, _, ok := checks.Compared(path); ok {
		path = field // a policy is handed the field itself
	}
	switch {
	case path == "":
		n.whole = true
		return n
	case path == "[]#":
		return n.element() // as many as there are, without their fields
	case strings.HasPrefix(path, "[]"):
		return n.element().add(strings.TrimPrefix(path, "[]"))
	default:
		path = strings.TrimPrefix(path, ".")
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		if n.fields == nil {
			n.fields = map[string]*node{}
		}
		field := n.fields[path[:end]]
		if field == nil {
			field = &node{}
			n.fields[path[:end]] = field
		}
		return field.add(path[end:])
	}
}

func (n *node) element() *node {
	if n.elems == nil {
		n.elems = &node{}
	}
	return n.elems
}

// narrow plans the conversion of the parts of a type.
func (p *planner) narrow(t reflect.Type, n *node) (*plan, error) {
	switch {
	case n.slot > 0:
		return &plan{term: func(stand *standIns, v reflect.Value) *ast.Term { return stand.term(n.slot-1, v.String()) }}, nil
	case n.whole, t.Kind() != reflect.Struct && t.Kind() != reflect.Slice, (t.Kind() == reflect.Slice) != (n.elems != nil):
		return p.plan(t)
	case t.Kind() == reflect.Slice:
		elem, err := p.narrow(t.Elem(), n.elems)
		if err != nil {
			return nil, err
		}
		return listPlan(elem), nil
	}
	var members []member
	for name, field := range n.fields {
		at := slices.IndexFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			return f.IsExported() && tag == name
		})
		if at < 0 {
			return nil, fmt.Errorf("%v has no field %q", t, name)
		}
		f := reflect.VisibleFields(t)[at]
		inner, err := p.narrow(f.Type, field)
		if err != nil {
			return nil, err
		}
		members = append(members, member{name: ast.StringTerm(name), key: name, index: f.Index, plan: inner})
	}
	return objectPlan(members), nil
}

// inputFor plans the input of the policies of the set. It is all that the subject
// hands to policies, where it is not known of each what it depends on. With standIns
// the texts that they show as they are are left open; nil where that cannot be.
func (s *subject) inputFor(run set, standIns bool) *plan {
	whole := s.input.plan
	if standIns {
		whole = nil
	}
	root := &node{}
	for i := range s.policies {
		if !run.has(i) {
			continue
		}
		paths := s.parts.paths[i]
		if s.wide || paths == nil {
			return whole
		}
		for _, path := range paths {
			root.add(path)
		}
	}
	for i := range s.policies {
		if standIns && run.has(i) {
			for _, slot := range s.parts.shown[i] {
				root.add(s.parts.slots[slot].path).slot = slot + 1
			}
		}
	}
	made, err := s.input.planner.narrow(s.input.typ.Elem(), root)
	if err != nil || root.whole {
		return whole
	}
	return made
}
