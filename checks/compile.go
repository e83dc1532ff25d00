package checks

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/postscan/postscan/scanner/facts"
)

// CompileOptions say how thorough a compilation is.
type CompileOptions struct {
	// Types checks every field that a policy reads against the JSON schema of
	// its subject. The policies that postscan brings are checked when it is
	// built; those of a user are always checked. It about doubles the time.
	Types bool
}

// Compiled are policies ready to be asked.
type Compiled struct {
	*ast.Compiler
	// Reads are the fields that each check reads.
	Reads map[*Check]Reads
	// Depends is what the answer of each check depends on.
	Depends map[*Check]Depends
}

// Compile parses the selected policies and the libraries that they use, holds
// their Rego to the contract and compiles them. The error is [Problems] where
// they break it.
func (c *Catalogue) Compile(selected []*Check, o CompileOptions) (*Compiled, error) {
	var files []*file
	for _, f := range c.files {
		if f.kind == policyFile && slices.Contains(selected, f.check) {
			files = append(files, f)
		}
	}
	for i := 0; i < len(files); i++ { // libraries may use others
		for _, f := range c.files {
			if f.kind == libraryFile && !slices.Contains(files, f) && strings.Contains(files[i].src, f.pkg) {
				files = append(files, f)
			}
		}
	}
	return compile(files, o)
}

// Verify compiles every policy and library with all checks of types.
func (c *Catalogue) Verify() error {
	_, err := compile(slices.DeleteFunc(slices.Clone(c.files), func(f *file) bool { return f.kind == testFile }), CompileOptions{Types: true})
	return err
}

// VerifyOwn is [Catalogue.Verify] of the policies of users alone, with the
// libraries: those that postscan brings are proven when it is built.
func (c *Catalogue) VerifyOwn() error {
	_, err := compile(slices.DeleteFunc(slices.Clone(c.files), func(f *file) bool {
		return f.kind == testFile || f.kind == policyFile && f.official
	}), CompileOptions{Types: true})
	return err
}

// compile compiles files of Rego; tests may be among them.
func compile(files []*file, o CompileOptions) (*Compiled, error) {
	types := o.Types || slices.ContainsFunc(files, func(f *file) bool { return f.kind == policyFile && !f.official })
	modules, err := parse(files, types)
	if err != nil {
		return nil, err
	}
	comp := ast.NewCompiler().WithStrict(true).WithCapabilities(Capabilities())
	if types {
		set, err := schemaSet(files)
		if err != nil {
			return nil, err
		}
		comp.WithSchemas(set).WithUseTypeCheckAnnotations(true)
	}
	// After this stage every reference stands in full, with the author's variables.
	var problems Problems
	reads, depends := map[*Check]Reads{}, map[*Check]Depends{}
	comp.WithStageAfterID(ast.StageResolveRefs, ast.CompilerStageDefinition{
		Name: "Contract", MetricName: "contract",
		Stage: func(comp *ast.Compiler) *ast.Error {
			rules := indexRules(comp)
			problems = contract(comp, files, rules)
			flow := flow{rules: rules, known: map[string]map[string]bool{}}
			dependence := dependence{rules: rules, known: map[string]map[string]bool{}, texts: map[string]texts{}}
			for _, f := range files {
				if f.kind == policyFile {
					reads[f.check] = flow.reads(comp.Modules[f.name])
					depends[f.check] = dependence.of(comp.Modules[f.name])
				}
			}
			return nil
		},
	})
	comp.Compile(modules)
	if err := problems.orNil(); err != nil {
		return nil, err
	}
	if comp.Failed() {
		return nil, regoProblems(comp.Errors).orNil()
	}
	return &Compiled{Compiler: comp, Reads: reads, Depends: depends}, nil
}

// parse parses files in parallel, with their annotations where types are to be
// checked; the result is by [file.name].
func parse(files []*file, annotations bool) (map[string]*ast.Module, error) {
	parsed := map[*file]*ast.Module{}
	failed := map[*file]error{}
	results := make(chan func(), len(files))
	inParallel(files, func(f *file) {
		m, err := ast.ParseModuleWithOpts(f.name, f.src, ast.ParserOptions{
			ProcessAnnotation: annotations,
			RegoVersion:       ast.RegoV1,
		})
		results <- func() { parsed[f], failed[f] = m, err }
	})
	close(results)
	for put := range results {
		put()
	}
	modules := make(map[string]*ast.Module, len(files))
	var problems Problems
	for _, f := range files {
		var many ast.Errors
		switch err := failed[f]; {
		case errors.As(err, &many):
			problems = append(problems, regoProblems(many)...)
		case err != nil:
			problems = append(problems, Problem{File: f.name, Text: err.Error()})
		case parsed[f] == nil:
			problems = append(problems, Problem{File: f.name, Text: "is empty"})
		}
		modules[f.name] = parsed[f]
	}
	return modules, problems.orNil()
}

// regoProblems turns OPA's errors into ours.
func regoProblems(errs ast.Errors) Problems {
	var out Problems
	for _, e := range errs {
		p := Problem{Text: e.Code + ": " + e.Message}
		if e.Location != nil {
			p.File, p.Line = e.Location.File, e.Location.Row
		}
		if e.Details != nil {
			for _, l := range e.Details.Lines() {
				if l = strings.TrimSpace(l); l != "" && l != "^" {
					p.Text += "\n\t" + l
				}
			}
		}
		out = append(out, p)
	}
	return out
}

// schemaSet holds the JSON schemas of the policies' subjects, as schema["<kind>"].
func schemaSet(files []*file) (*ast.SchemaSet, error) {
	set := ast.NewSchemaSet()
	for _, k := range facts.Kinds() {
		if !slices.ContainsFunc(files, func(f *file) bool { return f.kind == policyFile && f.subject == k }) {
			continue
		}
		b, err := facts.JSONSchema(k)
		if err != nil {
			return nil, err
		}
		var raw any
		if err := json.Unmarshal(b, &raw); err != nil {
			return nil, fmt.Errorf("read the JSON schema of %s: %w", k, err)
		}
		set.Put(ast.SchemaRootRef.Append(ast.StringTerm(string(k))), raw)
	}
	return set, nil
}

// Capabilities is what policies may use of OPA: no I/O, no clock, no chance, so
// that the same facts always give the same answer.
func Capabilities() *ast.Capabilities {
	caps := ast.CapabilitiesForThisVersion()
	caps.Builtins = slices.DeleteFunc(caps.Builtins, func(b *ast.Builtin) bool { return forbidden(b.Name) || b.Nondeterministic })
	caps.AllowNet = []string{}
	return caps
}

// forbidden is true for built-ins that reach out or differ from run to run, and
// for net.cidr_expand, whose result has no bound. What else computes with
// addresses looks nothing up.
func forbidden(name string) bool {
	switch {
	case name == "net.cidr_contains", name == "net.cidr_intersects", name == "net.cidr_merge", name == "net.cidr_is_valid":
		return false
	case strings.HasPrefix(name, "net."), strings.HasPrefix(name, "rand."), strings.HasPrefix(name, "uuid."):
		return true
	default:
		return name == "http.send" || name == "opa.runtime" || name == "time.now_ns"
	}
}
