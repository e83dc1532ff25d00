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
// resident beside the scan. Nothing is lost: these mappings are never written, and
// what is needed again comes from the page cache at the cost of a minor fault.
// Whatever fails here changes nothing but that, so it is not reported.
func dropStartupPages() {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer func() { _ = maps.Close() }() // it was only read
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		// 00400000-02790000 r-xp 00000000 fe:00 11077557    /usr/bin/postscan
		fields := strings.Fields(lines.Text())
		if len(fields) < 6 || fields[5] != self || strings.ContainsRune(fields[1], 'w') {
			continue
		}
		from, to, _ := strings.Cut(fields[0], "-")
		start, err1 := strconv.ParseUint(from, 16, 64)
		end, err2 := strconv.ParseUint(to, 16, 64)
		if err1 != nil || err2 != nil || end <= start {
			continue
		}
		// Pages that are no code may hold what the dynamic linker wrote before it took
		// the right to write away: they are paged out, where nothing can be lost.
		advice := unix.MADV_PAGEOUT
		if strings.ContainsRune(fields[1], 'x') {
			advice = unix.MADV_DONTNEED
		}
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(start), uintptr(end-start), uintptr(advice))
	}
}
