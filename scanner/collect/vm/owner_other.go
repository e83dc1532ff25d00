//go:build !unix

package vm

import "io/fs"

// owner returns the owner of a file; known is false where the system has no such thing.
func owner(fs.FileInfo) (uid, gid int, known bool) { return 0, 0, false }

// device is the number of the file system that holds a file.
func device(fs.FileInfo) (uint64, bool) { return 0, false }
