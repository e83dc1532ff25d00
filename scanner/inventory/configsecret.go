package inventory

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/postscan/postscan/scanner/facts"
)

// ConfigText is what an image's configuration holds of free text.
type ConfigText struct {
	Env        []string          // "NAME=value"
	Labels     map[string]string // name → value
	Entrypoint []string
	Cmd        []string
	History    []string // one text for each step
}

// ConfigSecrets finds credentials in the configuration of an image, by the same
// rules as in files, and by their high entropy where a name says that a value is a
// credential. It returns them, sorted by place, and the configuration with
// every credential masked. Index counts labels in the order of their names.
func ConfigSecrets(c ConfigText) ([]facts.ConfigSecret, ConfigText) {
	s := &configScan{rules: builtinSecretRules()}
	s.state = make([]ruleState, len(s.rules.rules))
	masked := ConfigText{
		Env: slices.Clone(c.Env), Labels: make(map[string]string, len(c.Labels)),
		Entrypoint: slices.Clone(c.Entrypoint), Cmd: slices.Clone(c.Cmd), History: slices.Clone(c.History),
	}
	for i, env := range c.Env {
		name, value, _ := strings.Cut(env, "=")
		masked.Env[i] = name + "=" + s.named("env", name, i, value)
	}
	for i, name := range slices.Sorted(maps.Keys(c.Labels)) {
		masked.Labels[name] = s.named("label", name, i, c.Labels[name])
	}
	s.arguments("entrypoint", masked.Entrypoint)
	s.arguments("cmd", masked.Cmd)
	for i, step := range c.History {
		masked.History[i] = s.text("history", i, step)
	}
	slices.SortStableFunc(s.found, func(a, b facts.ConfigSecret) int {
		return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Rule, b.Rule))
	})
	return s.found, masked
}

type configScan struct {
	rules *secretRules
	state []ruleState
	found []facts.ConfigSecret
}

const mask = "********"

// HighEntropy is the rule of values that a name calls a credential.
const HighEntropy = "high-entropy"

// named looks at the value of a variable or label.
func (s *configScan) named(where, name string, index int, value string) string {
	// The name stands before the value, as patterns expect it.
	prefix := name + "="
	spans := s.patterns(prefix + value)
	spans = slices.DeleteFunc(spans, func(f foundSpan) bool { return f.to <= len(prefix) })
	if len(spans) == 0 && credentialValue(name, value) {
		spans = []foundSpan{entropySpan(len(prefix), len(prefix)+len(value))}
	}
	s.record(where, name, index, spans)
	return maskSpans(prefix+value, spans)[len(prefix):]
}

// text looks at a command: its patterns, and assignments and options in it whose
// names speak of credentials.
func (s *configScan) text(where string, index int, text string) string {
	spans := s.words(text)
	s.record(where, "", index, spans)
	return maskSpans(text, spans)
}

// words finds the credentials of a text.
func (s *configScan) words(text string) []foundSpan {
	spans := s.patterns(text)
	for _, expr := range []*regexp.Regexp{assignment(), option()} {
		for _, loc := range expr.FindAllStringSubmatchIndex(text, -1) {
			f := entropySpan(loc[4], loc[5])
			if credentialValue(text[loc[2]:loc[3]], text[f.from:f.to]) &&
				!slices.ContainsFunc(spans, func(o foundSpan) bool { return f.from < o.to && o.from < f.to }) {
				spans = append(spans, f)
			}
		}
	}
	return spans
}

// arguments masks a command's arguments in place. The value of an option may be
// the argument behind it.
func (s *configScan) arguments(where string, args []string) {
	option := ""
	for i, arg := range args {
		if credentialValue(option, arg) {
			s.record(where, "", i, []foundSpan{entropySpan(0, len(arg))})
			args[i] = mask
		} else {
			args[i] = s.text(where, i, arg)
		}
		option = ""
		if name := strings.TrimLeft(arg, "-"); name != arg && !strings.Contains(name, "=") {
			option = name
		}
	}
}

// The expressions with bounded repetitions compile to large programs: they are
// made at the first scan and not when the program starts.
var (
	// assignment is NAME=value.
	assignment = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?:^|[\s|;&"'(\[,])([A-Za-z_][A-Za-z0-9_.-]{1,100})=("[^"]{1,1000}"|'[^']{1,1000}'|[^\s"';|&)]{1,1000})`)
	})
	// option is --name=value or --name value; in a list of quoted arguments too.
	option = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?:^|[\s"'\[,])--?([A-Za-z][A-Za-z0-9_.-]{1,100})(?:=|"?,?\s+"?)("[^"]{1,1000}"|'[^']{1,1000}'|[^\s"';|&)\]]{1,1000})`)
	})
	// urlPassword is a password in the address of a server.
	urlPassword = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@"']{0,256}:([^\s@/"']{3,256})@`)
	})
)

type foundSpan struct {
	span
	rule, category, title, severity string
}

func entropySpan(from, to int) foundSpan {
	return foundSpan{
		span: span{from, to}, rule: HighEntropy, category: "Environment",
		title: "Value that looks random under the name of a credential", severity: "high",
	}
}

func (s *configScan) patterns(text string) []foundSpan {
	var out []foundSpan
	for _, m := range s.rules.find("config.json", []byte(text), s.state) {
		out = append(out, foundSpan{span: m.span, rule: m.rule.id, category: m.rule.category, title: m.rule.title, severity: m.rule.severity})
	}
	for _, loc := range urlPassword().FindAllStringSubmatchIndex(text, -1) {
		f := foundSpan{
			span: span{loc[2], loc[3]}, rule: "url-password", category: "URL",
			title: "Password in a URL", severity: "high",
		}
		if placeholder([]byte(text[f.from:f.to])) || slices.ContainsFunc(out, func(o foundSpan) bool { return f.from < o.to && o.from < f.to }) {
			continue
		}
		out = append(out, f)
	}
	return out
}

func (s *configScan) record(where, name string, index int, spans []foundSpan) {
	for _, f := range spans {
		s.found = append(s.found, facts.ConfigSecret{
			Where: where, Name: name, Index: index,
			Rule: f.rule, Category: f.category, Title: f.title, Severity: f.severity, Length: f.to - f.from,
		})
	}
}

func maskSpans(text string, spans []foundSpan) string {
	slices.SortFunc(spans, func(a, b foundSpan) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	var b strings.Builder
	at := 0
	for _, f := range spans {
		if f.to <= at {
			continue
		}
		b.WriteString(text[at:max(at, f.from)])
		b.WriteString(mask)
		at = f.to
	}
	b.WriteString(text[at:])
	return b.String()
}

// credentialName says whether a variable's name speaks of a credential. Public
// keys, fingerprints, checksums and names of files are none.
func credentialName(name string) bool {
	n := strings.ToUpper(strings.ReplaceAll(strings.ReplaceAll(name, "-", "_"), ".", "_"))
	for _, public := range []string{
		"GPG_KEY", "PUBLIC", "PUBKEY", "FINGERPRINT", "SHA1", "SHA256", "SHA512", "MD5", "CHECKSUM", "DIGEST", "VERSION", "KEYRING", "KEYSERVER",
		"KEY_ID", "KEYID", "TOKENIZER", "TOKENIZATION", "MAX_TOKEN", "NUM_TOKEN", "SECRET_NAME", "SECRETNAME", "TOKEN_URL",
		"TOKEN_TYPE", "TOKEN_ENDPOINT", "KEY_TYPE",
	} {
		if strings.Contains(n, public) {
			return false
		}
	}
	for _, tail := range []string{"_FILE", "_PATH", "_DIR", "_URL", "_URI", "_NAME", "_HOST", "_PORT", "_TTL", "_LENGTH", "_EXPIRY", "_EXPIRATION"} {
		if strings.HasSuffix(n, tail) {
			return false
		}
	}
	for _, word := range []string{
		"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY", "API_KEY", "ACCESS_KEY", "ACCESSKEY", "PRIVATE_KEY",
		"PRIVATEKEY", "ENCRYPTION_KEY", "SIGNING_KEY", "MASTER_KEY", "ACCOUNT_KEY", "STORAGE_KEY", "AUTH_KEY", "CREDENTIAL", "_PWD", "_PAT",
	} {
		if strings.Contains(n, word) {
			return true
		}
	}
	return n == "PWD_HASH" || strings.HasSuffix(n, "_PASS") || n == "PASS"
}

// credentialValue says whether a variable holds a credential: its name says so,
// and its value is no word, path or number but looks random.
func credentialValue(name, value string) bool {
	if !credentialName(name) {
		return false
	}
	v := strings.Trim(strings.TrimSpace(value), `"'`)
	if len(v) < 8 || placeholder([]byte(v)) || strings.ContainsAny(v, " \t$(){}") || strings.HasPrefix(v, "/") || strings.Contains(v, "://") {
		return false
	}
	var classes, letters int
	for _, class := range []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"} {
		if strings.ContainsAny(v, class) {
			classes++
			if class[0] != '0' {
				letters++
			}
		}
	}
	if strings.IndexFunc(v, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}) >= 0 {
		classes++
	}
	return classes >= 2 && letters >= 1 && entropy(v) >= 2.75
}

// entropy is Shannon's, in bits for each byte.
func entropy(s string) float64 {
	if s == "" {
		return 0
	}
	var h float64
	for b := range 256 {
		if n := bytes.Count([]byte(s), []byte{byte(b)}); n > 0 {
			f := float64(n) / float64(len(s))
			h -= f * math.Log2(f)
		}
	}
	return h
}
