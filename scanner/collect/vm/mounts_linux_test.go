package vm_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/postscan/postscan/scanner/collect/vm"
	"github.com/postscan/postscan/scanner/facts"
)

// ownMounts is set for the process that has a mount namespace of its own.
const ownMounts = "POSTSCAN_TEST_OWN_MOUNTS"

// The walk stays in the file system of the root: what is mounted below it is entered where --file-system names it only,
// and packages are unknown in part where a disk was left out. The mounts are real ones, in a mount namespace of their own.
func TestOtherFileSystems(t *testing.T) {
	if os.Getenv(ownMounts) != "" {
		otherFileSystems(t)
		return
	}
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI must have root")
		}
		t.Skip("SKIPPED: the walk is not tested with mounts without root")
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestOtherFileSystems$", "-test.v")
	cmd.Env = append(os.Environ(), ownMounts+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestOtherFileSystems")) {
		t.Errorf("in a mount namespace: %v\n%s", err, out)
	}
}

func otherFileSystems(t *testing.T) {
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")) // nothing gets out of here
	// The folder of the tests may itself be in memory; a disk is known by its type.
	root := guest().with(files{"opt": "dir", "srv": "dir", "mnt": "dir"}).write(t)
	mount := func(source, name, fstype string, flags uintptr) {
		t.Helper()
		must(t, unix.Mount(source, filepath.Join(root, name), fstype, flags, ""))
		t.Cleanup(func() { must(t, unix.Unmount(filepath.Join(root, name), unix.MNT_DETACH)) })
	}
	node := func(name string) {
		t.Helper()
		full := filepath.Join(root, name, "node_modules", strings.ReplaceAll(name, "/", "-"), "package.json")
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		must(t, os.WriteFile(full, []byte(`{"name": "`+strings.ReplaceAll(name, "/", "-")+`", "version": "1.0.0"}`), 0o600))
	}
	mount("tmpfs", "opt", "tmpfs", 0)
	node("opt")
	mount("tmpfs", "mnt", "tmpfs", 0)
	node("mnt")
	node("srv")

	has := func(doc *facts.VM, name string) bool {
		return slices.ContainsFunc(doc.Packages, func(p facts.Package) bool { return p.Name == name })
	}
	doc, r := machine(t, vm.Options{Root: root})
	if !has(doc, "srv") || has(doc, "opt") || has(doc, "mnt") {
		t.Errorf("packages %+v", doc.Packages)
	}
	if m, ok := r.MissingAt("packages"); ok { // what is in memory is gone after a start
		t.Errorf("packages: %+v", m)
	}
	doc, _ = machine(t, vm.Options{Root: root, FileSystems: []string{"/opt"}})
	if !has(doc, "srv") || !has(doc, "opt") || has(doc, "mnt") {
		t.Errorf("with --file-system /opt: packages %+v", doc.Packages)
	}
	_, r = machine(t, vm.Options{Root: root, FileSystems: []string{"/nowhere"}})
	if m, ok := r.MissingAt("packages"); !ok || m.Status != facts.Unknown || !strings.Contains(m.Reason, "/nowhere cannot be entered") {
		t.Errorf("with --file-system /nowhere: packages %+v", m)
	}

	// Layers over a system, as an extension of systemd puts them over /usr, are a file system of their own, and a disk.
	lower := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "usr/local"), 0o755))
	must(t, unix.Mount("overlay", filepath.Join(root, "usr/local"), "overlay", unix.MS_RDONLY, "lowerdir="+lower+":"+filepath.Join(root, "etc")))
	t.Cleanup(func() { must(t, unix.Unmount(filepath.Join(root, "usr/local"), unix.MNT_DETACH)) })
	_, r = machine(t, vm.Options{Root: root})
	for _, where := range []string{"packages", "vulnerabilities"} {
		if m, ok := r.MissingAt(where); !ok || m.Status != facts.Unknown || where == "packages" && !strings.Contains(m.Reason, "/usr/local; give it with --file-system") {
			t.Errorf("%s: %+v", where, m)
		}
	}
}
