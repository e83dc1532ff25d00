package engine

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner/facts"
)

// authority signs certificates for tests.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	a := &authority{key: key, cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(240 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, key.Public(), key)
	must(t, err)
	a.cert, err = x509.ParseCertificate(der)
	must(t, err)
	return a
}

// folder writes ca.pem, and cert.pem and key.pem of a certificate that it signs.
func (a *authority) folder(t testing.TB, dir, name string, notAfter time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: notAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	must(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	writeFile(t, dir, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})))
	writeFile(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	must(t, os.Chmod(writeFile(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}))), 0o600))
}

// inside runs one test of this package in the network namespace of a process, with an environment of its own.
func inside(t *testing.T, pid int, test string, env ...string) {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), "nsenter", "-t", fmt.Sprint(pid), "-n", exe, "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: "+test)) {
		t.Errorf("inside of the namespace: %v\n%s", err, out)
	}
}

// tlsFolder is where the certificates are for the process of [TestDockerByTLS] that looks, in its environment.
const tlsFolder = "POSTSCAN_TEST_TLS"

// A real dockerd by TCP asks for a certificate of its client: who has one sees the engine, who has none or a wrong one is told
// what to do. It listens in a network namespace of its own, and another process of this test looks from in there.
func TestDockerByTLS(t *testing.T) {
	if dir := os.Getenv(tlsFolder); dir != "" {
		lookByTLS(t, dir)
		return
	}
	need(t, "dockerd", "docker", "nsenter")
	dir := folder(t)
	ours := newAuthority(t)
	ours.folder(t, dir+"/server", "engine", time.Now().Add(240*time.Hour))
	ours.folder(t, dir+"/client", "client", time.Now().Add(240*time.Hour))
	newAuthority(t).folder(t, dir+"/wrong", "client", time.Now().Add(240*time.Hour))
	wrong, err := os.ReadFile(dir + "/wrong/cert.pem")
	must(t, err)
	key, err := os.ReadFile(dir + "/wrong/key.pem")
	must(t, err)
	ours.folder(t, dir+"/stranger", "x", time.Now().Add(240*time.Hour))
	writeFile(t, dir, "stranger/cert.pem", string(wrong)) // it believes the engine, and the engine does not believe it
	writeFile(t, dir, "stranger/key.pem", string(key))
	d := startDocker(t, fmt.Sprintf(`{"tls": true, "tlsverify": true, "tlscacert": %q, "tlscert": %q, "tlskey": %q}`, dir+"/server/ca.pem", dir+"/server/cert.pem", dir+"/server/key.pem"),
		"-H", "tcp://127.0.0.1:2376")
	d.run("create", "--name", "one", "base:1", "sleep", "600")
	inside(t, pidOf(t, d.dir+"/pid"), "TestDockerByTLS", tlsFolder+"="+dir)

	// On the machine itself its files tell the same, and how long its certificates hold.
	e := collect(t, Options{Hosts: []string{"unix://" + d.socket}}).engine(t, "docker")
	if l := e.Listeners; len(l) != 2 || l[1].Network != "tcp" || !l[1].TLS || !l[1].ClientVerification {
		t.Errorf("listeners %+v", l)
	}
	if c := e.Certificates; len(c) != 2 || c[1].Path != dir+"/server/cert.pem" || c[1].Role != "api" || c[1].Subject != "CN=engine" {
		t.Errorf("certificates %+v", c)
	}
}

// Certificates of the engine's API, of registries and of the swarm are told with their end; one that nobody can read is unknown.
func TestCertificates(t *testing.T) {
	root := folder(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // as the evaluator has it
	a := newAuthority(t)
	a.folder(t, root+"/root/.docker", "old", now.Add(-time.Hour))
	a.folder(t, root+"/x", "registry", now.Add(240*time.Hour))
	must(t, os.MkdirAll(root+"/etc/docker/certs.d/registry.example", 0o755))
	must(t, os.Rename(root+"/x/cert.pem", root+"/etc/docker/certs.d/registry.example/client.cert"))
	writeFile(t, root, "etc/docker/daemon.json", `{"tls": true}`)
	writeFile(t, root, "var/lib/docker/swarm/certificates/swarm-node.crt", "no certificate")
	e := serveEngine(t, behaviour{info: func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"ID": "T", "ServerVersion": "28.2.2", "OSType": "linux", "CgroupVersion": "2", "DockerRootDir": "/var/lib/docker"}`)) // who hung up is not told
	}})
	r := collect(t, Options{Hosts: e.host(), Root: root}).resources["docker"]
	if m := r.Missing["certificates"]; m.Status != facts.Unknown || !m.Partial || !strings.Contains(m.Reason, "swarm-node.crt") {
		t.Errorf("missing %+v", m)
	}
	outcomes, err := evaluator(t).Evaluate(t.Context(), r)
	must(t, err)
	var got []string
	for _, o := range outcomes {
		for _, v := range o.Violations {
			if o.Rule.ID == "PS-ENG-018" && strings.HasPrefix(v.Key, "certificate") {
				got = append(got, v.Severity.String()+" "+v.Key)
			}
		}
		if o.Rule.ID == "PS-ENG-018" && o.Gap != facts.Unknown {
			t.Errorf("PS-ENG-018 is %+v", o)
		}
	}
	slices.Sort(got)
	if want := []string{"info certificate /etc/docker/certs.d/registry.example/client.cert", "medium certificate /root/.docker/cert.pem"}; !slices.Equal(got, want) {
		t.Errorf("findings %q, want %q", got, want)
	}
}

func lookByTLS(t *testing.T, dir string) {
	const host = "tcp://127.0.0.1:2376"
	with := func(folder string) Options {
		return Options{Hosts: []string{host}, Getenv: func(name string) string {
			if name == "DOCKER_CERT_PATH" && folder != "" {
				return filepath.Join(dir, folder)
			}
			return ""
		}}
	}
	s := collect(t, with("client"))
	if len(s.resources) != 2 {
		t.Fatalf("targets %+v, %d resources", s.targets, len(s.resources))
	}
	e := s.engine(t, "docker")
	if e.Local || len(e.Listeners) != 1 || !e.Listeners[0].TLS {
		t.Errorf("engine %+v", e)
	}
	if m := s.resources["docker"].Missing["certificates"]; m.Status != facts.NotAssessed {
		t.Errorf("certificates %+v", m)
	}
	for _, folder := range []string{"wrong", "stranger", "", "none"} {
		got := failure(t, with(folder))
		if !strings.Contains(got, "DOCKER_CERT_PATH") {
			t.Errorf("with %q: %q does not say what to do", folder, got)
		}
	}
}

// pidOf reads the file in which a daemon keeps its number.
func pidOf(t testing.TB, file string) int {
	t.Helper()
	b, err := os.ReadFile(file)
	must(t, err)
	var pid int
	_, err = fmt.Sscan(string(b), &pid)
	must(t, err)
	return pid
}

// sshTo is the address of the engine for the process of [TestDockerBySSH] that looks, in its environment.
const sshTo = "POSTSCAN_TEST_SSH"

// A real dockerd through a real sshd, which lets a key in; one that it does not know is told. Both are in network namespaces of
// their own, and another process of this test looks from that of sshd.
func TestDockerBySSH(t *testing.T) {
	if address := os.Getenv(sshTo); address != "" {
		s := collect(t, Options{Hosts: []string{address}})
		if os.Getenv("POSTSCAN_TEST_REFUSED") != "" {
			if len(s.resources) > 0 || len(s.targets) != 1 || !strings.Contains(s.targets[0].Error, "Permission denied") {
				t.Errorf("targets %+v, resources %v", s.targets, s.resources)
			}
			return
		}
		if len(s.resources) != 2 || s.engine(t, "docker").Local || s.engine(t, "docker").Version == "" {
			t.Errorf("targets %+v, %d resources", s.targets, len(s.resources))
		}
		return
	}
	need(t, "dockerd", "docker", "/usr/sbin/sshd", "ssh", "ssh-keygen", "nsenter")
	d := startDocker(t, `{}`)
	d.run("create", "--name", "one", "base:1", "sleep", "600")
	dir := folder(t)
	for _, key := range []string{"host", "known", "unknown"} {
		runner(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f")(filepath.Join(dir, key))
	}
	public, err := os.ReadFile(dir + "/known.pub")
	must(t, err)
	writeFile(t, dir, "authorized", string(public))
	conf := writeFile(t, dir, "sshd_config", "Port 2222\nListenAddress 127.0.0.1\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"+
		"AuthorizedKeysFile "+dir+"/authorized\nHostKey "+dir+"/host\nPidFile "+dir+"/pid\n")
	// Root without a password may not be let in without PAM, so that the server sees an account of its own making.
	writeFile(t, dir, "passwd", "root:x:0:0:root:/root:/bin/sh\nsshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n")
	writeFile(t, dir, "shadow", "root:*:19000:0:99999:7:::\nsshd:!:19000::::::\n")
	server := exec.Command("unshare", "-n", "-m", "sh", "-c", `ip link set lo up; mount -t tmpfs tmpfs /run; mkdir -m 755 /run/sshd; mount --bind "$1/passwd" /etc/passwd; mount --bind "$1/shadow" /etc/shadow; exec /usr/sbin/sshd -D -E "$1/log" -f "$2"`, "sh", dir, conf)
	must(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	for i := 0; ; i++ { // it writes its number once it listens
		if b, err := os.ReadFile(dir + "/pid"); err == nil && len(b) > 0 {
			break
		}
		if i == 600 {
			log, _ := os.ReadFile(dir + "/log")
			t.Fatalf("sshd does not listen after 30 seconds:\n%s", log)
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, key := range []string{"known", "unknown"} {
		// ssh itself, which gets from a file what people have in their home.
		file := writeFile(t, dir, key+".conf", "IdentityFile "+dir+"/"+key+"\nIdentitiesOnly yes\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nBatchMode yes\nLogLevel ERROR\n")
		program, err := exec.LookPath("ssh")
		must(t, err)
		must(t, os.Chmod(writeFile(t, dir, key+"-bin/ssh", "#!/bin/sh\nexec "+program+" -F "+file+" \"$@\"\n"), 0o755))
		env := []string{sshTo + "=ssh://root@127.0.0.1:2222" + d.socket, "PATH=" + dir + "/" + key + "-bin:" + os.Getenv("PATH")}
		if key == "unknown" {
			env = append(env, "POSTSCAN_TEST_REFUSED=1")
		}
		inside(t, server.Process.Pid, "TestDockerBySSH", env...)
	}
	if t.Failed() {
		log, _ := os.ReadFile(dir + "/log")
		t.Logf("sshd says:\n%s", log)
	}
}
