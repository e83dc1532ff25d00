package cli

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// dropStartupPages takes the pages of the program's own file out of its memory. To
// initialise what is linked in (the kinds of Kubernetes, Helm, OPA) two thirds of
// the file are read, of which a scan needs a fourth; without this the rest stays
// resident beside the scan. Nothing is lost: what is needed again comes from the
// page cache at the cost of a minor fault. A mapping of which the dynamic linker
// wrote a page, before it took the right to write away, is left alone. Whatever
// fails here changes nothing but that, so it is not reported.
func dropStartupPages() {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer func() { _ = maps.Close() }() // it was only read
	var own []string                    // fields of the mapping's first line; nil for another file's, or one that can be written
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		// 00400000-02790000 r-xp 00000000 fe:00 11077557    /usr/bin/postscan
		// …
		// Anonymous:             0 kB
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) >= 5 && len(fields[1]) == 4:
			own = nil
			if len(fields) == 6 && fields[5] == self && !strings.ContainsRune(fields[1], 'w') {
				own = fields
			}
		case own != nil && len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0":
			drop(own[0])
		}
	}
}

// drop unmaps the pages of a range of addresses, "00400000-02790000".
func drop(addresses string) {
	from, to, _ := strings.Cut(addresses, "-")
	start, err1 := strconv.ParseUint(from, 16, 64)
	end, err2 := strconv.ParseUint(to, 16, 64)
	if err1 == nil && err2 == nil && start < end {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(start), uintptr(end-start), unix.MADV_DONTNEED)
	}
}
