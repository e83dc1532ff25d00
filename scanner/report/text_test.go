package report

import (
	"strings"
	"testing"
	"unicode"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                "plain",
		"秘密 ключ é":            "秘密 ключ é",
		"a\x1b[31mb":           `a\x1b[31mb`,
		"a\nb\tc\rd\x00":       `a\nb\tc\x0dd\x00`,
		"\u202egpj.exe":        `\u202egpj.exe`,
		"a\u2028b\u200bc":      `a\u2028b\u200bc`,
		"\xff\xfe":             `\xff\xfe`,
		"\u009b31m":            `\u009b31m`,
		"👩\u200d💻 is one sign": "👩\u200d💻 is one sign",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a long line of words that must be wrapped somewhere", 20)
	f.Add("秘密の鍵/とても長いパス\x1b[31m\u202e\xff", 9)
	f.Add("👩‍💻👩‍💻👩‍💻 e\u0301e\u0301", 8)
	f.Fuzz(func(t *testing.T, s string, width int) {
		width = 8 + (width&0x7fffffff)%100
		c := Clean(s)
		if i := strings.IndexFunc(c, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }); i >= 0 {
			t.Fatalf("Clean(%q) = %q keeps a control character", s, c)
		}
		if Clean(c) != c {
			t.Fatalf("Clean(%q) is not stable: %q", s, c)
		}
		lines := append(wrap(c, width), shorten(c, width, true), shorten(c, width, false))
		lines = append(lines, flow([]string{c, c}, width)...)
		for _, l := range lines {
			if n := columns(l); n > width {
				t.Fatalf("%q has %d columns, %d are allowed", l, n, width)
			}
		}
		if got, want := strings.Join(strings.Fields(strings.Join(wrap(c, width), "")), ""), strings.Join(strings.Fields(c), ""); got != want {
			t.Fatalf("wrap(%q, %d) loses text: %q", c, width, got)
		}
	})
}
