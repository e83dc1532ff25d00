package kube

import (
	"maps"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// one returns the only resource of a kind.
func one[T any](t *testing.T, s *Set, kind facts.Kind) (*facts.Resource, *T) {
	t.Helper()
	all := resourcesOf(s, kind)
	if len(all) != 1 {
		t.Fatalf("want one %s, got %v", kind, keys(all))
	}
	for _, r := range all {
		return r, r.Facts.(*T)
	}
	return nil, nil
}

func TestInternalLoadBalancers(t *testing.T) {
	const aws = "service.beta.kubernetes.io/aws-load-balancer-"
	for _, c := range []struct {
		name        string
		annotations map[string]string
		class       string
		want        bool
	}{
		{"nothing said", nil, "", false},
		{"GKE", map[string]string{"networking.gke.io/load-balancer-type": "Internal"}, "", true},
		{"Azure, switched off", map[string]string{"service.beta.kubernetes.io/azure-load-balancer-internal": "false"}, "", false},
		{"AWS's own controller makes internal ones", map[string]string{aws + "type": "external"}, "", true},
		{"AWS's own controller by class", nil, "service.k8s.aws/nlb", true},
		{"AWS's own controller, told otherwise", map[string]string{aws + "type": "external", aws + "scheme": "internet-facing"}, "", false},
		{"AWS, in tree", map[string]string{aws + "type": "nlb"}, "", false},
		{"a class that says so", nil, "example.com/internal-vip", true},
	} {
		s := New(Options{Live: true})
		svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", Annotations: c.annotations}, Spec: corev1.ServiceSpec{Type: "LoadBalancer"}}
		if c.class != "" {
			svc.Spec.LoadBalancerClass = &c.class
		}
		s.Add(svc, Place{})
		if _, f := one[facts.Service](t, s, facts.KindService); f.Internal != c.want || !f.OpenToAll || !f.AllocateNodePorts {
			t.Errorf("%s: internal %v, want %v: %+v", c.name, f.Internal, c.want, f)
		}
	}
}

func TestWhereServicesWithoutSelectorsLead(t *testing.T) {
	set := func(live bool) *Set {
		s := New(Options{Live: live})
		s.Cluster(ClusterInfo{Addresses: []string{"198.51.100.9"}})
		for _, n := range []string{"shop", "shop-db", "pay"} {
			s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n, Labels: map[string]string{"postscan/tenant": strings.TrimSuffix(n, "-db")}}}, Place{})
		}
		s.Add(&corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: "Node-1"}, Spec: corev1.NodeSpec{PodCIDRs: []string{"10.244.0.0/24"}},
			Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.1.0.5"}}},
		}, Place{})
		s.Add(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "kubernetes", Namespace: "default"}, Spec: corev1.ServiceSpec{ClusterIPs: []string{"10.96.0.1"}}}, Place{})
		s.Add(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "db", Namespace: "pay"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"a": "b"}, ClusterIPs: []string{"10.96.7.7"}}}, Place{})
		s.Add(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "own", Namespace: "shop"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"a": "b"}, ClusterIPs: []string{"10.96.7.8"}}}, Place{})
		return s
	}
	for value, want := range map[string]facts.ServiceTarget{
		"169.254.169.254":              {Class: "metadata"},
		"::ffff:169.254.169.254":       {Class: "metadata"},
		"168.63.129.16":                {Class: "metadata"},
		"fd00:ec2::254":                {Class: "metadata"},
		"169.254.170.23":               {Class: "metadata"},
		"metadata.google.internal.":    {Class: "metadata"},
		"169-254-169-254.nip.io":       {Class: "metadata"},
		"x.169.254.169.254.sslip.io":   {Class: "metadata"},
		"127.0.0.53":                   {Class: "loopback"},
		"0.0.0.0":                      {Class: "loopback"},
		"LOCALHOST":                    {Class: "loopback"},
		"127.0.0.1.nip.io":             {Class: "loopback"},
		"10.96.0.1":                    {Class: "api-server"},
		"198.51.100.9":                 {Class: "api-server"},
		"kubernetes.default.svc":       {Class: "api-server"},
		"kubernetes.default.example":   {Class: "name"},
		"10.1.0.5":                     {Class: "node"},
		"node-1":                       {Class: "node"},
		"10.96.7.7":                    {Class: "pod", Namespace: "pay"},
		"10.96.7.8":                    {Class: "private"},
		"10.244.0.9":                   {Class: "pod"},
		"10.9.9.9":                     {Class: "private"},
		"203.0.113.4":                  {Class: "public"},
		"db.pay.svc.cluster.local":     {Class: "pod", Namespace: "pay"},
		"db-0.db.pay.svc":              {Class: "pod", Namespace: "pay"},
		"db.shop-db.svc.cluster.local": {Class: "pod", Namespace: "shop-db", SameTenant: true},
		"db.shop.svc.cluster.local":    {Class: "name"},
		"db.example.com":               {Class: "name"},
	} {
		s := set(true)
		s.Add(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "shop"}, Spec: corev1.ServiceSpec{Type: "ExternalName", ExternalName: value}}, Place{})
		got := resourcesOf(s, facts.KindService)["shop/Service/x"].Facts.(*facts.Service).Targets
		want.Value, want.Path = value, "spec.externalName"
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %+v, want %+v", value, got, want)
		}
	}
	s := set(true)
	s.Add(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "shop"}}, Place{})
	s.Add(&discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "x-1", Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: "x"}},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"169.254.169.254"}}},
	}, Place{})
	r := resourcesOf(s, facts.KindService)["shop/Service/x"]
	if got := r.Facts.(*facts.Service).Targets; len(got) != 1 || got[0].Class != "metadata" || got[0].Path != "endpoints" {
		t.Errorf("hand-made endpoints: %+v", got)
	}
	s = set(false)
	s.Add(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "shop"}}, Place{})
	if m := resourcesOf(s, facts.KindService)["shop/Service/x"].Missing["targets"]; m.Status != facts.NotAssessed {
		t.Errorf("manifests without the endpoints: %+v", m)
	}
}

func TestIngressTLS(t *testing.T) {
	for _, c := range []struct {
		name, spec  string
		annotations map[string]string
		tls         []string // of each rule
		backend     string
		redirects   bool
		off         bool
	}{
		{name: "no certificates", spec: "{rules: [{host: a.example}]}", tls: []string{"none"}},
		{name: "for one host of two", spec: "{tls: [{hosts: [A.example]}], rules: [{host: a.example}, {host: b.example}]}", tls: []string{"terminate", "none"}},
		{name: "a wildcard is for one level", spec: "{tls: [{hosts: ['*.example']}], rules: [{host: a.example}, {host: b.a.example}]}", tls: []string{"terminate", "none"}},
		{name: "a certificate that names its hosts itself", spec: "{tls: [{secretName: s}], rules: [{host: a.example}]}", tls: []string{"terminate"}},
		{name: "ssl-redirect without a certificate redirects nothing", spec: "{rules: [{host: a.example}]}", annotations: map[string]string{"nginx.ingress.kubernetes.io/ssl-redirect": "true"}, tls: []string{"none"}},
		{name: "force-ssl-redirect does", spec: "{rules: [{host: a.example}]}", annotations: map[string]string{"nginx.ingress.kubernetes.io/force-ssl-redirect": "true"}, tls: []string{"none"}, redirects: true},
		{name: "a redirect that is switched off", spec: "{tls: [{hosts: [a.example]}], rules: [{host: a.example}]}", annotations: map[string]string{"nginx.ingress.kubernetes.io/ssl-redirect": "false"}, tls: []string{"terminate"}, off: true},
		{name: "a certificate by annotation", spec: "{rules: [{host: a.example}]}", annotations: map[string]string{"alb.ingress.kubernetes.io/certificate-arn": "arn:aws:acm:x"}, tls: []string{"terminate"}},
		{name: "a default backend alone", spec: "{defaultBackend: {service: {name: web, port: {number: 80}}}}", backend: "none"},
		{name: "a default backend with a certificate", spec: "{tls: [{secretName: s}], defaultBackend: {service: {name: web, port: {number: 80}}}}", backend: "terminate"},
	} {
		s := New(Options{Live: true})
		in := decode[netv1.Ingress](t, "metadata: {name: web, namespace: shop}\nspec: "+c.spec)
		in.Annotations = c.annotations
		s.Add(in, Place{})
		_, f := one[facts.Ingress](t, s, facts.KindIngress)
		var tls []string
		for _, h := range f.Hosts {
			tls = append(tls, h.TLS)
		}
		if !slices.Equal(tls, c.tls) || f.DefaultBackendTLS != c.backend || f.Redirects != c.redirects || f.RedirectOff != c.off {
			t.Errorf("%s: tls %v, default backend %q, redirects %v, off %v", c.name, tls, f.DefaultBackendTLS, f.Redirects, f.RedirectOff)
		}
	}
}

const gatewayObject = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: infra}
spec:
  gatewayClassName: CLASS
  listeners:
  - {name: http, protocol: HTTP, port: 80, allowedRoutes: {namespaces: {from: All}}}
  - {name: https, protocol: HTTPS, port: 443, hostname: "*.example.com", tls: {certificateRefs: [{name: c}]}, allowedRoutes: {namespaces: {from: All}}}
  - {name: own, protocol: HTTPS, port: 8443, tls: {certificateRefs: [{name: c}]}}
`

const routeObject = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: NAME, namespace: NAMESPACE}
spec:
  parentRefs: PARENTS
`

func TestGatewaysAndTheirRoutes(t *testing.T) {
	route := func(name, ns, parents, rest string) string {
		return strings.NewReplacer("NAME", name, "NAMESPACE", ns, "PARENTS", parents).Replace(strings.Replace(routeObject, "namespace: NAMESPACE", "namespace: "+ns, 1)) + rest
	}
	const toHTTP = "[{name: edge, namespace: infra, sectionName: http}]"
	const toHTTPS = "[{name: edge, namespace: infra, sectionName: https}]"
	const redirect = "  rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}]\n"
	const serve = "  rules: [{backendRefs: [{name: web, port: 80}]}]\n"
	gateway := func(class string) string { return strings.Replace(gatewayObject, "CLASS", class, 1) }
	join := func(t *testing.T, docs ...string) map[string]*facts.Resource {
		s := New(Options{Live: true})
		addObjects(t, s, strings.Join(docs, "---\n"))
		return resourcesOf(s, facts.KindIngress)
	}
	ingress := func(m map[string]*facts.Resource, id string) *facts.Ingress { return m[id].Facts.(*facts.Ingress) }

	got := join(t, gateway("edge"), route("a", "shop", toHTTP, redirect))
	if g := ingress(got, "infra/Gateway/edge"); !g.Hosts[0].Redirects || g.Hosts[1].Redirects {
		t.Errorf("all that is attached redirects: %+v", g.Hosts)
	}
	got = join(t, gateway("edge"), route("a", "shop", toHTTP, redirect), route("b", "shop", toHTTP, serve))
	if g := ingress(got, "infra/Gateway/edge"); g.Hosts[0].Redirects {
		t.Error("one of two routes serves plain HTTP")
	}
	if r := ingress(got, "shop/HTTPRoute/b"); r.Hosts[0].TLS != "none" || !r.Hosts[0].OpenListener || !r.Hosts[0].Wildcard || r.Internal {
		t.Errorf("a route without hostnames on a listener that takes all: %+v", r.Hosts)
	}
	got = join(t, gateway("edge"), route("b", "shop", toHTTPS, serve))
	if r := ingress(got, "shop/HTTPRoute/b"); r.Hosts[0].TLS != "terminate" || r.Hosts[0].OpenListener {
		t.Errorf("a listener with a hostname of its own is no open one: %+v", r.Hosts)
	}
	got = join(t, gateway("edge"), route("b", "shop", "[{name: edge, namespace: infra, sectionName: own}]", serve))
	if r := got["shop/HTTPRoute/b"]; r.Missing["hosts[].tls"].Status != facts.Unknown {
		t.Errorf("a listener that takes its own namespace only: %+v", r)
	}
	got = join(t, gateway("gke-l7-rilb"), route("b", "shop", toHTTP, serve))
	if r := ingress(got, "shop/HTTPRoute/b"); !r.Internal {
		t.Error("an internal gateway")
	}
	got = join(t, route("b", "shop", "[{kind: Service, group: '', name: web}]", serve))
	if r := ingress(got, "shop/HTTPRoute/b"); !r.Internal {
		t.Error("a route of a mesh does not lead in from outside")
	}
}

func TestNamespaceDefaults(t *testing.T) {
	apiServer := func(arg string) *corev1.Pod {
		return decode[corev1.Pod](t, "metadata: {name: kube-apiserver-n1, namespace: kube-system, annotations: {kubernetes.io/config.mirror: x}}\nspec: {containers: [{name: kube-apiserver, image: registry.k8s.io/kube-apiserver:v1.37.2, command: [kube-apiserver, "+arg+"]}]}")
	}
	for want, pod := range map[string]*corev1.Pod{
		"assumed": nil, "privileged": apiServer("--anonymous-auth=false"), "configured": apiServer("--admission-control-config-file=/etc/kubernetes/psa.yaml"),
	} {
		s := New(Options{Live: true})
		s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, Place{})
		if pod != nil {
			s.Add(pod, Place{})
		}
		r, f := one[facts.Namespace](t, s, facts.KindNamespace)
		_, missing := r.Missing["pod_security_default"]
		if f.PodSecurityDefault != want || missing != (want == "configured") {
			t.Errorf("got %q, missing %v; want %q", f.PodSecurityDefault, missing, want)
		}
	}
}

// What other objects decide is not assessed in manifests that do not hold them,
// and judged where they do.
func TestGapsOfNamespacesInManifests(t *testing.T) {
	s := New(Options{Minor: 37})
	s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{psaPrefix + "enforce": "baseline", psaPrefix + "enforce-version": "v1.30"}}}, Place{})
	r, _ := one[facts.Namespace](t, s, facts.KindNamespace)
	if got := slices.Sorted(maps.Keys(r.Missing)); !slices.Equal(got, []string{"deny_egress", "deny_ingress", "limit_range", "quota", "quota_objects"}) {
		t.Errorf("missing are %v", got)
	}
	s = New(Options{})
	s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{psaPrefix + "enforce-version": "v1.30"}}}, Place{})
	s.Add(decode[corev1.ResourceQuota](t, "metadata: {name: q, namespace: shop}\nspec: {hard: {pods: 10, limits.cpu: 4}}"), Place{})
	s.Add(decode[corev1.LimitRange](t, "metadata: {name: l, namespace: shop}\nspec: {limits: [{type: Container, default: {cpu: 1}}]}"), Place{})
	addPolicies(t, s, "metadata: {name: p, namespace: shop}\nspec: {podSelector: {}}")
	r, f := one[facts.Namespace](t, s, facts.KindNamespace)
	if got := slices.Sorted(maps.Keys(r.Missing)); !slices.Equal(got, []string{"cluster.minor", "guards"}) || !r.Missing["guards"].Partial || !f.DenyIngress || !f.Quota || !f.QuotaObjects || !f.LimitRange {
		t.Errorf("missing are %v of %+v", got, f)
	}
}

// A manifest without a namespace is not one in default.
func TestManifestsThatNameNoNamespace(t *testing.T) {
	missing := func(o Options) bool {
		s := New(o)
		s.Add(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, Place{})
		r, _ := one[facts.Workload](t, s, facts.KindWorkload)
		_, ok := r.Missing["namespace.name"]
		return ok
	}
	if !missing(Options{}) || missing(Options{Namespace: "default"}) || missing(Options{Namespace: "shop"}) {
		t.Error("the name is missing where nobody gives it, and only there")
	}
}

func TestAdmissionPolicies(t *testing.T) {
	const kyverno = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec:\n"
	const pods = "    match: {any: [{resources: {kinds: [Pod]}}]}\n"
	for _, c := range []struct {
		name, object string
		action       string
		validates    bool
		blocks       bool
		guard        *facts.Guard // of the namespace shop
	}{
		{"audit is the default", kyverno + "  rules:\n  - name: a\n" + pods + "    validate: {podSecurity: {level: baseline}}\n", "Audit", true, false, &facts.Guard{Understood: true}},
		{"enforce", kyverno + "  validationFailureAction: enforce\n  rules:\n  - name: a\n" + pods + "    validate: {podSecurity: {level: baseline}}\n", "Enforce", true, true, &facts.Guard{Enforces: true, Privileged: true, Understood: true}},
		{"enforce by rule", kyverno + "  rules:\n  - name: a\n" + pods + "    validate: {failureAction: Enforce, pattern: {spec: {containers: [{'=(securityContext)': {'=(privileged)': 'false'}}]}}}\n", "Enforce", true, true, &facts.Guard{Enforces: true, Privileged: true, Understood: true}},
		{"one rule of two", kyverno + "  rules:\n  - name: a\n" + pods + "    validate: {failureAction: Enforce, podSecurity: {level: baseline}}\n  - name: b\n" + pods + "    validate: {pattern: {metadata: {labels: {team: '?*'}}}}\n", "Audit", true, false, &facts.Guard{Enforces: true, Privileged: true, Understood: true}},
		{"enforce something else", kyverno + "  validationFailureAction: Enforce\n  rules:\n  - name: a\n" + pods + "    validate: {pattern: {metadata: {labels: {team: '?*'}}}}\n", "Enforce", true, true, &facts.Guard{Enforces: true, Understood: true}},
		{"a policy that only changes", kyverno + "  rules:\n  - name: a\n" + pods + "    mutate: {patchStrategicMerge: {}}\n", "Audit", false, false, &facts.Guard{Understood: true}},
		{"an override for a namespace", kyverno + "  validationFailureAction: Enforce\n  validationFailureActionOverrides: [{action: audit, namespaces: [shop]}]\n  rules:\n  - name: a\n" + pods + "    validate: {podSecurity: {level: baseline}}\n", "Enforce", true, true, nil},
		{"Gatekeeper, dry run", "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sPSPPrivilegedContainer\nmetadata: {name: p}\nspec: {enforcementAction: dryrun}\n", "dryrun", true, false, &facts.Guard{Privileged: true, Understood: true}},
		{"Gatekeeper, a template of its library", "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sRequiredLabels\nmetadata: {name: p}\nspec: {}\n", "deny", true, true, &facts.Guard{Enforces: true, Understood: true}},
		{"Gatekeeper, a template of somebody's own", "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: HouseRules\nmetadata: {name: p}\nspec: {}\n", "deny", true, true, &facts.Guard{Enforces: true}},
	} {
		s := New(Options{Live: true})
		s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, Place{})
		addObjects(t, s, c.object)
		var f *facts.AdmissionPolicy
		var guards []facts.Guard
		for r := range s.Resources() {
			switch d := r.Facts.(type) {
			case *facts.AdmissionPolicy:
				f = d
			case *facts.Namespace:
				guards = d.Guards
			}
		}
		if f.Action != c.action || f.Validates != c.validates || f.Blocks != c.blocks || !f.Pods {
			t.Errorf("%s: %+v", c.name, f)
		}
		var want []facts.Guard
		if c.guard != nil {
			g := *c.guard
			g.Engine, g.Name = f.Engine, "p"
			want = append(want, g)
		}
		if !slices.Equal(guards, want) {
			t.Errorf("%s: guards %+v, want %+v", c.name, guards, want)
		}
	}
}

// A ValidatingAdmissionPolicy holds where some binding that denies takes it.
func TestBindingsOfValidatingAdmissionPolicies(t *testing.T) {
	const policy = "metadata: {name: p}\nspec: {matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}, validations: [{expression: '!object.spec.containers.exists(c, c.securityContext.privileged)'}]}"
	const binding = "metadata: {name: NAME}\nspec: {policyName: p, validationActions: [ACTION], matchResources: {namespaceSelector: {matchLabels: {team: TEAM}}}}"
	bind := func(s *Set, name, action, team string) {
		s.Add(decode[admissionv1.ValidatingAdmissionPolicyBinding](t, strings.NewReplacer("NAME", name, "ACTION", action, "TEAM", team).Replace(binding)), Place{})
	}
	guards := func(build func(s *Set)) (guards []facts.Guard, action string) {
		s := New(Options{Live: true})
		s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": "shop"}}}, Place{})
		s.Add(decode[admissionv1.ValidatingAdmissionPolicy](t, policy), Place{})
		build(s)
		for r := range s.Resources() {
			switch d := r.Facts.(type) {
			case *facts.Namespace:
				guards = d.Guards
			case *facts.AdmissionPolicy:
				action = d.Action
			}
		}
		return guards, action
	}
	if g, action := guards(func(*Set) {}); len(g) != 0 || action != "none" {
		t.Errorf("without a binding: %v %s", g, action)
	}
	if g, action := guards(func(s *Set) { bind(s, "a", "Deny", "pay"); bind(s, "b", "Warn", "shop") }); len(g) != 0 || action != "Deny" {
		t.Errorf("denied elsewhere: %v %s", g, action)
	}
	if g, _ := guards(func(s *Set) { bind(s, "a", "Deny", "pay"); bind(s, "b", "Deny", "shop") }); len(g) != 1 || !g[0].Enforces || !g[0].Privileged {
		t.Errorf("denied by the second binding: %v", g)
	}
}

func TestNetworkPlugins(t *testing.T) {
	daemon := func(ns, name, image, args string) *appsv1.DaemonSet {
		return decode[appsv1.DaemonSet](t, "metadata: {name: "+name+", namespace: "+ns+"}\nspec: {template: {spec: {containers: [{name: a, image: '"+image+"', args: ["+args+"]}]}}}")
	}
	for _, c := range []struct {
		name, version string
		sets          []*appsv1.DaemonSet
		want          string
	}{
		{"nothing known", "v1.37.2", nil, "unknown"},
		{"plain flannel", "v1.37.2", []*appsv1.DaemonSet{daemon("kube-flannel", "kube-flannel-ds", "flannel/flannel:v0.27", "")}, "false"},
		{"an engine beside flannel", "v1.37.2", []*appsv1.DaemonSet{daemon("kube-flannel", "kube-flannel-ds", "flannel/flannel:v0.27", ""), daemon("kube-system", "kube-network-policies", "registry.k8s.io/networking/kube-network-policies:v1", "")}, "true"},
		{"old kindnet", "v1.37.2", []*appsv1.DaemonSet{daemon("kube-system", "kindnet", "kindest/kindnetd:v20230511-dc714da8", "")}, "false"},
		{"kindnet", "v1.37.2", []*appsv1.DaemonSet{daemon("kube-system", "kindnet", "kindest/kindnetd:v20250512-df8de77b", "")}, "true"},
		{"EKS, option off", "v1.33.1-eks-5d4a308", []*appsv1.DaemonSet{daemon("kube-system", "aws-node", "602.example/eks/aws-network-policy-agent:v1", "'--enable-network-policy=false'")}, "false"},
		{"EKS, option on", "v1.33.1-eks-5d4a308", []*appsv1.DaemonSet{daemon("kube-system", "aws-node", "602.example/eks/aws-network-policy-agent:v1", "'--enable-network-policy=true'")}, "true"},
		{"GKE without an engine", "v1.33.1-gke.100", nil, "false"},
		{"GKE with Dataplane V2", "v1.33.1-gke.100", []*appsv1.DaemonSet{daemon("kube-system", "anetd", "gke.gcr.io/cilium/cilium:v1", "")}, "true"},
	} {
		s := New(Options{Live: true})
		s.Cluster(ClusterInfo{Version: c.version})
		for _, d := range c.sets {
			s.Add(d, Place{})
		}
		addPolicies(t, s, "metadata: {name: p, namespace: shop}\nspec: {podSelector: {}}")
		r, f := one[facts.Cluster](t, s, facts.KindCluster)
		_, missing := r.Missing["network.enforces"]
		if f.Network.Enforces != c.want || missing != (c.want == "unknown") || f.Network.Policies.Kubernetes != 1 {
			t.Errorf("%s: %+v, missing %v", c.name, f.Network, missing)
		}
	}
}
