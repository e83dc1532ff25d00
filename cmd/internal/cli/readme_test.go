package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// The output in the README is what the program writes: every line of it stands
// in the golden demonstration, in that order. A line with nothing but … stands
// for what is left out.
func TestReadmeShowsRealOutput(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	_, block, ok := strings.Cut(read(t, filepath.Join(root, "README.md")), "```text\nshop.example")
	block, _, closed := strings.Cut("shop.example"+block, "\n```")
	if !ok || !closed {
		t.Fatal("the README shows no output of the demonstration")
	}
	golden := read(t, filepath.Join(root, "testdata", "script", "demo.txtar"))
	_, golden, _ = strings.Cut(golden, "-- demo.txt --\n")
	for part := range strings.SplitSeq(block, "\n…\n") {
		_, rest, ok := strings.Cut(golden, part)
		if !ok {
			t.Fatalf("the demonstration does not write this:\n%s", part)
		}
		golden = rest
	}
}
