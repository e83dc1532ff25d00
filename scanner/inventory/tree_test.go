package inventory

import (
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
		if err := s.Add(t.Context(), e, strings.NewReader(f.content)); err != nil {
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

// names lists packages as "type name version@layer".
func names(inv *Inventory) []string {
	var out []string
	for _, p := range inv.Packages {
		out = append(out, p.Type+" "+p.Name+" "+p.Version)
	}
	return out
}

func TestMergeHidesWhatLaterLayersRemove(t *testing.T) {
	pkgJSON := func(name string) string { return `{"name":"` + name + `","version":"1.0.0"}` }
	base := scan(t, Options{},
		file{path: "app/node_modules/a/package.json", content: pkgJSON("a")},
		file{path: "app/node_modules/b/package.json", content: pkgJSON("b")},
		file{path: "opt/x/node_modules/c/package.json", content: pkgJSON("c")},
		file{path: "srv/node_modules/d/package.json", content: pkgJSON("d")},
		file{path: "run/node_modules/e/package.json", content: pkgJSON("e")},
		file{path: "keep/node_modules/f/package.json", content: pkgJSON("f")},
	)
	top := scan(t, Options{},
		file{path: "app/node_modules/.wh.a"},
		file{path: "opt/.wh..wh..opq"},
		file{path: "srv/node_modules", content: "now a file"},
		file{path: "run/node_modules/e/package.json/now", content: "a directory"},
		file{path: "opt/y/node_modules/g/package.json", content: pkgJSON("g")},
	)
	got := strings.Join(names(merge(t, Runtime{}, base, top)), ", ")
	want := "node-pkg b 1.0.0, node-pkg f 1.0.0, node-pkg g 1.0.0"
	if got != want {
		t.Errorf("packages\n got %s\nwant %s", got, want)
	}
}
