package inventory

import (
	"bytes"
	"compress/zlib"
	"context"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"

	gobinary "github.com/aquasecurity/trivy/pkg/dependency/parser/golang/binary"
	"github.com/aquasecurity/trivy/pkg/fanal/types"
)

// executable says whether a file of this mode may be a program.
func executable(e Entry) bool {
	return path.Ext(e.Path) == ".exe" || e.Mode.IsRegular() && e.Mode.Perm()&0o111 != 0
}

// program formats that may hold a list of modules.
func compiled(head []byte) bool {
	for _, magic := range []string{
		"\x7fELF", "MZ", "\xfe\xed\xfa", "\xca\xfe\xba\xbe", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe",
		"\x01\xdf", "\x01\xf7", "\x00asm\x01\x00\x00\x00",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// addBinary reads the list of modules that Go's linker and cargo-auditable leave in
// a program.
func (s *LayerScan) addBinary(ctx context.Context, p string, f *spooled) error {
	goErr := s.addGoBinary(ctx, p, f)
	rustErr := s.addRustBinary(p, f)
	return errors.Join(goErr, rustErr)
}

func (s *LayerScan) addGoBinary(ctx context.Context, p string, f *spooled) error {
	found, _, err := gobinary.NewParser().Parse(ctx, f.section())
	switch {
	case errors.Is(err, gobinary.ErrUnrecognizedExe):
		return brokenELF(f)
	case errors.Is(err, gobinary.ErrNonGoBinary):
		return nil
	case err != nil:
		return fmt.Errorf("its list of Go modules: %w", err)
	}
	pkgs := make([]pkg, 0, len(found))
	for _, m := range found {
		pk := pkg{Name: m.Name, Version: m.Version}
		if m.Relationship == types.RelationshipRoot {
			pk.Order = -1
		}
		pkgs = append(pkgs, pk)
	}
	s.addApplication(types.GoBinary, p, pkgs)
	return nil
}

// brokenELF says that an ELF file cannot be read, and nothing of other formats:
// those are taken apart by too many loaders to tell broken from unusual.
func brokenELF(f *spooled) error {
	head := make([]byte, 4)
	if _, err := f.ReadAt(head, 0); err != nil || string(head) != elf.ELFMAG {
		return nil //nolint:nilerr // it is no ELF file
	}
	if _, err := elf.NewFile(f); err != nil {
		return fmt.Errorf("it is a broken ELF file, so that nobody can tell what it was built from: %w", err)
	}
	return nil
}

// rustListSize bounds the unpacked list of crates; real ones have some 100 KiB.
const rustListSize = 32 << 20

// addRustBinary reads the section that cargo-auditable writes: JSON, packed by zlib.
func (s *LayerScan) addRustBinary(p string, f *spooled) error {
	packed := rustSection(f)
	if packed == nil {
		return nil
	}
	zr, err := zlib.NewReader(packed)
	if err != nil {
		return fmt.Errorf("its list of Rust crates: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(zr, rustListSize+1))
	if err != nil {
		return fmt.Errorf("its list of Rust crates: %w", err)
	}
	if len(data) > rustListSize {
		return fmt.Errorf("its list of Rust crates is %w", errTooLarge)
	}
	pkgs, err := parseRustList(data)
	if err != nil {
		return fmt.Errorf("its list of Rust crates: %w", err)
	}
	s.addApplication(types.RustBinary, p, pkgs)
	return nil
}

func parseRustList(data []byte) ([]pkg, error) {
	var doc struct {
		Packages []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			Kind    string `json:"kind"`
			Root    bool   `json:"root"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	var pkgs []pkg
	for _, c := range doc.Packages {
		if c.Kind != "" && c.Kind != "runtime" {
			continue
		}
		pk := pkg{Name: c.Name, Version: c.Version}
		if c.Root {
			pk.Order = -1
		}
		pkgs = append(pkgs, pk)
	}
	return pkgs, nil
}

// rustSection finds the packed list in an ELF, PE or Mach-O file, nil for none.
func rustSection(f *spooled) io.Reader {
	if x, err := elf.NewFile(f); err == nil {
		for _, name := range []string{".dep-v0", ".rust-deps-v0"} {
			if sec := x.Section(name); sec != nil && sec.Type != elf.SHT_NOBITS {
				return sec.Open()
			}
		}
		return nil
	}
	if x, err := pe.NewFile(f); err == nil {
		for _, name := range []string{".dep-v0", "rdep-v0"} {
			if sec := x.Section(name); sec != nil {
				return sec.Open()
			}
		}
		return nil
	}
	if x, err := macho.NewFile(f); err == nil {
		for _, name := range []string{".dep-v0", "rust-deps-v0"} {
			if sec := x.Section(name); sec != nil {
				return sec.Open()
			}
		}
	}
	return nil
}
