package cli

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/postscan/postscan/cmd/internal/demo"
)

// What a run costs inside the process, flags to report, without the start of the
// process and without any network.
func BenchmarkMain(b *testing.B) {
	paths, err := demo.Extract(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	scan := []string{"image", paths.Image, "--offline", "--db-dir", paths.Database, "--cache-dir", b.TempDir(), "-o", "json"}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"help", []string{"--help"}},
		{"checks-list", []string{"checks", "list"}},
		{"second-scan", scan},
		{"cold-scan", append(scan, "--no-cache")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var stderr bytes.Buffer
				code := Main(b.Context(), Env{
					Args: c.args, Stdin: bytes.NewReader(nil), Stdout: io.Discard, Stderr: &stderr, Now: time.Now, Version: "v0.0.0-test",
				})
				if code != exitDone {
					b.Fatalf("exit code %d: %s", code, stderr.String())
				}
			}
		})
	}
}
