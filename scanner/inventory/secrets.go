package inventory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// secretFile is a file with credentials in it: where they are, never what.
type secretFile struct {
	Path  string        `json:"path"`
	Found []secretMatch `json:"found"`
}

// secretMatch is one credential.
type secretMatch struct {
	Rule      string `json:"rule"`
	Category  string `json:"category"`
	Title     string `json:"title"`
	Severity  string `json:"severity"`
	StartLine int    `json:"start_line"` // 0 in a binary file
	EndLine   int    `json:"end_line"`
	Length    int    `json:"length"`
}

// secretRule is one pattern and where it is looked for.
type secretRule struct {
	id, category, title, severity string

	regex  *regexp.Regexp
	group  int         // of the expression: the credential itself; 0 is the whole match
	before int         // bytes that a match may have before the string that leads to it
	reach  int         // bytes that a match may have
	run    *charRun    // every match holds it
	also   [][]literal // every match holds one of each
	within [][]byte    // one of these stands in the same piece of text, in lower case

	own       bool                           // of this package, not of trivy
	path      func(p string) bool            // nil for any
	allow     func(match []byte) bool        // true for a match that is none
	plausible func(secret, text []byte) bool // nil for any
}

// secretRules are rules and the automaton that finds where to try them.
type secretRules struct {
	rules  []secretRule
	places []func(p string) bool // well-known files of credentials
	finder *matcher
	words  []secretWord // by the matcher's number
	byPath []int        // rules that only the path of a file leads to
}

// secretWord is a string that the matcher finds, for the rules that need it.
type secretWord struct {
	literal
	rules []int
}

// builtinSecretRules are made at first use and never change: trivy's rules and
// those of this package. They cost some milliseconds, which many layers share.
var builtinSecretRules = sync.OnceValue(func() *secretRules {
	rules, err := readSecretTable(secretTable)
	if err != nil {
		panic(err) // a test reads the same table
	}
	own, places := credentialRules()
	out := compileRules(append(rules, own...))
	out.places = places
	return out
})

func (m rawMatch) overlaps(o rawMatch) bool { return m.from < o.to && o.from < m.to }

// compileRules finds for each rule the strings that lead to it.
func compileRules(rules []secretRule) *secretRules {
	out := &secretRules{rules: rules}
	index := map[literal]int{}
	var texts []string
	for i := range rules {
		r := &rules[i]
		some, also, longest, err := requirements(r.regex.String())
		if err != nil || shortest(some.words) < 2 {
			// All rules of trivy have such strings; a test holds it. A new one
			// without them is led to by its keywords.
			some = anchor{before: maxMatch}
			for _, k := range r.within {
				some.words = append(some.words, literal{text: string(k), fold: true})
			}
		}
		if len(some.words) == 0 {
			out.byPath = append(out.byPath, i)
		}
		r.before, r.reach, r.also, r.run = some.before, longest, also, longestRun(r.regex.String())
		for _, w := range some.words {
			n, ok := index[w]
			if !ok {
				n = len(out.words)
				index[w] = n
				out.words = append(out.words, secretWord{literal: w})
				texts = append(texts, strings.ToLower(w.text))
			}
			out.words[n].rules = append(out.words[n].rules, i)
		}
	}
	out.finder = newMatcher(texts)
	return out
}

// span is a piece of a text.
type span struct{ from, to int }

// rawMatch is a credential in a text.
type rawMatch struct {
	rule *secretRule
	span
}

// ruleState is what a search keeps for one rule.
type ruleState struct {
	seen   bool // the rule was led to
	off    bool // and is not for this file
	pieces []span
}

// find returns the credentials in text. Two rules of trivy may find the same; one
// of this package gives way to them. state has an entry for each rule and is
// used again.
func (sr *secretRules) find(p string, text []byte, state []ruleState) []rawMatch {
	var led []int
	sr.finder.find(text, func(word, end int) {
		w := &sr.words[word]
		from := end - len(w.text)
		if !w.fold && string(text[from:end]) != w.text {
			return
		}
		for _, i := range w.rules {
			r, st := &sr.rules[i], &state[i]
			if !st.seen {
				st.seen, st.off = true, r.path != nil && !r.path(p)
				led = append(led, i)
			}
			if st.off {
				continue
			}
			s := span{max(0, from-r.before-1), min(len(text), end+r.reach+1)}
			if n := len(st.pieces); n > 0 && st.pieces[n-1].to >= s.from {
				st.pieces[n-1].to = max(st.pieces[n-1].to, s.to)
			} else {
				st.pieces = append(st.pieces, s)
			}
		}
	})
	for _, i := range sr.byPath {
		if at := sr.rules[i].path; at == nil || at(p) {
			state[i].pieces = append(state[i].pieces, span{0, len(text)})
			led = append(led, i)
		}
	}
	var out []rawMatch
	slices.Sort(led)
	for _, i := range led {
		for _, s := range state[i].pieces {
			out = sr.rules[i].match(text, s, out)
		}
		state[i] = ruleState{pieces: state[i].pieces[:0]}
	}
	return out
}

// match tries the rule on one piece of the text.
func (r *secretRule) match(text []byte, s span, out []rawMatch) []rawMatch {
	piece := text[s.from:s.to]
	if r.run != nil && !r.run.holds(piece) || !holdsAll(piece, r.also) {
		return out
	}
	for _, loc := range r.regex.FindAllSubmatchIndex(piece, -1) {
		from, to := loc[2*r.group], loc[2*r.group+1]
		if from < 0 || from == to || r.allow != nil && r.allow(piece[loc[0]:loc[1]]) {
			continue
		}
		if r.plausible != nil && !r.plausible(piece[from:to], text) {
			continue
		}
		if !r.near(text, s.from+loc[0], s.from+loc[1]) {
			continue
		}
		m := rawMatch{rule: r, span: span{s.from + from, s.from + to}}
		if r.own && slices.ContainsFunc(out, m.overlaps) {
			continue
		}
		out = append(out, m)
	}
	return out
}

// holdsAll says whether the text holds a string of every list.
func holdsAll(text []byte, lists [][]literal) bool {
	var lower []byte
	for _, list := range lists {
		if !slices.ContainsFunc(list, func(l literal) bool {
			if !l.fold {
				return bytes.Contains(text, []byte(l.text))
			}
			if lower == nil {
				lower = bytes.ToLower(text)
			}
			return bytes.Contains(lower, []byte(l.text))
		}) {
			return false
		}
	}
	return true
}

// near says whether one of the rule's keywords stands in the same piece of text.
func (r *secretRule) near(text []byte, from, to int) bool {
	if len(r.within) == 0 {
		return true
	}
	for _, part := range [][]byte{text[from:to], text[max(0, from-chunkSize/8):min(len(text), to+chunkSize/8)]} {
		lower := bytes.ToLower(part)
		for _, k := range r.within {
			if bytes.Contains(lower, k) {
				return true
			}
		}
	}
	return false
}

const (
	// chunkSize is how much of a long file is looked at at a time, and chunkOverlap
	// how much of it again with the next piece.
	chunkSize    = 256 << 10
	chunkOverlap = maxMatch
	// maxMatches bounds what is recorded of one file.
	maxMatches = 1000
)

// secretScanner is the state that a layer's scan uses again from file to file.
type secretScanner struct {
	rules *secretRules
	state []ruleState
	buf   []byte
}

func newSecretScanner() *secretScanner {
	rules := builtinSecretRules()
	return &secretScanner{rules: rules, state: make([]ruleState, len(rules.rules))}
}

// scanSecrets looks for credentials in a file. sp is the file where it was spooled,
// else nil.
func (s *LayerScan) scanSecrets(ctx context.Context, p string, c *content, sp *spooled) error {
	f := secretFile{Path: p}
	add := func(m rawMatch, start, end int) {
		if len(f.Found) < maxMatches {
			f.Found = append(f.Found, secretMatch{
				Rule: m.rule.id, Category: m.rule.category, Title: m.rule.title, Severity: m.rule.severity,
				StartLine: start, EndLine: end, Length: m.to - m.from,
			})
		}
	}
	var err error
	if rule := keystoreRule(p, c.buf); rule != nil {
		err = s.secrets.scanKeystore(rule, c, add)
	} else if binaryHead(c.buf) {
		err = s.secrets.scanPrintable(p, c, add)
	} else {
		err = s.secrets.scanText(ctx, p, c, sp, add)
	}
	if len(f.Found) == 0 {
		return err
	}
	slices.SortFunc(f.Found, func(a, b secretMatch) int {
		return cmp.Or(cmp.Compare(a.StartLine, b.StartLine), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Length, b.Length))
	})
	s.note(p)
	s.layer.Secrets = append(s.layer.Secrets, f)
	if err == nil && len(f.Found) == maxMatches {
		err = fmt.Errorf("it holds more than the %d credentials that are listed", maxMatches)
	}
	return err
}

var newline = []byte{'\n'}

// scanText goes through a text, piece by piece where it is long.
func (sc *secretScanner) scanText(ctx context.Context, p string, c *content, sp *spooled, add func(m rawMatch, start, end int)) error {
	if err := c.fill(chunkSize); err != nil {
		return readError{err}
	}
	if c.done {
		sc.report(p, c.buf, 0, 0, len(c.buf), add)
		return nil
	}
	src := c.stream()
	if sp != nil {
		src = sp.section()
	}
	if sc.buf == nil {
		sc.buf = make([]byte, chunkSize+chunkOverlap)
	}
	// A match near the end of a piece may go on in the next. So what ends in the
	// last half of the overlap is left to the next piece.
	kept, line, seen := 0, 0, 0
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(src, sc.buf[kept:])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		text := sc.buf[:kept+n]
		upTo := len(text)
		if !last {
			upTo -= chunkOverlap / 2
		}
		sc.report(p, text, line, seen, upTo, add)
		if last {
			return nil
		}
		drop := len(text) - chunkOverlap
		line += bytes.Count(text[:drop], newline)
		seen = upTo - drop
		kept = copy(sc.buf, text[drop:])
	}
}

// report adds the matches that end behind seen and not behind upTo. line counts
// the lines before the text.
func (sc *secretScanner) report(p string, text []byte, line, seen, upTo int, add func(m rawMatch, start, end int)) {
	for _, m := range sc.rules.find(p, text, sc.state) {
		if m.to > seen && m.to <= upTo {
			start := line + bytes.Count(text[:m.from], newline) + 1
			add(m, start, start+bytes.Count(text[m.from:m.to], newline))
		}
	}
}

// keystoreSize bounds what is read of a keystore.
const keystoreSize = 4 << 20

func (sc *secretScanner) scanKeystore(rule *secretRule, c *content, add func(m rawMatch, start, end int)) error {
	data, err := c.whole(keystoreSize)
	if err != nil {
		return err
	}
	if holdsPrivateKey(rule, data) {
		add(rawMatch{rule: rule, span: span{0, len(data)}}, 0, 0)
	}
	return nil
}

// printableSize bounds what is read of compiled Python.
const printableSize = 8 << 20

// scanPrintable looks through the strings of a compiled Python file.
func (sc *secretScanner) scanPrintable(p string, c *content, add func(m rawMatch, start, end int)) error {
	data, err := c.whole(printableSize)
	if err != nil {
		return err
	}
	text := make([]byte, 0, len(data)/2)
	start := 0
	for i := 0; i <= len(data); i++ {
		if i < len(data) && printable(data[i]) {
			continue
		}
		if i-start > 4 {
			text = append(append(text, data[start:i]...), '\n')
		}
		start = i + 1
	}
	for _, m := range sc.rules.find(p, text, sc.state) {
		add(m, 0, 0)
	}
	return nil
}

// printable says whether a byte is a character that can be seen, in Latin-1.
func printable(b byte) bool { return b >= 0x20 && b < 0x7f || b > 0xa0 && b != 0xad }

// wantsSecrets says whether credentials are looked for in the file at all.
func (s *LayerScan) wantsSecrets(e Entry) bool {
	return s.secrets != nil && e.Size >= 10 && (!noSecretsIn(e.Path) || s.secrets.rules.credentialPath(e.Path))
}

// compiledPython says whether the file is the one binary kind that is searched.
func compiledPython(p string) bool { return path.Ext(p) == ".pyc" }
