package cli

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ktypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/facts"
)

// privateRegistry wants a password for everything and counts what is read.
type privateRegistry struct {
	address string
	mu      sync.Mutex
	read    map[string]int // by digest of the blob
}

const registryPassword = "correct horse"

func startPrivateRegistry(t *testing.T) *privateRegistry {
	t.Helper()
	p := &privateRegistry{read: map[string]int{}}
	inner := registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "puller" || password != registryPassword {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}`)
			return
		}
		if _, digest, ok := strings.Cut(r.URL.Path, "/blobs/"); ok && r.Method == http.MethodGet {
			p.mu.Lock()
			p.read[digest]++
			p.mu.Unlock()
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.address = strings.TrimPrefix(server.URL, "http://")
	return p
}

// push pushes an image and returns its digest reference.
func (p *privateRegistry) push(t *testing.T, repository string, img v1.Image) string {
	t.Helper()
	ref, err := name.ParseReference(p.address+"/"+repository+":1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithAuth(&authn.Basic{Username: "puller", Password: registryPassword})); err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return p.address + "/" + repository + "@" + digest.String()
}

// runningPod makes a pod that runs, as a kubelet would report it.
func runningPod(t *testing.T, client kubernetes.Interface, pod *corev1.Pod, imageID string) {
	t.Helper()
	no := false
	pod.Spec.AutomountServiceAccountToken = &no
	if pod.Spec.NodeName == "" {
		pod.Spec.NodeName = "one"
	}
	if _, err := client.CoreV1().Pods(pod.Namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	patch := fmt.Sprintf(`{"status":{"phase":"Running","containerStatuses":[{"name":"app","image":%q,"imageID":%q,"ready":true,"restartCount":0,"state":{},"lastState":{}}]}}`, pod.Spec.Containers[0].Image, imageID)
	if _, err := client.CoreV1().Pods(pod.Namespace).Patch(t.Context(), pod.Name, ktypes.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
}

// Every digest that runs is read once, with the pull secrets of its workloads; its
// findings stand on the image, and what cannot be read is unknown, with the reason.
func TestClusterImages(t *testing.T) {
	s := clustertest.Start(t, nil)
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	reg := startPrivateRegistry(t)
	base := buildImage(t, v1.Config{Entrypoint: []string{"/app"}}, map[string]string{"app": "#!/bin/sh\n", "etc/passwd": "root:x:0:0::/root:/bin/sh\n", "root/.ssh/key": testKey()})
	layers, err := base.Layers()
	if err != nil {
		t.Fatal(err)
	}
	shared, err := layers[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	config, err := base.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	with := func(user string) v1.Image {
		c := config.Config
		c.User = user
		img, err := mutate.Config(base, c)
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	// Of layers of its own: an image that fails ends the reading of a layer that no other waits for yet.
	broken, err := mutate.AppendLayers(buildImage(t, v1.Config{}, map[string]string{"alone": "here"}), static.NewLayer([]byte("no archive at all"), types.DockerLayer))
	if err != nil {
		t.Fatal(err)
	}
	root, masked, other := reg.push(t, "team/root", base), reg.push(t, "team/masked", with("root")), reg.push(t, "team/other", with("10001"))
	bad, locked := reg.push(t, "team/broken", broken), reg.push(t, "vault/locked", with("10002"))

	ctx := t.Context()
	for name, arch := range map[string]string{"one": "amd64", "two": "arm64"} {
		if _, err := client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		node := []byte(`{"status":{"nodeInfo":{"operatingSystem":"linux","architecture":"` + arch + `","machineID":"","systemUUID":"","bootID":"","kernelVersion":"","osImage":"","containerRuntimeVersion":"containerd://2.0","kubeletVersion":"v1.36.0","kubeProxyVersion":""}}}`)
		if _, err := client.CoreV1().Nodes().Patch(ctx, name, ktypes.MergePatchType, node, metav1.PatchOptions{}, "status"); err != nil {
			t.Fatal(err)
		}
	}
	auth := func(password string) string { return base64.StdEncoding.EncodeToString([]byte("puller:" + password)) }
	secrets := []*corev1.Secret{
		{ObjectMeta: metav1.ObjectMeta{Name: "new"}, Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{".dockerconfigjson": []byte(`{"auths":{"http://` + reg.address + `/v2/":{"auth":"` + auth(registryPassword) + `"}}}`)}},
		{ObjectMeta: metav1.ObjectMeta{Name: "old"}, Type: corev1.SecretTypeDockercfg, Data: map[string][]byte{".dockercfg": []byte(`{"` + reg.address + `":{"username":"puller","password":"` + registryPassword + `"}}`)}},
		{ObjectMeta: metav1.ObjectMeta{Name: "wrong"}, Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{".dockerconfigjson": []byte(`{"auths":{"` + reg.address + `":{"auth":"` + auth("battery staple") + `"}}}`)}},
	}
	for _, ns := range []string{"shop", "vault"} {
		if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
		if ns == "shop" {
			account.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "old"}}
		}
		if _, err := client.CoreV1().ServiceAccounts(ns).Create(ctx, account, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if _, err := client.CoreV1().Secrets(ns).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	user := int64(10001)
	pod := func(ns, name, image string, uid *int64, pull ...string) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}}}
		if uid != nil {
			p.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsUser: uid}
		}
		for _, name := range pull {
			p.Spec.ImagePullSecrets = append(p.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
		}
		return p
	}
	runningPod(t, client, pod("shop", "root-a", "x/root:1", nil, "wrong", "new"), root) // the first secret is refused, the second is not
	runningPod(t, client, pod("shop", "root-b", "x/root:1", nil), "docker-pullable://"+root)
	runningPod(t, client, pod("shop", "masked", "x/masked:1", &user), masked) // the service account's secret
	runningPod(t, client, pod("shop", "other", "x/other:1", nil, "new"), other)
	elsewhere := pod("shop", "other-arm", "x/other:1", nil, "new")
	elsewhere.Spec.NodeName = "two"
	runningPod(t, client, elsewhere, other)
	runningPod(t, client, pod("shop", "broken", "x/broken:1", nil), bad)
	runningPod(t, client, pod("vault", "locked", "x/locked:1", nil, "wrong", "gone"), locked)
	runningPod(t, client, pod("vault", "untold", "x/untold:1", nil), "sha256:"+strings.Repeat("0", 64))

	args := []string{"--kubeconfig", kubeconfig(t, s.Config), "--images", "--no-vulnerabilities", "--no-anonymous", "--no-cache", "--insecure-registry", reg.address, "--checks", "subject:image,PS-K8S-001"}
	rep := clusterReport(t, 0, args...)

	images := map[string]scanner.RunningImage{}
	var unread scanner.RunningImage // the other platform
	for _, im := range rep.Images {
		if strings.HasSuffix(im.Resource.ID, " (linux/arm64)") {
			unread = im
			continue
		}
		images[im.Target] = im
	}
	if unread.Target != other || !strings.Contains(unread.Problem, "only the content for linux/amd64 was read") || len(unread.Workloads) != 2 {
		t.Errorf("the other platform is told as %+v", unread)
	}
	runs := func(ref string) []string {
		var out []string
		for _, w := range images[ref].Workloads {
			out = append(out, w.Resource.ID)
		}
		return out
	}
	if got := runs(root); !slices.Equal(got, []string{"shop/Pod/root-a", "shop/Pod/root-b"}) {
		t.Errorf("%s is run by %v", root, got)
	}
	for _, ref := range []string{root, masked, other} {
		if images[ref].Problem != "" {
			t.Errorf("%s could not be read: %s", ref, images[ref].Problem)
		}
	}
	for ref, want := range map[string]string{bad: "could not be read", locked: "not authorized", "x/untold:1": "no digest"} {
		if p := images[ref].Problem; !strings.Contains(strings.ToLower(p), want) && !(ref == locked && strings.Contains(p, "401")) {
			t.Errorf("the problem of %s is %q", ref, p)
		}
		if len(images[ref].Workloads) != 1 {
			t.Errorf("%s is run by %v", ref, runs(ref))
		}
	}
	if p := images[locked].Problem; !strings.Contains(p, "vault/gone") || strings.Contains(p, "battery") {
		t.Errorf("the problem of the locked image is %q", p)
	}
	if n := reg.read[shared.String()]; n != 1 {
		t.Errorf("the layer that the images share was read %d times", n)
	}
	severity := map[string]scanner.Severity{}
	keys := 0
	for _, f := range rep.Findings {
		if f.Rule.ID == "PS-IMG-001" {
			severity[f.Target] = f.Severity
		}
		if f.Rule.ID == "PS-IMG-004" && f.Target == root {
			keys++
		}
	}
	if severity[root] != scanner.SeverityMedium || severity[masked] != scanner.SeverityInfo || len(severity) != 2 {
		t.Errorf("PS-IMG-001 says %v", severity)
	}
	if keys != 1 {
		t.Errorf("the key in the image that two pods run was reported %d times", keys)
	}
	unknown := map[string]int{}
	for _, g := range rep.Gaps {
		if g.Status == facts.Unknown && g.Resource.Kind == facts.KindImage && g.Check == "PS-IMG-004" {
			unknown[g.Target]++
		}
	}
	if len(unknown) != 4 || unknown[bad] != 1 || unknown[locked] != 1 || unknown[other] != 1 {
		t.Errorf("unknown are %v", unknown)
	}
	if res := run(t, nil, append([]string{"cluster", "--fail-on", "high"}, args...)...); res.code != 3 && res.code != 4 {
		t.Errorf("the gate exits %d: %s", res.code, res.stderr)
	} else if strings.Contains(res.stdout+res.stderr, "horse") || strings.Contains(res.stdout+res.stderr, auth(registryPassword)) || !strings.Contains(res.stdout, "shop/Pod/root-b") {
		t.Errorf("the table does not lead to the workloads, or tells a secret:\n%s", res.stdout)
	}
}
