package checks

import (
	"strings"
	"testing"
)

// Whatever stands in a file, its header is read without a crash, and every
// problem is on a line of it.
func FuzzParseHeader(f *testing.F) {
	for _, seed := range []string{
		"",
		"package postscan.image.x",
		"# METADATA\npackage a",
		"# METADATA\n# custom: {id: [}\npackage a",
		"# METADATA\n# custom:\n#   params: [{name: a, type: strings, default: [1]}]\n#   needs: {a: b}\npackage a # c",
		"# METADATA\r\n# title: x\r\n# related_resources: [a, {ref: b, c: d}]\r\n# schemas: [{input: x, y: z}]\r\npackage a\r\n",
		"# METADATA\n# &a [*a]\npackage a",
		"# METADATA\n# ? [a]\n# : b\n# <<: c\npackage a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		h, problems := parseHeader("x.rego", src)
		lines := strings.Count(src, "\n") + 2 // YAML may point behind its last line
		for _, p := range problems {
			if p.Line < 0 || p.Line > lines || p.Text == "" {
				t.Errorf("problem %+v of a file with %d lines", p, lines)
			}
		}
		if h.pkg == "" && len(problems) == 0 {
			t.Error("a file without a package is no problem")
		}
	})
}
