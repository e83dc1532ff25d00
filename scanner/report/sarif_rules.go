package report

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// sarifRules gathers the rules of a run. They are made when they are written:
// the help texts of 25,000 vulnerabilities are many megabytes.
type sarifRules struct {
	first  []*scanner.Finding // of each rule
	byID   map[string]int
	worst  map[string]scanner.Severity // of a vulnerability, over the whole target
	scores map[string]float64          // highest CVSS score of a vulnerability
	kind   string                      // of the target
	taxa   map[string][]string         // controls in use, by framework
	asked  map[string]*scanner.Framework
}

func newSARIFRules(r *scanner.Report, t facts.Target) *sarifRules {
	s := &sarifRules{
		byID: map[string]int{}, worst: map[string]scanner.Severity{}, scores: map[string]float64{},
		kind: t.Kind, taxa: map[string][]string{}, asked: map[string]*scanner.Framework{},
	}
	for i := range r.Compliance {
		s.asked[r.Compliance[i].ID] = &r.Compliance[i]
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Target != t.Ref || f.Vulnerability == nil {
			continue
		}
		id := f.Vulnerability.ID
		s.worst[id] = max(s.worst[id], f.Severity)
		s.scores[id] = max(s.scores[id], f.Vulnerability.Score)
	}
	return s
}

// add takes in the rule of a finding; false where the run may not have another.
func (s *sarifRules) add(f *scanner.Finding) bool {
	id := sarifRuleID(f)
	if _, ok := s.byID[id]; ok {
		return true
	}
	if len(s.first) >= sarifMaxRules {
		return false
	}
	s.byID[id] = len(s.first)
	s.first = append(s.first, f)
	for _, ref := range f.Rule.References {
		if ref.Framework != "url" && !slices.Contains(s.taxa[ref.Framework], ref.Control) {
			s.taxa[ref.Framework] = append(s.taxa[ref.Framework], ref.Control)
		}
	}
	return true
}

// all makes the rules in the order of their indexes.
func (s *sarifRules) all() iter.Seq[*sarifRule] {
	return func(yield func(*sarifRule) bool) {
		for _, f := range s.first {
			if rule := s.rule(sarifRuleID(f), f); !yield(&rule) {
				return
			}
		}
	}
}

// sarifRuleID is the check's id, with the severity where the check has several,
// because code scanning knows one severity per rule. A vulnerability is a rule
// of its own; where packages rate it differently, the rule has the worst.
func sarifRuleID(f *scanner.Finding) string {
	switch {
	case f.Vulnerability != nil && f.Vulnerability.ID != "":
		return f.Vulnerability.ID
	case len(f.Rule.Severities) > 1:
		return f.Rule.ID + "/" + f.Severity.String()
	default:
		return f.Rule.ID
	}
}

func (s *sarifRules) rule(id string, f *scanner.Finding) sarifRule {
	severity, score, url := f.Severity, 0.0, checkPage(f.Rule.ID)
	short, full := f.Rule.Title, cmp.Or(f.Rule.Description, f.Rule.Title)
	if v := f.Vulnerability; v != nil {
		severity, score = s.worst[v.ID], s.scores[v.ID]
		if webAddress(v.PrimaryURL) {
			url = v.PrimaryURL
		}
		short = v.ID
		if v.Title != "" {
			short += ": " + v.Title
		}
		full = short
	}
	d := sarifRule{
		ID: id, Name: pascalCase(f.Rule.Title), HelpURI: url, Help: ruleHelp(f, url),
		ShortDescription:     sarifText{Text: limitText(sentence(short), sarifMaxText)},
		FullDescription:      sarifText{Text: limitText(sentence(full), sarifMaxText)},
		DefaultConfiguration: sarifConfig{Level: sarifLevel(severity)},
		Properties:           map[string]any{"tags": s.tags(f), "precision": "very-high"},
	}
	if value, ok := securitySeverity(severity, score); ok {
		d.Properties["security-severity"] = value
	}
	for _, ref := range f.Rule.References {
		if ref.Framework == "url" {
			continue
		}
		rel := sarifRelation{Kinds: []string{"relevant"}}
		rel.Target.ID, rel.Target.ToolComponent.Name = ref.Control, ref.Framework
		d.Relationships = append(d.Relationships, rel)
	}
	return d
}

// tags are what people filter alerts by; "security" makes code scanning show the
// severity.
func (s *sarifRules) tags(f *scanner.Finding) []string {
	tags := []string{"security", s.kind}
	if f.Vulnerability != nil {
		tags = append(tags, "vulnerability")
	}
	for _, ref := range f.Rule.References {
		if ref.Framework == "cwe" {
			tags = append(tags, "external/cwe/cwe-"+ref.Control)
		} else if ref.Framework != "url" && !slices.Contains(tags, ref.Framework) {
			tags = append(tags, ref.Framework)
		}
	}
	return tags[:min(len(tags), sarifMaxTags)]
}

// frameworks lists the frameworks that the run's rules refer to, and those that
// were asked for, sorted.
func (s *sarifRules) frameworks() []string {
	names := make([]string, 0, len(s.taxa)+len(s.asked))
	for name := range s.taxa {
		names = append(names, name)
	}
	for name := range s.asked {
		if s.taxa[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// taxonomies are the frameworks with the controls that the rules refer to; of
// those that were asked for all controls, with what became of each.
func (s *sarifRules) taxonomies() []sarifComponent {
	var out []sarifComponent
	for _, name := range s.frameworks() {
		if f := s.asked[name]; f != nil {
			out = append(out, sarifCompliance(f))
			continue
		}
		t := sarifComponent{
			Name: name, Version: "1", InformationURI: "https://github.com/postscan/postscan/tree/main/checks/frameworks",
			ShortDescription: &sarifText{Text: "Controls of " + name + " that the checks refer to."},
		}
		slices.Sort(s.taxa[name])
		for _, id := range s.taxa[name] {
			t.Taxa = append(t.Taxa, sarifTaxon{ID: id})
		}
		out = append(out, t)
	}
	return out
}

// sarifCompliance is a framework that was asked for. The status is that of the
// whole report, which may have more targets than the run.
func sarifCompliance(f *scanner.Framework) sarifComponent {
	t := sarifComponent{Name: f.ID, Version: cmp.Or(f.Version, "1"), InformationURI: f.URL, ShortDescription: &sarifText{Text: sentence(f.Title)}}
	for i := range f.Controls {
		c := &f.Controls[i]
		taxon := sarifTaxon{ID: c.ID, Properties: map[string]any{"status": c.Status, "findings": c.Findings, "suppressed": c.Suppressed}}
		if c.Title != "" {
			taxon.ShortDescription = &sarifText{Text: sentence(c.Title)}
		}
		if c.System > 0 {
			taxon.Properties["system"] = c.System
		}
		if c.Reason != "" {
			taxon.Properties["reason"] = c.Reason
		}
		t.Taxa = append(t.Taxa, taxon)
	}
	return t
}

func (s *sarifRules) supported() []sarifComponentRef {
	var out []sarifComponentRef
	for i, name := range s.frameworks() {
		out = append(out, sarifComponentRef{Name: name, Index: &i})
	}
	return out
}

// ruleHelp is the help of a rule as text and as markdown: why it matters, how to
// mend it, where to read on.
func ruleHelp(f *scanner.Finding, url string) sarifText {
	var t, m strings.Builder
	if f.Rule.Description != "" {
		t.WriteString(f.Rule.Description + "\n\n")
		m.WriteString(f.Rule.Description + "\n\n")
	}
	remediation := cmp.Or(f.Rule.Remediation, "See "+url)
	if v := f.Vulnerability; v != nil && v.FixedVersion != "" {
		remediation = "Update " + v.Package + " to " + v.FixedVersion + " or later. " + f.Rule.Remediation
	}
	t.WriteString("How to mend: " + remediation + "\n\nMore: " + url)
	m.WriteString("**How to mend:** " + remediation + "\n\n[More](" + url + ")")
	var refs []string
	for _, ref := range f.Rule.References {
		if ref.Framework != "url" {
			refs = append(refs, ref.Framework+" "+ref.Control)
		}
	}
	if len(refs) > 0 {
		list := strings.Join(refs, ", ")
		t.WriteString("\n\nReferences: " + list)
		m.WriteString("\n\nReferences: " + list)
	}
	return sarifText{Text: t.String(), Markdown: m.String()}
}

// sarifLevel maps a severity to SARIF's levels. A vulnerability that nobody has
// rated is a warning: it is not known to be harmless.
func sarifLevel(s scanner.Severity) string {
	switch s {
	case scanner.SeverityCritical, scanner.SeverityHigh:
		return "error"
	case scanner.SeverityMedium, scanner.SeverityUnknown:
		return "warning"
	default:
		return "note"
	}
}

// securitySeverity is the number by which code scanning ranks a rule: the CVSS
// score where it lies in the band of the severity, else the band's middle. False
// for a severity that is unknown; the level then shows the rule as a warning.
func securitySeverity(s scanner.Severity, score float64) (string, bool) {
	var low, high, middle float64
	switch s {
	case scanner.SeverityCritical:
		low, high, middle = 9.0, 10.0, 9.5
	case scanner.SeverityHigh:
		low, high, middle = 7.0, 8.9, 8.0
	case scanner.SeverityMedium:
		low, high, middle = 4.0, 6.9, 5.5
	case scanner.SeverityLow:
		low, high, middle = 0.1, 3.9, 2.0
	case scanner.SeverityInfo:
		low, high, middle = 0.1, 0.1, 0.1
	default:
		return "", false
	}
	if score < low || score > high {
		score = middle
	}
	return strconv.FormatFloat(score, 'f', 1, 64), true
}

func newSARIFText(s string) sarifText {
	return sarifText{Text: sentence(cmp.Or(strings.TrimSpace(s), "No text"))}
}

// sentence ends a text with a full stop, as SARIF asks of messages.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsRune(".!?", rune(s[len(s)-1])) {
		return s
	}
	return s + "."
}

// limitText cuts a text down to n characters.
func limitText(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// pascalCase makes the name of a rule of its title.
func pascalCase(title string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(title, func(r rune) bool { return !isASCIIAlnum(r) }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return cmp.Or(b.String(), "Rule")
}

func isASCIIAlnum(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
