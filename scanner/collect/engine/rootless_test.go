package engine

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postscan/postscan/scanner/facts"
)

// asUser starts a command as an ordinary user with a range of users of its own. In
// the mount namespace of the daemon the user exists and has the range, so that
// nothing of the machine is changed.
const asUser = `set -e
ip link set lo up
for f in passwd group subuid subgid; do mount --bind "$DIR/etc/$f" "/etc/$f"; done
exec setpriv --reuid 20001 --regid 20001 --clear-groups \
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$DIR/home" XDG_RUNTIME_DIR="$DIR/run" USER=tester DIR="$DIR" "$@"`

// startRootless starts an engine as an ordinary user and returns what runs Docker's client against it.
func startRootless(t *testing.T, socket string, command ...string) (client func(args ...string) string) {
	t.Helper()
	dir := filepath.Dir(filepath.Dir(socket))
	writeFile(t, dir, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\ntester:x:20001:20001::"+dir+"/home:/bin/sh\n")
	writeFile(t, dir, "etc/group", "root:x:0:\ntester:x:20001:\n")
	writeFile(t, dir, "etc/subuid", "tester:200000:65536\n")
	writeFile(t, dir, "etc/subgid", "tester:200000:65536\n")
	must(t, os.Chmod(dir, 0o755))
	for _, own := range []string{"home", "run"} {
		must(t, os.MkdirAll(filepath.Join(dir, own), 0o700))
		must(t, os.Chown(filepath.Join(dir, own), 20001, 20001))
	}
	for _, f := range []string{"/etc/subuid", "/etc/subgid"} { // a file is bound on another only
		if _, err := os.Stat(f); err != nil {
			t.Fatalf("%s is not there: install uidmap", f)
		}
	}
	t.Setenv("DIR", dir)
	launch(t, socket, &syscall.SysProcAttr{Setpgid: true}, append([]string{"sh", "-c", asUser, "user"}, command...)...)
	client = runner(t, "docker", "-H", "unix://"+socket)
	archive := filepath.Join(dir, "base.tar")
	must(t, os.WriteFile(archive, rootfs(t), 0o644))
	client("import", archive, "base:1")
	return client
}

// rootlessContainers makes a hardened container that runs and two careless ones, which rights of an ordinary user bound.
func rootlessContainers(client func(args ...string) string) {
	limits := []string{"--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"}
	for _, args := range [][]string{
		{"run", "-d", "--name", "hardened", "--user", "10001:10001", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none", "base:1", "sleep", "600"},
		{"create", "--name", "privileged", "--privileged", "--network", "none", "--read-only", "base:1", "sleep", "600"},
		{"create", "--name", "careless", "--network", "none", "--read-only", "-v", "/etc:/host", "--security-opt", "no-new-privileges", "base:1", "sleep", "600"},
	} {
		client(append(append([]string{args[0]}, limits...), args[1:]...)...)
	}
}

// bounded leaves out what no machine without control groups of version 2 can set for an ordinary user.
func bounded(got map[string][]string) map[string][]string {
	for id, list := range got {
		got[id] = slices.DeleteFunc(list, func(f string) bool { return strings.HasPrefix(f, "PS-ENG-013 ") })
		if len(got[id]) == 0 || !strings.Contains(id, "/") {
			delete(got, id)
		}
	}
	return got
}

func rootlessEngine(t *testing.T, s *seen, name string) {
	t.Helper()
	e := s.engine(t, name)
	if !e.Rootless || e.UserNamespaces != "rootless" || !e.Local {
		t.Errorf("engine %+v", e)
	}
	if c := s.container(t, name+"/hardened"); !c.Rootless || c.State != "running" || c.Namespaces.User != "private" || !c.NoNewPrivileges || len(c.Capabilities) > 0 {
		t.Errorf("hardened %+v", c)
	}
}

// endPause ends the process that holds a rootless Podman's user namespace, which outlives Podman.
func endPause(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return // it did not come that far
	}
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(t, err)
	if name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline")); err == nil && strings.HasPrefix(string(name), "podman") {
		must(t, syscall.Kill(pid, syscall.SIGKILL))
	}
}

// TestRootlessPodman looks at a real Podman of an ordinary user.
func TestRootlessPodman(t *testing.T) {
	need(t, "podman", "conmon", "runc", "docker", "newuidmap", "setpriv", "busybox", "ip", "unshare")
	dir := folder(t)
	socket := filepath.Join(dir, "run", "podman.sock")
	t.Cleanup(func() { endPause(t, filepath.Join(dir, "run", "libpod", "tmp", "pause.pid")) })
	client := startRootless(t, socket, "podman", "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--storage-driver", "vfs", "--runtime", "runc",
		"system", "service", "--time=0", "unix://"+socket)
	t.Cleanup(func() { client("rm", "-f", "hardened") })
	rootlessContainers(client)
	host := Options{Hosts: []string{"unix://" + socket}}
	s := collect(t, host)
	rootlessEngine(t, s, "podman")
	want := map[string][]string{
		"podman/privileged": {"PS-ENG-004 medium privileged"},
		"podman/careless":   {"PS-ENG-012 medium /host"},
	}
	if diff := cmp.Diff(want, bounded(findings(t, host))); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestRootlessDocker looks at a real dockerd of an ordinary user.
func TestRootlessDocker(t *testing.T) {
	need(t, "dockerd", "docker", "rootlesskit", "runc", "newuidmap", "setpriv", "busybox", "ip", "unshare")
	dir := folder(t)
	socket := filepath.Join(dir, "run", "docker.sock")
	// Without the folders of the machine's own Docker, in a network namespace whose settings are the user's.
	const daemon = `rm -rf /run/docker /run/containerd /run/xtables.lock; exec unshare -n -m dockerd --rootless -H "unix://$DIR/run/docker.sock" \
  --data-root "$DIR/home/data" --exec-root "$DIR/run/exec" -p "$DIR/run/pid" --storage-driver vfs --iptables=false --ip6tables=false`
	client := startRootless(t, socket, "rootlesskit", "--net=host", "--state-dir="+dir+"/run/rk", "--copy-up=/etc", "--copy-up=/run", "--propagation=rslave", "sh", "-c", daemon)
	t.Cleanup(func() { client("rm", "-f", "hardened") })
	rootlessContainers(client)
	host := Options{Hosts: []string{"unix://" + socket}}
	s := collect(t, host)
	rootlessEngine(t, s, "docker")
	if e := s.engine(t, "docker"); e.Command != "dockerd" || e.IPTables {
		t.Errorf("engine %+v", e)
	}
	if i := slices.IndexFunc(s.engine(t, "docker").Files, func(f facts.EngineFile) bool { return f.Role == "socket" }); i < 0 || !s.engine(t, "docker").Files[i].Rootless {
		t.Errorf("files %+v", s.engine(t, "docker").Files)
	}
	want := map[string][]string{
		"docker/privileged": {"PS-ENG-004 medium privileged"},
		"docker/careless":   {"PS-ENG-012 medium /host"},
	}
	if diff := cmp.Diff(want, bounded(findings(t, host))); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
