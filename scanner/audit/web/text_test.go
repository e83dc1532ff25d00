package web

import (
	"strings"
	"testing"
)

func TestTexts(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "two\nlines\tand a tab": "two\nlines\tand a tab", "a\u202egnp.exe": "a\ufffdgnp.exe", "\x1b[31mred": "\ufffd[31mred", "\xff": "\ufffd", "שלום": "שלום", "می\u200cروم": "می\u200cروم",
		strings.Repeat("ü", 300): strings.Repeat("ü", 300), strings.Repeat("ü", 301): strings.Repeat("ü", 300) + " …",
	} {
		if got := brief(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
	if got := long(strings.Repeat("x", 10_000)); len(got) != longText+len(" …") {
		t.Errorf("%d bytes of a long text", len(got))
	}
}
