//go:build unix

package vm

import (
	"io/fs"
	"syscall"
)

// owner returns the owner of a file; known is false where the system has no such thing.
func owner(info fs.FileInfo) (uid, gid int, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(st.Uid), int(st.Gid), true
}
