package engine

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// need skips loudly where a real part is missing on a laptop, and fails in CI.
func need(t testing.TB, programs ...string) {
	t.Helper()
	var missing []string
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	if os.Getuid() != 0 {
		missing = append(missing, "root")
	}
	switch {
	case len(missing) == 0:
	case os.Getenv("CI") == "true":
		t.Fatalf("CI must have: %s", strings.Join(missing, ", "))
	default:
		t.Skipf("SKIPPED: a real engine is not tested without: %s", strings.Join(missing, ", "))
	}
}

// folder is a folder with a short path: that of a socket may have about 100 bytes.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ps-eng-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start runs a daemon in namespaces of its own for network and mounts, and stops it at the end.
func start(t testing.TB, socket string, command ...string) *exec.Cmd {
	t.Helper()
	return launch(t, socket, nil, command...)
}

// launch is start with attributes of the process. One that leads a group is ended with all of it: a Podman without root
// works in a child, which outlives it where that does not end in time.
func launch(t testing.TB, socket string, attr *syscall.SysProcAttr, command ...string) *exec.Cmd {
	t.Helper()
	log, err := os.Create(filepath.Join(filepath.Dir(socket), "daemon.log"))
	must(t, err)
	t.Cleanup(func() { _ = log.Close() })
	args := []string{"-n", "-m", "sh", "-c", `ip link set lo up; exec "$@"`, "daemon"}
	cmd := exec.Command("unshare", append(args, command...)...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, attr
	// An address in the environment would make podman a client of that.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "CONTAINER_HOST=") })
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		if attr != nil && attr.Setpgid {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // mostly nobody is left
		}
	})
	listens(t, socket, log.Name())
	return cmd
}

// runner runs a client of the daemon.
func runner(t testing.TB, program string, global ...string) func(args ...string) string {
	return func(args ...string) string {
		t.Helper()
		out, err := exec.Command(program, append(slices.Clone(global), args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
}

// rootfs is a tar archive of a small system: busybox and two users.
func rootfs(t testing.TB) []byte {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	must(t, err)
	program, err := os.ReadFile(busybox)
	must(t, err)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(h tar.Header, body []byte) {
		h.Size = int64(len(body))
		must(t, w.WriteHeader(&h))
		_, err := w.Write(body)
		must(t, err)
	}
	for _, dir := range []string{"bin", "etc", "tmp", "proc", "sys", "dev"} {
		add(tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}, nil)
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755}, program)
	for _, name := range []string{"sh", "sleep"} {
		add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox"}, nil)
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644}, []byte("root:x:0:0::/:/bin/sh\napp:x:10001:10001::/:/bin/sh\n"))
	must(t, w.Close())
	return b.Bytes()
}

// writeFile writes a file below a folder and returns its path.
func writeFile(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// docker is a real dockerd.
type docker20 struct {
	dir, socket string
	run         func(args ...string) string
}

// startDocker runs dockerd with the configuration, and imports an image as base:1.
func startDocker(t testing.TB, config string, flags ...string) *docker20 {
	t.Helper()
	need(t, "dockerd", "docker", "containerd", "runc", "iptables", "busybox", "ip", "unshare")
	d := &docker20{dir: folder(t)}
	d.socket = filepath.Join(d.dir, "docker.sock")
	file := writeFile(t, d.dir, "daemon.json", config)
	start(t, d.socket, append([]string{
		"dockerd", "--config-file", file, "-H", "unix://" + d.socket, "--data-root", filepath.Join(d.dir, "data"),
		"--exec-root", filepath.Join(d.dir, "exec"), "-p", filepath.Join(d.dir, "pid"),
	}, flags...)...)
	d.run = runner(t, "docker", "-H", "unix://"+d.socket)
	t.Cleanup(func() { // before the daemon stops
		ids := strings.Fields(d.run("ps", "-aq"))
		if len(ids) > 0 {
			d.run(append([]string{"rm", "-f"}, ids...)...)
		}
	})
	archive := filepath.Join(d.dir, "base.tar")
	must(t, os.WriteFile(archive, rootfs(t), 0o644))
	d.run("import", archive, "base:1")
	return d
}

// fakeSecret looks like a credential to a detector and is none.
func fakeSecret() string { return fmt.Sprintf("wJalrXUtnFEMI%040d", 7) }
