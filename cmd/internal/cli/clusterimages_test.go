package cli

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"maps"
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
	"github.com/google/go-containerregistry/pkg/v1/empty"
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

// pushIndex pushes the image of each platform and their index, and returns its
// digest reference.
func (p *privateRegistry) pushIndex(t *testing.T, repository string, images map[string]v1.Image) string {
	t.Helper()
	idx := v1.ImageIndex(empty.Index)
	for _, arch := range slices.Sorted(maps.Keys(images)) {
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: images[arch], Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	ref, err := name.ParseReference(p.address+"/"+repository+":1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, idx, remote.WithAuth(&authn.Basic{Username: "puller", Password: registryPassword})); err != nil {
		t.Fatal(err)
	}
	digest, err := idx.Digest()
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

// twoNodes makes the nodes "one" (amd64) and "two" (arm64).
func twoNodes(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	for name, arch := range map[string]string{"one": "amd64", "two": "arm64"} {
		if _, err := client.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		node := []byte(`{"status":{"nodeInfo":{"operatingSystem":"linux","architecture":"` + arch + `","machineID":"","systemUUID":"","bootID":"","kernelVersion":"","osImage":"","containerRuntimeVersion":"containerd://2.0","kubeletVersion":"v1.36.0","kubeProxyVersion":""}}}`)
		if _, err := client.CoreV1().Nodes().Patch(t.Context(), name, ktypes.MergePatchType, node, metav1.PatchOptions{}, "status"); err != nil {
			t.Fatal(err)
		}
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
	twoNodes(t, client)
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
	for _, im := range rep.Images {
		images[im.Target] = im
	}
	if len(images) != 6 || len(rep.Images) != 6 {
		t.Errorf("%d images run: %+v", len(rep.Images), rep.Images)
	}
	runs := func(ref string) []string {
		var out []string
		for _, w := range images[ref].Workloads {
			out = append(out, w.Resource.ID)
		}
		return out
	}
	for ref, want := range map[string][]string{root: {"shop/Pod/root-a", "shop/Pod/root-b"}, other: {"shop/Pod/other", "shop/Pod/other-arm"}} {
		if got := runs(ref); !slices.Equal(got, want) { // one content, though nodes of two platforms run the other
			t.Errorf("%s is run by %v, want %v", ref, got, want)
		}
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
	if len(unknown) != 3 || unknown[bad] != 1 || unknown[locked] != 1 {
		t.Errorf("unknown are %v", unknown)
	}
	if res := run(t, nil, append([]string{"cluster", "--fail-on", "high"}, args...)...); res.code != 3 && res.code != 4 {
		t.Errorf("the gate exits %d: %s", res.code, res.stderr)
	} else if strings.Contains(res.stdout+res.stderr, "horse") || strings.Contains(res.stdout+res.stderr, auth(registryPassword)) || !strings.Contains(res.stdout, "shop/Pod/root-b") {
		t.Errorf("the table does not lead to the workloads, or tells a secret:\n%s", res.stdout)
	}
}

// The contents of an index are told apart by the platforms of the nodes; the same
// digest under two names is one image, read where it can be read; and a digest of
// one content is that content whatever it says it is for.
func TestClusterImagesPlatforms(t *testing.T) {
	s := clustertest.Start(t, nil)
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	twoNodes(t, client)
	reg := startPrivateRegistry(t)
	onARM := func(img v1.Image) v1.Image {
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config = config.DeepCopy()
		config.Architecture = "arm64"
		if img, err = mutate.ConfigFile(img, config); err != nil {
			t.Fatal(err)
		}
		return img
	}
	clean := buildImage(t, v1.Config{User: "7"}, map[string]string{"app": "amd64"})
	leaky := onARM(buildImage(t, v1.Config{User: "7"}, map[string]string{"app": "arm64", "root/.ssh/key": testKey()}))
	both := map[string]v1.Image{"amd64": clean, "arm64": leaky}
	index := reg.pushIndex(t, "team/both", both)
	if _, digest, _ := strings.Cut(index, "@"); reg.pushIndex(t, "mirror/both", both) != reg.address+"/mirror/both@"+digest {
		t.Fatal("the index has another digest in the mirror")
	}
	plain := reg.push(t, "team/plain", buildImage(t, v1.Config{User: "7"}, map[string]string{"app": "plain"}))
	elsewhere := reg.pushIndex(t, "team/elsewhere", map[string]v1.Image{"amd64": clean, "s390x": leaky})

	ctx := t.Context()
	if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	docker := []byte(`{"auths":{"` + reg.address + `":{"username":"puller","password":"` + registryPassword + `"}}}`)
	if _, err := client.CoreV1().Secrets("shop").Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "pull"}, Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{".dockerconfigjson": docker}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}}}
	if _, err := client.CoreV1().ServiceAccounts("shop").Create(ctx, account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	runs := func(pod, node, reference string) {
		runningPod(t, client, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: pod}, Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "app", Image: "x"}}}}, reference)
	}
	_, digest, _ := strings.Cut(index, "@")
	_, plainDigest, _ := strings.Cut(plain, "@")
	runs("both-1", "one", index)
	runs("both-2", "two", index)
	runs("both-3", "one", reg.address+"/mirror/both@"+digest)
	runs("both-4", "two", reg.address+"/mirror/both@"+digest)
	runs("plain-1", "two", plain)
	runs("plain-2", "two", reg.address+"/gone/plain@"+plainDigest) // sorts first, and is not there
	runs("elsewhere", "two", elsewhere)

	rep := clusterReport(t, 0, "--kubeconfig", kubeconfig(t, s.Config), "--images", "--no-vulnerabilities", "--no-anonymous", "--no-cache", "--insecure-registry", reg.address, "--checks", "PS-IMG-004")
	mirror := reg.address + "/mirror/both@" + digest // the first of the two names
	type told struct{ workloads, problem string }
	got := map[string]told{}
	for _, im := range rep.Images {
		var names []string
		for _, w := range im.Workloads {
			names = append(names, strings.TrimPrefix(w.Resource.ID, "shop/Pod/"))
		}
		got[im.Target] = told{strings.Join(names, " "), im.Problem}
	}
	want := map[string]told{
		mirror + " (linux/amd64)": {workloads: "both-1 both-3"},
		mirror + " (linux/arm64)": {workloads: "both-2 both-4"},
		plain:                     {workloads: "plain-1 plain-2"},
		elsewhere:                 {workloads: "elsewhere", problem: got[elsewhere].problem},
	}
	if !maps.Equal(got, want) {
		t.Errorf("images that run: %+v\nwant %+v", got, want)
	}
	if p := got[elsewhere].problem; !strings.Contains(p, "linux/arm64 is wanted") {
		t.Errorf("the problem of what is not there for the node's platform is %q", p)
	}
	var keys []string
	for _, f := range rep.Findings {
		keys = append(keys, f.Target)
	}
	if !slices.Equal(keys, []string{mirror + " (linux/arm64)"}) {
		t.Errorf("the key is found in %v", keys)
	}
}
