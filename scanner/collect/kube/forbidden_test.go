package kube_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// liveSet is a small cluster in which every check of networks and namespaces
// that can be decided is.
func liveSet(t *testing.T) *kube.Set {
	t.Helper()
	s := kube.New(kube.Options{Live: true, Now: time.Unix(2e9, 0), Detect: func(kube.DetectInput) []kube.Detection { return nil }})
	s.Cluster(kube.ClusterInfo{Version: "v1.37.2"})
	add := func(o any, text string) {
		t.Helper()
		if err := yaml.UnmarshalStrict([]byte(text), o); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if !s.Add(o, kube.Place{}) {
			t.Fatalf("not taken: %s", text)
		}
	}
	add(&corev1.Namespace{}, "metadata: {name: kube-system}")
	add(&corev1.Namespace{}, "metadata: {name: shop}")
	add(&corev1.Namespace{}, "metadata: {name: labelled, labels: {pod-security.kubernetes.io/enforce: baseline}}")
	add(&corev1.Node{}, "{metadata: {name: n1, labels: {cloud.google.com/gke-nodepool: a}}, spec: {providerID: 'gce://p/z/n1'}, status: {addresses: [{type: ExternalIP, address: 203.0.113.7}]}}")
	add(&corev1.Service{}, "{metadata: {name: np, namespace: shop}, spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}}")
	add(&corev1.Service{}, "{metadata: {name: lb, namespace: shop}, spec: {type: LoadBalancer, allocateLoadBalancerNodePorts: false, selector: {app: web}, ports: [{port: 80}]}}")
	add(&corev1.Service{}, "{metadata: {name: out, namespace: shop}, spec: {type: ExternalName, externalName: db.example.com}}")
	add(&corev1.Service{}, "{metadata: {name: hand, namespace: shop}, spec: {ports: [{port: 80}]}}")
	add(&netv1.Ingress{}, "{metadata: {name: web, namespace: shop}, spec: {rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: lb, port: {number: 80}}}}]}}]}}")
	add(&netv1.NetworkPolicy{}, "{metadata: {name: web, namespace: shop}, spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}}")
	add(&corev1.ConfigMap{}, "{metadata: {name: app, namespace: shop}, data: {a: b}}")
	add(&corev1.Pod{}, `{metadata: {name: kube-apiserver-n1, namespace: kube-system, annotations: {kubernetes.io/config.mirror: x}}, spec: {nodeName: n1, hostNetwork: true,
  containers: [{name: kube-apiserver, image: 'registry.k8s.io/kube-apiserver:v1.37.2', command: [kube-apiserver, --enable-admission-plugins=NodeRestriction]}]}}`)
	add(&corev1.Pod{}, "{metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {nodeName: n1, containers: [{name: a, image: a}]}, status: {phase: Running}}")
	add(&corev1.Pod{}, "{metadata: {name: web, namespace: labelled, labels: {app: web}}, spec: {nodeName: n1, containers: [{name: a, image: a}]}, status: {phase: Running}}")
	add(&corev1.Pod{}, "{metadata: {name: host, namespace: shop}, spec: {nodeName: n1, hostNetwork: true, containers: [{name: a, image: a}]}, status: {phase: Running}}")
	return s
}

// A list that was refused makes exactly the checks unknown that ask for it.
func TestAForbiddenListConcernsWhatDependsOnIt(t *testing.T) {
	catalogue, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	selected, err := catalogue.Select([]string{"PS-NET-*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := regoeval.New(t.Context(), catalogue, selected, regoeval.Options{Now: time.Unix(2e9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	// unknown lists "check resource" of the outcomes that are unknown, but for the
	// resources that stand for those that were not seen.
	unknown := func(topic kube.Topic) []string {
		s := liveSet(t)
		if topic != "" {
			s.Miss(topic, facts.Missing{Status: facts.Unknown, Reason: "forbidden: " + string(topic)})
		}
		var out []string
		for r := range s.Resources() {
			if strings.HasPrefix(r.ID, "(") {
				continue
			}
			outcomes, err := e.Evaluate(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range outcomes {
				if o.Gap == facts.Unknown || o.Status == scanner.Unknown {
					out = append(out, strings.TrimPrefix(o.Rule.ID, "PS-NET-")+" "+r.ID)
				}
			}
		}
		slices.Sort(out)
		return out
	}
	before := unknown("")
	if want := []string{"005 cluster"}; len(before) > 0 && !slices.Equal(before, want) {
		t.Fatalf("unknown with all rights: %q", before)
	}
	pods := func(check string, ids ...string) []string {
		if ids == nil {
			ids = []string{"kube-system/Pod/kube-apiserver-n1", "labelled/Pod/web", "shop/Pod/host", "shop/Pod/web"}
		}
		var out []string
		for _, id := range ids {
			out = append(out, check+" "+id)
		}
		return out
	}
	outside := []string{"010 shop/Ingress/web", "010 shop/Service/lb", "010 shop/Service/np"}
	namespaces := []string{"Namespace/kube-system", "Namespace/labelled", "Namespace/shop"}
	for topic, want := range map[kube.Topic][]string{
		kube.NetworkPolicies: slices.Concat(pods("001", "labelled/Pod/web", "shop/Pod/web"), pods("002", namespaces...), pods("003", "labelled/Pod/web", "shop/Pod/web"),
			pods("006", "labelled/Pod/web", "shop/Pod/web"), []string{"005 cluster"}),
		kube.Nodes:              slices.Concat(pods("006"), []string{"007 shop/Service/np", "010 shop/Service/np"}, []string{"012 shop/Service/hand", "012 shop/Service/out"}),
		kube.Quotas:             pods("017", namespaces...),
		kube.LimitRanges:        pods("017", namespaces...),
		kube.AdmissionPolicies:  {"014 Namespace/shop", "023 cluster"},
		kube.EndpointSlices:     {"012 shop/Service/hand"},
		kube.MeshObjects:        {"013 cluster"},
		kube.Ingresses:          nil,
		kube.Services:           {"010 shop/Ingress/web", "012 shop/Service/hand", "012 shop/Service/out"},
		kube.ConfigMaps:         nil,
		kube.Namespaces:         {"013 cluster", "021 Node/n1", "024 shop/NetworkPolicy/web"},
		kube.Controllers:        slices.Concat(outside, []string{"005 cluster", "024 shop/NetworkPolicy/web"}),
		kube.Pods:               slices.Concat(outside, pods("016"), []string{"021 Node/n1", "024 shop/NetworkPolicy/web"}),
		kube.ServiceAccounts:    nil,
		kube.Roles:              nil,
		kube.Bindings:           nil,
		kube.PersistentVolumes:  nil,
		kube.RuntimeClasses:     nil,
		kube.Secrets:            nil,
		kube.CertificateSigning: nil,
	} {
		got := unknown(topic)
		got = slices.DeleteFunc(got, func(v string) bool { return slices.Contains(before, v) && !slices.Contains(want, v) })
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s\n got %q\nwant %q", topic, got, want)
		}
	}
}

// Where PersistentVolumes may not be listed, a claim may be a path of the node:
// that concerns the checks of such paths, of the workloads with a claim alone.
func TestAnUnseenVolumeMayBeAPathOfTheNode(t *testing.T) {
	catalogue, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	selected, err := catalogue.Select([]string{"PS-K8S-*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := regoeval.New(t.Context(), catalogue, selected, regoeval.Options{Now: time.Unix(2e9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, seen := range []bool{true, false} {
		s := liveSet(t)
		if !seen {
			s.Miss(kube.PersistentVolumes, facts.Missing{Status: facts.Unknown, Reason: "forbidden"})
		}
		pod := &corev1.Pod{}
		if err := yaml.UnmarshalStrict([]byte("{metadata: {name: claims, namespace: shop}, spec: {containers: [{name: a, image: a, volumeMounts: [{name: v, mountPath: /v}]}], volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]}}"), pod); err != nil {
			t.Fatal(err)
		}
		s.Add(pod, kube.Place{})
		var unknown []string
		for r := range s.Resources() {
			outcomes, err := e.Evaluate(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range outcomes {
				if o.Gap == facts.Unknown && slices.Contains(o.Reasons, "forbidden") {
					unknown = append(unknown, o.Rule.ID+" "+r.ID)
				}
			}
		}
		slices.Sort(unknown)
		want := []string{"PS-K8S-024 shop/Pod/claims", "PS-K8S-025 shop/Pod/claims", "PS-K8S-026 shop/Pod/claims"}
		if seen {
			want = nil
		}
		if !slices.Equal(unknown, want) {
			t.Errorf("volumes seen %v: unknown are %q, want %q", seen, unknown, want)
		}
	}
}
