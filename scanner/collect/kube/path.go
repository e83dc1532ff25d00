package kube

import (
	"path"
	"regexp"
	"strconv"
)

// keyIndex makes "prefix[3]".
func keyIndex(prefix string, i int) string { return prefix + "[" + strconv.Itoa(i) + "]" }

// keyPath makes "prefix[key]": the form of a path whose last step is a key of a
// map that people choose.
func keyPath(prefix, key string) string { return prefix + "[" + key + "]" }

// FieldPath adds a step to a path as evidence paths are written: ".field", or
// "[key]" for a key that could not be told from a path itself. Collectors that
// read files use it to key [Place.Lines].
func FieldPath(prefix, key string) string {
	for i := range len(key) {
		if c := key[i]; c == '.' || c == '/' || c == '[' || c == ']' {
			return keyPath(prefix, key)
		}
	}
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

// IndexPath adds an index to a path.
func IndexPath(prefix string, i int) string { return keyIndex(prefix, i) }

// windowsPath begins with a drive, or is the name of a pipe.
var windowsPath = regexp.MustCompile(`^(?:[A-Za-z]:|[\\/]{2}\.[\\/])`)

// nodePath is a path on a node as facts have it: absolute and cleaned. One of
// Windows stays as it was written.
func nodePath(p string) string {
	if windowsPath.MatchString(p) {
		return p
	}
	return path.Clean("/" + p)
}
