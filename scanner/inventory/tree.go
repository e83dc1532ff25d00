package inventory

import "path"

// tree answers what of the layers is visible when they lie on top of each other.
type tree struct {
	layers  []*Layer
	removed []map[string]struct{} // by layer: paths of whiteouts
	opaque  []map[string]struct{} // by layer: directories whose lower content is hidden
	emptied map[string]int        // answers of emptiedBy
}

func newTree(layers []*Layer) *tree {
	t := &tree{layers: layers, emptied: map[string]int{}}
	for _, l := range layers {
		t.removed = append(t.removed, setOf(l.Whiteouts))
		t.opaque = append(t.opaque, setOf(l.OpaqueDirs))
	}
	return t
}

func setOf(list []string) map[string]struct{} {
	out := make(map[string]struct{}, len(list))
	for _, p := range list {
		out[p] = struct{}{}
	}
	return out
}

// empties says whether the layer hides what lower ones have in the directory.
func (t *tree) empties(layer int, dir string) bool {
	if _, ok := t.opaque[layer][dir]; ok {
		return true
	}
	if dir == "" {
		return false
	}
	if _, ok := t.removed[layer][dir]; ok {
		return true
	}
	return t.layers[layer].Files.has(dir) // a directory became a file or a link
}

// emptiedBy returns the topmost layer that hides what lower ones have in the
// directory, or in one above it; -1 for none.
func (t *tree) emptiedBy(dir string) int {
	if dir == "." {
		dir = ""
	}
	if top, ok := t.emptied[dir]; ok {
		return top
	}
	top := -1
	if dir != "" {
		top = t.emptiedBy(path.Dir(dir))
	}
	for i := len(t.layers) - 1; i > top; i-- {
		if t.empties(i, dir) {
			top = i
			break
		}
	}
	t.emptied[dir] = top
	return top
}

// replaces says whether the layer deletes or replaces the entry p of a lower one.
// A directory is replaced only by an entry of its own, not by paths below it.
func (t *tree) replaces(layer int, p string, isDir bool) bool {
	l := t.layers[layer]
	_, gone := t.removed[layer][p]
	return gone || l.Files.has(p) || l.Directories.has(p) || !isDir && l.Parents.has(p)
}

// visible says whether the file p of that layer can be seen in the end.
func (t *tree) visible(p string, layer int) bool { return t.stays(p, layer, false) }

// visibleDir is visible for a directory.
func (t *tree) visibleDir(p string, layer int) bool { return t.stays(p, layer, true) }

func (t *tree) stays(p string, layer int, isDir bool) bool {
	if t.emptiedBy(path.Dir(p)) > layer {
		return false
	}
	for i := layer + 1; i < len(t.layers); i++ {
		if t.replaces(i, p, isDir) {
			return false
		}
	}
	return true
}

// hiddenBy returns the first layer above the given one that deletes or replaces
// its file p, -1 for none.
func (t *tree) hiddenBy(p string, layer int) int {
	for i := layer + 1; i < len(t.layers); i++ {
		if t.replaces(i, p, false) {
			return i
		}
		for dir := path.Dir(p); ; dir = path.Dir(dir) {
			if dir == "." {
				dir = ""
			}
			if t.empties(i, dir) {
				return i
			}
			if dir == "" {
				break
			}
		}
	}
	return -1
}
