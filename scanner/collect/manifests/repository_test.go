package manifests

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/postscan/postscan/scanner/facts"
)

const repositoryPod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - {name: a, image: a}\n"

// files collects and returns the file of every resource.
type files struct{ list []string }

func (f *files) Target(facts.Target) error { return nil }
func (f *files) Source(facts.Source) error { return nil }
func (f *files) Resource(_ context.Context, r *facts.Resource) error {
	if r.Kind == facts.KindWorkload {
		f.list = append(f.list, r.Origin.File)
	}
	return nil
}

func TestFilesCountFromTheRootOfTheRepository(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{".git", "deploy/prod"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "deploy/prod/pod.yaml"), []byte(repositoryPod), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, path := range map[string]string{
		".":      "deploy",
		"deploy": "prod/pod.yaml",
		"/":      filepath.Join(dir, "deploy/prod"),
	} {
		if from != "/" {
			from = filepath.Join(dir, from)
		}
		t.Chdir(from)
		var got files
		if err := New(Options{Paths: []string{path}, Parallel: 1}).Collect(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.list) != 1 || got.list[0] != "deploy/prod/pod.yaml" {
			t.Errorf("%s from %s: files %q, want deploy/prod/pod.yaml", path, from, got.list)
		}
		if id := identity(path); id != "manifests:deploy" && id != "manifests:deploy/prod" && id != "manifests:deploy/prod/pod.yaml" {
			t.Errorf("identity of %s from %s: %s", path, from, id)
		}
	}
}
