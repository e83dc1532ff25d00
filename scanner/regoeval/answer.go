package regoeval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// answer is what one policy says of one facts document. It is shared by all
// resources that are equal in what the policy looks at, and is not changed.
type answer struct {
	notApplicable bool
	violations    []scanner.Violation
	unknown       []string // the policy's own reasons, and its errors
	faulty        bool     // it ended in an error, or denied in words that are none
}

// silent is true where the policy says nothing in words.
func (a *answer) silent() bool { return len(a.violations) == 0 && len(a.unknown) == 0 && !a.faulty }

// answers asks the policies of the set, or remembers what they said.
func (e *Evaluator) answers(ctx context.Context, s *subject, r *facts.Resource, run set) ([]answer, error) {
	if run.empty() {
		return make([]answer, len(s.policies)), nil
	}
	doc := reflect.ValueOf(r.Facts)
	if !s.input.takes(doc) {
		return e.failed(s, r, run, fmt.Errorf("the facts are a %T", r.Facts)), nil
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	out := make([]answer, len(s.policies))
	if !s.wide {
		if run = s.parts.on(doc, run, out); run.empty() {
			return out, nil
		}
	}
	seen := s.parts.see(doc)
	defer seen.done()
	open, ask := s.cache.get(seen, run, out, &s.stand)
	if err := e.evaluateOpen(ctx, s, open, ask, seen, doc, out); err != nil {
		return nil, err
	}
	if ask.empty() {
		return out, nil
	}
	whole, err := e.evaluate(ctx, s, r, ask, run, doc, out)
	if err != nil {
		return nil, err
	}
	if whole {
		s.cache.put(seen, ask, out, nil)
	}
	return out, nil
}

// evaluateOpen asks policies with stand-ins for what they show as it is, and fills
// what they say with the texts of the document. A policy with which that does not
// work goes to ask, whatever the reason.
func (e *Evaluator) evaluateOpen(ctx context.Context, s *subject, open, ask set, seen *seen, doc reflect.Value, out []answer) error {
	if open.empty() {
		return nil
	}
	if s.wide {
		ask.join(open)
		return nil
	}
	shapes := make([]*shape, len(out))
	for _, class := range s.parts.classes {
		run := open.and(class)
		if run.empty() {
			continue
		}
		stand := s.stand.anew()
		object, err := e.ask(ctx, s, run, class, doc, stand)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for i, p := range s.policies {
			if !run.has(i) {
				continue
			}
			var ok bool
			if err == nil {
				out[i], shapes[i], ok = p.readOpen(object.Get(p.id), s.parts.shown[i], seen, stand)
			}
			if !ok {
				ask.add(i)
				open.remove(i)
			}
		}
	}
	s.cache.put(seen, open, out, shapes)
	return nil
}

// readOpen takes a policy's answer out of that of a query with stand-ins; false
// where that cannot be done.
func (p *policy) readOpen(term *ast.Term, shown []int, seen *seen, stand *standIns) (answer, *shape, bool) {
	a, err := p.read(term)
	if err != nil {
		return answer{}, nil, false
	}
	if a.silent() {
		return a, nil, true
	}
	deny, _, err := verdict(term)
	if err != nil {
		return answer{}, nil, false
	}
	objects, ok := deny.Value.(ast.Set)
	if !ok {
		return answer{}, nil, false
	}
	shape := newShape(&a, objects.Slice(), shown, stand)
	a, ok = shape.fill(seen, stand)
	return a, shape, ok
}

// evaluate asks all policies of the set at once. Where that ends in an error it
// asks them one by one, to find the one at fault. The answers go into out; the
// query may be that of the wider set. whole is false where time ran out, which
// another attempt need not.
func (e *Evaluator) evaluate(ctx context.Context, s *subject, r *facts.Resource, run, wider set, doc reflect.Value, out []answer) (whole bool, err error) {
	object, err := e.ask(ctx, s, run, wider, doc, nil)
	if err == nil {
		for i, p := range s.policies {
			if run.has(i) {
				out[i] = e.read(p, r, object)
			}
		}
		return true, nil
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	whole = true
	for i, p := range s.policies {
		if !run.has(i) {
			continue
		}
		one := newSet(len(s.policies))
		one.add(i)
		object, err := e.ask(ctx, s, one, one, doc, nil)
		switch {
		case err == nil:
			out[i] = e.read(p, r, object)
		case ctx.Err() != nil:
			return false, ctx.Err()
		default:
			whole = whole && !topdown.IsCancel(err)
			out[i] = e.fault(p, r, err)
		}
	}
	return whole, nil
}

// ask evaluates within the time-out.
func (e *Evaluator) ask(ctx context.Context, s *subject, run, wider set, doc reflect.Value, stand *standIns) (ast.Object, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, e.timeout, errTimeout)
	defer cancel()
	object, err := s.ask(ctx, run, wider, doc, stand)
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) {
		return nil, &timeoutError{after: e.timeout.String(), err: err}
	}
	return object, err
}

var errTimeout = errors.New("time-out")

// timeoutError is a policy that took too long.
type timeoutError struct {
	after string
	err   error
}

func (e *timeoutError) Error() string { return "it took longer than " + e.after }
func (e *timeoutError) Unwrap() error { return e.err }

// fault is the answer of a policy that ended in an error.
func (e *Evaluator) fault(p *policy, r *facts.Resource, err error) answer {
	e.log.Error("a policy could not decide; its outcome is unknown",
		slog.String("check", p.check.ID), slog.String("file", p.check.File),
		slog.String("resource", r.ID), slog.String("error", err.Error()))
	return answer{faulty: true, unknown: []string{"error in policy " + p.check.File + ": " + err.Error()}}
}

// failed is the answer of all policies of the set to one error.
func (e *Evaluator) failed(s *subject, r *facts.Resource, run set, err error) []answer {
	out := make([]answer, len(s.policies))
	for i, p := range s.policies {
		if run.has(i) {
			out[i] = e.fault(p, r, err)
		}
	}
	return out
}

// read takes a policy's answer out of the query's. What is not as the contract
// says is an error of the policy; it never disappears.
func (e *Evaluator) read(p *policy, r *facts.Resource, object ast.Object) answer {
	a, err := p.read(object.Get(p.id))
	if err != nil {
		a.unknown = append(a.unknown, e.fault(p, r, err).unknown...)
		a.faulty = true
	}
	return a
}

func (p *policy) read(term *ast.Term) (answer, error) {
	var a answer
	deny, unknown, err := verdict(term)
	if err != nil {
		return a, err
	}
	if deny == nil {
		return answer{notApplicable: true}, nil
	}
	var errs []error
	each(deny, &errs, func(t *ast.Term) {
		v, err := p.violation(t.Value)
		if err != nil {
			errs = append(errs, err)
			return
		}
		a.violations = append(a.violations, v)
	})
	each(unknown, &errs, func(t *ast.Term) {
		s, ok := t.Value.(ast.String)
		if !ok || strings.TrimSpace(string(s)) == "" {
			errs = append(errs, fmt.Errorf("unknown holds %s, which is no text", checks.Short(t.Value)))
			return
		}
		a.unknown = append(a.unknown, string(s))
	})
	return a, errors.Join(errs...)
}

// verdict is what stands in deny and unknown; nil where the policy does not apply.
func verdict(term *ast.Term) (deny, unknown *ast.Term, err error) {
	if term == nil {
		return nil, nil, errNoAnswer
	}
	list, ok := term.Value.(*ast.Array)
	if !ok {
		return nil, nil, errNoAnswer
	}
	if list.Len() == 0 {
		return nil, nil, nil
	}
	parts, ok := list.Elem(0).Value.(*ast.Array)
	if !ok || parts.Len() != 2 {
		return nil, nil, errNoAnswer
	}
	return parts.Elem(0), parts.Elem(1), nil
}

// each walks a set in its order.
func each(t *ast.Term, errs *[]error, do func(*ast.Term)) {
	s, ok := t.Value.(ast.Set)
	if !ok {
		*errs = append(*errs, fmt.Errorf("%s is no set", checks.Short(t.Value)))
		return
	}
	for _, e := range s.Slice() {
		do(e)
	}
}

// violation reads one object of deny.
func (p *policy) violation(v ast.Value) (scanner.Violation, error) {
	said, err := p.check.Violation(v)
	if err != nil {
		return scanner.Violation{}, err
	}
	value := plain(said.Value)
	return scanner.Violation{
		Message: said.Message, Path: said.Path, Value: value, Key: said.Key, Severity: p.levels[said.Severity],
		Evidence: []scanner.Evidence{{Path: said.Path, Value: value}},
	}, nil
}

// plain turns a value into what encoding/json would read: numbers are int64
// where they are whole, sets are sorted lists.
func plain(v ast.Value) any {
	switch v := v.(type) {
	case ast.Boolean:
		return bool(v)
	case ast.String:
		return string(v)
	case ast.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n
		}
		if f, ok := v.Float64(); ok {
			return f
		}
		return json.Number(v)
	case *ast.Array:
		out := make([]any, 0, v.Len())
		v.Foreach(func(t *ast.Term) { out = append(out, plain(t.Value)) })
		return out
	case ast.Set:
		out := make([]any, 0, v.Len())
		for _, t := range v.Slice() {
			out = append(out, plain(t.Value))
		}
		return out
	case ast.Object:
		out := make(map[string]any, v.Len())
		v.Foreach(func(k, t *ast.Term) {
			name, ok := k.Value.(ast.String)
			if !ok {
				name = ast.String(k.Value.String())
			}
			out[string(name)] = plain(t.Value)
		})
		return out
	default: // null
		return nil
	}
}
