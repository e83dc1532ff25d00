package isolation_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/isolation"
)

// plainContainer is what docker run makes of an image without further flags.
func plainContainer() *facts.EngineContainer {
	return &facts.EngineContainer{
		Name: "web", Engine: "docker", State: "running", Runtime: "runc", Root: "yes",
		Capabilities: []string{"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"},
		Namespaces:   facts.ContainerNamespaces{PID: "private", Network: "private", IPC: "private", UTS: "private", Cgroup: "private", User: "host"},
		Seccomp:      "RuntimeDefault", AppArmor: "docker-default", SELinux: "none", MaskedPaths: true,
	}
}

// hardContainer has what the flags of an engine can do on a shared kernel.
func hardContainer() *facts.EngineContainer {
	c := plainContainer()
	c.Root, c.Capabilities, c.NoNewPrivileges, c.ReadOnlyRoot = "no", []string{}, true, true
	c.Limits = facts.ContainerLimits{Memory: 64 << 20, PIDs: 100}
	return c
}

// Containers of an engine are scored as workloads are.
func TestEngineContainers(t *testing.T) {
	for name, c := range map[string]struct {
		facts  *facts.EngineContainer
		change func(*facts.EngineContainer)
		level  int
		score  int
		fact   string // of a breaker
	}{
		"plain": {facts: plainContainer(), level: 2, score: 3 + 6 + 6 + 3 + 6 + 1},
		"hard":  {facts: hardContainer(), level: 3, score: 8 + 6 + 4 + 6 + 6 + 6 + 6 + 1 + 2},
		"privileged": {facts: hardContainer(), change: func(c *facts.EngineContainer) {
			c.Privileged, c.Capabilities, c.Seccomp, c.AppArmor = true, []string{"ALL"}, "Unconfined", "Unconfined"
		}, level: 0, score: 5, fact: "privileged"},
		"privileged session": {facts: hardContainer(), change: func(c *facts.EngineContainer) { c.PrivilegedExecs = 1 }, level: 0, score: 5, fact: "privileged_execs"},
		"socket of the engine": {facts: hardContainer(), change: func(c *facts.EngineContainer) {
			c.Mounts = []facts.ContainerMount{{Type: "volume", Source: "/var/lib/docker/volumes/x/_data"}, {Type: "bind", Source: "/run/docker.sock", ReadOnly: true}}
		}, level: 0, score: 5, fact: "mounts[1].source"},
		"volume of the engine": {facts: hardContainer(), change: func(c *facts.EngineContainer) {
			c.Mounts = []facts.ContainerMount{{Type: "volume", Source: "/var/lib/docker/volumes/x/_data"}}
		}, level: 3, score: 45},
		"reads /etc": {facts: hardContainer(), change: func(c *facts.EngineContainer) {
			c.Mounts = []facts.ContainerMount{{Type: "bind", Source: "/etc", ReadOnly: true}}
		}, level: 1, score: 20, fact: "mounts[0].source"},
		"disk":        {facts: hardContainer(), change: func(c *facts.EngineContainer) { c.Devices = []facts.ContainerDevice{{Host: "/dev/sda"}} }, level: 1, score: 20, fact: "devices[0].host"},
		"device rule": {facts: hardContainer(), change: func(c *facts.EngineContainer) { c.DeviceRules = []string{"b 8:* rwm"} }, level: 1, score: 20, fact: "device_rules[0]"},
		"SYS_ADMIN":   {facts: plainContainer(), change: func(c *facts.EngineContainer) { c.Capabilities = append(c.Capabilities, "SYS_ADMIN") }, level: 0, score: 5, fact: "capabilities"},
		"SYS_ADMIN of a rootless engine": {facts: plainContainer(), change: func(c *facts.EngineContainer) {
			c.Capabilities, c.Rootless = append(c.Capabilities, "SYS_ADMIN"), true
		}, level: 2, score: 15 + 0 + 6 + 6 + 6 + 3 + 6 + 1},
		"remapped":       {facts: plainContainer(), change: func(c *facts.EngineContainer) { c.Namespaces.User = "private" }, level: 3, score: 15 + 3 + 6 + 6 + 6 + 3 + 6 + 1},
		"host processes": {facts: hardContainer(), change: func(c *facts.EngineContainer) { c.Namespaces.PID = "host" }, level: 1, score: 20, fact: "namespaces.pid"},
		"shares with a privileged one": {facts: hardContainer(), change: func(c *facts.EngineContainer) {
			c.Namespaces.PID, c.Namespaces.OtherPrivileged = "container", "true"
		}, level: 1, score: 20, fact: "namespaces.pid"},
		"shares with a plain one": {facts: hardContainer(), change: func(c *facts.EngineContainer) {
			c.Namespaces.PID, c.Namespaces.OtherPrivileged = "container", "false"
		}, level: 3, score: 45},
		"no filter and no module": {facts: hardContainer(), change: func(c *facts.EngineContainer) { c.Seccomp, c.AppArmor = "Unconfined", "none" }, level: 1, score: 20, fact: "seccomp"},
		"gVisor":                  {facts: hardContainer(), change: func(c *facts.EngineContainer) { c.Runtime, c.Sandboxed = "runsc", true }, level: 4, score: 75},
		"Kata":                    {facts: hardContainer(), change: func(c *facts.EngineContainer) { c.Runtime, c.Sandboxed = "kata", true }, level: 5, score: 85},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(c.facts)
			}
			in, ok := isolation.FromContainer(&facts.Resource{Kind: facts.KindContainer, ID: "docker/web", Facts: c.facts}, nil)
			if !ok {
				t.Fatal("it is taken for something else")
			}
			g, _ := isolation.Score(in)
			if g.Level != c.level || g.Score != c.score {
				t.Errorf("L%d %d, want L%d %d; %v\n%s", g.Level, g.Score, c.level, c.score, g.Breakers, lines(g))
			}
			if c.fact != "" && !slices.ContainsFunc(g.Breakers, func(b scanner.IsolationBreaker) bool { return b.Fact == c.fact }) {
				t.Errorf("no breaker names %s: %v", c.fact, g.Breakers)
			}
			for _, s := range g.Steps {
				for _, word := range []string{"host" + "Users", "RuntimeClass", "kubelet", "pod spec", "allowPrivilegeEscalation to", "runAsNonRoot,"} {
					if strings.Contains(s.Text, word) {
						t.Errorf("a step speaks of Kubernetes: %s", s.Text)
					}
				}
			}
		})
	}
}

// What the engine did not tell is not taken for good.
func TestEngineContainerNotSeen(t *testing.T) {
	whole, _ := isolation.FromContainer(&facts.Resource{Facts: hardContainer()}, nil)
	seen, _ := isolation.Score(whole)
	for _, path := range []string{"seccomp", "no_new_privileges", "read_only_root", "mounts", "namespaces", "apparmor", "limits"} {
		r := &facts.Resource{Facts: hardContainer(), Missing: map[string]facts.Missing{path: {Status: facts.Unknown, Reason: "it does not tell"}}}
		in, _ := isolation.FromContainer(r, nil)
		g, _ := isolation.Score(in)
		if g.Score >= seen.Score || g.Confidence >= seen.Confidence || g.Level > seen.Level {
			t.Errorf("%s is missing: L%d %d, %d%% known; with it L%d %d, %d%%", path, g.Level, g.Score, g.Confidence, seen.Level, seen.Score, seen.Confidence)
		}
	}
	r := &facts.Resource{Facts: hardContainer(), Missing: map[string]facts.Missing{"capabilities": {Status: facts.Unknown, Reason: "it does not tell"}}}
	in, _ := isolation.FromContainer(r, nil)
	if g, _ := isolation.Score(in); g.Score != 0 || g.Confidence != 0 || g.Level != 0 {
		t.Errorf("nothing is known, and it has L%d %d", g.Level, g.Score)
	}
}
