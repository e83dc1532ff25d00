package inventory

import (
	"slices"
	"strings"
)

// ValueSecret is a credential in a single value, without the credential.
type ValueSecret struct {
	Rule, Category, Title string
	Severity              string // critical, high, medium, low or unknown
	Line                  int    // within the value, from 1; 0 where it has one line
	Length                int    // bytes
}

// ValueSecrets finds credentials in one value that somebody wrote down, by the
// rules of [ConfigSecrets]. Name is what the value is called (a variable, a key
// of a ConfigMap), "" for an argument of a command. File is true where the value
// may be a whole file of its own; its name then says nothing about its content.
func ValueSecrets(name, value string, file bool) []ValueSecret {
	s := &configScan{rules: builtinSecretRules()}
	s.state = make([]ruleState, len(s.rules.rules))
	lines := file && strings.Contains(strings.TrimRight(value, "\n"), "\n")
	text, start := value, 0
	var spans []foundSpan
	if name != "" && !lines {
		text, start = name+"="+value, len(name)+1 // as patterns expect it
		spans = slices.DeleteFunc(s.patterns(text), func(f foundSpan) bool { return f.to <= start })
		if len(spans) == 0 && credentialValue(name, value) {
			spans = []foundSpan{entropySpan(start, len(text))}
		}
	} else {
		spans = s.words(text)
	}
	slices.SortStableFunc(spans, func(a, b foundSpan) int { return a.from - b.from })
	out := make([]ValueSecret, 0, len(spans))
	for _, f := range spans {
		v := ValueSecret{Rule: f.rule, Category: f.category, Title: f.title, Severity: f.severity, Length: f.to - max(f.from, start)}
		if lines {
			v.Line = 1 + strings.Count(text[:f.from], "\n")
		}
		out = append(out, v)
	}
	return out
}
