package cli

import (
	"os/exec"
	"runtime"
	"syscall"
)

// dieWithParent kills the scan where this process is killed, so that nobody scans
// for a run that was given to another worker.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// runLocked runs the command on a thread of its own: the kernel takes the end of
// the thread that started a process for the end of its parent.
func runLocked(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		done <- cmd.Run()
	}()
	return <-done
}
