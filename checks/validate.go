package checks

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

const (
	root       = "postscan"
	libRoot    = root + ".lib"
	testSuffix = "_test"
	capitals   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	small      = "abcdefghijklmnopqrstuvwxyz"
	digits     = "0123456789"
)

// madeOf is true where s is not empty and holds only these characters.
func madeOf(s, characters string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(characters, r) })
}

// snakeCase is true for a name such as "runs_as_root".
func snakeCase(s string) bool {
	return madeOf(s, small+digits+"_") && strings.Contains(small, s[:1])
}

// officialID is true for PS-XXX-000.
func officialID(id string) bool {
	parts := strings.Split(id, "-")
	return len(parts) == 3 && parts[0] == "PS" && madeOf(parts[1], capitals+digits) && len(parts[2]) == 3 && madeOf(parts[2], digits)
}

// ownID is true for the id of a user's check: parts of capitals and digits.
func ownID(id string) bool {
	parts := strings.Split(id, "-")
	return len(parts) > 1 && !slices.ContainsFunc(parts, func(part string) bool { return !madeOf(part, capitals+digits) })
}

// version is true for 1.2.3.
func version(s string) bool {
	parts := strings.Split(s, ".")
	return len(parts) == 3 && !slices.ContainsFunc(parts, func(part string) bool { return !madeOf(part, digits) })
}

func (f *file) problem(line int, format string, args ...any) {
	f.problems = append(f.problems, Problem{File: f.name, Line: line, Text: fmt.Sprintf(format, args...)})
}

// parseHeader reads the header, decides what kind of file this is and holds
// folder, file name, package and METADATA against each other.
func (f *file) parseHeader() {
	f.header, f.problems = parseHeader(f.name, f.src)
	f.pkg = f.header.pkg
	if f.pkg == "" {
		return
	}
	folder, name, ok := strings.Cut(strings.TrimSuffix(f.path, ".rego"), "/")
	if !ok || strings.Contains(name, "/") {
		f.problem(0, "stands where no policy is looked for; put it at <subject>/<name>.rego, subject being one of %s, or lib", kindNames())
		return
	}
	if !snakeCase(name) {
		f.problem(0, "file names are made of small letters, digits and _")
	}
	f.kind, f.subject = policyFile, facts.Kind(folder)
	switch {
	case strings.HasSuffix(name, testSuffix):
		f.kind = testFile
	case folder == "lib":
		f.kind = libraryFile
	}
	if folder != "lib" && !slices.Contains(facts.Kinds(), f.subject) {
		f.problem(0, "would never be evaluated: no resource is of kind %q; the kinds are %s", folder, kindNames())
	}
	want := root + "." + folder + "." + name
	agrees := f.pkg == want || f.kind == testFile && f.pkg == strings.TrimSuffix(want, testSuffix)
	if !agrees {
		f.problem(f.header.pkgLine, "package is %s, but the file's place says %s", f.pkg, want)
	}
	if f.kind != policyFile {
		if f.header.custom {
			f.problem(f.header.line, "has the METADATA of a check, but is a library or a test")
		}
		return
	}
	f.validateCheck()
}

func kindNames() string {
	names := make([]string, 0, len(facts.Kinds()))
	for _, k := range facts.Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// validateCheck holds the METADATA of a policy to the contract, as far as the
// file alone can tell.
func (f *file) validateCheck() {
	h := &f.header
	line := func(field string) int { return cmp.Or(h.lines[field], h.line) }
	if !h.found || !h.custom {
		f.problem(1, "has no METADATA with custom fields above its package; every check states id, severity, remediation and since there")
		return
	}
	if h.partOf != "" {
		f.validatePart(line)
		return
	}
	for _, required := range []struct{ name, value string }{
		{"title", h.title}, {"description", h.description}, {"id", h.id}, {"remediation", h.remediation}, {"since", h.since},
	} {
		if required.value == "" {
			f.problem(line(required.name), "METADATA has no %s", required.name)
		}
	}
	f.validateID(line("id"))
	f.validateSeverity(line)
	if h.since != "" && !version(h.since) {
		f.problem(line("since"), "since is %q; write a version like 0.1.0", h.since)
	}
	if f.official && len(h.references) == 0 {
		f.problem(line("references"), "METADATA has no references; name a control of some framework")
	}
	f.validateSchema()
	f.validateNeeds()
	f.validateParams()
}

// validatePart holds the METADATA of a further policy of a check to the contract:
// what people read stands in the check's own file and nowhere else.
func (f *file) validatePart(line func(string) int) {
	h := &f.header
	for _, own := range []struct {
		name string
		has  bool
	}{
		{"title", h.title != ""}, {"description", h.description != ""}, {"id", h.id != ""}, {"severity", h.severity != ""},
		{"severities", len(h.severities) > 0}, {"remediation", h.remediation != ""}, {"references", len(h.references) > 0},
		{"since", h.since != ""}, {"decided_by", h.decidedBy != ""}, {"related_resources", len(h.related) > 0},
	} {
		if own.has {
			f.problem(line(own.name), "is a part of %s and states %s, which stands in that check's own file alone", h.partOf, own.name)
		}
	}
	f.validateSchema()
	f.validateNeeds()
	f.validateParams()
}

func (f *file) validateID(line int) {
	id := f.header.id
	switch {
	case id == "":
	case f.official && !officialID(id):
		f.problem(line, "id %q is not of the form PS-XXX-000", id)
	case !f.official && strings.HasPrefix(id, "PS-"):
		f.problem(line, "id %q: ids with PS- are postscan's own; take another prefix", id)
	case !f.official && !ownID(id):
		f.problem(line, "id %q is not of the form XXX-000: capital letters, digits and hyphens", id)
	}
}

func (f *file) validateSeverity(line func(string) int) {
	h := &f.header
	one, many := h.severity != "", len(h.severities) > 0
	if one == many {
		f.problem(line("severity"), "METADATA needs exactly one of severity and severities")
	}
	for i, s := range append(slices.Clone(h.severities), h.severity) {
		if s != "" && !slices.Contains(severities(), s) {
			f.problem(line("severity"), "severity %q: use one of %s", s, strings.Join(severities(), ", "))
		}
		if i < len(h.severities) && slices.Index(h.severities, s) != i {
			f.problem(line("severities"), "severity %q stands twice", s)
		}
	}
	if len(h.severities) == 1 {
		f.problem(line("severities"), "one severity alone is written as severity: %s", h.severities[0])
	}
}

// validateSchema makes sure that the compiler can check the policy's types.
func (f *file) validateSchema() {
	h := &f.header
	if h.decidedBy != "" {
		return
	}
	got := strings.NewReplacer(`["`, ".", `"]`, "").Replace(h.schemas["input"])
	if len(h.schemas) != 1 || got != "schema."+string(f.subject) {
		f.problem(h.line, "METADATA must name its schema, so that misspelt fields are found:\nschemas:\n  - input: schema[%q]", f.subject)
	}
}

func (f *file) validateNeeds() {
	doc := facts.New(f.subject)
	var seen []string
	for _, n := range slices.Concat(f.header.needs, f.header.optional) {
		if doc != nil && !hasPath(reflect.TypeOf(doc), n.text) {
			f.problem(n.line, "needs %q, which no %s has", n.text, f.subject)
		}
		if slices.Contains(seen, n.text) {
			f.problem(n.line, "needs %q twice", n.text)
		}
		seen = append(seen, n.text)
	}
}

// hasPath tells whether the type has the path: fields by their JSON name with
// dots between, "[]" for the elements of a list.
func hasPath(t reflect.Type, p string) bool {
	for part := range strings.SplitSeq(p, ".") {
		name, lists := part, 0
		for strings.HasSuffix(name, "[]") {
			name, lists = strings.TrimSuffix(name, "[]"), lists+1
		}
		t = deref(t)
		if t.Kind() != reflect.Struct {
			return false
		}
		field, ok := fieldByJSON(t, name)
		if !ok {
			return false
		}
		t = field
		for range lists {
			if t = deref(t); t.Kind() != reflect.Slice {
				return false
			}
			t = t.Elem()
		}
	}
	return true
}

func deref(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func fieldByJSON(t reflect.Type, name string) (reflect.Type, bool) {
	if name == "" {
		return nil, false
	}
	for f := range t.Fields() {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case tag == name:
			return f.Type, true
		case f.Anonymous && tag == "":
			if found, ok := fieldByJSON(deref(f.Type), name); ok {
				return found, true
			}
		}
	}
	return nil, false
}

func (f *file) validateParams() {
	var seen []string
	for _, p := range f.header.params {
		switch {
		case !snakeCase(p.Name):
			f.problem(p.line, "parameter %q: names are made of small letters, digits and _", p.Name)
		case p.Name == "now":
			f.problem(p.line, "parameter now is given to every policy; do not declare it")
		case slices.Contains(seen, p.Name):
			f.problem(p.line, "parameter %q is declared twice", p.Name)
		}
		if !slices.Contains(paramTypes(), p.Type) {
			f.problem(p.line, "parameter %q has type %q; use one of %s", p.Name, p.Type, strings.Join(paramTypes(), ", "))
		}
		if p.Description == "" {
			f.problem(p.line, "parameter %q has no description", p.Name)
		}
		seen = append(seen, p.Name)
	}
	for _, r := range f.header.required {
		i := slices.Index(seen, r.text)
		switch {
		case i < 0:
			f.problem(r.line, "requires_params names %q, which params does not declare", r.text)
		case f.header.params[i].Type != TypeString && f.header.params[i].Type != TypeStrings:
			f.problem(r.line, "requires_params names %q, which is never empty: its type is %s", r.text, f.header.params[i].Type)
		}
	}
}

// add makes the check of a valid file and holds it against the others.
func (c *Catalogue) add(f *file, retired map[string]string) Problems {
	h := &f.header
	var problems Problems
	problem := func(line int, format string, args ...any) {
		problems = append(problems, Problem{File: f.name, Line: line, Text: fmt.Sprintf(format, args...)})
	}
	if reason, ok := retired[h.id]; ok {
		problem(h.lines["id"], "id %s is retired (%s); an id is never used again", h.id, reason)
	}
	if other, ok := c.byID[h.id]; ok {
		problem(h.lines["id"], "id %s is that of %s already", h.id, other.File)
	}
	check := &Check{
		ID: h.id, Title: h.title, Description: h.description, Severity: h.severity,
		Severities: worstFirst(h.severities), Remediation: h.remediation, RelatedResources: h.related,
		Since: h.since, Subject: f.subject, Package: f.pkg, File: f.name, Source: f.src,
		DecidedBy: h.decidedBy, BuiltIn: f.official,
	}
	if len(check.Severities) > 0 {
		check.Severity = check.Severities[0]
	}
	check.asks(h)
	for _, r := range h.references {
		if framework, ok := c.Framework(r.Framework); !ok {
			problem(r.line, "framework %q is not known; see checks/frameworks", r.Framework)
		} else if _, ok := framework.Control(r.Control); !ok {
			problem(r.line, "framework %s has no control %q; see checks/frameworks/%s.yaml", r.Framework, r.Control, r.Framework)
		}
		check.References = append(check.References, r.Reference)
	}
	f.check = check
	c.byID[check.ID] = check
	c.checks = append(c.checks, check)
	return problems
}

// asks takes over what a policy reads.
func (c *Check) asks(h *header) {
	for _, n := range h.needs {
		c.Needs = append(c.Needs, n.text)
	}
	for _, n := range h.optional {
		c.Optional = append(c.Optional, n.text)
	}
	for _, p := range h.params {
		c.Params = append(c.Params, p.Param)
	}
	for _, r := range h.required {
		c.RequiresParams = append(c.RequiresParams, r.text)
	}
}

// addPart hangs a further policy on its check, which was added before.
func (c *Catalogue) addPart(f *file) Problems {
	h := &f.header
	problem := func(format string, args ...any) Problems {
		return Problems{{File: f.name, Line: h.lines["part_of"], Text: fmt.Sprintf(format, args...)}}
	}
	whole, ok := c.byID[h.partOf]
	switch {
	case !ok:
		return problem("is a part of %s, which is no check", h.partOf)
	case whole.BuiltIn != f.official:
		return problem("is a part of %s, which is postscan's own; a part stands beside its check", h.partOf)
	case whole.DecidedBy != "":
		return problem("is a part of %s, which %s decides", h.partOf, whole.DecidedBy)
	case slices.Contains(whole.Subjects(), f.subject):
		return problem("is a part of %s, which has a policy for %s already", h.partOf, f.subject)
	}
	part := *whole
	part.Subject, part.Package, part.File, part.Source = f.subject, f.pkg, f.name, f.src
	part.Needs, part.Optional, part.Params, part.RequiresParams, part.Parts = nil, nil, nil, nil, nil
	part.asks(h)
	f.check = &part
	whole.Parts = append(whole.Parts, &part)
	slices.SortFunc(whole.Parts, func(a, b *Check) int { return cmp.Compare(a.Subject, b.Subject) })
	return nil
}

// worstFirst sorts severities.
func worstFirst(names []string) []string {
	out := slices.Clone(names)
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Compare(slices.Index(severities(), a), slices.Index(severities(), b))
	})
	return out
}

// duplicatePackages finds two files that share a package: OPA would merge them,
// and one could silence the other.
func (c *Catalogue) duplicatePackages() Problems {
	var problems Problems
	first := map[string]*file{}
	for _, f := range c.files {
		if f.kind == testFile || f.pkg == "" {
			continue
		}
		if other, ok := first[f.pkg]; ok {
			problems = append(problems, Problem{File: f.name, Line: f.header.pkgLine, Text: fmt.Sprintf("package %s is that of %s already", f.pkg, other.name)})
			continue
		}
		first[f.pkg] = f
	}
	return problems
}

// collectParams joins the parameters of all checks.
func (c *Catalogue) collectParams() Problems {
	var problems Problems
	owner := map[string]*file{}
	for _, f := range c.files {
		if f.check == nil {
			continue
		}
		for _, p := range f.header.params {
			other, ok := owner[p.Name]
			if !ok {
				owner[p.Name] = f
				c.params = append(c.params, p.Param)
				continue
			}
			i := slices.IndexFunc(c.params, func(q Param) bool { return q.Name == p.Name })
			if !c.params[i].sameMeaning(p.Param) {
				problems = append(problems, Problem{File: f.name, Line: p.line, Text: fmt.Sprintf("parameter %q has another type or default in %s; names are shared by all checks", p.Name, other.name)})
			}
		}
	}
	slices.SortFunc(c.params, func(a, b Param) int { return cmp.Compare(a.Name, b.Name) })
	return problems
}
