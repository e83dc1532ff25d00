package cli

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/report"
)

// Where there is no engine there is no answer: exit code 1, never a pass.
func TestEngineNone(t *testing.T) {
	for _, args := range [][]string{{"engine", "--host", "unix:///nowhere/docker.sock"}, {"engine", "--host", "tcp://127.0.0.1:1", "--fail-on", "critical"}} {
		r := run(t, nil, append(args, "--no-vulnerabilities", "-o", "json")...)
		rep, err := report.Read(strings.NewReader(r.stdout))
		if err != nil {
			t.Fatal(err)
		}
		if r.code != exitFailed || rep.Summary.Failed != 1 || rep.Summary.Pass != 0 || rep.Run.Targets[0].Error == "" {
			t.Errorf("%v: exit code %d, %+v: %s", args, r.code, rep.Summary, r.stderr)
		}
	}
}

// Wrong usage is told before anything is asked.
func TestEngineUsage(t *testing.T) {
	for args, want := range map[string]string{
		"engine --host http://x":                    "use unix:///path",
		"engine --host tcp://x":                     "names no port",
		"engine --name x":                           "one engine only",
		"engine --pull":                             "--pull needs --images",
		"engine --images --pull --offline":          "leave one out",
		"engine --call-timeout 0s":                  "give it some time",
		"engine --parallel 0":                       "one container at least",
		"engine --host ssh://me:secret-word@host/x": "use a key",
	} {
		r := run(t, nil, strings.Fields(args)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, want) || strings.Contains(r.stderr, "secret-word") {
			t.Errorf("%s: exit code %d, stderr %q, want %q", args, r.code, r.stderr, want)
		}
	}
}

// startContainerd runs containerd in a network namespace of its own and returns its socket.
func startContainerd(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"containerd", "ctr", "unshare"} {
		if _, err := exec.LookPath(program); err == nil && os.Getuid() == 0 {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI must have %s, and root", program)
		}
		t.Skipf("SKIPPED: the images of a real containerd are not tested without %s and root", program)
	}
	dir, err := os.MkdirTemp("", "ps-ctd-") // the path of a socket may have about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "containerd.sock")
	config := filepath.Join(dir, "config.toml")
	text := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\n[grpc]\naddress = %q\n[ttrpc]\naddress = %q\n[plugins.\"io.containerd.internal.v1.opt\"]\npath = %q\n", dir+"/root", dir+"/state", socket, socket+".ttrpc", dir+"/opt")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "-n", "-m", "containerd", "-c", config, "-l", "error")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
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
	})
	for range 2400 {
		if c, err := net.Dial("unix", socket); err == nil {
			_ = c.Close()
			return socket
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("containerd does not listen after two minutes")
	return ""
}

// ctr runs containerd's own client.
func ctr(t *testing.T, socket string, args ...string) string {
	t.Helper()
	out, err := exec.Command("ctr", append([]string{"-a", socket, "-n", "k8s.io"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ctr %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// TestEngineImages scans an image of a real containerd: blob by blob from its
// store; once its layers are gone from there it is unknown; with --pull it comes
// from the registry.
func TestEngineImages(t *testing.T) {
	socket := startContainerd(t)
	address := startRegistry(t)
	const ref = "registry.example/team/careless:1"
	remoteRef, err := name.ParseReference(address+"/team/careless:1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	img, err := remote.Image(remoteRef)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendImage(img, layout.WithAnnotations(map[string]string{"io.containerd.image.name": ref})); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	if out, err := exec.Command("tar", "-C", dir, "-cf", archive, ".").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	ctr(t, socket, "images", "import", "--no-unpack", archive)

	scan := func(code int, args ...string) *scanner.Report {
		t.Helper()
		all := append([]string{"engine", "--host", "unix://" + socket, "--images", "--no-vulnerabilities", "--no-cache", "-o", "json"}, args...)
		r := run(t, nil, all...)
		if r.code != code {
			t.Fatalf("%v: exit code %d, want %d: %s", args, r.code, code, r.stderr)
		}
		rep, err := report.Read(bytes.NewReader([]byte(r.stdout)))
		if err != nil {
			t.Fatal(err)
		}
		return rep
	}
	secret := func(rep *scanner.Report) bool {
		return slices.ContainsFunc(rep.Findings, func(f scanner.Finding) bool {
			return f.Rule.ID == "PS-IMG-004" && strings.Contains(f.Resource.ID, "team/careless")
		})
	}
	if rep := scan(3, "--offline", "--fail-on", "high", "--checks", "PS-IMG-004"); !secret(rep) {
		t.Errorf("the key in the image was not found: %+v, targets %+v", rep.Findings, rep.Run.Targets)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		digest, err := l.Digest()
		if err != nil {
			t.Fatal(err)
		}
		ctr(t, socket, "content", "rm", digest.String())
	}
	rep := scan(4, "--offline", "--fail-on", "high", "--checks", "PS-IMG-004")
	if secret(rep) || rep.Summary.Unknown == 0 || rep.Summary.Failed != 0 {
		t.Errorf("without its layers: %+v", rep.Summary)
	}
	rep = scan(3, "--pull", "--mirror", "registry.example="+address, "--fail-on", "high", "--checks", "PS-IMG-004")
	if !secret(rep) {
		t.Errorf("with --pull: %+v, gaps %+v", rep.Summary, rep.Gaps)
	}
}

// startPodman runs Podman with a store of its own in namespaces of its own, and loads
// the image of the reference on the registry under that name. It returns the socket's
// address and a function that runs podman's client.
func startPodman(t *testing.T, address, ref string) (socket string, client func(args ...string)) {
	t.Helper()
	for _, program := range []string{"podman", "conmon", "runc", "unshare"} {
		if _, err := exec.LookPath(program); err == nil && os.Getuid() == 0 {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI must have %s, and root", program)
		}
		t.Skipf("SKIPPED: the images of a real Podman are not tested without %s and root", program)
	}
	dir, err := os.MkdirTemp("", "ps-pod-") // the path of a socket may have about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	global := []string{
		"--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run"), "--tmpdir", filepath.Join(dir, "tmp"),
		"--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", "runc", "--storage-driver", "vfs",
	}
	// An address in the environment would make podman a client of that.
	environ := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "CONTAINER_HOST=") })
	client = func(args ...string) {
		t.Helper()
		cmd := exec.Command("podman", append(slices.Clone(global), args...)...)
		cmd.Env = environ
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("podman %v: %v\n%s", args, err, out)
		}
	}
	source, err := name.ParseReference(address+"/"+ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	img, err := remote.Image(source)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("registry.example/" + ref)
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(dir, "image.tar")
	if err := tarball.WriteToFile(archive, tag, img); err != nil {
		t.Fatal(err)
	}
	client("load", "-i", archive)
	path := filepath.Join(dir, "s")
	serve := exec.Command("unshare", append(append([]string{"-n", "-m", "podman"}, global...), "system", "service", "--time=0", "unix://"+path)...)
	serve.Env = environ
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		done := make(chan struct{})
		go func() { _ = serve.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			_ = serve.Process.Kill()
			<-done
		}
	})
	for range 2400 {
		if c, err := net.Dial("unix", path); err == nil {
			_ = c.Close()
			return "unix://" + path, client
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("podman does not listen after two minutes")
	return "", nil
}

// TestEnginePodmanImages scans an image of a real Podman through its socket, and proves
// that the SARIF reports of a real engine and of this machine hold.
func TestEnginePodmanImages(t *testing.T) {
	address := startRegistry(t)
	socket, podman := startPodman(t, address, "team/careless:1")
	podman("create", "--name", "careless", "--privileged", "--network", "none", "registry.example/team/careless:1")
	t.Cleanup(func() { podman("rm", "-f", "-a") })

	sarif := filepath.Join(t.TempDir(), "engine.sarif")
	r := run(t, nil, "engine", "--host", socket, "--images", "--offline", "--no-vulnerabilities", "--no-cache", "-o", "json", "-o", "sarif="+sarif, "--fail-on", "high")
	if r.code != exitFindings {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	rep, err := report.Read(strings.NewReader(r.stdout))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ check, resource string }{{"PS-IMG-004", "registry.example/team/careless:1"}, {"PS-ENG-004", "podman/careless"}} {
		if !slices.ContainsFunc(rep.Findings, func(f scanner.Finding) bool {
			return f.Rule.ID == want.check && strings.Contains(f.Resource.ID, want.resource)
		}) {
			t.Errorf("%s of %s was not found; targets %+v", want.check, want.resource, rep.Run.Targets)
		}
	}

	machine := filepath.Join(t.TempDir(), "vm.sarif")
	if r := run(t, nil, "vm", "--packages=false", "-o", "sarif="+machine); r.code != exitDone {
		t.Fatalf("vm: exit code %d: %s", r.code, r.stderr)
	}
	tool := os.Getenv("POSTSCAN_SARIF_MULTITOOL")
	if tool == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("POSTSCAN_SARIF_MULTITOOL is not set: .ci/run installs the SARIF multitool and sets it")
		}
		t.Skip("SKIPPED: the reports are not validated: POSTSCAN_SARIF_MULTITOOL is not set")
	}
	// The tool's exit status is 0 even with errors: its output tells.
	cmd := exec.CommandContext(t.Context(), tool, "validate", sarif, machine, "--rule-kind", "Sarif;Ghas", "--max-file-size-in-kb", "200000")
	cmd.Env = append(os.Environ(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Analysis completed successfully")) || bytes.Contains(out, []byte(": error ")) || bytes.Contains(out, []byte(": warning ")) {
		t.Errorf("the SARIF multitool: %v\n%s", err, out)
	}
}
