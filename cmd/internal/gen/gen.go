// Command gen writes everything in the repository that is made from something
// else: the JSON schemas of the facts and the pages of the checks. It is what
// `go generate ./...` runs; its test fails where a file is stale.
package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

//go:generate go run .

// files are generated files by their path from the root of the repository.
type files map[string][]byte

func main() {
	root := filepath.Join("..", "..", "..") // go generate runs in this folder
	if err := write(root); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write generates everything and writes what differs.
func write(root string) error {
	all, err := generate(root)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		full := filepath.Join(root, filepath.FromSlash(name))
		if old, err := os.ReadFile(full); err == nil && bytes.Equal(old, all[name]) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, all[name], 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", name)
	}
	return nil
}

// generate makes every generated file; nothing is written.
func generate(root string) (files, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	out := files{}
	for _, part := range []func(string) (files, error){factsSchemas, reportSchema} {
		fs, err := part(abs)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, fs)
	}
	return out, nil
}
