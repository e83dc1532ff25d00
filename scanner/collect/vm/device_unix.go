//go:build unix && !linux

package vm

import (
	"io/fs"
	"syscall"
)

// device is the number of the file system that holds a file.
func device(info fs.FileInfo) (uint64, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(st.Dev), true
}
