package kube

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner/facts"
)

// docs is the page of the Kubernetes documentation that the cases are taken from.
const docs = "https://kubernetes.io/docs/concepts/services-networking/network-policies/"

func TestNetworkPolicySemantics(t *testing.T) {
	open := facts.Direction{AllowsAll: true, AllowsOutside: true}
	closed := facts.Direction{Isolated: true}
	for _, c := range []struct {
		name     string
		source   string // section of docs
		policies string
		ingress  facts.Direction
		egress   facts.Direction
		metadata string
		selected int
	}{
		{"no policy", "#the-two-sorts-of-pod-isolation", ``, open, open, "allowed", 0},
		{"policy of another namespace", "#networkpolicy-resource", `
metadata: {name: p, namespace: other}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}`, open, open, "allowed", 0},
		{"selector that does not match", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}}`, open, open, "allowed", 0},
		{"default deny ingress: podSelector {}", "#default-deny-all-ingress-traffic", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}`, closed, open, "allowed", 1},
		{"policyTypes defaults to Ingress", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}}`, closed, open, "allowed", 1},
		{"policyTypes defaults to Egress too where egress rules exist", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, egress: [{to: [{podSelector: {}}]}]}`, closed, closed, "blocked", 1},
		{"an empty egress list without policyTypes implies nothing", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, egress: []}`, closed, open, "allowed", 1},
		{"default deny egress", "#default-deny-all-egress-traffic", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress]}`, open, closed, "blocked", 1},
		{"default deny both", "#default-deny-all-ingress-and-all-egress-traffic", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}`, closed, closed, "blocked", 1},
		{"allow all ingress", "#allow-all-ingress-traffic", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{}]}`, facts.Direction{Isolated: true, AllowsAll: true, AllowsOutside: true}, open, "allowed", 1},
		{"allow all egress", "#allow-all-egress-traffic", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}`, open, facts.Direction{Isolated: true, AllowsAll: true, AllowsOutside: true}, "allowed", 1},
		{"rules of two policies add up", "#the-two-sorts-of-pod-isolation", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
metadata: {name: q, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{}]}`, facts.Direction{Isolated: true, AllowsAll: true, AllowsOutside: true}, open, "allowed", 2},
		{"every peer on one port is not everything, but reaches outside", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}`, facts.Direction{Isolated: true, AllowsOutside: true}, open, "allowed", 1},
		{"namespaceSelector {} is every pod, not every address", "#behavior-of-to-and-from-selectors", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}`, closed, open, "allowed", 1},
		{"ipBlock 0.0.0.0/0", "#behavior-of-to-and-from-selectors", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}`, open, facts.Direction{Isolated: true, AllowsAll: true, AllowsOutside: true}, "allowed", 1},
		{"ipBlock with the metadata address excepted", "#behavior-of-to-and-from-selectors", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]}`, open, facts.Direction{Isolated: true, AllowsOutside: true}, "blocked", 1},
		{"ipBlock within private addresses", "#behavior-of-to-and-from-selectors", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}`, open, closed, "blocked", 1},
		{"metadata address on another port", "#targeting-a-range-of-ports", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.0.0/16}}], ports: [{port: 443}]}]}`, open, closed, "blocked", 1},
		{"metadata address in a port range", "#targeting-a-range-of-ports", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.0.0/16}}], ports: [{port: 1, endPort: 1024}]}]}`, open, closed, "allowed", 1},
		{"metadata address over UDP only", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.0.0/16}}], ports: [{protocol: UDP}]}]}`, open, closed, "blocked", 1},
		{"a named port belongs to pods, not to an address", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.0.0/16}}], ports: [{port: http}]}]}`, open, closed, "blocked", 1},
		{"DNS on every peer lets metadata be", "#default-deny-all-egress-traffic", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP, port: 53}]}]}`, open, facts.Direction{Isolated: true, AllowsOutside: true}, "blocked", 1},
		{"matchExpressions", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {matchExpressions: [{key: app, operator: In, values: [web, api]}]}}`, closed, open, "allowed", 1},
		{"an empty list of ingress rules allows nothing", "#default-deny-all-ingress-traffic", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, ingress: []}`, closed, open, "allowed", 1},
		{"podSelector {} as a peer is the policy's own namespace, not the world", "#behavior-of-to-and-from-selectors", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}`, closed, open, "allowed", 1},
		{"a namespace by its name", "#targeting-a-namespace-by-its-name", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]}]}`, open, closed, "blocked", 1},
		{"policies of both directions are independent", "#the-two-sorts-of-pod-isolation", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], ingress: [{}]}`, open, closed, "blocked", 1},
		{"ipBlock for ingress with an exception", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}}], ports: [{port: 6379}]}]}`, closed, open, "allowed", 1},
		{"ipBlock of public addresses with an exception", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.7/32]}}]}]}`, facts.Direction{Isolated: true, AllowsOutside: true}, open, "allowed", 1},
		{"both halves of IPv4 are all of it", "#behavior-of-to-and-from-selectors", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/1}}, {ipBlock: {cidr: 128.0.0.0/1}}]}]}`, open, facts.Direction{Isolated: true, AllowsAll: true, AllowsOutside: true}, "allowed", 1},
		{"::/0 is every address of IPv6, where the metadata service of IPv4 is not", "#behavior-of-to-and-from-selectors", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "::/0"}}]}]}`, open, facts.Direction{Isolated: true, AllowsAll: true, AllowsOutside: true}, "blocked", 1},
		{"an exception that does not hold the metadata address", "#behavior-of-to-and-from-selectors", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]}`, open, facts.Direction{Isolated: true, AllowsOutside: true}, "allowed", 1},
		{"one policy excepts the metadata address, another allows it: what they allow adds up", "#the-two-sorts-of-pod-isolation", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]}
---
metadata: {name: q, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.0.0/16}}]}]}`, open, facts.Direction{Isolated: true, AllowsOutside: true}, "allowed", 2},
		{"a port without a number is every port of its protocol", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.0.0/16}}], ports: [{protocol: TCP}]}]}`, open, closed, "allowed", 1},
		{"a port without a protocol is TCP", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.0.0/16}}], ports: [{port: 80}]}]}`, open, closed, "allowed", 1},
		{"NotIn matches pods without the label", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [web]}]}}`, closed, open, "allowed", 1},
		{"rules of a type that policyTypes leaves out do not count", "#networkpolicy-resource", `
metadata: {name: p, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress], egress: [{}]}`, closed, open, "allowed", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(Options{Live: true})
			addPolicies(t, s, c.policies)
			s.Add(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", Labels: map[string]string{"app": "web"}}}, Place{})
			n := s.network(s.works[0])
			if len(n.MetadataAddresses) != len(metadataAddresses) || n.MetadataAddresses[0] != (facts.MetadataAddress{Address: "169.254.169.254", Reach: c.metadata}) {
				t.Errorf("of the metadata addresses it says %v", n.MetadataAddresses)
			}
			if n.Ingress != c.ingress || n.Egress != c.egress || n.Metadata != c.metadata || n.Policies.Kubernetes != c.selected || !n.Coverable {
				t.Errorf("got %+v\nwant ingress %+v egress %+v metadata %s, %d policies\nsee %s%s", n, c.ingress, c.egress, c.metadata, c.selected, docs, c.source)
			}
		})
	}
}

func addPolicies(t *testing.T, s *Set, docs string) {
	t.Helper()
	for _, d := range splitDocs(docs) {
		var p netv1.NetworkPolicy
		if err := yaml.UnmarshalStrict([]byte(d), &p); err != nil {
			t.Fatalf("%v in\n%s", err, d)
		}
		s.Add(&p, Place{})
	}
}

func splitDocs(docs string) []string {
	var out []string
	cur := ""
	for line := range linesOf(docs) {
		if line == "---" {
			out = append(out, cur)
			cur = ""
			continue
		}
		cur += line + "\n"
	}
	if len(cur) > 1 {
		out = append(out, cur)
	}
	return out
}

func linesOf(s string) func(func(string) bool) {
	return func(yield func(string) bool) {
		start := 0
		for i := range len(s) + 1 {
			if i == len(s) || s[i] == '\n' {
				if !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
	}
}

func TestHostNetworkIsNotCoverable(t *testing.T) {
	s := New(Options{Live: true})
	addPolicies(t, s, "metadata: {name: p, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Ingress, Egress]}")
	s.Add(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "shop"}, Spec: corev1.PodSpec{HostNetwork: true}}, Place{})
	if n := s.network(s.works[0]); n.Coverable || n.Policies.Kubernetes != 0 || n.Metadata != "allowed" || n.Ingress.Isolated {
		t.Errorf("policies do not reach pods in the host's network, got %+v", n)
	}
}

func TestNamespaceDefaultDeny(t *testing.T) {
	for _, c := range []struct {
		name, policies  string
		ingress, egress bool
	}{
		{"none", "", false, false},
		{"only some pods", "metadata: {name: p, namespace: shop}\nspec: {podSelector: {matchLabels: {a: b}}, policyTypes: [Ingress, Egress]}", false, false},
		{"both", "metadata: {name: p, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Ingress, Egress]}", true, true},
		{"allow all beside it", "metadata: {name: p, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}]}", false, true},
		{"every pod of the cluster", "metadata: {name: p, namespace: shop}\nspec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}", false, false},
		{"allow from one namespace", "metadata: {name: p, namespace: shop}\nspec: {podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}", true, false},
	} {
		s := New(Options{Live: true})
		addPolicies(t, s, c.policies)
		_, in, out, _ := s.namespacePolicies(&namespace{name: "shop"})
		if in != c.ingress || out != c.egress {
			t.Errorf("%s: ingress %v egress %v, want %v %v", c.name, in, out, c.ingress, c.egress)
		}
	}
}

func TestDanglingSelectors(t *testing.T) {
	s := New(Options{Live: true})
	for _, n := range []string{"shop", "ops"} {
		s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n, Labels: map[string]string{"team": n}}}, Place{})
	}
	addPolicies(t, s, `
metadata: {name: p, namespace: shop}
spec:
  podSelector: {matchLabels: {app: wbe}}
  ingress:
  - from:
    - podSelector: {matchLabels: {app: web}}
    - podSelector: {matchLabels: {app: nobody}}
    - namespaceSelector: {matchLabels: {team: ops}}
    - namespaceSelector: {matchLabels: {team: ops}}
      podSelector: {matchLabels: {app: web}}
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gone}}
    - ipBlock: {cidr: 192.0.2.0/24}
`)
	s.Add(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", Labels: map[string]string{"app": "web"}}}, Place{})
	var doc *facts.NetworkPolicy
	for r := range s.Resources() {
		if r.Kind == facts.KindNetworkPolicy {
			doc = r.Facts.(*facts.NetworkPolicy)
		}
	}
	if doc.Matches != 0 || doc.Others != 1 {
		t.Errorf("the policy selects %d of %d workloads, want 0 of 1", doc.Matches, doc.Others)
	}
	want := []bool{true, false, true, false, false, true}
	for i, p := range doc.Rules[0].Peers {
		if p.Matches != want[i] {
			t.Errorf("peer %d (%s %s) matches: %v", i, p.Type, p.Selector, p.Matches)
		}
	}
}
