package inventory

import (
	"io"
	"io/fs"
	"strings"
	"testing"
)

// file is one entry of a test layer.
type file struct {
	path, content string
	mode          fs.FileMode
	link          string
	hard          bool
	uid, gid      int
	capability    []byte
}

// linkMode is the mode of a symbolic link.
const linkMode = fs.ModeSymlink | 0o777

// scan reads a layer from a list of files.
func scan(t testing.TB, o Options, files ...file) *Layer {
	t.Helper()
	s := NewLayer(o)
	for _, f := range files {
		mode := f.mode
		if mode == 0 {
			mode = 0o644
		}
		e := Entry{Path: f.path, Mode: mode, UID: f.uid, GID: f.gid, Size: int64(len(f.content)), Link: f.link, HardLink: f.hard, Capability: f.capability}
		if err := s.Add(t.Context(), e, streamOf(f.content)); err != nil {
			t.Fatalf("add %s: %v", f.path, err)
		}
	}
	l, err := s.Finish(t.Context())
	if err != nil {
		t.Fatalf("finish: %v", err)
	}
	return l
}

func merge(t testing.TB, rt Runtime, layers ...*Layer) *Inventory {
	t.Helper()
	inv, err := Merge(t.Context(), layers, rt, nil)
	if err != nil {
		t.Fatalf("merge: %v", err)
	}
	return inv
}

// names lists packages as "type name version".
func names(inv *Inventory) []string {
	var out []string
	for _, p := range inv.Packages {
		out = append(out, p.Type+" "+p.Name+" "+p.Version)
	}
	return out
}

// streamOf reads a text as a layer's archive is read: from its start to its end
// and no other way.
func streamOf(text string) io.Reader { return struct{ io.Reader }{strings.NewReader(text)} }
