// Command postscan tells how well containers, VMs and clusters are isolated, and
// what would break that isolation. Everything of it stands in cmd/internal/cli.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // the image has no database of time zones, and schedules name some

	"github.com/postscan/postscan/cmd/internal/cli"
)

var version string // set by the linker for releases; never changed

func main() {
	signal.Ignore(syscall.SIGPIPE) // a reader that has enough of the report does not change the exit code
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(cli.Main(ctx, cli.Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Environ: os.Environ(), Now: time.Now, Version: cli.BuildVersion(version),
	}))
}
