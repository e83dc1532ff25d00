package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// Clean makes text from a target safe for a terminal: whatever could move the
// cursor, change colours, reorder or hide characters becomes visible as an
// escape. Images are built by strangers, and a file name may hold anything.
func Clean(s string) string {
	if plain(s) || strings.IndexFunc(s, unsafe) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unsafe(r) && r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case unsafe(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		s = s[size:]
	}
	return b.String()
}

// plain says whether a text is printable ASCII, as most texts are.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// unsafe says whether a rune is a control character, a mark that changes the
// direction of text, a line separator, or invisible.
func unsafe(r rune) bool {
	switch {
	case r < 0x7f: // most of them, at once
		return r < ' '
	case r == '\u200d': // joins emoji, harmless
		return false
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
		return true
	default:
		return unicode.Is(unicode.Co, r) || unicode.Is(unicode.Noncharacter_Code_Point, r)
	}
}

// columns is the width of clean text on a terminal.
func columns(s string) int { return displaywidth.String(s) }

// pad fills clean text up to width.
func pad(s string, width int) string {
	if n := width - columns(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// shorten cuts clean text down to width columns; keepEnd keeps its end, which is
// the telling part of a path or of a Java package name.
func shorten(s string, width int, keepEnd bool) string {
	if columns(s) <= width {
		return s
	}
	if !keepEnd {
		return displaywidth.TruncateString(s, width, "…")
	}
	clusters := graphemes(s)
	i, used := len(clusters), 1 // the ellipsis
	for i > 0 && used+columns(clusters[i-1]) <= width {
		i--
		used += columns(clusters[i])
	}
	return "…" + strings.Join(clusters[i:], "")
}

func graphemes(s string) []string {
	var out []string
	for g := displaywidth.StringGraphemes(s); g.Next(); {
		out = append(out, g.Value())
	}
	return out
}

// wrap breaks clean text into lines of at most width columns, at spaces where
// there are any.
func wrap(s string, width int) []string {
	width = max(width, 8)
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(s) {
		for i, piece := range pieces(word, width) {
			n := columns(piece)
			if line != "" && i == 0 && used+1+n <= width {
				line, used = line+" "+piece, used+1+n
				continue
			}
			if line != "" {
				lines = append(lines, line)
			}
			line, used = piece, n
		}
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// pieces cuts a word into pieces of at most width columns, in one pass: a name
// in an image may be a million characters long.
func pieces(word string, width int) []string {
	if len(word) <= width || columns(word) <= width {
		return []string{word}
	}
	var out []string
	start, end, used := 0, 0, 0
	for g := displaywidth.StringGraphemes(word); g.Next(); {
		if n := g.Width(); used+n > width && end > start {
			out = append(out, word[start:end])
			start, used = end, n
		} else {
			used += n
		}
		end += len(g.Value())
	}
	return append(out, word[start:])
}

// flow puts parts into lines of at most width columns and breaks between parts
// only; a part that is longer than a line is cut.
func flow(parts []string, width int) []string {
	var lines []string
	for _, p := range parts {
		p = shorten(p, width, false)
		if n := len(lines); n > 0 && columns(lines[n-1])+2+columns(p) <= width {
			lines[n-1] += "  " + p
			continue
		}
		lines = append(lines, p)
	}
	return lines
}

// count writes "1 finding", "2 findings".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
