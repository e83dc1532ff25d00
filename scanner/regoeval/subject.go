package regoeval

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// maxQueries bounds the prepared queries of a subject: one for each set of
// policies that resources leave to be asked. Those that ask one policy, which
// find the one at fault, and those for what nothing is remembered of come on top.
const maxQueries = 256

// subject is the compiled policies of one kind of resource.
type subject struct {
	policies []*policy // by id
	input    *encoder
	cache    cache
	gaps     gaps
	parts    *parts // set when the subject is ready, as stand is
	stand    standIns
	store    storage.Store
	begin    func()        // begins to compile, once
	ready    chan struct{} // closed when compiler and failed are set
	compiler *checks.Compiled
	failed   error

	mu      sync.Mutex // guards queries, and the compiler while a query is prepared
	queries map[queryOf]*prepared
	wide    bool // every query is handed the whole input
}

// queryOf names a prepared query.
type queryOf struct {
	policies string // a set
	standIns bool
}

// prepared is a query with what makes its input.
type prepared struct {
	query rego.PreparedEvalQuery
	input *plan
}

// policy is one check of a subject.
type policy struct {
	check  *checks.Check
	rule   *scanner.Rule
	id     *ast.Term
	query  string                      // the term of the query that asks it; set when the subject is ready
	asks   []string                    // paths that it needs or reads; set when the subject is ready
	levels map[string]scanner.Severity // that a violation may have
	unset  []string                    // required parameters that are empty
}

// newSubject makes a subject. Its policies are compiled once begin is called, while
// the scan reads its first resource. Whoever asks them waits until ready.
func newSubject(ctx context.Context, catalogue *checks.Catalogue, kind facts.Kind, own []*checks.Check, rules map[string]*scanner.Rule, params map[string]any, store storage.Store) (*subject, error) {
	s := &subject{store: store, ready: make(chan struct{}), queries: map[queryOf]*prepared{}}
	doc := facts.New(kind)
	if doc == nil {
		return nil, fmt.Errorf("prepare policies: no resource is of kind %q, so %s would never be evaluated", kind, own[0].File)
	}
	own = slices.Clone(own)
	slices.SortFunc(own, func(a, b *checks.Check) int { return strings.Compare(a.ID, b.ID) })
	var needs []string
	all := newSet(len(own))
	for i, c := range own {
		s.policies = append(s.policies, newPolicy(c, rules[c.ID], params))
		needs = append(needs, c.Needs...)
		needs = append(needs, c.Optional...)
		if c.DecidedBy == "" {
			all.add(i)
		}
	}
	var err error
	if s.input, err = newEncoder(reflect.TypeOf(doc), needs); err != nil {
		return nil, fmt.Errorf("prepare the facts of kind %q for policies: %w", kind, err)
	}
	compile := func() {
		defer close(s.ready)
		if s.compiler, s.failed = catalogue.Compile(own, checks.CompileOptions{}); s.failed != nil {
			return
		}
		for _, p := range s.policies {
			p.query = query(p.check, s.compiler.Compiler)
			p.asks = asks(p.check, s.compiler.Reads[p.check])
		}
		s.parts = newParts(s.input, s.policies, builtIn(s.compiler.Depends))
		s.stand = newStandIns(s.parts.slots)
		_, s.failed = s.prepare(ctx, all, all, false)
	}
	s.begin = sync.OnceFunc(func() { go compile() })
	return s, nil
}

// builtIn leaves out the policies of a user: what is said of the built-in ones is
// held by tests, and a policy of a user is asked about every document that differs
// in anything that it is handed.
func builtIn(all map[*checks.Check]checks.Depends) map[*checks.Check]checks.Depends {
	out := maps.Clone(all)
	maps.DeleteFunc(out, func(c *checks.Check, _ checks.Depends) bool { return !c.BuiltIn })
	return out
}

// wait waits until the policies are compiled.
func (s *subject) wait(ctx context.Context) error {
	s.begin()
	select {
	case <-s.ready:
		return s.failed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newPolicy(c *checks.Check, r *scanner.Rule, params map[string]any) *policy {
	p := &policy{check: c, rule: r, id: ast.StringTerm(c.ID), levels: map[string]scanner.Severity{}}
	for _, level := range r.Severities {
		p.levels[level.String()] = level
	}
	for _, name := range c.RequiresParams {
		if v := reflect.ValueOf(params[name]); v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 {
			p.unset = append(p.unset, name)
		}
	}
	return p
}

// rule is what findings tell of a check.
func rule(c *checks.Check) (*scanner.Rule, error) {
	r := &scanner.Rule{
		ID: c.ID, Title: c.Title, Description: c.Description, Subject: c.Subject,
		Remediation: c.Remediation, References: make([]scanner.Reference, 0, len(c.References)+len(c.RelatedResources)),
	}
	names := c.Severities
	if len(names) == 0 {
		names = []string{c.Severity}
	}
	var err error
	if r.Severity, err = scanner.ParseSeverity(c.Severity); err != nil {
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	for _, name := range names {
		level, err := scanner.ParseSeverity(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.File, err)
		}
		r.Severities = append(r.Severities, level)
	}
	for _, ref := range c.References {
		r.References = append(r.References, scanner.Reference{Framework: ref.Framework, Control: ref.Control})
	}
	for _, page := range c.RelatedResources {
		r.References = append(r.References, scanner.Reference{Framework: "url", Control: page.Ref})
	}
	return r, nil
}

// query is the term that asks a policy: a list that holds its two sets, or nothing
// where the policy does not apply.
func query(c *checks.Check, compiler *ast.Compiler) string {
	path := ast.MustParseRef("data." + c.Package)
	asks := func(name string) string {
		full := path.Append(ast.StringTerm(name))
		if len(compiler.GetRulesExact(full)) == 0 {
			return "set()"
		}
		return full.String()
	}
	applies := asks("applies")
	if applies == "set()" {
		applies = "true"
	}
	return fmt.Sprintf("%s: [[%s, %s] | %s]", strconv.Quote(c.ID), asks("deny"), asks("unknown"), applies)
}

// asks joins what a check declares to need with what its policy reads below
// lists, where needs may name the list alone. What it calls optional is left out.
func asks(c *checks.Check, reads checks.Reads) []string {
	out := slices.Clone(c.Needs)
	for _, r := range reads {
		optional := slices.ContainsFunc(c.Optional, func(path string) bool { return checks.Covers(path, r) })
		if !strings.HasSuffix(r, "[]") && !optional && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// prepare returns the query that asks the policies of the set, with stand-ins or
// without. Where as many sets as may be are prepared, it is the query that asks all
// of the wider set.
func (s *subject) prepare(ctx context.Context, run, wider set, standIns bool) (*prepared, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := queryOf{string(run), standIns}
	if q, ok := s.queries[of]; ok {
		return q, nil
	}
	if len(s.queries) >= maxQueries && (run.count() > 1 || standIns) {
		run, of.policies = wider, string(wider)
		if q, ok := s.queries[of]; ok {
			return q, nil
		}
	}
	var terms []string
	for i, p := range s.policies {
		if run.has(i) {
			terms = append(terms, p.query)
		}
	}
	text := "{" + strings.Join(terms, ", ") + "}"
	body, err := ast.ParseBody(text)
	if err != nil {
		return nil, fmt.Errorf("prepare the query %s: %w", text, err)
	}
	input := s.inputFor(run, standIns)
	if input == nil {
		return nil, fmt.Errorf("prepare the query %s: there is no place for stand-ins", text)
	}
	q, err := rego.New(
		rego.ParsedQuery(body),
		rego.Compiler(s.compiler.Compiler),
		rego.Store(s.store),
		rego.StrictBuiltinErrors(true),
		// The answer stays a term: it is read without a detour over JSON.
		rego.GenerateJSON(func(t *ast.Term, _ *rego.EvalContext) (any, error) { return t, nil }),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, fmt.Errorf("prepare the query %s: %w", text, err)
	}
	made := &prepared{query: q, input: input}
	s.queries[of] = made
	return made, nil
}

var errNoAnswer = errors.New("the query has no answer")

// ask evaluates the policies of the set over a document, or those of the wider set.
// Where stand is not nil, stand-ins take the place of the texts that they show as they are.
func (s *subject) ask(ctx context.Context, run, wider set, doc reflect.Value, stand *standIns) (ast.Object, error) {
	p, err := s.prepare(ctx, run, wider, stand != nil)
	if err != nil {
		return nil, err
	}
	results, err := p.query.Eval(ctx, rego.EvalParsedInput(p.input.term(stand, doc.Elem()).Value))
	if err != nil {
		return nil, err
	}
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return nil, errNoAnswer
	}
	term, ok := results[0].Expressions[0].Value.(*ast.Term)
	if !ok {
		return nil, errNoAnswer
	}
	object, ok := term.Value.(ast.Object)
	if !ok {
		return nil, errNoAnswer
	}
	return object, nil
}
