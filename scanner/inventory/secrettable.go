package inventory

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:generate go test -run ^TestSecretTable$ -write-secret-table .

// secretTable holds trivy's built-in secret rules (Apache License 2.0) as data. The
// package that they come from brings Terraform's parsers and a syntax highlighter
// with it, a tenth of the whole program; the rules are all that is wanted of it. A
// test holds the table to the pinned version of trivy, go generate writes it anew.
//
//go:embed secrettable.json
var secretTable []byte

// tableRule is one rule of the table.
type tableRule struct {
	ID       string       `json:"id"`
	Category string       `json:"category"`
	Title    string       `json:"title"`
	Severity string       `json:"severity"`
	Regex    string       `json:"regex"`
	Group    string       `json:"group,omitempty"` // the named group that holds the credential
	Keywords []string     `json:"keywords,omitempty"`
	Path     string       `json:"path,omitempty"` // files that the rule is for
	Allow    []tableAllow `json:"allow,omitempty"`
}

// tableAllow is what a rule leaves alone: a path, a match, or both apart.
type tableAllow struct {
	Path  string `json:"path,omitempty"`
	Match string `json:"match,omitempty"`
}

// readSecretTable returns the rules of the table, ready to be compiled.
func readSecretTable(data []byte) ([]secretRule, error) {
	var table []tableRule
	if err := json.Unmarshal(data, &table); err != nil {
		return nil, fmt.Errorf("read the table of secret rules: %w", err)
	}
	rules := make([]secretRule, 0, len(table))
	for _, t := range table {
		r, err := t.rule()
		if err != nil {
			return nil, fmt.Errorf("secret rule %s: %w", t.ID, err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func (t *tableRule) rule() (secretRule, error) {
	regex, err := regexp.Compile(t.Regex)
	if err != nil {
		return secretRule{}, err
	}
	r := secretRule{id: t.ID, category: t.Category, title: t.Title, severity: strings.ToLower(cmp.Or(t.Severity, "unknown")), regex: regex}
	if t.Group != "" {
		r.group = max(0, regex.SubexpIndex(t.Group))
	}
	for _, k := range t.Keywords {
		r.within = append(r.within, bytes.ToLower([]byte(k)))
	}
	paths, err := expressions(t.Path)
	if err != nil {
		return secretRule{}, err
	}
	var notPaths, notMatches expressionList
	for _, a := range t.Allow {
		p, err := expressions(a.Path)
		if err != nil {
			return secretRule{}, err
		}
		m, err := expressions(a.Match)
		if err != nil {
			return secretRule{}, err
		}
		notPaths, notMatches = append(notPaths, p...), append(notMatches, m...)
	}
	if len(paths)+len(notPaths) > 0 {
		r.path = func(p string) bool {
			full := []byte("/" + p)
			return (len(paths) == 0 || paths.match(full)) && !notPaths.match(full)
		}
	}
	r.allow = func(match []byte) bool {
		return notMatches.match(match) || bytes.Contains(bytes.ToLower(match), []byte("example"))
	}
	return r, nil
}

// expressionList are expressions of which one is enough.
type expressionList []*regexp.Regexp

// expressions compiles an expression of the table; none for an empty one.
func expressions(expr string) (expressionList, error) {
	if expr == "" {
		return nil, nil
	}
	re, err := regexp.Compile(expr)
	return expressionList{re}, err
}

func (l expressionList) match(text []byte) bool {
	return slices.ContainsFunc(l, func(re *regexp.Regexp) bool { return re.Match(text) })
}
