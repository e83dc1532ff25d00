package engine

import (
	"context"
	"io/fs"
	"net"
	"strconv"
	"syscall"
	"time"
)

// owner returns the numbers of a file's owner and group.
func owner(st fs.FileInfo) (uid, gid string, ok bool) {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return "", "", false
	}
	return strconv.Itoa(int(sys.Uid)), strconv.Itoa(int(sys.Gid)), true
}

// socketOwner is the process that listens on a socket; 0 where nobody can tell.
func socketOwner(ctx context.Context, path string) int {
	d := net.Dialer{Timeout: 2 * time.Second}
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return 0
	}
	defer c.Close() //nolint:errcheck // nothing was written
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0
	}
	pid := 0
	_ = raw.Control(func(fd uintptr) { // pid stays 0
		if cred, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED); err == nil {
			pid = int(cred.Pid)
		}
	})
	return pid
}
