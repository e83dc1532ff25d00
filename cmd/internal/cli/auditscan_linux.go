package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// dieWithParent kills the scan where this process is killed, so that nobody scans
// for a run that was given to another worker.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// runBounded runs the command, and ends it where more than so many bytes of it are
// resident; 0 bounds nothing. The command has a thread of its own: the kernel takes
// the end of the thread that started a process for the end of its parent.
func runBounded(cmd *exec.Cmd, memory int64) error {
	started, done := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			done <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	for {
		if memory > 0 && resident(cmd.Process.Pid) > memory {
			_ = cmd.Process.Kill() // it may have ended by itself
			<-done                 //nolint:errcheck // that it was killed is known
			return errMemory
		}
		select {
		case err := <-done:
			return err
		case <-time.After(memoryEvery):
		}
	}
}

// memoryEvery is how often the memory of a scan is looked at.
const memoryEvery = 200 * time.Millisecond

// resident is how many bytes of a process are in memory; 0 where it has ended.
func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid)) // pages: the whole, the resident, …
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
