package inventory

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// This file finds out what a text must hold for a regular expression to match it,
// so that the expression is tried only there. The analysis is that of RE2's
// prefilter, cut down to one list of strings of which one must occur.

// literal is a string that a match must hold.
type literal struct {
	text string // in lower case where fold
	fold bool   // any case will do
}

// needs is what a match of an expression needs. Every list may be nil: too much
// to say.
type needs struct {
	exact  []literal   // everything that the expression can match
	starts []literal   // every match starts with one of these
	some   anchor      // every match holds one of these
	also   [][]literal // and one of each of these
}

// anchor is a list of strings of which every match holds at least one, at most
// before bytes behind its start.
type anchor struct {
	words  []literal
	before int
}

const (
	// maxLiterals bounds lists of alternatives.
	maxLiterals = 64
	// maxMatch stands for "without end": no secret is longer.
	maxMatch = 16 << 10
	// maxBlank is as much white space as one may leave within a match.
	maxBlank = 64
)

// requirements returns the strings of which a match of the expression holds at
// least one (none if nothing can be said), and how many bytes a match has at most.
// also are further lists of which it holds at least one each.
func requirements(expr string) (some anchor, also [][]literal, longest int, err error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return anchor{}, nil, 0, err
	}
	n := analyse(re)
	some = bestOf(n)
	some.words = reduce(some.words)
	for _, list := range n.also {
		if list = reduce(list); shortest(list) >= 3 && !slices.Equal(list, some.words) {
			also = append(also, list)
		}
	}
	return some, also, matchLength(re), nil
}

// bestOf returns the list of a node that will be found least often.
func bestOf(n needs) anchor {
	return rarer(n.some, rarer(at(0, n.exact), at(0, n.starts)))
}

// at makes an anchor of a list that stands that far behind the start of a match.
// Of two strings that hold each other the shorter one is kept, which may stand
// further behind.
func at(before int, words []literal) anchor {
	longest := 0
	for _, l := range words {
		longest = max(longest, len(l.text))
	}
	return anchor{words: words, before: min(maxMatch, before+longest)}
}

// rarer chooses of two lists the one whose strings occur less often in text. Nil
// and lists with an empty string say nothing.
func rarer(a, b anchor) anchor {
	switch {
	case shortest(b.words) == 0:
		if shortest(a.words) == 0 {
			return anchor{}
		}
		return a
	case shortest(a.words) == 0 || frequency(b.words) < frequency(a.words):
		return b
	default:
		return a
	}
}

func shortest(list []literal) int {
	if len(list) == 0 {
		return 0
	}
	n := len(list[0].text)
	for _, l := range list[1:] {
		n = min(n, len(l.text))
	}
	return n
}

// frequency estimates how often one of the strings occurs, from how often letters
// do. Only the order matters.
func frequency(list []literal) float64 {
	const common, usual, rare = "etaoinsrhl ", "dcumfpgwybv_.-", "kxjqz0123456789"
	sum := 0.0
	for _, l := range reduce(list) {
		p := 1.0
		for i := range len(l.text) {
			c := l.text[i]
			switch {
			case strings.IndexByte(common, c) >= 0:
				p *= 0.06
			case strings.IndexByte(usual, c) >= 0:
				p *= 0.02
			case strings.IndexByte(rare, c) >= 0:
				p *= 0.008
			default: // capitals and signs
				p *= 0.005
			}
		}
		switch l.text {
		case "key", "token", "secret", "password", "access", "test", "live", "client":
			p = 1e-3 // the letters do not tell how much programs speak of these
		}
		sum += p
	}
	return sum
}

// reduce drops strings that hold another of the list: that one is found with them.
func reduce(list []literal) []literal {
	var out []literal
	for i, l := range list {
		if !slices.ContainsFunc(list, func(o literal) bool {
			return o != l && (o.fold || o.fold == l.fold) && len(o.text) < len(l.text) && strings.Contains(lowerIf(l.text, o.fold), o.text)
		}) && !slices.Contains(list[:i], l) {
			out = append(out, l)
		}
	}
	return out
}

func lowerIf(s string, lower bool) string {
	if lower {
		return strings.ToLower(s)
	}
	return s
}

func analyse(re *syntax.Regexp) needs {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return exactly([]literal{{}})
	case syntax.OpLiteral:
		fold := re.Flags&syntax.FoldCase != 0
		return exactly([]literal{{text: lowerIf(string(re.Rune), fold), fold: fold}})
	case syntax.OpCharClass:
		return exactly(classLiterals(re))
	case syntax.OpCapture:
		return analyse(re.Sub[0])
	case syntax.OpPlus:
		return repeated(analyse(re.Sub[0]))
	case syntax.OpRepeat:
		if re.Min > 0 {
			return repeated(analyse(re.Sub[0]))
		}
		return needs{}
	case syntax.OpQuest:
		if n := analyse(re.Sub[0]); n.exact != nil && len(n.exact) < maxLiterals {
			return exactly(append(slices.Clone(n.exact), literal{}))
		}
		return needs{}
	case syntax.OpConcat:
		return analyseConcat(re.Sub)
	case syntax.OpAlternate:
		return analyseAlternate(re.Sub)
	default:
		return needs{}
	}
}

func exactly(list []literal) needs { return needs{exact: list, starts: list} }

// repeated is what one or more of something need: its first occurrence has it.
func repeated(n needs) needs { return needs{starts: n.starts, some: bestOf(n)} }

// classLiterals lists the characters of a small class.
func classLiterals(re *syntax.Regexp) []literal {
	var out []literal
	for i := 0; i+1 < len(re.Rune); i += 2 {
		for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
			if len(out) == maxLiterals {
				return nil
			}
			out = append(out, literal{text: string(r)})
		}
	}
	return out
}

func analyseConcat(subs []*syntax.Regexp) needs {
	run, whole := []literal{{}}, true
	start, here := 0, 0 // of the run and of the part, from the start of the match
	var out needs
	for _, sub := range subs {
		n := analyse(sub)
		length := matchLength(sub)
		if n.exact != nil && len(run)*len(n.exact) <= maxLiterals {
			run = cross(run, n.exact)
			here = min(maxMatch, here+length)
			continue
		}
		// The run ends here, or with what the next part starts with.
		if n.starts != nil && len(run)*len(n.starts) <= maxLiterals/2 {
			run = cross(run, n.starts)
		}
		if whole {
			whole, out.starts = false, run
		}
		out.also = append(append(out.also, run), n.also...)
		out.some = rarer(out.some, at(start, run))
		if n.exact != nil {
			run, start = n.exact, here
			here = min(maxMatch, here+length)
			continue
		}
		best := bestOf(n)
		best.before = min(maxMatch, best.before+here)
		out.some = rarer(out.some, best)
		here = min(maxMatch, here+length)
		run, start = []literal{{}}, here
	}
	if whole {
		return exactly(run)
	}
	out.also = append(out.also, run)
	out.some = rarer(out.some, at(start, run))
	return out
}

func cross(a, b []literal) []literal {
	out := make([]literal, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			fold := x.fold && x.text != "" || y.fold && y.text != ""
			out = append(out, literal{text: lowerIf(x.text+y.text, fold), fold: fold})
		}
	}
	return out
}

func analyseAlternate(subs []*syntax.Regexp) needs {
	out := exactly([]literal{})
	out.some.words = []literal{}
	for _, sub := range subs {
		n := analyse(sub)
		best := bestOf(n)
		out.exact = union(out.exact, n.exact)
		out.starts = union(out.starts, n.starts)
		out.some.words = union(out.some.words, best.words)
		out.some.before = max(out.some.before, best.before)
	}
	return out
}

// union is nil where either list is, or where both are too long together.
func union(a, b []literal) []literal {
	if a == nil || b == nil || len(a)+len(b) > maxLiterals {
		return nil
	}
	return append(slices.Clip(a), b...)
}

// matchLength returns how many bytes a match has at most, up to maxMatch.
func matchLength(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(string(re.Rune))
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return runeLength(re)
	case syntax.OpCapture, syntax.OpQuest:
		return matchLength(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		return unbounded(re.Sub[0])
	case syntax.OpRepeat:
		if re.Max < 0 {
			return unbounded(re.Sub[0])
		}
		return min(maxMatch, re.Max*matchLength(re.Sub[0]))
	case syntax.OpConcat:
		n := 0
		for _, sub := range re.Sub {
			n += matchLength(sub)
		}
		return min(maxMatch, n)
	case syntax.OpAlternate:
		n := 0
		for _, sub := range re.Sub {
			n = max(n, matchLength(sub))
		}
		return n
	default:
		return 0
	}
}

// runeLength is how many bytes a character of a class has at most.
func runeLength(re *syntax.Regexp) int {
	if re.Op == syntax.OpCharClass && len(re.Rune) > 0 && re.Rune[len(re.Rune)-1] < 0x80 {
		return 1
	}
	return 4
}

// unbounded is the length of a repetition without an end. White space is not
// worth looking for over pages.
func unbounded(sub *syntax.Regexp) int {
	if sub.Op == syntax.OpCharClass {
		blank := len(sub.Rune) > 0
		for i := 0; i+1 < len(sub.Rune); i += 2 {
			if sub.Rune[i] < '\t' || sub.Rune[i+1] > ' ' {
				blank = false
			}
		}
		if blank {
			return maxBlank
		}
	}
	return maxMatch
}

// charRun is a row of characters of one class that every match holds.
type charRun struct {
	in  [256]bool
	min int
}

// minRun is the shortest row that is worth looking for.
const minRun = 12

// longestRun finds the longest row of characters of a class that every match of the
// expression holds; nil for none of minRun or more.
func longestRun(expr string) *charRun {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	return runOf(re)
}

func runOf(re *syntax.Regexp) *charRun {
	switch re.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return runOf(re.Sub[0])
	case syntax.OpConcat:
		var best *charRun
		for _, sub := range re.Sub {
			if r := runOf(sub); r != nil && (best == nil || r.min > best.min) {
				best = r
			}
		}
		return best
	case syntax.OpRepeat:
		if class := re.Sub[0]; class.Op == syntax.OpCharClass && re.Min >= minRun {
			return rowOf(class, re.Min)
		}
		return nil
	default:
		return nil
	}
}

// rowOf makes a row of at least n characters of a class. Without regard to case
// even ASCII letters have kin beyond ASCII, so then all such bytes count.
func rowOf(class *syntax.Regexp, n int) *charRun {
	r := &charRun{min: n}
	for i := 0; i+1 < len(class.Rune); i += 2 {
		for c := class.Rune[i]; c <= class.Rune[i+1] && c < 0x80; c++ {
			r.in[c] = true
		}
		if class.Rune[i+1] >= 0x80 {
			for b := 0x80; b <= 0xff; b++ {
				r.in[b] = true
			}
		}
	}
	return r
}

// holds says whether the text has such a row. It looks at every min-th byte, and
// around it only where that is of the class.
func (r *charRun) holds(text []byte) bool {
	for i := r.min - 1; i < len(text); i += r.min {
		if !r.in[text[i]] {
			continue
		}
		from := i
		for from > 0 && i-from < r.min && r.in[text[from-1]] {
			from--
		}
		to := i + 1
		for to < len(text) && to-from < r.min && r.in[text[to]] {
			to++
		}
		if to-from >= r.min {
			return true
		}
	}
	return false
}
