package kube

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner/facts"
)

// addObjects adds custom objects, one YAML document each.
func addObjects(t *testing.T, s *Set, text string) {
	t.Helper()
	for _, d := range splitDocs(text) {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(d), &o); err != nil {
			t.Fatalf("%v in\n%s", err, d)
		}
		if !s.Add(&unstructured.Unstructured{Object: o}, Place{}) {
			t.Fatalf("not taken:\n%s", d)
		}
	}
}

// resourcesOf joins a set and returns the resources of a kind by id.
func resourcesOf(s *Set, kind facts.Kind) map[string]*facts.Resource {
	out := map[string]*facts.Resource{}
	for r := range s.Resources() {
		if r.Kind == kind {
			out[r.ID] = r
		}
	}
	return out
}

// The rules of a policy, one line each, as the documentation reads them; and the
// workloads of four that the policy selects.
func TestWhatAPolicySelectsAndAllows(t *testing.T) {
	for _, c := range []struct {
		name, source string
		spec         string
		selects      []string // of shop/web, shop/db, pay/web, pay/db
		rules        []string // direction, peers, ports
	}{
		{"the example of the documentation", "#networkpolicy-resource", `
podSelector: {matchLabels: {app: db}}
policyTypes: [Ingress, Egress]
ingress:
- from:
  - ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}
  - namespaceSelector: {matchLabels: {team: pay}}
  - podSelector: {matchLabels: {app: web}}
  ports: [{protocol: TCP, port: 6379}]
egress:
- to: [{ipBlock: {cidr: 10.0.0.0/24}}]
  ports: [{protocol: TCP, port: 5978}]
`, []string{"shop/db"}, []string{
			"ingress: block 172.17.0.0/16 but 1, namespaces team=pay, pods app=web; TCP/6379",
			"egress: block 10.0.0.0/24; TCP/5978",
		}},
		{"an empty podSelector selects every pod of the namespace, and no other", "#networkpolicy-resource", `
podSelector: {}
`, []string{"shop/db", "shop/web"}, nil},
		{"one element with both selectors: pods within namespaces", "#behavior-of-to-and-from-selectors", `
podSelector: {}
ingress: [{from: [{namespaceSelector: {matchLabels: {team: pay}}, podSelector: {matchLabels: {app: web}}}]}]
`, []string{"shop/db", "shop/web"}, []string{"ingress: both namespaces team=pay, pods app=web; every port"}},
		{"two elements: either", "#behavior-of-to-and-from-selectors", `
podSelector: {}
ingress: [{from: [{namespaceSelector: {matchLabels: {team: pay}}}, {podSelector: {matchLabels: {app: web}}}]}]
`, []string{"shop/db", "shop/web"}, []string{"ingress: namespaces team=pay, pods app=web; every port"}},
		{"an empty namespaceSelector is every namespace", "#behavior-of-to-and-from-selectors", `
podSelector: {matchLabels: {app: web}}
ingress: [{from: [{namespaceSelector: {}}]}]
`, []string{"shop/web"}, []string{"ingress: namespaces <all> (everything); every port"}},
		{"several namespaces by label", "#targeting-multiple-namespaces-by-label", `
podSelector: {matchLabels: {app: web}}
policyTypes: [Egress]
egress: [{to: [{namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [pay, shop]}]}}]}]
`, []string{"shop/web"}, []string{"egress: namespaces team in (pay,shop); every port"}},
		{"a namespace by its name", "#targeting-a-namespace-by-its-name", `
podSelector: {matchLabels: {app: web}}
ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: pay}}}]}]
`, []string{"shop/web"}, []string{"ingress: namespaces kubernetes.io/metadata.name=pay; every port"}},
		{"a range of ports", "#targeting-a-range-of-ports", `
podSelector: {matchLabels: {app: db}}
policyTypes: [Egress]
egress: [{to: [{ipBlock: {cidr: 10.0.0.0/24}}], ports: [{protocol: TCP, port: 32000, endPort: 32768}]}]
`, []string{"shop/db"}, []string{"egress: block 10.0.0.0/24; TCP/32000-32768"}},
		{"named ports, other protocols, and a protocol alone", "#networkpolicy-resource", `
podSelector: {matchLabels: {app: db}}
ingress: [{ports: [{port: http}, {protocol: UDP, port: 53}, {protocol: SCTP}]}]
`, []string{"shop/db"}, []string{"ingress: everyone; TCP/http, UDP/53, SCTP"}},
		{"an empty rule allows everyone on every port", "#allow-all-ingress-traffic", `
podSelector: {}
ingress: [{}]
`, []string{"shop/db", "shop/web"}, []string{"ingress: everyone; every port"}},
		{"an empty list of peers is no peers at all, so everyone", "#allow-all-egress-traffic", `
podSelector: {}
policyTypes: [Egress]
egress: [{to: [], ports: []}]
`, []string{"shop/db", "shop/web"}, []string{"egress: everyone; every port"}},
		{"rules of a direction that policyTypes leaves out are none", "#networkpolicy-resource", `
podSelector: {}
policyTypes: [Ingress]
egress: [{}]
`, []string{"shop/db", "shop/web"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(Options{Live: true})
			for _, ns := range []string{"shop", "pay"} {
				s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns, Labels: map[string]string{"team": ns}}}, Place{})
			}
			addPolicies(t, s, "metadata: {name: p, namespace: shop}\nspec:\n"+indent(c.spec))
			for _, w := range []string{"shop/web", "shop/db", "pay/web", "pay/db"} {
				ns, app, _ := strings.Cut(w, "/")
				s.Add(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: app, Namespace: ns, Labels: map[string]string{"app": app}}}, Place{})
			}
			var selected []string
			var policy *facts.NetworkPolicy
			for r := range s.Resources() {
				switch f := r.Facts.(type) {
				case *facts.Workload:
					if f.Network.Policies.Kubernetes > 0 {
						selected = append(selected, strings.Replace(r.ID, "/Pod/", "/", 1))
					}
				case *facts.NetworkPolicy:
					policy = f
				}
			}
			slices.Sort(selected)
			if !slices.Equal(selected, c.selects) || policy.Matches != len(c.selects) {
				t.Errorf("it selects %v and counts %d, want %v; see %s%s", selected, policy.Matches, c.selects, docs, c.source)
			}
			var rules []string
			for i := range policy.Rules {
				rules = append(rules, ruleLine(&policy.Rules[i]))
			}
			if !slices.Equal(rules, c.rules) {
				t.Errorf("it allows\n%q\nwant\n%q\nsee %s%s", rules, c.rules, docs, c.source)
			}
		})
	}
}

func ruleLine(r *facts.PolicyRule) string {
	var peers []string
	for _, p := range r.Peers {
		line := p.Type + " " + p.Selector + p.CIDR
		if p.Except > 0 {
			line += fmt.Sprintf(" but %d", p.Except)
		}
		if p.Everything {
			line += " (everything)"
		}
		peers = append(peers, line)
	}
	if r.AllPeers {
		peers = append(peers, "everyone")
	}
	ports := strings.Join(r.PortList, ", ")
	if r.AllPorts {
		ports = "every port"
	}
	return r.Direction + ": " + strings.Join(peers, ", ") + "; " + ports
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
}

const cilium = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}\n"

const calico = "apiVersion: crd.projectcalico.org/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\n"

const calicoGlobal = "apiVersion: crd.projectcalico.org/v1\nkind: GlobalNetworkPolicy\nmetadata: {name: p}\n"

const admin = "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: p}\n"

const baseline = "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: default}\n"

// What the other engines make of a pod app=web in the namespace shop.
func TestOtherEngines(t *testing.T) {
	open := facts.Direction{AllowsAll: true, AllowsOutside: true}
	closed := facts.Direction{Isolated: true}
	wide := facts.Direction{Isolated: true, AllowsAll: true, AllowsOutside: true}
	outside := facts.Direction{Isolated: true, AllowsOutside: true}
	unread := facts.Direction{AllowsAll: true, AllowsOutside: true, Partial: true}
	for _, c := range []struct {
		name            string
		objects         string
		ingress, egress facts.Direction
		metadata        string
	}{
		{"Cilium: a list with a rule closes the direction", cilium + "spec: {endpointSelector: {}, ingress: [{}]}", closed, open, "allowed"},
		{"Cilium: an empty list closes nothing", cilium + "spec: {endpointSelector: {}, ingress: []}", open, open, "allowed"},
		{"Cilium: default deny switched off", cilium + "spec: {endpointSelector: {}, enableDefaultDeny: {egress: false}, egress: [{toPorts: [{ports: [{port: '53', protocol: UDP}]}]}]}", open, open, "allowed"},
		{"Cilium: the world", cilium + "spec: {endpointSelector: {matchLabels: {app: web}}, egress: [{toEntities: [world]}]}", open, wide, "allowed"},
		{"Cilium: the cluster is not where metadata is", cilium + "spec: {endpointSelector: {}, egress: [{toEntities: [cluster, host]}]}", open, closed, "blocked"},
		{"Cilium: a denial comes before whatever allows", cilium + "spec: {endpointSelector: {}, egress: [{toEntities: [world]}], egressDeny: [{toCIDR: [169.254.169.254/32]}]}", open, wide, "blocked"},
		{"Cilium: a denial in another policy", cilium + "spec: {endpointSelector: {}, egress: [{toEntities: [all]}]}\n---\n" + strings.Replace(cilium, "name: p", "name: q", 1) + "spec: {endpointSelector: {}, enableDefaultDeny: {egress: false}, egressDeny: [{toCIDRSet: [{cidr: 169.254.0.0/16}]}]}", open, wide, "blocked"},
		{"Cilium: a denial on another port", cilium + "spec: {endpointSelector: {}, egress: [{toEntities: [world]}], egressDeny: [{toCIDR: [169.254.169.254/32], toPorts: [{ports: [{port: '443', protocol: TCP}]}]}]}", open, wide, "allowed"},
		{"Cilium: a denial of everything", cilium + "spec: {endpointSelector: {}, egress: [{toEntities: [world]}], egressDeny: [{toEntities: [all]}]}", open, closed, "blocked"},
		{"Cilium: names may lead to metadata", cilium + "spec: {endpointSelector: {}, egress: [{toFQDNs: [{matchPattern: '*'}]}]}", open, closed, "unknown"},
		{"Cilium: CIDR without a protocol is TCP too", cilium + "spec: {endpointSelector: {}, egress: [{toCIDR: [169.254.169.254/32], toPorts: [{ports: [{port: '80'}]}]}]}", open, closed, "allowed"},
		{"Cilium: an exception", cilium + "spec: {endpointSelector: {}, egress: [{toCIDRSet: [{cidr: 0.0.0.0/0, except: [169.254.0.0/16]}]}]}", open, outside, "blocked"},
		{"Cilium: another pod", cilium + "spec: {endpointSelector: {matchLabels: {'k8s:app': db}}, egress: [{}]}", open, open, "allowed"},
		{"Cilium: a selector that is not read may select the pod", cilium + "spec: {endpointSelector: {matchLabels: {'k8s:io.cilium.k8s.policy.serviceaccount': web}}, ingress: [{}], egress: [{}]}", unread, unread, "unknown"},
		{"Cilium: cluster-wide, by namespace", strings.Replace(cilium, "kind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}", "kind: CiliumClusterwideNetworkPolicy\nmetadata: {name: p}", 1) + "spec: {endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': shop}}, ingress: [{}]}", closed, open, "allowed"},
		{"Cilium: cluster-wide, for another namespace", strings.Replace(cilium, "kind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}", "kind: CiliumClusterwideNetworkPolicy\nmetadata: {name: p}", 1) + "spec: {endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': pay}}, ingress: [{}]}", open, open, "allowed"},

		{"Calico: default deny", calico + "spec: {selector: all(), types: [Ingress, Egress]}", closed, closed, "blocked"},
		{"Calico: an expression that is not read may select the pod", calico + "spec: {selector: \"app starts with 'w'\", types: [Ingress]}", unread, unread, "unknown"},
		{"Calico: the first rule that matches decides", calico + "spec: {selector: all(), types: [Egress], egress: [{action: Deny, destination: {nets: [169.254.169.254/32]}}, {action: Allow}]}", open, wide, "blocked"},
		{"Calico: an allow before a denial", calico + "spec: {selector: all(), types: [Egress], egress: [{action: Allow}, {action: Deny, destination: {nets: [169.254.169.254/32]}}]}", open, wide, "allowed"},
		{"Calico: a policy of a lower order is asked first", calicoGlobal + "spec: {order: 10, selector: all(), types: [Egress], egress: [{action: Deny, destination: {nets: [169.254.0.0/16]}}]}\n---\n" + strings.Replace(calico, "name: p", "name: a", 1) + "spec: {order: 20, selector: all(), types: [Egress], egress: [{action: Allow}]}", open, wide, "blocked"},
		{"Calico: notNets", calico + "spec: {selector: all(), types: [Egress], egress: [{action: Allow, destination: {notNets: [169.254.0.0/16]}}]}", open, outside, "blocked"},
		{"Calico: a set of addresses behind a selector", calico + "spec: {selector: all(), types: [Egress], egress: [{action: Allow, destination: {selector: \"role == 'metadata'\", namespaceSelector: global()}}]}", open, closed, "unknown"},
		{"Calico: another tier", calico + "spec: {tier: platform, selector: all(), types: [Egress], egress: [{action: Pass}]}", open, facts.Direction{Isolated: true, Partial: true}, "unknown"},
		{"Calico: a namespace by its name", calicoGlobal + "spec: {namespaceSelector: \"projectcalico.org/name == 'pay'\", selector: all(), types: [Ingress]}", open, open, "allowed"},
		{"Calico: the namespace of a pod by Calico's own label", calicoGlobal + "spec: {selector: \"projectcalico.org/namespace == 'shop' && app == 'web'\", types: [Ingress]}", closed, open, "allowed"},
		{"Calico: another namespace by that label", calicoGlobal + "spec: {selector: \"projectcalico.org/namespace not in {'shop', 'kube-system'}\", types: [Ingress]}", open, open, "allowed"},
		{"Calico: another label of its own may be any pod's", calicoGlobal + "spec: {selector: \"projectcalico.org/orchestrator == 'k8s'\", types: [Ingress, Egress]}", unread, unread, "unknown"},

		{"Admin: a rule for less than everything does not close the direction", admin + "spec: {priority: 5, subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: [169.254.169.254/32]}]}]}", open, open, "blocked"},
		{"Admin: the first rule that matches decides", admin + "spec: {priority: 5, subject: {namespaces: {}}, egress: [{action: Allow, to: [{networks: [169.254.0.0/16]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]}", open, closed, "allowed"},
		{"Admin: pass leaves it to the others", admin + "spec: {priority: 5, subject: {namespaces: {}}, egress: [{action: Pass, to: [{networks: [169.254.0.0/16]}]}, {action: Deny, to: [{networks: [169.254.169.254/32]}]}]}", open, open, "allowed"},
		{"Admin: default deny of the baseline", baseline + "spec: {subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}", closed, open, "allowed"},
		{"Admin: another namespace", admin + "spec: {priority: 5, subject: {namespaces: {matchLabels: {team: pay}}}, egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]}", open, open, "allowed"},
		{"Admin: an action that is newer than this reader", admin + "spec: {priority: 5, subject: {namespaces: {}}, egress: [{action: Audit, to: [{networks: [0.0.0.0/0]}]}]}", open, unread, "unknown"},
		{"Admin: names of domains", admin + "spec: {priority: 5, subject: {namespaces: {}}, egress: [{action: Deny, to: [{domainNames: ['*.example.com']}]}]}", open, open, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(Options{Live: true})
			s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": "shop"}}}, Place{})
			addObjects(t, s, c.objects)
			s.Add(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", Labels: map[string]string{"app": "web"}}}, Place{})
			n := s.network(s.works[0])
			if n.Ingress != c.ingress || n.Egress != c.egress || n.Metadata != c.metadata {
				t.Errorf("got  ingress %+v\n     egress  %+v, metadata %s\nwant ingress %+v\n     egress  %+v, metadata %s", n.Ingress, n.Egress, n.Metadata, c.ingress, c.egress, c.metadata)
			}
		})
	}
}

// A baseline holds only where no NetworkPolicy isolates the pod.
func TestBaselineGivesWay(t *testing.T) {
	s := New(Options{Live: true})
	addObjects(t, s, baseline+"spec: {subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]}")
	addPolicies(t, s, "metadata: {name: p, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}")
	s.Add(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}}, Place{})
	if n := s.network(s.works[0]); n.Metadata != "allowed" || !n.Egress.AllowsAll {
		t.Errorf("got %+v", n)
	}
}

// A policy of an engine whose selector was not read must not make a namespace
// look closed.
func TestUnreadPoliciesOfANamespace(t *testing.T) {
	s := New(Options{Live: true})
	s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, Place{})
	addObjects(t, s, calico+"spec: {selector: \"app starts with 'w'\", types: [Ingress]}")
	f := resourcesOf(s, facts.KindNamespace)["Namespace/shop"].Facts.(*facts.Namespace)
	if f.DenyIngress || f.PoliciesUnread != 1 || f.Policies.Calico != 1 {
		t.Errorf("got %+v", f)
	}
}

// Pods of a StatefulSet have a label with their own name, which the template
// does not have.
func TestSelectorsThatMeanSinglePods(t *testing.T) {
	s := New(Options{Live: true})
	d := deployment(t)
	s.Add(d, Place{})
	s.Add(replicaSet(t, "Deployment"), Place{})
	s.Add(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "one", Namespace: "shop"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"pod": "a"}}}, Place{})
	addPolicies(t, s, `
metadata: {name: p, namespace: shop}
spec:
  podSelector: {matchLabels: {pod: a}}
  ingress: [{from: [{podSelector: {matchLabels: {pod: b}}}, {podSelector: {matchLabels: {pod: c}}}]}]
`)
	for _, n := range []string{"a", "b", "a"} {
		p := podOf(t, "web-5d4-"+n, "n1", metav1.OwnerReference{Kind: "ReplicaSet", Name: "web-5d4"})
		p.Labels["pod"] = n
		s.Add(p, Place{})
	}
	var policy *facts.NetworkPolicy
	var svc *facts.Service
	for r := range s.Resources() {
		switch f := r.Facts.(type) {
		case *facts.NetworkPolicy:
			policy = f
		case *facts.Service:
			svc = f
		}
	}
	peers := policy.Rules[0].Peers
	if policy.Matches != 1 || !peers[0].Matches || peers[1].Matches {
		t.Errorf("the policy matches %d workloads, its peers %v and %v", policy.Matches, peers[0].Matches, peers[1].Matches)
	}
	if svc.Matches != 1 || !slices.Equal(svc.Images, []string{"library/nginx"}) {
		t.Errorf("the service matches %d workloads with %v", svc.Matches, svc.Images)
	}
}
