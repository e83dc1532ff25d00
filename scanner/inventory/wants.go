package inventory

import (
	"context"
	"path"
)

// wants says who reads a file.
type wants struct {
	area    string // of facts.Image that lacks something if the reading goes wrong
	text    func(p string, data []byte) error
	random  func(ctx context.Context, p string, f *spooled) error
	secrets bool
}

func (w *wants) none() bool { return w.text == nil && w.random == nil && !w.secrets }

// wants chooses the readers of a file by its path and mode.
func (s *LayerScan) wants(e Entry) wants {
	w := wants{area: "packages"}
	switch {
	case path.Base(e.Path) == "package.json":
		w.text = s.addPackageJSON
	case e.Path == "lib/apk/db/installed", e.Path == "usr/lib/apk/db/installed":
		w.text = s.addAPK
	default:
		if w.text = s.dpkgReader(e.Path); w.text == nil {
			w.text = s.releaseReader(e.Path)
			if w.text != nil {
				w.area = "distribution"
			}
		}
	}
	return w
}

// narrow drops readers once the first bytes of the file are known.
func (w *wants) narrow(head []byte, whole bool) {}
