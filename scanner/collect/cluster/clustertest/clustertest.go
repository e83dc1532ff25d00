// Package clustertest starts a real etcd and Kubernetes API server on loopback
// for tests, from the binary that testdata/kubebin/build.sh builds.
package clustertest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Server is a running API server with its etcd.
type Server struct {
	// Config has the rights of system:masters.
	Config *rest.Config
	// Kubeconfig is the path of a kubeconfig with the same rights.
	Kubeconfig string
	// Etcd is the client URL of etcd.
	Etcd string
	// Dir holds everything of the server; its logs too.
	Dir     string
	users   map[string]string // token of each user
	binary  string
	etcd    string // the system's etcd, or "" for the one in binary
	apiHost string
	stop    []func()
}

// Binary returns the path of kubebin. On a laptop without it the test is
// skipped; where CI is true it is built, and a failure fails the test.
// POSTSCAN_KUBEBIN names another one.
func Binary(t testing.TB) string {
	t.Helper()
	if p := os.Getenv("POSTSCAN_KUBEBIN"); p != "" {
		return p
	}
	_, self, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(self), "..", "..", "..", "..", "testdata", "kubebin", "build.sh")
	args := []string{script}
	if os.Getenv("CI") != "true" {
		args = append(args, "--path")
	}
	out, err := exec.CommandContext(t.Context(), "sh", args...).Output()
	if err != nil {
		t.Fatalf("build the API server for tests with %s: %v", script, err)
	}
	bin := strings.TrimSpace(string(out))
	switch _, err := os.Stat(bin); {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatalf("find the API server for tests, which %s should have built: %v", script, err)
	case err != nil:
		t.Skipf("SKIPPED: the real API server is not built; run testdata/kubebin/build.sh once (5 to 15 minutes)")
	}
	return bin
}

// Start starts etcd and an API server with the given further flags. They end
// with the test. users get a token each and no rights; the groups of a user
// stand behind a colon: "bob:dev".
func Start(t testing.TB, users []string, flags ...string) *Server {
	t.Helper()
	return start(t, "", users, flags)
}

// StartOnOldEtcd does the same on the etcd of the system (Debian's etcd-server,
// 3.4), which lacks what newer API servers like to use. Without one the test is
// skipped, and fails where CI is true.
func StartOnOldEtcd(t testing.TB) *Server {
	t.Helper()
	etcd, err := exec.LookPath("etcd")
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("find the system's etcd (install etcd-server): %v", err)
	default:
		t.Skip("SKIPPED: the system has no etcd; install etcd-server")
	}
	return start(t, etcd, nil, nil)
}

func start(t testing.TB, etcd string, users, flags []string) *Server {
	t.Helper()
	bin := Binary(t)
	var err error
	for range 3 { // a port can be taken between the choice and the use
		s := &Server{binary: bin, etcd: etcd, Dir: t.TempDir(), users: map[string]string{}}
		if err = s.start(t, users, flags); err == nil {
			t.Cleanup(s.Stop)
			return s
		}
		s.Stop()
	}
	t.Fatalf("start the API server: %v", err)
	return nil
}

// Stop ends the API server and etcd; a second call does nothing.
func (s *Server) Stop() {
	for i := len(s.stop) - 1; i >= 0; i-- {
		s.stop[i]()
	}
	s.stop = nil
}

// StopAPI ends the API server alone, as if it had died.
func (s *Server) StopAPI() {
	if len(s.stop) > 1 {
		s.stop[1]()
	}
}

// As returns the configuration of one of the users.
func (s *Server) As(user string) *rest.Config {
	c := rest.CopyConfig(s.Config)
	c.BearerToken = s.users[user]
	return c
}

// Load fills etcd directly; see kubebin load -help.
func (s *Server) Load(t testing.TB, flags ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), s.binary, append([]string{"load", "-etcd", s.Etcd}, flags...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("load etcd: %v\n%s", err, out)
	}
}

func (s *Server) start(t testing.TB, users, flags []string) error {
	client, peer, api, err := ports(t.Context())
	if err != nil {
		return err
	}
	s.Etcd = fmt.Sprintf("http://127.0.0.1:%d", client)
	peerURL := fmt.Sprintf("http://127.0.0.1:%d", peer)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	sa := filepath.Join(s.Dir, "sa.key")
	tokens := filepath.Join(s.Dir, "tokens.csv")
	admin := token()
	lines := admin + ",admin,admin,system:masters\n"
	for _, u := range users {
		user, groups, _ := strings.Cut(u, ":")
		s.users[user] = token()
		lines += fmt.Sprintf("%s,%s,%s,%q\n", s.users[user], user, user, groups)
	}
	if err := errors.Join(
		os.WriteFile(sa, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), 0o600),
		os.WriteFile(tokens, []byte(lines), 0o600),
	); err != nil {
		return err
	}
	died := make(chan string, 2)
	store := []string{
		"--data-dir", filepath.Join(s.Dir, "etcd"), "--log-level", "error", "--quota-backend-bytes", "4294967296", "--listen-client-urls", s.Etcd,
		"--advertise-client-urls", s.Etcd, "--listen-peer-urls", peerURL, "--initial-advertise-peer-urls", peerURL, "--initial-cluster", "default=" + peerURL,
	}
	if s.etcd == "" {
		store = append(store, "--unsafe-no-fsync")
	}
	if err := s.run(t, died, "etcd", store...); err != nil {
		return err
	}
	if err := s.run(t, died, "kube-apiserver", append([]string{
		"--etcd-servers", s.Etcd, "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", api), "--cert-dir", s.Dir, "--token-auth-file", tokens,
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file", sa, "--service-account-signing-key-file", sa,
		"--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=Node,RBAC", "--allow-privileged=true", "--endpoint-reconciler-type=none",
	}, flags...)...); err != nil {
		return err
	}
	s.apiHost = fmt.Sprintf("https://127.0.0.1:%d", api)
	return s.ready(t, admin, died)
}

// run starts one process and books how to end it.
func (s *Server) run(t testing.TB, died chan<- string, name string, args ...string) error {
	log, err := os.Create(filepath.Join(s.Dir, name+".log"))
	if err != nil {
		return err
	}
	cmd := exec.Command(s.binary, append([]string{name}, args...)...)
	if name == "etcd" && s.etcd != "" {
		cmd = exec.Command(s.etcd, args...)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, done := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the death signal follows the thread that started the process
		defer close(done)
		defer func() { _ = log.Close() }()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			died <- name
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	ended := false
	s.stop = append(s.stop, func() {
		if ended {
			return
		}
		ended = true
		_ = cmd.Process.Kill()
		<-done
		if b, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("end of the log of %s:\n%s", name, b[max(0, len(b)-3000):])
		}
	})
	return nil
}

// ready waits until the server says that it is, and writes the kubeconfig.
func (s *Server) ready(t testing.TB, admin string, died <-chan string) error {
	ca := filepath.Join(s.Dir, "apiserver.crt") // the server writes its own certificate
	deadline := time.After(2 * time.Minute)
	for {
		if b, err := os.ReadFile(ca); err == nil && strings.Contains(string(b), "END CERT") {
			s.Config = &rest.Config{Host: s.apiHost, BearerToken: admin, TLSClientConfig: rest.TLSClientConfig{CAFile: ca}, QPS: -1}
			if client, err := kubernetes.NewForConfig(s.Config); err == nil {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				_, err = client.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
				cancel()
				if err == nil {
					break
				}
			}
		}
		select {
		case name := <-died:
			return fmt.Errorf("%s ended before it was ready; see its log in %s", name, s.Dir)
		case <-deadline:
			return errors.New("the API server was not ready in two minutes")
		case <-time.After(100 * time.Millisecond):
		}
	}
	c := clientcmdapi.NewConfig()
	c.Clusters["test"] = &clientcmdapi.Cluster{Server: s.apiHost, CertificateAuthority: ca}
	c.AuthInfos["admin"] = &clientcmdapi.AuthInfo{Token: admin}
	c.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "admin"}
	for u, tok := range s.users {
		c.AuthInfos[u] = &clientcmdapi.AuthInfo{Token: tok}
		c.Contexts[u] = &clientcmdapi.Context{Cluster: "test", AuthInfo: u}
	}
	c.CurrentContext = "test"
	s.Kubeconfig = filepath.Join(s.Dir, "kubeconfig")
	return clientcmd.WriteToFile(*c, s.Kubeconfig)
}

// ports chooses three free ports; all are held until all are chosen.
func ports(ctx context.Context) (a, b, c int, err error) {
	var out [3]int
	for i := range out {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return 0, 0, 0, err
		}
		defer func() { _ = l.Close() }() //nolint:revive,gocritic // held until all are chosen
		out[i] = l.Addr().(*net.TCPAddr).Port
	}
	return out[0], out[1], out[2], nil
}

func token() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
