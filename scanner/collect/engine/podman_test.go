package engine

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postscan/postscan/scanner/facts"
)

// TestPodman looks at a real Podman with a hardened and a careless container.
func TestPodman(t *testing.T) {
	need(t, "podman", "conmon", "runc", "busybox", "ip", "unshare")
	dir := folder(t)
	socket := filepath.Join(dir, "podman.sock")
	global := []string{
		"--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run"), "--tmpdir", filepath.Join(dir, "tmp"),
		"--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", "runc", "--storage-driver", "vfs",
	}
	start(t, socket, append(append([]string{"podman"}, global...), "system", "service", "--time=0", "unix://"+socket)...)
	run := runner(t, "podman", global...)
	t.Cleanup(func() {
		if out, err := exec.Command("podman", append(slices.Clone(global), "rm", "-f", "-a", "-t", "0")...).CombinedOutput(); err != nil {
			t.Errorf("remove the containers: %v\n%s", err, out)
		}
	})
	archive := filepath.Join(dir, "base.tar")
	must(t, os.WriteFile(archive, rootfs(t), 0o644))
	run("import", archive, "base:1")
	limits := []string{"--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"}
	create := func(verb string, args ...string) {
		run(append(append([]string{verb}, limits...), args...)...)
	}
	create("run", "-d", "--name", "hardened", "--user", "10001:10001", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges",
		"--memory", "32m", "--pids-limit", "50", "--cpus", "0.5", "--network", "none", "base:1", "sleep", "600")
	create("create", "--name", "privileged", "--privileged", "--network", "none", "base:1", "sleep", "600")
	create("run", "-d", "--name", "careless", "--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--pid", "host", "--network", "host", "--ipc", "host",
		"--security-opt", "seccomp=unconfined", "-v", "/etc:/host", "-v", socket+":/s", "base:1", "sleep", "600")
	// Never started, so that only Podman's own API can tell its capabilities.
	create("create", "--name", "stopped", "--cap-add", "SYS_PTRACE", "--network", "none", "--read-only", "base:1", "sleep", "600")

	host := Options{Hosts: []string{"unix://" + socket}}
	s := collect(t, host)
	e := s.engine(t, "podman")
	if e.Version == "" || !e.Local || e.Rootless || e.Command != "podman" || e.Seccomp != "default" || slices.Contains(e.DefaultCapabilities, "NET_RAW") {
		t.Errorf("engine %+v", e)
	}
	if i := slices.IndexFunc(e.Components, func(c facts.EngineComponent) bool { return c.Name == "runc" }); i < 0 || e.Components[i].Version == "" {
		t.Errorf("components %+v", e.Components)
	}
	if c := s.container(t, "podman/stopped"); c.CapabilitiesFrom != "engine" || !slices.Contains(c.Capabilities, "SYS_PTRACE") || c.Limits.PIDs != 2048 {
		t.Errorf("stopped %+v", c)
	}
	want := map[string][]string{
		"podman/privileged": {
			"PS-ENG-004 critical privileged", "PS-ENG-008 low user", "PS-ENG-013 info cpu", "PS-ENG-013 low memory", "PS-ENG-014 low root",
		},
		"podman/careless": {
			"PS-ENG-003 critical /s", "PS-ENG-005 high DAC_READ_SEARCH", "PS-ENG-005 high MAC_ADMIN", "PS-ENG-005 high NET_ADMIN", "PS-ENG-005 high SYS_ADMIN",
			"PS-ENG-005 high SYS_BOOT", "PS-ENG-005 high SYS_MODULE", "PS-ENG-005 high SYS_PTRACE", "PS-ENG-005 high SYS_RAWIO", "PS-ENG-006 high network",
			"PS-ENG-006 high pid", "PS-ENG-007 medium ipc", "PS-ENG-008 low user", "PS-ENG-009 high seccomp", "PS-ENG-011 low no_new_privileges",
			"PS-ENG-012 critical /host", "PS-ENG-013 info cpu", "PS-ENG-013 low memory", "PS-ENG-014 low root",
		},
		"podman/stopped": {
			"PS-ENG-005 high SYS_PTRACE", "PS-ENG-008 low user", "PS-ENG-011 low no_new_privileges", "PS-ENG-013 info cpu", "PS-ENG-013 low memory",
		},
	}
	got := findings(t, host)
	// BPF and PERFMON are given where the kernel and the engine know them.
	got["podman/careless"] = slices.DeleteFunc(got["podman/careless"], func(f string) bool { return strings.HasSuffix(f, " BPF") || strings.HasSuffix(f, " PERFMON") })
	// Debian's policy accepts any image; other machines may differ.
	if list := got["podman"]; len(list) > 0 && list[0] == "PS-ENG-016 medium signatures" {
		if list = list[1:]; len(list) == 0 {
			delete(got, "podman")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
