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

// needs is what a match of an expression needs.
type needs struct {
	// exact lists everything that the expression can match; nil where that is
	// too much.
	exact []literal
	// some lists strings of which every match holds at least one; nil where there
	// is no such list.
	some []literal
}

const (
	// maxLiterals bounds lists of alternatives.
	maxLiterals = 64
	// maxMatch stands for "without end": no secret is longer.
	maxMatch = 16 << 10
	// maxBlank is as much white space as one may leave within a match.
	maxBlank = 256
)

// requirements returns the strings of which a match of the expression holds at
// least one (nil if nothing can be said), and how many bytes a match has at most.
func requirements(expr string) (some []literal, longest int, err error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, 0, err
	}
	longest = matchLength(re)
	return bestOf(analyse(re.Simplify())), longest, nil
}

func bestOf(n needs) []literal {
	if n.exact != nil && shortest(n.exact) > 0 {
		return n.exact
	}
	return n.some
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

// better chooses the list that will be found less often.
func better(a, b []literal) []literal {
	switch {
	case shortest(b) > shortest(a):
		return b
	case shortest(b) == shortest(a) && len(b) < len(a):
		return b
	default:
		return a
	}
}

func analyse(re *syntax.Regexp) needs {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return needs{exact: []literal{{}}}
	case syntax.OpLiteral:
		text := string(re.Rune)
		fold := re.Flags&syntax.FoldCase != 0
		if fold {
			text = strings.ToLower(text)
		}
		return needs{exact: []literal{{text: text, fold: fold}}}
	case syntax.OpCharClass:
		return needs{exact: classLiterals(re)}
	case syntax.OpCapture:
		return analyse(re.Sub[0])
	case syntax.OpPlus:
		return needs{some: bestOf(analyse(re.Sub[0]))}
	case syntax.OpRepeat:
		if re.Min > 0 {
			return needs{some: bestOf(analyse(re.Sub[0]))}
		}
		return needs{}
	case syntax.OpQuest:
		if n := analyse(re.Sub[0]); n.exact != nil && len(n.exact) < maxLiterals {
			return needs{exact: append(slices.Clone(n.exact), literal{})}
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
	var best []literal
	for _, sub := range subs {
		n := analyse(sub)
		if n.exact != nil && len(run)*len(n.exact) <= maxLiterals {
			run = cross(run, n.exact)
			continue
		}
		whole = false
		best = better(best, run)
		run = []literal{{}}
		if n.exact != nil {
			run = n.exact
		} else {
			best = better(best, n.some)
		}
	}
	if whole {
		return needs{exact: run}
	}
	if best = better(best, run); shortest(best) == 0 {
		best = nil
	}
	return needs{some: best}
}

func cross(a, b []literal) []literal {
	out := make([]literal, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			l := literal{text: x.text + y.text, fold: x.fold && x.text != "" || y.fold && y.text != ""}
			if l.fold {
				l.text = strings.ToLower(l.text)
			}
			out = append(out, l)
		}
	}
	return out
}

func analyseAlternate(subs []*syntax.Regexp) needs {
	var exact, some []literal
	allExact, allSome := true, true
	for _, sub := range subs {
		n := analyse(sub)
		allExact = allExact && n.exact != nil && len(exact)+len(n.exact) <= maxLiterals
		exact = append(exact, n.exact...)
		best := bestOf(n)
		allSome = allSome && best != nil && len(some)+len(best) <= 4*maxLiterals
		some = append(some, best...)
	}
	switch {
	case allExact:
		return needs{exact: exact}
	case allSome:
		return needs{some: some}
	default:
		return needs{}
	}
}

// matchLength returns how many bytes a match has at most, up to maxMatch.
func matchLength(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		n := 0
		for _, r := range re.Rune {
			n += max(len(string(r)), 1)
		}
		return n
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
