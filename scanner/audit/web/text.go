package web

import (
	"strings"
	"unicode"
)

// Lists show the beginning of a text; the page of a finding shows more of it.
const (
	briefText = 300 // characters
	longText  = 4000
)

// clean makes visible what would reorder or hide other characters: images are built by
// strangers, and a name may hold anything.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\u200c', r == '\u200d': // the joiners of Persian, and of many others
			return r
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// brief is the beginning of a text, for lists.
func brief(s string) string { return beginning(clean(s), briefText) }

// long is the beginning of a text, for a page of its own.
func long(s string) string { return beginning(clean(s), longText) }

// beginning cuts after n characters, and says so.
func beginning(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i] + " …"
		}
		n--
	}
	return s
}
