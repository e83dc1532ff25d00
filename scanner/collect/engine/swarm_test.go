package engine

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postscan/postscan/scanner/facts"
)

// swarmNet starts engines that reach each other: each in a network namespace of its own, joined by a bridge in one above them,
// so that the machine's own network is untouched. $1 is the folder that has one for each engine.
const swarmNet = `set -e
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
for d in "$1"/*/; do
  i=$(basename "$d")
  unshare -n sh -c 'echo $$ > "$0/ns"; exec sleep 100000' "$d" &
  while ! [ -s "$d/ns" ]; do sleep 0.05; done
  p=$(cat "$d/ns")
  ip link add "v$i" type veth peer name eth0 netns "$p"
  ip link set "v$i" master br0 up
  nsenter -t "$p" -n sh -c 'ip link set lo up; ip addr add "10.77.0.$1/24" dev eth0; ip link set eth0 up
    exec dockerd -H "unix://$0/docker.sock" --config-file "$0/daemon.json" --data-root "$0/data" --exec-root "$0/exec" -p "$0/pid"' "$d" "$i" > "$d/log" 2>&1 &
done
wait`

// startSwarm starts so many engines that reach each other at 10.77.0.1, 10.77.0.2 and on.
func startSwarm(t *testing.T, n int) []*docker20 {
	t.Helper()
	need(t, "dockerd", "docker", "containerd", "runc", "iptables", "busybox", "ip", "unshare", "nsenter")
	dir := folder(t)
	var all []*docker20
	for i := range n {
		own := filepath.Join(dir, fmt.Sprint(i+1))
		writeFile(t, own, "daemon.json", `{"icc": false, "userland-proxy": false}`)
		all = append(all, &docker20{dir: own, socket: own + "/docker.sock", run: runner(t, "docker", "-H", "unix://"+own+"/docker.sock")})
	}
	net := exec.Command("unshare", "-n", "-m", "sh", "-c", swarmNet, "sh", dir)
	net.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, net.Start())
	t.Cleanup(func() { // the engines end by themselves, what is left with its group
		for _, d := range all {
			if b, err := os.ReadFile(d.dir + "/pid"); err == nil {
				var pid int
				if _, err := fmt.Sscan(string(b), &pid); err == nil && pid > 1 {
					_ = syscall.Kill(pid, syscall.SIGTERM)
				}
			}
		}
		for range 400 {
			alive := false
			for _, d := range all {
				_, err := os.Stat(d.dir + "/pid") // an engine that has ended takes it away
				alive = alive || err == nil
			}
			if !alive {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		_ = syscall.Kill(-net.Process.Pid, syscall.SIGKILL)
		_ = net.Wait()
	})
	for _, d := range all {
		listens(t, d.socket, d.dir+"/log")
	}
	return all
}

// listens waits until somebody listens on a socket.
func listens(t testing.TB, socket, log string) {
	t.Helper()
	for range 2400 {
		if c, err := net.Dial("unix", socket); err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(log)
	t.Fatalf("nothing listens on %s after two minutes:\n%s", socket, text)
}

// TestSwarmOfThree looks at a swarm of three real managers, of which one becomes a worker.
func TestSwarmOfThree(t *testing.T) {
	engines := startSwarm(t, 3)
	first := engines[0]
	first.run("swarm", "init", "--advertise-addr", "10.77.0.1", "--cert-expiry", "8760h", "--autolock")
	token := first.run("swarm", "join-token", "-q", "manager")
	for i, d := range engines[1:] {
		d.run("swarm", "join", "--advertise-addr", fmt.Sprintf("10.77.0.%d", i+2), "--token", token, "10.77.0.1:2377")
	}
	first.run("network", "create", "-d", "overlay", "clear")
	first.run("network", "create", "-d", "overlay", "--opt", "encrypted", "closed")
	secret := exec.Command("docker", "-H", "unix://"+first.socket, "secret", "create", "key", "-")
	secret.Stdin = strings.NewReader(fakeSecret())
	if out, err := secret.CombinedOutput(); err != nil {
		t.Fatalf("create a secret: %v\n%s", err, out)
	}
	first.run("service", "create", "--detach", "--no-resolve-image", "--replicas", "0", "--name", "careful", "--network", "closed", "--secret", "key", "base:1", "sleep", "600")
	first.run("service", "create", "--detach", "--no-resolve-image", "--replicas", "0", "--name", "careless", "-e", "SECRET_KEY="+fakeSecret(), "base:1", "sleep", "600")

	// Every manager tells the same of the swarm.
	both := []string{
		"PS-ENG-020 medium certificates", "PS-ENG-021 medium network clear", "PS-ENG-021 medium network ingress", "PS-ENG-021 medium service careless env SECRET_KEY test",
	}
	for i, d := range engines[:2] {
		waitFor(t, d, "the third manager", func() bool { return strings.Count(d.run("node", "ls", "--format", "{{.ManagerStatus}}"), "able") == 2 }) // the others are Reachable
		host := Options{Hosts: []string{"unix://" + d.socket}}
		e := collect(t, host).engine(t, "docker")
		s := e.Swarm
		if s.State != "active" || !s.Manager || s.Managers != 3 || s.Workers != 0 || !s.AutoLock || s.CertificateDays != 365 || s.Secrets != 1 || len(s.Services) != 2 || s.Services[0].Secrets != 1 {
			t.Errorf("manager %d: %+v", i+1, s)
		}
		roles := map[string]bool{}
		for _, c := range e.Certificates {
			ends, err := time.Parse(time.RFC3339, c.NotAfter)
			must(t, err)
			roles[filepath.Base(c.Path)] = c.Role == "swarm" && time.Until(ends) > 30*24*time.Hour
		}
		if !roles["swarm-node.crt"] || !roles["swarm-root-ca.crt"] {
			t.Errorf("manager %d: certificates %+v", i+1, e.Certificates)
		}
		if diff := cmp.Diff(map[string][]string{"docker": both}, findings(t, host)); diff != "" {
			t.Errorf("manager %d: findings (-want +got):\n%s", i+1, diff)
		}
	}

	// A worker does not know of the swarm: that is not assessed, and never good. Two managers are too few, and run tasks.
	third := engines[2]
	name := third.run("info", "--format", "{{.Swarm.NodeID}}")
	first.run("node", "demote", name)
	waitFor(t, third, "the third engine to be a worker", func() bool {
		return third.run("info", "--format", "{{.Swarm.ControlAvailable}} {{.Swarm.LocalNodeState}}") == "false active"
	})
	r := collect(t, Options{Hosts: []string{"unix://" + third.socket}}).resources["docker"]
	if m := r.Missing["swarm.autolock"]; m.Status != facts.NotAssessed || !strings.Contains(m.Reason, "worker") {
		t.Errorf("worker: %+v", r.Missing)
	}
	got := findings(t, Options{Hosts: []string{"unix://" + first.socket}})["docker"]
	want := append([]string{"PS-ENG-020 low managers", "PS-ENG-020 low tasks"}, both...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with two managers (-want +got):\n%s", diff)
	}
}

// waitFor waits for what happens in the background of a swarm.
func waitFor(t *testing.T, d *docker20, what string, done func() bool) {
	t.Helper()
	for range 600 {
		if done() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	log, _ := os.ReadFile(d.dir + "/log")
	t.Fatalf("waited a minute for %s:\n%s", what, log)
}
