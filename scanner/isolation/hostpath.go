package isolation

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// What paths of a node are worth taking is told by policies/lib/host_paths.rego.
// The lists are generated from it; the questions stand here in Go, because the
// score asks them of every workload, and a test asks both the same.

var (
	windowsPipe = regexp.MustCompile(`^[\\/]{2}\.[\\/](?i:pipe)[\\/]`)
	drive       = regexp.MustCompile(`^[A-Za-z]:`)
)

// normalPath writes a path as the lists do: /var/run is /run, and Windows
// has one way to write a path.
func normalPath(p string) string {
	switch {
	case windowsPipe.MatchString(p):
		return "//./pipe/" + strings.ToLower(windowsPipe.ReplaceAllString(p, ""))
	case drive.MatchString(p):
		return strings.TrimPrefix(cleanPath(strings.ToLower(strings.ReplaceAll(p, `\`, "/"))), "/")
	}
	p = cleanPath(p)
	if rest, ok := strings.CutPrefix(p, "/var/run"); ok && (rest == "" || rest[0] == '/') {
		p = cleanPath("/run" + rest)
	}
	return p
}

// cleanPath is absolute, without doubled or trailing slashes; a fact holds no "..".
func cleanPath(p string) string {
	parts := slices.DeleteFunc(strings.Split(p, "/"), func(s string) bool { return s == "" || s == "." })
	return "/" + strings.Join(parts, "/")
}

// covers is true where above is the path or holds it; both are normal.
func covers(above, p string) bool {
	return p == above || strings.HasPrefix(p, strings.TrimRight(above, "/")+"/")
}

// reachesSocket: a mount of the path holds a socket, or is one.
func reachesSocket(p string) bool {
	return slices.ContainsFunc(hostSockets(), func(s string) bool { return covers(normalPath(p), s) }) || isSocket(p)
}

func isSocket(p string) bool {
	n := normalPath(p)
	return slices.ContainsFunc(hostSockets(), func(s string) bool { return covers(s, n) }) || slices.Contains(socketNames(), path.Base(cleanPath(n)))
}

// isSensitive: the path is one of the folders, or above or below one.
func isSensitive(p string) bool {
	n := normalPath(p)
	return slices.ContainsFunc(sensitiveFolders(), func(f string) bool { return covers(n, f) || f != "/" && covers(f, n) })
}

func isHarmless(p string) bool {
	n := normalPath(p)
	return slices.ContainsFunc(harmlessPaths(), func(leaf string) bool { return covers(leaf, n) })
}

// isPublic: reading it gives nothing away.
func isPublic(p string) bool {
	n := normalPath(p)
	return isHarmless(p) || slices.ContainsFunc(publicPaths(), func(leaf string) bool { return covers(leaf, n) })
}

// isDevice: /dev or below, but for what is no device or a harmless one.
func isDevice(p string) bool {
	n := normalPath(p)
	return covers("/dev", n) && !isHarmless(p) && !slices.ContainsFunc(notDevices(), func(f string) bool { return covers(f, n) })
}
