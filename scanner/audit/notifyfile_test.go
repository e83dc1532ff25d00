package audit

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// told are the lines of a file, which must be whole, by key.
func told(t *testing.T, name string) map[string]int {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 0 && b[len(b)-1] != '\n' {
		t.Errorf("the last line of %s is half", name)
	}
	out := map[string]int{}
	for line := range strings.Lines(string(b)) {
		var n Notification
		if err := json.Unmarshal([]byte(line), &n); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		out[n.Key]++
	}
	return out
}

// Several processes write to one file, each what it has to tell and what others may
// have told: each stands there once.
func TestAFileHasEachOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "told.jsonl")
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			n := notifier(Channel{File: &FileChannel{Path: name}}, nil)
			for i := range 30 {
				m := sample()
				m.Key = fmt.Sprintf("run-%d/ch", i) // the first are the beginning of others
				if err := n.Send(t.Context(), m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got := told(t, name)
	for key, n := range got {
		if n != 1 {
			t.Errorf("%s stands there %d times", key, n)
		}
	}
	if len(got) != 30 {
		t.Errorf("%d keys, want 30", len(got))
	}
}

// Whoever was killed in the middle of a line comes again, or others come first.
func TestAFileWithHalfALine(t *testing.T) {
	for what, c := range map[string]struct{ before, after string }{
		"one byte":            {`{`, ""},
		"half of a line":      {`{"key":"run-1/ch","aud`, ""},
		"all but its end":     {"", ""}, // filled below
		"half of another":     {`{"key":"run-77/ch","audit":"we`, ""},
		"what is not of ours": {"a list, by hand", "a list, by hand\n"},
	} {
		name := filepath.Join(t.TempDir(), "told.jsonl")
		n := notifier(Channel{File: &FileChannel{Path: name}}, nil)
		first := sample()
		first.Key = "run-0/ch"
		if err := n.Send(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if what == "all but its end" {
			c.before = strings.TrimSpace(strings.ReplaceAll(string(whole), "run-0", "run-1"))
		}
		if err := os.WriteFile(name, append(whole, c.before...), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := n.Send(t.Context(), sample()); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		want := string(whole) + c.after + strings.ReplaceAll(string(whole), "run-0", "run-1")
		if err != nil || string(got) != want {
			t.Errorf("%s:\n%s\nwant\n%s\n%v", what, got, want, err)
		}
	}
}

// A file that is moved away, as for rotation, is begun anew.
func TestAFileIsMovedAway(t *testing.T) {
	name := filepath.Join(t.TempDir(), "told.jsonl")
	n := notifier(Channel{File: &FileChannel{Path: name}}, nil)
	for i := range 4 {
		m := sample()
		m.Key = fmt.Sprintf("run-%d/ch", i)
		if err := n.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if got := told(t, name); len(got) != 1 || got[m.Key] != 1 {
			t.Errorf("%v", got)
		}
		if err := os.Rename(name, fmt.Sprintf("%s.%d", name, i)); err != nil {
			t.Fatal(err)
		}
	}
}
