package audit

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// thisWorker names this process so that another one on the same machine can tell
// whether it still lives: the boot, the namespace of process ids, the id, and when
// it started, which tells it from a later process of the same id.
func thisWorker() string {
	pid := os.Getpid()
	return fmt.Sprintf("%s/%s/%d/%s", boot(), namespace(), pid, started(pid))
}

// dead says whether the worker is known to be gone. One of another machine, of
// another namespace, or of a system that cannot tell, is not.
func dead(worker string) bool {
	alive, known := alive(worker)
	return known && !alive
}

// living says whether the worker is known to live.
func living(worker string) bool {
	alive, known := alive(worker)
	return known && alive
}

func alive(worker string) (alive, known bool) {
	part := strings.Split(worker, "/")
	if len(part) != 4 || part[0] == "" || part[0] != boot() || part[1] != namespace() {
		return false, false
	}
	pid, err := strconv.Atoi(part[2])
	return err == nil && started(pid) == part[3], err == nil
}

// boot identifies this start of this machine; empty where it cannot be told.
func boot() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// namespace identifies the namespace that process ids belong to.
func namespace() string {
	link, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.Trim(strings.TrimPrefix(link, "pid:"), "[]")
}

// started is when the process began, in clock ticks since the boot; empty where
// there is none, or where it has ended and only waits to be reaped.
func started(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field, the name, may hold spaces and brackets.
	_, rest, ok := strings.Cut(string(b[max(0, strings.LastIndexByte(string(b), ')')):]), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}
