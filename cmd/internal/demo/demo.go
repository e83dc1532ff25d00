// Package demo holds what `postscan demo` scans: a small container image with
// many weaknesses, as an OCI layout, and a small vulnerability database that
// knows its packages. Both are made by the generator in gen, and both can be
// used by hand: `postscan image cmd/internal/demo/image`.
//
// The vulnerabilities are real ones; the image, its company and its credentials
// are made up.
package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:generate go run ./gen

//go:embed image database
var files embed.FS

// Paths are where the parts of the demonstration lie.
type Paths struct {
	Image    string // folder with the OCI layout
	Database string // folder with trivy.db and metadata.json
	KEV      string // list of known exploited vulnerabilities
	EPSS     string // list of exploit prediction scores
}

// Extract writes the demonstration into dir, which exists, and says where.
func Extract(dir string) (Paths, error) {
	err := fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if e.IsDir() {
			return os.MkdirAll(to, 0o700)
		}
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o600)
	})
	if err != nil {
		return Paths{}, fmt.Errorf("write the demonstration to %s: %w", dir, err)
	}
	database := filepath.Join(dir, "database")
	return Paths{
		Image: filepath.Join(dir, "image"), Database: database,
		KEV: filepath.Join(database, "kev.json"), EPSS: filepath.Join(database, "epss.csv"),
	}, nil
}
