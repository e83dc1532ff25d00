package inventory

import "path"

// tree answers what of the layers is visible when they lie on top of each other.
type tree struct {
	layers  []*Layer
	removed []map[string]struct{} // per layer: paths of whiteouts
	opaque  []map[string]struct{}
	below   map[string]int // by directory: see contentHiddenBy
}

func newTree(layers []*Layer) *tree {
	t := &tree{layers: layers, below: map[string]int{}}
	for _, l := range layers {
		removed := make(map[string]struct{}, len(l.Whiteouts))
		for _, p := range l.Whiteouts {
			removed[p] = struct{}{}
		}
		opaque := make(map[string]struct{}, len(l.OpaqueDirs))
		for _, p := range l.OpaqueDirs {
			opaque[p] = struct{}{}
		}
		t.removed = append(t.removed, removed)
		t.opaque = append(t.opaque, opaque)
	}
	return t
}

// hiddenBy returns the first layer above the given one that deletes or replaces
// the file p of that layer, and -1 for a file that is visible.
func (t *tree) hiddenBy(p string, layer int) int {
	for i := layer + 1; i < len(t.layers); i++ {
		if t.deletes(i, p) || t.layers[i].Files.has(p) || t.layers[i].Directories.has(p) {
			return i
		}
	}
	return -1
}

// deletedBy is like hiddenBy, but a file at the same path in a later layer is the
// same file, rewritten.
func (t *tree) deletes(i int, p string) bool {
	if _, ok := t.removed[i][p]; ok {
		return true
	}
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if _, ok := t.opaque[i][dir]; ok {
			return true
		}
		if _, ok := t.removed[i][dir]; ok {
			return true
		}
		if t.layers[i].Files.has(dir) {
			return true // a directory became a file or a link
		}
	}
	_, ok := t.opaque[i][""]
	return ok
}

// visible says whether the file of that layer can be seen in the end.
func (t *tree) visible(p string, layer int) bool { return t.hiddenBy(p, layer) < 0 }
