package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A reader that stops reading does not change the exit code: the gate's answer
// counts, and the files are written.
func TestReaderStops(t *testing.T) {
	dir := t.TempDir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "demo.json")
	var stderr bytes.Buffer
	code := Main(t.Context(), Env{
		Args:  []string{"demo", "--fail-on", "high", "-o", "table", "-o", "json=" + file},
		Stdin: bytes.NewReader(nil), Stdout: w, Stderr: &stderr, Now: time.Now, Version: "v0.0.0-test",
	})
	if code != exitFindings {
		t.Errorf("exit code %d, want 3; stderr:\n%s", code, stderr.String())
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if _, err := w.WriteString("x"); err == nil {
		t.Error("the pipe was not closed, so this test proves nothing")
	}
}
