//go:build unix

package vulndb

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The environment of the process that updates where there is no space.
const (
	helperDir  = "POSTSCAN_TEST_UPDATE_DIR"
	helperAddr = "POSTSCAN_TEST_UPDATE_ADDR"
)

// updateWithoutSpace runs Update in a process that may not write files of more
// than 16 KiB, and prints what it says.
func updateWithoutSpace(dir string) {
	signal.Ignore(syscall.SIGXFSZ) // so that writing fails instead of the process
	limit := syscall.Rlimit{Cur: 16 << 10, Max: 16 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println(err)
		return
	}
	s := &server{addr: os.Getenv(helperAddr)}
	_, err := Update(context.Background(), s.options(dir, "db:2"))
	fmt.Println(err)
}

func TestUpdateKeepsTheOldDatabaseWhereThereIsNoSpace(t *testing.T) {
	s := newServer(t)
	s.pushDatabase(t, "db:2", manyPackages(500))
	dir := write(t, fixture(t))
	before, err := os.ReadFile(databasePath(dir))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir, helperAddr+"="+s.addr)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), syscall.EFBIG.Error()) {
		t.Errorf("Update without space: %v, says\n%s", err, out)
	}
	after, err := os.ReadFile(databasePath(dir))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the old database changed (%v)", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, tempName)); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
	open(t, Options{Dir: dir})
}
