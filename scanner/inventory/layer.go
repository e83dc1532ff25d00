package inventory

import (
	"cmp"
	"slices"
)

// Layer is what one [LayerScan] found. It is plain data: it can be written as
// JSON, kept, and read again, and equal layers give equal bytes. Its fields are
// for [Merge] alone.
type Layer struct {
	// Version is the [Options.Version] that it was made under.
	Version string `json:"version"`
	// Entries counts the entries of the stream.
	Entries int `json:"entries"`

	// What the layer does to those below.
	Files       pathSet  `json:"files"` // every path that is no directory
	Directories pathSet  `json:"directories"`
	Parents     pathSet  `json:"parents"` // directories that only the paths below them name
	Whiteouts   []string `json:"whiteouts,omitempty"`
	OpaqueDirs  []string `json:"opaque_dirs,omitempty"`

	// HardLinks gives other names of files that something was found in.
	HardLinks map[string][]string `json:"hard_links,omitempty"`
	// Symlinks are those whose name or place says that they may matter.
	Symlinks map[string]string `json:"symlinks,omitempty"`

	Releases     []release     `json:"releases,omitempty"`
	Builds       []build       `json:"builds,omitempty"`
	Databases    []database    `json:"databases,omitempty"`
	Applications []application `json:"applications,omitempty"`
	Archives     []archive     `json:"archives,omitempty"`

	// SecretsSought and MalwareSought say whether anybody looked.
	SecretsSought bool `json:"secrets_sought"`
	MalwareSought bool `json:"malware_sought"`

	Secrets    []secretFile `json:"secrets,omitempty"`
	Privileged []privileged `json:"privileged,omitempty"`
	Writable   []writable   `json:"writable,omitempty"`
	Restricted []restricted `json:"restricted,omitempty"`
	Accounts   []accounts   `json:"accounts,omitempty"`
	Sudo       []sudoFile   `json:"sudo,omitempty"`
	Programs   []program    `json:"programs,omitempty"`
	SSH        []sshFile    `json:"ssh,omitempty"`
	Malware    []malware    `json:"malware,omitempty"`

	Problems []problem `json:"problems,omitempty"`
}

// problem is a file that could not be read as what it seems to be.
type problem struct {
	Path   string `json:"path"` // empty for files that are only counted
	Area   string `json:"area"` // field of facts.Image that may lack something
	Reason string `json:"reason"`
}

// sort puts everything into the order of paths.
func (l *Layer) sort() {
	l.Files.sort()
	l.Directories.sort()
	l.Parents.sort()
	l.Parents = slices.DeleteFunc(l.Parents, func(h uint64) bool { _, ok := slices.BinarySearch(l.Directories, h); return ok })
	slices.Sort(l.Whiteouts)
	l.Whiteouts = slices.Compact(l.Whiteouts)
	slices.Sort(l.OpaqueDirs)
	l.OpaqueDirs = slices.Compact(l.OpaqueDirs)
	for _, links := range l.HardLinks {
		slices.Sort(links)
	}
	l.Releases = byPath(l.Releases, func(r release) string { return r.Path })
	l.Builds = byPath(l.Builds, func(b build) string { return b.Path })
	l.Databases = byPath(l.Databases, func(d database) string { return d.Path })
	l.Applications = byPath(l.Applications, func(a application) string { return a.Path + "\x00" + a.Type })
	l.Archives = byPath(l.Archives, func(a archive) string { return a.Path })
	l.Secrets = byPath(l.Secrets, func(s secretFile) string { return s.Path })
	l.Privileged = byPath(l.Privileged, func(p privileged) string { return p.Path })
	l.Writable = byPath(l.Writable, func(w writable) string { return w.Path })
	l.Restricted = byPath(l.Restricted, func(r restricted) string { return r.Path })
	l.Accounts = byPath(l.Accounts, func(a accounts) string { return a.Path })
	l.Sudo = byPath(l.Sudo, func(s sudoFile) string { return s.Path })
	l.Programs = byPath(l.Programs, func(p program) string { return p.Path })
	l.SSH = byPath(l.SSH, func(s sshFile) string { return s.Path })
	l.Malware = byPath(l.Malware, func(m malware) string { return m.Path })
	slices.SortFunc(l.Problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Area, b.Area), cmp.Compare(a.Reason, b.Reason))
	})
	l.Problems = slices.Compact(l.Problems)
}

// byPath sorts a list by path. A tar archive may hold a path twice; then the last
// one counts.
func byPath[T any](list []T, path func(T) string) []T {
	slices.Reverse(list)
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(path(a), path(b)) })
	return slices.CompactFunc(list, func(a, b T) bool { return path(a) == path(b) })
}
