// Command gen writes everything in the repository that is made from something
// else: the JSON schemas of the facts and the pages of the checks. It is what
// `go generate ./...` runs; its test fails where a file is stale.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
)

//go:generate go run .

// files are generated files by their path from the root of the repository.
type files map[string][]byte

func main() {
	root := filepath.Join("..", "..", "..") // go generate runs in this folder
	all, err := generate(root)
	// What could be made is written even so: policies can only be mended against new schemas.
	if err = errors.Join(err, write(root, all, os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write removes what is no longer generated, writes what differs, and tells so.
func write(root string, all files, told io.Writer) error {
	old, err := leftovers(root, all)
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(filepath.Join(root, filepath.FromSlash(name))); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(told, "removed", name); err != nil {
			return err
		}
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
		if _, err := fmt.Fprintln(told, "wrote", name); err != nil {
			return err
		}
	}
	return nil
}

// leftovers are the files in folders of generated files that are no longer
// generated. A folder of which nothing was made is left alone.
func leftovers(root string, all files) ([]string, error) {
	var out []string
	for _, dir := range []string{pagesDir, schemaDir, cliDir} {
		made := slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(name string) bool { return path.Dir(name) == dir })
		entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
		if !made || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if name := path.Join(dir, e.Name()); all[name] == nil {
				out = append(out, name)
			}
		}
	}
	return out, nil
}

// generate makes every generated file; nothing is written. What could be made is
// there beside an error.
func generate(root string) (files, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	out := files{}
	var errs []error
	for _, part := range []func(string) (files, error){factsSchemas, streamSchema, reportSchema, checkPages, cliReference, isolationLists} {
		made, err := part(abs)
		errs = append(errs, err)
		maps.Copy(out, made)
	}
	return out, errors.Join(errs...)
}
