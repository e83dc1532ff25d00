// Package inventory says what a file tree holds: the operating system and its
// packages, installed language packages, secrets, privileged and writable files,
// accounts, and programs that help an intruder.
//
// The work has two phases. A [LayerScan] reads one stream of files (a layer of an
// image, the file system of a machine) once and yields a [Layer]: plain data that
// knows nothing of other layers, so that it can be kept by the layer's digest.
// [Merge] then puts layers on top of each other as a runtime would: whiteouts,
// opaque directories and replaced paths hide what lies below.
//
// Memory: a LayerScan holds what it found, eight bytes for each path, and a
// buffer of a few MiB. Files that must be read at random are kept in that buffer
// or in one temporary file. Nothing is unpacked.
//
// It never fails open: a file that cannot be read becomes a problem of its layer,
// and Merge turns it into an entry of Inventory.Missing.
package inventory

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sort"

	"github.com/postscan/postscan/scanner/facts"
)

// Entry is one entry of a file tree.
type Entry struct {
	// Path is relative and uses slashes: "etc/passwd". Leading slashes and
	// "." and ".." elements are removed; ".." never leads out of the root.
	Path string
	// Mode holds the type, permissions, set-uid, set-gid and sticky bits.
	Mode fs.FileMode
	UID  int
	GID  int
	// Size is the length of the content in bytes, as the stream announces it.
	Size int64
	// Link is the target of a symbolic link, or for a hard link the path of the
	// file that it is another name of.
	Link     string
	HardLink bool
	// Capability is the extended attribute security.capability, nil for none.
	Capability []byte
}

// The defaults of Options.
const (
	DefaultMaxFile         = 1 << 30 // bytes
	DefaultMaxArchiveDepth = 8
)

// Options say what a LayerScan looks for and where it stops.
type Options struct {
	// Secrets also looks for credentials in files.
	Secrets bool
	// Malware maps SHA-256 sums of files to names; nil is "not configured".
	Malware map[[32]byte]string
	// MaxFile is the largest file, in bytes, that is kept for reading at random,
	// and the most that one archive may unpack to. 0 is DefaultMaxFile.
	MaxFile int64
	// MaxArchiveDepth is how deep archives within archives are read. 0 is
	// DefaultMaxArchiveDepth.
	MaxArchiveDepth int
	// SpoolDir takes temporary files; empty is the system's directory for them.
	SpoolDir string
	// Log takes details; nil discards them.
	Log *slog.Logger
}

// collectorVersion changes whenever the same layer would give another Layer.
const collectorVersion = 2

// Version names the collector and those options that change what a layer yields.
// A kept Layer may be used again only under the same Version.
func (o Options) Version() string {
	o = o.withDefaults()
	v := fmt.Sprintf("inventory/%d secrets=%t max=%d depth=%d", collectorVersion, o.Secrets, o.MaxFile, o.MaxArchiveDepth)
	if o.Malware != nil {
		v += " malware=" + malwareDigest(o.Malware)
	}
	return v
}

func (o Options) withDefaults() Options {
	if o.MaxFile <= 0 {
		o.MaxFile = DefaultMaxFile
	}
	if o.MaxArchiveDepth <= 0 {
		o.MaxArchiveDepth = DefaultMaxArchiveDepth
	}
	if o.SpoolDir == "" {
		o.SpoolDir = os.TempDir()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Runtime is what the image's configuration says of the process that will run.
type Runtime struct {
	// User is "name", "uid", "name:group" or "uid:gid"; empty is root.
	User string
	// Path are the directories of PATH.
	Path       []string
	Entrypoint []string
	Cmd        []string
	WorkingDir string
	// Windows switches off what only makes sense on Unix.
	Windows bool
}

// JarLookup identifies Java archives that do not name themselves. Found is false
// where the index does not know; an error says that it could not be asked. [Merge]
// calls it from one goroutine, and only where an archive needs it.
type JarLookup interface {
	// Exists says whether the group has such an artifact, in any version.
	Exists(ctx context.Context, groupID, artifactID string) (found bool, err error)
	// SearchBySHA1 identifies an archive by its SHA-1 in lower-case hex.
	SearchBySHA1(ctx context.Context, sha1 string) (groupID, artifactID, version string, found bool, err error)
	// SearchByArtifactID finds the group that most often publishes this artifact
	// and version.
	SearchByArtifactID(ctx context.Context, artifactID, version string) (groupID string, found bool, err error)
}

// Inventory is what a whole tree holds. Its lists are sorted; Layer fields are
// indices into the layers that were merged.
type Inventory struct {
	Distribution    facts.Distribution
	Packages        []facts.Package
	Secrets         []facts.Secret
	PrivilegedFiles []facts.PrivilegedFile
	WritableFiles   []facts.WritableFile
	Users           []facts.User
	Groups          []facts.Group
	SudoRules       []facts.SudoRule
	Tools           []facts.Tool
	SSHStarters     []facts.SSHStarter
	Malware         []facts.Malware
	// NeedsJavaDB is true where archives were found that only a JarLookup can
	// identify, whether or not one was given.
	NeedsJavaDB bool
	// UserUID is the number of Runtime.User; UserKnown is false where the tree's
	// /etc/passwd has no such name.
	UserUID   int
	UserKnown bool
	// Missing holds, by path of facts.Image, what could not be seen. What makes
	// "packages" incomplete makes "vulnerabilities" incomplete too.
	Missing map[string]facts.Missing
}

// malwareDigest gives equal lists equal names.
func malwareDigest(m map[[32]byte]string) string {
	lines := make([]string, 0, len(m))
	for sum, name := range m {
		lines = append(lines, fmt.Sprintf("%x %s\n", sum, name))
	}
	sort.Strings(lines)
	return shortDigest(lines)
}
