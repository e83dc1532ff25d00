package checks

import (
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/postscan/postscan/policies"
)

// metadataOf is what stands in the METADATA block of a file.
func metadataOf(src string) string {
	_, rest, found := strings.Cut(src, "# METADATA\n")
	var text strings.Builder
	for line := range strings.Lines(rest) {
		comment, ok := strings.CutPrefix(line, "#")
		if !ok || !found {
			break
		}
		text.WriteString(strings.TrimPrefix(comment, " "))
	}
	return text.String()
}

// library is what the YAML library makes of a text; nil for an error or for nothing.
func library(text string) *yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

func sameNodes(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Value != b.Value || a.Line != b.Line || a.ShortTag() != b.ShortTag() || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !sameNodes(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// plainly reads a text without the library; nil where it has to be asked.
func plainly(text string) *yaml.Node {
	r := newPlainReader(text)
	if r == nil {
		return nil
	}
	if n := r.block(0); n != nil && r.at == len(r.lines) {
		return n
	}
	return nil
}

// The METADATA of every policy is read as the YAML library reads it, nearly all of it
// without the library. So is METADATA with a mistake in it.
func TestReadsMetadata(t *testing.T) {
	const mutations = 2
	all, plain, r := 0, 0, rand.New(rand.NewPCG(1, 1))
	err := fs.WalkDir(policies.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".rego") {
			return err
		}
		b, err := fs.ReadFile(policies.FS, path)
		if err != nil {
			return err
		}
		text := metadataOf(string(b))
		if text == "" {
			return nil
		}
		all++
		want, got := library(text), plainly(text)
		if got == nil {
			t.Logf("%s: read by the library", path)
			return nil
		}
		plain++
		for range mutations {
			at, with := r.IntN(len(text)), []string{"", " ", "\n", ":", "- ", "#", "|", "\"", "[", "]", ",", "  ", "x", "'", "\t", "{", "\n\n", "~"}[r.IntN(18)]
			changed := text[:at] + with + text[at+r.IntN(2):]
			if got := plainly(changed); got != nil {
				if want := library(changed); want == nil || !sameNodes(got, want) {
					t.Errorf("%s, changed to\n%s\nis read in another way", path, changed)
				}
			}
		}
		if want == nil || !sameNodes(got, want) {
			t.Errorf("%s is read in another way", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if all < 200 || plain*100 < all*95 {
		t.Errorf("%d of %d are read without the library", plain, all)
	}
}

// FuzzReadsMetadata: what is read without the library is read as the library does.
func FuzzReadsMetadata(f *testing.F) {
	for _, text := range []string{
		"a: b\n", "a: |\n  x\n\n   y\n\nb: 1\n", "a:\n- b\n- c: d\n  e: [f, \"g\"]\nh: i\n", "a:\n  - b: |\n      x\n    c: d\n", "a: [1, 2\n  ]\n", "a: b\n  c\n", "a: \"b\" # c\n",
		"a: b: c\n", "a: 'b'\n", "- a\n- b\n", "a:\n", "a: |\n\n  x\n", "a: |-\n  x\n", "a: >\n  x\n", "a: |\n  x\n y\n", "a: {b: c}\n", "a: [\"b, c\"]\n", "a: [b,c]\n", "a: [ b ]\n",
		"a: ~\n", "a: null\nb: true\nc: 0x1\nd: 1.5\ne: .inf\nf: 2001-01-01\n", "? a\n: b\n", "a: &x b\nc: *x\n", "<<: a\n", "a: <<\n", "a: =\n", "---\na: b\n", "a: b\n...\n", "%YAML 1.2\n---\na: b\n",
		"a:  b\n", "a: b \n", " a: b\n", "a: b\n\nc: d\n", "a: b\n \nc: d\n", "# c\na: b\n", "a: #b\n", "a: b#c\n", "a: schema[\"x\"]\n", "1: a\n", "a-b_c: d\n", "-a: b\n", "a: -1\n", "a: - b\n", "- - a\n",
		"a: |\n  x\n  \n  y\n", "a: |\n  # x\n", "a: ü\n", "a: \u2028\n", "a: [,]\n", "a: [b,]\n", "a:\n  b\n", "a: b\na: c\n", "a: \"\"\n", "a: [\"\"]\n", "y: n\n", "a: |\n  x", "a: |\n    x\n  y\n", "\n", "", "a",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := plainly(text)
		if got == nil {
			return
		}
		if want := library(text); want == nil || !sameNodes(got, want) {
			t.Errorf("%q is read in another way", text)
		}
	})
}
