package checks

import (
	"cmp"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// Scaffolded is a new check as [Catalogue.Scaffold] writes it.
type Scaffolded struct {
	ID string
	// Files are the texts of the policy and its test, by path in the source:
	// "image/runs_as_root.rego".
	Files map[string]string
}

// Scaffold writes the policy and the test of a new check, ready to be changed:
// it keeps the contract and its tests pass. The id is the next free one after
// those of the catalogue and the retired; official asks for one with PS-, for
// postscan's own. Nothing is written to disk. The error is for a subject or name
// that cannot be.
func (c *Catalogue) Scaffold(subject facts.Kind, name string, official bool) (*Scaffolded, error) {
	doc := facts.New(subject)
	switch {
	case doc == nil:
		return nil, fmt.Errorf("new check: no resource is of kind %q; the kinds are %s", subject, kindNames())
	case !snakeCase(name) || strings.HasSuffix(name, testSuffix):
		return nil, fmt.Errorf("new check: %q is no name for a policy; use small letters, digits and _, as in runs_as_root", name)
	}
	pkg := root + "." + string(subject) + "." + name
	for _, f := range c.files {
		if f.pkg == pkg {
			return nil, fmt.Errorf("new check: %s is there already", f.name)
		}
	}
	field, ok := exampleField(reflect.TypeOf(doc).Elem())
	if !ok {
		return nil, fmt.Errorf("new check: facts of kind %q have no field to begin with", subject)
	}
	id, err := c.nextID(subject, official)
	if err != nil {
		return nil, err
	}
	fill := strings.NewReplacer(
		"{subject}", string(subject), "{name}", name, "{id}", id, "{package}", pkg,
		"{field}", field.name, "{bad}", field.bad,
		"{input_bad}", nested(field.name, field.bad), "{input_good}", nested(field.name, field.good),
		"{title}", title(name), "{framework}", "isolation", "{control}", "W1",
	)
	base := path.Join(string(subject), name)
	return &Scaffolded{ID: id, Files: map[string]string{
		base + ".rego":              fill.Replace(policyTemplate),
		base + testSuffix + ".rego": fill.Replace(testTemplate),
	}}, nil
}

// prefixes are the letters of postscan's own ids by subject, for subjects that
// have no check yet.
func prefixes() map[facts.Kind]string {
	return map[facts.Kind]string{
		facts.KindImage: "IMG", facts.KindWorkload: "K8S", facts.KindIdentity: "RBAC", facts.KindRole: "RBAC",
		facts.KindBinding: "RBAC", facts.KindNamespace: "NET", facts.KindNetworkPolicy: "NET", facts.KindService: "NET",
		facts.KindIngress: "NET", facts.KindAdmissionPolicy: "NET", facts.KindConfigMap: "K8S", facts.KindCluster: "CP", facts.KindNode: "CP",
		facts.KindEngine: "ENG", facts.KindContainer: "ENG", facts.KindVM: "VM",
	}
}

// nextID counts on from the ids that the subject's checks have.
func (c *Catalogue) nextID(subject facts.Kind, official bool) (string, error) {
	retired, err := retiredIDs()
	if err != nil {
		return "", err
	}
	count := map[string]int{}
	for _, check := range c.checks {
		if check.BuiltIn == official && check.Subject == subject {
			count[idPrefix(check.ID)]++
		}
	}
	prefix := cmp.Or(prefixes()[subject], strings.ToUpper(string(subject)))
	if official {
		prefix = "PS-" + prefix
	} else {
		prefix = "MY-" + prefix
	}
	for p, n := range count {
		if n > count[prefix] || n == count[prefix] && p < prefix {
			prefix = p
		}
	}
	last := 0
	taken := func(id string) {
		if idPrefix(id) == prefix {
			n, _ := strconv.Atoi(id[len(prefix)+1:])
			last = max(last, n)
		}
	}
	for _, check := range c.checks {
		taken(check.ID)
	}
	for id := range retired {
		taken(id)
	}
	return fmt.Sprintf("%s-%03d", prefix, last+1), nil
}

// idPrefix is "PS-IMG" of "PS-IMG-001".
func idPrefix(id string) string { return id[:max(strings.LastIndexByte(id, '-'), 0)] }

// example is a field of a facts document with a value that the new check's
// example takes for bad and one that it takes for good.
type example struct{ name, bad, good string }

// exampleField finds the first plain field.
func exampleField(t reflect.Type) (example, bool) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		switch f.Type.Kind() {
		case reflect.String:
			return example{name, `"bad"`, `"good"`}, true
		case reflect.Bool:
			return example{name, "true", "false"}, true
		case reflect.Int, reflect.Int64, reflect.Float64:
			return example{name, "1", "0"}, true
		case reflect.Struct:
			if inner, ok := exampleField(f.Type); ok {
				return example{name + "." + inner.name, inner.bad, inner.good}, true
			}
		default: // lists say little in an example
		}
	}
	return example{}, false
}

// title makes words of a name: "Runs as root".
func title(name string) string {
	words := strings.ReplaceAll(name, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

const policyTemplate = `# METADATA
# scope: package
# title: {title}
# description: |
#   What is wrong, and what somebody can do because of it. Say when the check does not apply and what it cannot see.
# related_resources:
#   - ref: https://github.com/postscan/postscan
#     description: A page that explains it
# schemas:
#   - input: schema["{subject}"]
# custom:
#   id: {id}
#   severity: medium
#   needs: [{field}]
#   remediation: |
#     What to change, in the words of the person who will do it.
#   references:
#     {framework}: [{control}]
#   since: "0.1.0"
package {package}

# Messages do not name the resource: the report does. The path says where the value stands.
deny contains {
	"message": sprintf("{field} is %v", [input.{field}]),
	"path": "{field}",
	"value": input.{field},
} if {
	input.{field} == {bad}
}
`

const testTemplate = `package {package}_test

import data.{package}

test_fails if {
	some violation in {name}.deny with input as {input_bad}
	violation.path == "{field}"
}

test_passes if {
	count({name}.deny) == 0 with input as {input_good}
}
`

// nested is the document that holds one value at a path: {"config": {"user": "x"}}.
func nested(field, value string) string {
	for _, part := range slices.Backward(strings.Split(field, ".")) {
		value = fmt.Sprintf("{%q: %s}", part, value)
	}
	return value
}
