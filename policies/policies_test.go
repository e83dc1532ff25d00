package policies_test

import (
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/policies"
)

// Every policy keeps the contract, its tests pass, and they have seen it fail
// and pass.
func TestPolicies(t *testing.T) {
	report, err := checks.RunTests(t.Context(), checks.Dir("."))
	if err != nil {
		t.Fatalf("the policies break the contract:\n%v", err)
	}
	if err := report.Err(); err != nil {
		t.Errorf("tests of the policies:\n%v", err)
	}
	for _, r := range report.Tests {
		if !r.Pass && r.Output != "" {
			t.Logf("%s:%d: %s printed:\n%s", r.File, r.Line, r.Name, r.Output)
		}
	}
	if len(report.Tests) == 0 {
		t.Error("no test was run")
	}
}

// What is compiled in is what stands in the folder.
func TestEmbedded(t *testing.T) {
	if got, want := rego(t, policies.FS), rego(t, os.DirFS(".")); !slices.Equal(got, want) {
		t.Errorf("embedded are %d files, in the folder are %d", len(got), len(want))
	}
}

func rego(t *testing.T, fsys fs.FS) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path != "embed.go" && path != "policies_test.go" {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
