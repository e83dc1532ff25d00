package facts

import (
	"strconv"
	"strings"
)

// Place is where a piece of evidence stands in its source.
type Place struct {
	Origin Origin
	// Layer is an index into Image.Layers, -1 where none.
	Layer int
}

// Placed is implemented by facts documents whose parts come from different
// places; item is the name and index of a list of the document
// ("secrets", 3 for evidence path "secrets[3].path").
type Placed interface {
	PlaceOf(list string, index int) (file string, line, layer int, ok bool)
}

// Packaged is implemented by facts documents that list installed packages and
// their known vulnerabilities.
type Packaged interface {
	HeldPackages() []Package
	HeldVulnerabilities() []Vulnerability
}

// HeldPackages implements [Packaged].
func (im *Image) HeldPackages() []Package { return im.Packages }

// HeldVulnerabilities implements [Packaged].
func (im *Image) HeldVulnerabilities() []Vulnerability { return im.Vulnerabilities }

// HeldPackages implements [Packaged].
func (vm *VM) HeldPackages() []Package { return vm.Packages }

// HeldVulnerabilities implements [Packaged].
func (vm *VM) HeldVulnerabilities() []Vulnerability { return vm.Vulnerabilities }

// Place returns where the evidence path stands: the line in the resource's own
// file, or the file and layer inside an image.
func (r *Resource) Place(path string) Place {
	p := Place{Origin: r.Origin, Layer: -1}
	if line, ok := nearest(r.Lines, path); ok {
		p.Origin.Line = line
	}
	if o, ok := nearest(r.Places, path); ok {
		p.Origin = o
	}
	placed, ok := r.Facts.(Placed)
	if !ok {
		return p
	}
	list, index, ok := FirstItem(path)
	if !ok {
		return p
	}
	file, line, layer, ok := placed.PlaceOf(list, index)
	if !ok {
		return p
	}
	p.Origin.File, p.Origin.Line, p.Layer = file, line, layer
	return p
}

// nearest finds what m holds of the path or of its nearest parent.
func nearest[T any](m map[string]T, path string) (v T, ok bool) {
	for path != "" && len(m) > 0 {
		if v, ok = m[path]; ok {
			return v, true
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			break
		}
		path = path[:i]
	}
	return v, false
}

// FirstItem splits the evidence path "secrets[3].path" into "secrets" and 3; ok
// is false where the path names no item of a list.
func FirstItem(path string) (list string, index int, ok bool) {
	list, rest, ok := strings.Cut(path, "[")
	if !ok {
		return "", 0, false
	}
	num, _, ok := strings.Cut(rest, "]")
	if !ok {
		return "", 0, false
	}
	n, err := strconv.Atoi(num)
	return list, n, err == nil && n >= 0
}

// PlaceOf implements [Placed].
func (im *Image) PlaceOf(list string, i int) (file string, line, layer int, ok bool) {
	switch {
	case list == "packages" && i < len(im.Packages):
		return im.Packages[i].Path, 0, im.Packages[i].Layer, true
	case list == "vulnerabilities" && i < len(im.Vulnerabilities):
		return im.Vulnerabilities[i].Path, 0, im.Vulnerabilities[i].Layer, true
	case list == "secrets" && i < len(im.Secrets):
		return im.Secrets[i].Path, im.Secrets[i].StartLine, im.Secrets[i].Layer, true
	case list == "privileged_files" && i < len(im.PrivilegedFiles):
		return im.PrivilegedFiles[i].Path, 0, im.PrivilegedFiles[i].Layer, true
	case list == "writable_files" && i < len(im.WritableFiles):
		return im.WritableFiles[i].Path, 0, im.WritableFiles[i].Layer, true
	case list == "sudo_rules" && i < len(im.SudoRules):
		return im.SudoRules[i].Path, im.SudoRules[i].Line, im.SudoRules[i].Layer, true
	case list == "tools" && i < len(im.Tools):
		return im.Tools[i].Path, 0, im.Tools[i].Layer, true
	case list == "ssh_starters" && i < len(im.SSHStarters):
		return im.SSHStarters[i].Path, 0, im.SSHStarters[i].Layer, true
	case list == "malware" && i < len(im.Malware):
		return im.Malware[i].Path, 0, im.Malware[i].Layer, true
	case list == "history" && i < len(im.History):
		return "", 0, im.History[i].Layer, true
	default:
		return "", 0, -1, false
	}
}

// PlaceOf implements [Placed]; where other facts of a machine were read stands in
// the resource's Places.
func (vm *VM) PlaceOf(list string, i int) (file string, line, layer int, ok bool) {
	switch {
	case list == "packages" && i < len(vm.Packages):
		return vm.Packages[i].Path, 0, -1, true
	case list == "vulnerabilities" && i < len(vm.Vulnerabilities):
		return vm.Vulnerabilities[i].Path, 0, -1, true
	default:
		return "", 0, -1, false
	}
}
