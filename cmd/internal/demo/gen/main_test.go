package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestCommittedFilesAreUpToDate makes everything again and compares: the same
// source gives the same bytes, and what is committed is of this source.
func TestCommittedFilesAreUpToDate(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"image", "database"} {
		made, committed := tree(t, filepath.Join(dir, part)), tree(t, filepath.Join("..", part))
		for name, b := range made {
			if !bytes.Equal(b, committed[name]) {
				t.Errorf("%s/%s differs from what is committed: run go generate ./cmd/internal/demo", part, name)
			}
		}
		for name := range committed {
			if _, ok := made[name]; !ok {
				t.Errorf("%s/%s is committed and not made any more", part, name)
			}
		}
	}
}

func tree(t *testing.T, root string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		out[name], err = fs.ReadFile(os.DirFS(root), name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
