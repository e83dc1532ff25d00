package inventory

import (
	"strings"
	"testing"
)

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
