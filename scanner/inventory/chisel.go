package inventory

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	debversion "github.com/knqyf263/go-deb-version"
)

// chiselManifest is what Ubuntu's chisel leaves in an image that it cuts from
// packages: there is no dpkg.
const chiselManifest = "var/lib/chisel/manifest.wall"

// The manifest is text, which is bounded once it is unpacked.
const (
	chiselMost   = 256 << 20
	chiselWindow = 8 << 20
)

// addChisel reads chisel's manifest: a compressed list of documents, the first of
// which names the format. It tells packages, but not the source packages that
// Ubuntu's advisories speak of.
func (s *LayerScan) addChisel(p string, data []byte) error {
	pkgs, err := parseChisel(data)
	s.note(p)
	s.layer.Databases = append(s.layer.Databases, database{Path: p, Format: "chisel", Packages: pkgs})
	if len(pkgs) > 0 {
		s.problem(p, "vulnerabilities", "chisel does not say which source packages its packages are from, and advisories go by these")
	}
	return err
}

// parseChisel returns the packages; those before a fault come with the error.
func parseChisel(data []byte) ([]pkg, error) {
	zr, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(chiselWindow))
	if err != nil {
		return nil, err
	}
	defer zr.Close()
	plain := &io.LimitedReader{R: zr, N: chiselMost}
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, 1<<20)
	var pkgs []pkg
	for n := 0; lines.Scan(); n++ {
		var doc struct {
			Jsonwall, Kind, Name, Version, Arch string
		}
		if err := json.Unmarshal(lines.Bytes(), &doc); err != nil {
			return pkgs, fmt.Errorf("line %d: %w", n+1, err)
		}
		if n == 0 && doc.Jsonwall == "" {
			return nil, errors.New("it is no manifest of chisel")
		}
		if doc.Kind != "package" || doc.Name == "" {
			continue
		}
		v, err := debversion.NewVersion(doc.Version)
		if err != nil {
			return pkgs, fmt.Errorf("version of %s: %w", doc.Name, err)
		}
		pkgs = append(pkgs, pkg{
			ID: doc.Name + "@" + doc.Version, Name: doc.Name, Arch: doc.Arch,
			Epoch: v.Epoch(), Version: v.Version(), Release: v.Revision(),
		})
	}
	sortPackages(pkgs)
	if err := lines.Err(); err != nil {
		return pkgs, err
	}
	if plain.N == 0 {
		return pkgs, fmt.Errorf("%w of %d bytes", errTooLarge, chiselMost)
	}
	return pkgs, nil
}
