package kube

import (
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	certv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/postscan/postscan/scanner/facts"
)

// ClusterInfo is what the live collector learns beside the objects.
type ClusterInfo struct {
	// Version is the server's gitVersion; "" where it could not be read.
	Version string
	// Groups are the API groups that the server offers.
	Groups    []string
	Anonymous facts.AnonymousAccess
	Endpoint  facts.Endpoint
	// Credential is what the server let the scan in with.
	Credential facts.Credential
	// Addresses are those of the API server, beside those of its Service.
	Addresses []string
	// Missing says, by field of [facts.Cluster], what could not be learned.
	Missing map[string]facts.Missing
}

// clusterFacts gathers what concerns the cluster as a whole.
type clusterFacts struct {
	info         ClusterInfo
	known        bool
	uid          string
	hints        map[string]bool
	edge         bool
	apiAddresses []string

	apiServers, managers, schedulers, etcds, proxies []componentAt
	proxyMetrics                                     string
	proxyConfig                                      bool

	verifiers        []facts.Verifier
	registryPolicies []*admission
	bootstrapTokens  []facts.BootstrapToken
	certificates     []facts.ClientCertificate
	mappings         []facts.IdentityMapping
	mapped           map[subjectKey]bool
	kubeadmin        bool
	snippetConfigs   map[name]string
	plugins          map[string]string // network plugin → enforces: true, false, unknown
	peerModes        map[name]string   // PeerAuthentications without a selector, by namespace
	peerWeaker       []string
	linkerdPolicy    string
	openshift        facts.OpenShift
	openshiftSeen    map[string]bool
	openshiftFlags   map[string][]facts.Flag // of the ConfigMap "config", by namespace
	operatorsSeen    bool
	summary          *facts.ClusterSummary
}

// Cluster tells what the collector learned of the server itself.
func (s *Set) Cluster(info ClusterInfo) {
	s.cluster.info, s.cluster.known = info, true
	s.cluster.apiAddresses = append(s.cluster.apiAddresses, info.Addresses...)
	s.cluster.openshift.Present = slices.Contains(info.Groups, "config.openshift.io")
	s.cluster.summary = nil
}

// ClusterUID is the UID of kube-system, which names the cluster from scan to
// scan; "" where that namespace was not seen.
func (s *Set) ClusterUID() string { return s.cluster.uid }

func (c *clusterFacts) uidOf(o *corev1.Namespace) {
	if o.Name == "kube-system" {
		c.uid = strings.Clone(string(o.UID))
	}
}

// hint books a sign of a distribution.
func (c *clusterFacts) hint(d string) { c.hints[d] = true }

// verify books a means of image verification.
func (c *clusterFacts) verify(v facts.Verifier) {
	if !slices.Contains(c.verifiers, v) {
		c.verifiers = append(c.verifiers, v)
	}
}

// component says which list a control-plane container belongs to, by its name;
// nil for others.
func (c *clusterFacts) component(container string) *[]componentAt {
	switch container {
	case "kube-apiserver":
		return &c.apiServers
	case "kube-controller-manager":
		return &c.managers
	case "kube-scheduler":
		return &c.schedulers
	case "etcd":
		return &c.etcds
	case "kube-proxy":
		return &c.proxies
	default:
		return nil
	}
}

// supportEnds is the end of upstream support of each minor version, as the
// project's own list of releases says (data/releases/eol.yaml of
// kubernetes/website, and the page of each release that is not at its end).
var supportEnds = map[int]string{
	16: "2020-09-02", 17: "2021-01-13", 18: "2021-06-18", 19: "2021-10-28",
	20: "2022-02-28", 21: "2022-06-28", 22: "2022-12-08", 23: "2023-02-28", 24: "2023-07-28", 25: "2023-10-28", 26: "2024-02-28", 27: "2024-07-16",
	28: "2024-10-22", 29: "2025-02-28", 30: "2025-07-15", 31: "2025-11-11", 32: "2026-02-28", 33: "2026-06-28", 34: "2026-10-27",
	35: "2027-02-28", 36: "2027-06-28", 37: "2027-10-28",
}

// distribution names what the cluster is, most certain sign first.
func (s *Set) distribution() string {
	v := s.cluster.info.Version
	for _, sign := range [][2]string{{"-gke.", "gke"}, {"-eks-", "eks"}, {"+k3s", "k3s"}, {"+rke2", "rke2"}, {"+k0s", "k0s"}, {"-kubeedge-", "kubeedge"}} {
		if strings.Contains(v, sign[0]) {
			return sign[1]
		}
	}
	if s.cluster.openshift.Present {
		return "openshift"
	}
	for _, n := range slices.Sorted(maps.Keys(s.nodes)) {
		nd := s.nodes[n]
		has := func(label string) bool { _, ok := nd.labels[label]; return ok }
		switch {
		case has("kubernetes.azure.com/cluster"):
			return "aks"
		case has("microk8s.io/cluster"):
			return "microk8s"
		case has("minikube.k8s.io/name"):
			return "minikube"
		case nd.facts.Provider == "kind":
			return "kind"
		case strings.Contains(nd.facts.OSImage, "Talos"):
			return "talos"
		case has("openyurt.io/is-edge-worker"):
			return "openyurt"
		case has("node-role.kubernetes.io/edge"):
			return "kubeedge"
		case has("superedge.io/node-edge"):
			return "superedge"
		}
	}
	for _, d := range []string{"k3s", "kubeadm"} {
		if s.cluster.hints[d] {
			return d
		}
	}
	if !s.cluster.known {
		return ""
	}
	return "kubernetes"
}

// clusterSummary is what other documents carry of the cluster.
func (s *Set) clusterSummary() facts.ClusterSummary {
	if s.cluster.summary == nil {
		c := facts.ClusterSummary{Minor: s.opts.Minor, Distribution: s.distribution(), AlwaysPullImages: "unknown", DenyExternalIPs: "unknown"}
		if m, _ := minorPatch(s.cluster.info.Version); m > 0 {
			c.Minor = m
		}
		if list := s.cluster.apiServers; len(list) > 0 {
			on := func(plugin string) string {
				for i := range list {
					v, given := facts.FlagOf(list[i].Flags, "enable-admission-plugins")
					if !given && list[i].ConfigFile {
						return "unknown"
					}
					if !slices.Contains(strings.Split(v, ","), plugin) {
						return "false"
					}
				}
				return "true"
			}
			c.AlwaysPullImages, c.DenyExternalIPs = on("AlwaysPullImages"), on("DenyServiceExternalIPs")
		}
		s.cluster.summary = &c
	}
	return *s.cluster.summary
}

// addCSR keeps who an approved client certificate was asked for.
func (s *Set) addCSR(o *certv1.CertificateSigningRequest) {
	client := slices.Contains(o.Spec.Usages, certv1.UsageClientAuth)
	approved := slices.ContainsFunc(o.Status.Conditions, func(c certv1.CertificateSigningRequestCondition) bool { return c.Type == certv1.CertificateApproved })
	if !client || !approved {
		return
	}
	c := facts.ClientCertificate{Signer: s.intern(o.Spec.SignerName), Issued: len(o.Status.Certificate) > 0, Requester: s.intern(o.Spec.Username)}
	if o.Spec.ExpirationSeconds != nil {
		c.LifeHours = int(*o.Spec.ExpirationSeconds) / 3600
	}
	block, _ := pem.Decode(o.Spec.Request)
	if block == nil {
		return
	}
	req, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return
	}
	c.User, c.Groups = s.intern(req.Subject.CommonName), s.internAll(req.Subject.Organization)
	if strings.HasPrefix(c.User, "system:node:") && !slices.Contains(c.Groups, "system:masters") {
		return // kubelets get theirs this way
	}
	s.cluster.certificates = append(s.cluster.certificates, c)
}

// addPeerAuthentication keeps the mutual TLS mode that it sets.
func (s *Set) addPeerAuthentication(u *unstructured.Unstructured) {
	ns := s.namespaceOf(metaOf(u))
	mode := cmp.Or(text(u.Object, "spec", "mtls", "mode"), "UNSET")
	if submap(u.Object, "spec", "selector") == nil {
		s.cluster.peerModes[name{ns, u.GetName()}] = mode
	}
	weak := func(m string) bool { return m == "PERMISSIVE" || m == "DISABLE" }
	for _, port := range submap(u.Object, "spec", "portLevelMtls") {
		m, _ := port.(map[string]any)
		if weak(text(m, "mode")) {
			s.cluster.peerWeaker = append(s.cluster.peerWeaker, ns+"/"+u.GetName())
			return
		}
	}
	if (ns != istioRoot || submap(u.Object, "spec", "selector") != nil) && weak(mode) {
		s.cluster.peerWeaker = append(s.cluster.peerWeaker, ns+"/"+u.GetName())
	}
}

// istioRoot is the namespace whose policies hold for the whole mesh.
const istioRoot = "istio-system"

// mesh puts the signs of a service mesh together.
func (s *Set) mesh() facts.Mesh {
	m := facts.Mesh{Mode: unset, Weaker: slices.Sorted(slices.Values(s.cluster.peerWeaker))}
	switch {
	case s.namespaces[istioRoot] != nil || len(s.cluster.peerModes) > 0:
		m.Name = "istio"
		for n, mode := range s.cluster.peerModes {
			if n.namespace == istioRoot {
				m.Mode = mode
			}
		}
		if m.Mode == "UNSET" {
			m.Mode = unset
		}
	case s.namespaces["linkerd"] != nil:
		m.Name = "linkerd"
		m.Mode = cmp.Or(s.cluster.linkerdPolicy, unset)
	default:
		m.Mode = ""
	}
	return m
}

// addSCC keeps a SecurityContextConstraints object.
func (s *Set) addSCC(u *unstructured.Unstructured) {
	o := u.Object
	b := func(field string) bool { v, _ := o[field].(bool); return v }
	c := facts.SecurityConstraint{
		Name: strings.Clone(u.GetName()), Privileged: b("allowPrivilegedContainer"), HostDir: b("allowHostDirVolumePlugin"), HostNetwork: b("allowHostNetwork"),
		HostPID: b("allowHostPID"), HostIPC: b("allowHostIPC"), RunAsAny: text(o, "runAsUser", "type") == "RunAsAny",
	}
	for _, v := range texts(o, "users") {
		if rest, ok := strings.CutPrefix(v, "system:serviceaccount:"); ok {
			ns, sa, _ := strings.Cut(rest, ":")
			if !systemNamespace(ns) {
				c.Users = append(c.Users, "ServiceAccount/"+ns+"/"+sa)
			}
			continue
		}
		if !strings.HasPrefix(v, "system:") {
			c.Users = append(c.Users, "User/"+v)
		}
	}
	for _, v := range texts(o, "groups") {
		if !ownGroup(v) {
			c.Users = append(c.Users, "Group/"+v)
		}
	}
	s.cluster.openshift.SCCs = append(s.cluster.openshift.SCCs, c)
}

// ownGroup is a group of the cluster itself, whose members may do everything or
// are parts of it.
func ownGroup(g string) bool {
	if ns, ok := strings.CutPrefix(g, "system:serviceaccounts:"); ok {
		return systemNamespace(ns)
	}
	return g == "system:cluster-admins" || g == "system:nodes" || g == "system:masters"
}

// addOpenShiftOperator reads the configuration of one of OpenShift's operators.
func (s *Set) addOpenShiftOperator(u *unstructured.Unstructured) {
	s.cluster.openshift.Present = true
	s.cluster.operatorsSeen = true
	switch v := dig(u.Object, "spec", "unsupportedConfigOverrides").(type) {
	case nil:
	case map[string]any:
		s.cluster.openshift.UnsupportedOverride = s.cluster.openshift.UnsupportedOverride || len(v) > 0
	default:
		s.cluster.openshift.UnsupportedOverride = true
	}
}

// addOpenShiftConfig reads OpenShift's own configuration objects.
func (s *Set) addOpenShiftConfig(u *unstructured.Unstructured) {
	o, c := u.Object, &s.cluster.openshift
	c.Present = true
	s.cluster.openshiftSeen[u.GetKind()] = true
	switch u.GetKind() {
	case "ClusterVersion":
		c.Version = text(o, "status", "desired", "version")
		c.UnsupportedOverride = c.UnsupportedOverride || len(list(o, "spec", "overrides")) > 0
	case "APIServer":
		c.Encryption, c.AuditProfile = text(o, "spec", "encryption", "type"), text(o, "spec", "audit", "profile")
	case "OAuth":
		c.IdentityProviders = len(list(o, "spec", "identityProviders"))
	case "Image":
		c.AllowedRegistries = len(list(o, "spec", "registrySources", "allowedRegistries")) > 0
		c.InsecureRegistries = len(list(o, "spec", "registrySources", "insecureRegistries")) > 0
	}
}

// clusterResource yields the cluster. Manifests that hold no part of a control
// plane yield one of which nothing is known, so that what is asked of a cluster
// comes out not assessed instead of not at all.
func (s *Set) clusterResource(yield func(*facts.Resource) bool) bool {
	c := &s.cluster
	if !s.keep("", "Cluster") {
		return true
	}
	if !s.opts.Live && len(c.apiServers)+len(c.managers)+len(c.schedulers)+len(c.etcds) == 0 {
		return s.added == nil || yield(s.standIn(facts.KindCluster, "cluster", s.added.Target, notAssessed(needsCluster)))
	}
	f := &facts.Cluster{Version: c.info.Version, Distribution: s.distribution(), NodeCount: len(s.nodes), Anonymous: c.info.Anonymous, Endpoint: c.info.Endpoint}
	f.Minor, f.Patch = minorPatch(c.info.Version)
	f.SupportEnds = supportEnds[f.Minor]
	f.Anonymous.Enabled, f.Endpoint.Public = cmp.Or(f.Anonymous.Enabled, "unknown"), cmp.Or(f.Endpoint.Public, "unknown")
	f.Endpoint.Restricted, f.EtcdGuarded = "unknown", "unknown"
	f.Credential = c.info.Credential
	f.Credential.Kind, f.Credential.Expires = cmp.Or(f.Credential.Kind, "none"), cmp.Or(f.Credential.Expires, "unknown")
	f.Cloud = facts.CloudCluster{
		LocalAccounts: "unknown", DirectoryRBAC: "unknown", LegacyABAC: "unknown", BasicAuth: "unknown", ClientCertificate: "unknown",
	}
	switch f.Distribution {
	case "k3s", "rke2", "kubeedge", "openyurt", "superedge", "microk8s", "k0s":
		f.Edge = f.Distribution != "rke2"
	case "eks", "gke", "aks":
		f.Managed = true
	}
	f.Edge = f.Edge || c.edge
	s.kubeletsOf(f)
	for _, b := range s.bindings {
		if !b.bootstrap && !joinDiscovery(b) && slices.ContainsFunc(b.subjects, func(sub rbacv1.Subject) bool {
			return sub.Name == "system:anonymous" || sub.Name == "system:unauthenticated"
		}) {
			f.Anonymous.Bindings++
		}
	}
	if _, dark := s.miss[Bindings]; dark || !s.opts.Live {
		f.Anonymous.Bindings = -1
	}
	var at Place
	for _, list := range [][]componentAt{c.apiServers, c.managers, c.schedulers, c.etcds} {
		if at.Target == "" && len(list) > 0 {
			at.Target = list[0].at.Target
		}
	}
	r := s.resource(facts.KindCluster, ref{"Cluster", name{"", "cluster"}}, at, f)
	r.ID = "cluster"
	s.componentsOf(f, r)
	f.Network = s.networkEngine()
	f.Mesh = s.mesh()
	f.Verifiers = slices.Clone(c.verifiers)
	slices.SortFunc(f.Verifiers, func(x, y facts.Verifier) int {
		return cmp.Or(cmp.Compare(x.Engine, y.Engine), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Kind, y.Kind))
	})
	s.tokensOf(f)
	f.BootstrapTokens, f.Certificates, f.Mappings = c.bootstrapTokens, c.certificates, c.mappings
	s.openShiftOf(f, r, s.access)
	s.clusterMissing(f, r)
	return yield(r)
}

// joinDiscovery is kubeadm's binding that lets nodes which are about to join
// read kube-public/cluster-info.
func joinDiscovery(b *binding) bool {
	return b.ref == ref{"RoleBinding", name{"kube-public", "kubeadm:bootstrap-signer-clusterinfo"}} &&
		b.role == ref{"Role", name{"kube-public", "kubeadm:bootstrap-signer-clusterinfo"}}
}

// kubeletsOf sums up the nodes.
func (s *Set) kubeletsOf(f *facts.Cluster) {
	var all []*node
	groups := []facts.KubeletGroup{}
	for _, n := range slices.Sorted(maps.Keys(s.nodes)) {
		nd := s.nodes[n]
		all = append(all, nd)
		if m := nd.facts.KubeletMinor; m > 0 {
			f.KubeletHighest = max(f.KubeletHighest, m)
			if f.KubeletLowest == 0 || m < f.KubeletLowest {
				f.KubeletLowest = m
			}
		}
		f.Edge = f.Edge || nd.facts.Edge
		if flags := nd.facts.K3s; len(flags) > 0 && flags[0].Name == "server" {
			f.K3sServers = append(f.K3sServers, facts.Component{Name: "k3s", Where: n, Flags: flags, Path: keyIndex("k3s_servers", len(f.K3sServers))})
		}
		if !nd.kubelet {
			continue
		}
		i := slices.IndexFunc(groups, func(g facts.KubeletGroup) bool { return reflect.DeepEqual(g.Kubelet, nd.facts.Kubelet) })
		if i < 0 {
			groups = append(groups, facts.KubeletGroup{Nodes: 1, Example: n, Kubelet: nd.facts.Kubelet})
			continue
		}
		groups[i].Nodes++
	}
	f.Kubelets = groups
	if f.Provider = vote(all, func(n *node) string { return n.facts.Provider }); f.Provider == "unknown" || f.Provider == "mixed" {
		f.Provider = ""
	}
}

// componentsOf puts the components in, with the places of their manifests.
func (s *Set) componentsOf(f *facts.Cluster, r *facts.Resource) {
	put := func(field string, from []componentAt) []facts.Component {
		var out []facts.Component
		for i := range from {
			c := from[i].Component
			path := keyIndex(field, i)
			c.Path = path
			if at := from[i].at; at.File != "" {
				if r.Places == nil {
					r.Places = map[string]facts.Origin{}
				}
				r.Places[path] = at.Origin
				for j := range c.Flags {
					o := at.Origin
					if line, ok := at.Lines[c.Flags[j].Path]; ok {
						o.Line = line
					}
					r.Places[path+"."+keyIndex("flags", j)] = o
				}
			}
			out = append(out, c)
		}
		return out
	}
	c := &s.cluster
	f.APIServers, f.ControllerManagers = put("api_servers", c.apiServers), put("controller_managers", c.managers)
	f.Schedulers, f.Etcds, f.KubeProxies = put("schedulers", c.schedulers), put("etcds", c.etcds), put("kube_proxies", c.proxies)
	if c.proxyConfig {
		for i := range f.KubeProxies {
			p := &f.KubeProxies[i]
			p.ConfigFile = false // the file is the ConfigMap that was read
			if _, ok := facts.FlagOf(p.Flags, "metrics-bind-address"); !ok {
				p.Flags = append(slices.Clone(p.Flags), facts.Flag{Name: "metrics-bind-address", Value: c.proxyMetrics, Path: p.Path})
			}
		}
	}
}

// networkEngine sums up what makes pod networking.
func (s *Set) networkEngine() facts.NetworkEngine {
	n := facts.NetworkEngine{Plugins: slices.Sorted(maps.Keys(s.cluster.plugins)), Enforces: "unknown"}
	for _, p := range s.policies {
		countPolicy(&n.Policies, p.engine)
	}
	d := s.distribution()
	if (d == "k3s" || d == "rke2") && len(n.Plugins) == 0 {
		n.Plugins, n.Enforces = []string{d}, "true" // its own controller, unless it is switched off
		for _, nd := range s.nodes {
			if v, ok := facts.FlagOf(nd.facts.K3s, "disable-network-policy"); ok && v != "false" {
				n.Enforces = "false"
			}
		}
		return n
	}
	for _, p := range n.Plugins {
		switch e := s.cluster.plugins[p]; {
		case e == "true":
			n.Enforces = "true"
		case e == "false" && n.Enforces == "unknown" && !slices.ContainsFunc(n.Plugins, func(q string) bool { return s.cluster.plugins[q] == "unknown" }):
			n.Enforces = "false"
		}
	}
	if n.Enforces == "unknown" && policyOptionOff(d, n.Plugins) {
		n.Enforces = "false"
	}
	return n
}

// tokensOf puts the legacy token Secrets in.
func (s *Set) tokensOf(f *facts.Cluster) {
	for _, k := range slices.SortedFunc(maps.Keys(s.secrets), func(a, b name) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
	}) {
		t := s.secrets[k]
		out := facts.TokenSecret{Namespace: t.namespace, ServiceAccount: t.account, LastUsedDays: -1, Mounted: t.mounted}
		if !t.created.IsZero() {
			out.AgeDays = int(s.opts.Now.Sub(t.created).Hours() / 24)
		}
		if !t.lastUsed.IsZero() {
			out.LastUsedDays = int(s.opts.Now.Sub(t.lastUsed).Hours() / 24)
		}
		f.TokenSecrets = append(f.TokenSecrets, out)
	}
}

// openShiftOf puts OpenShift's settings in, with who may use each constraint by RBAC.
func (s *Set) openShiftOf(f *facts.Cluster, r *facts.Resource, a *access) {
	f.OpenShift = s.cluster.openshift
	f.OpenShift.Kubeadmin = "unknown"
	if !f.OpenShift.Present || !s.opts.Live { // files tell nothing of the settings that they do not hold
		return
	}
	if _, dark := s.cluster.info.Missing["openshift.kubeadmin"]; !dark { // it is asked for by name
		f.OpenShift.Kubeadmin = strconv.FormatBool(s.cluster.kubeadmin)
	}
	f.OpenShift.SCCs = slices.Clone(s.cluster.openshift.SCCs)
	slices.SortFunc(f.OpenShift.SCCs, func(x, y facts.SecurityConstraint) int { return cmp.Compare(x.Name, y.Name) })
	for i := range f.OpenShift.SCCs {
		c := &f.OpenShift.SCCs[i]
		c.Path = keyIndex("openshift.sccs", i)
		c.Users = slices.Clone(c.Users)
		for k, bindings := range a.bySubject {
			if k.kind == "ServiceAccount" && systemNamespace(k.namespace) || k.kind == "Group" && ownGroup(k.name.name) {
				continue
			}
			// Who may do everything is reported as such; that is no way past admission of its own.
			if slices.ContainsFunc(bindings, func(b *binding) bool {
				return !b.bootstrap && b.role.name.name != "cluster-admin" && s.mayUse(b, c.Name)
			}) {
				c.Users = append(c.Users, strings.Replace(ref(k).id(), k.namespace+"/"+k.kind+"/", k.kind+"/"+k.namespace+"/", 1))
			}
		}
		slices.Sort(c.Users)
		c.Users = slices.Compact(c.Users)
	}
	for kind, paths := range map[string][]string{
		"APIServer": {"openshift.encryption", "openshift.audit_profile"}, "Image": {"openshift.allowed_registries", "openshift.insecure_registries"},
		"OAuth": {"openshift.identity_providers"}, "ClusterVersion": {"openshift.version"},
	} {
		if s.cluster.openshiftSeen[kind] {
			continue
		}
		m, ok := s.miss[OpenShiftConfig]
		if !ok {
			m = facts.Missing{Status: facts.Unknown, Reason: "the object config.openshift.io/" + kind + " was not found"}
		}
		for _, p := range paths {
			r.Missing[p] = m
		}
	}
	s.lack(r, "openshift.sccs", SCCs, Bindings, Roles)
	if !s.cluster.operatorsSeen {
		r.Missing["openshift.unsupported_overrides"] = facts.Missing{Status: facts.Unknown, Reason: "no object of operator.openshift.io was found", Partial: true}
	}
}

// mayUse: a binding gives the verb use on a SecurityContextConstraints object.
func (s *Set) mayUse(b *binding, scc string) bool {
	_, rights, _ := s.rulesOf(b.role)
	return slices.ContainsFunc(rights, func(r facts.Right) bool {
		return r.Resource == "securitycontextconstraints.security.openshift.io" && slices.Contains(r.Verbs, "use") && (len(r.Names) == 0 || slices.Contains(r.Names, scc))
	})
}

// clusterMissing says what the API does not show.
func (s *Set) clusterMissing(f *facts.Cluster, r *facts.Resource) {
	maps.Copy(r.Missing, s.cluster.info.Missing)
	hidden := func(path string, empty bool) {
		if !empty {
			return
		}
		if m, ok := s.miss[Pods]; ok {
			m.Partial = true
			r.Missing[path] = m
			return
		}
		reason := "no static pod of it is visible through the API; needs the node's own files"
		switch {
		case f.Managed:
			reason = "the provider runs the control plane and hides it; needs the cloud's API"
		case f.Distribution == "openshift":
			reason = "OpenShift's operators configure it by files; needs the node's own files (its own settings are judged by PS-CP-037 and PS-CP-038)"
		case f.Distribution == "k3s" || f.Distribution == "rke2" || f.Distribution == "k0s" || f.Distribution == "microk8s":
			reason = "the distribution runs it inside its own process; needs the node's own files"
		case !s.opts.Live:
			reason = "the files hold no manifest of it"
		}
		m := notAssessed(reason)
		m.Partial = true // what is in view of other components is judged
		r.Missing[path] = m
	}
	hidden("api_servers", len(f.APIServers) == 0)
	hidden("controller_managers", len(f.ControllerManagers) == 0)
	hidden("schedulers", len(f.Schedulers) == 0)
	hidden("etcds", len(f.Etcds) == 0)
	hidden("kube_proxies", len(f.KubeProxies) == 0)
	if f.SupportEnds == "" {
		r.Missing["support_ends"] = facts.Missing{Status: facts.Unknown, Reason: "this release of postscan does not know the version " + f.Version}
	}
	if len(f.Kubelets) < 1 {
		r.Missing["kubelets"] = notAssessed("the kubelets' configuration was not asked for; use --kubelet-config (needs the right nodes/proxy)")
	}
	s.lack(r, "kubelets", Configz)
	for _, p := range []string{"node_count", "kubelet_lowest", "kubelet_highest", "provider", "edge", "k3s_servers"} {
		s.lack(r, p, Nodes)
	}
	s.lack(r, "anonymous.bindings", Bindings)
	s.lack(r, "network.plugins", Controllers)
	s.lack(r, "network.enforces", Controllers)
	s.lack(r, "network.policies", NetworkPolicies)
	s.lack(r, "mesh", MeshObjects, Namespaces)
	s.lack(r, "verifiers", AdmissionPolicies)
	s.clusterGaps(f, r)
	s.lackPart(r, "token_secrets", Secrets)
	s.lackPart(r, "bootstrap_tokens", Secrets)
	s.lackPart(r, "certificates", CertificateSigning)
	s.derive(f, r)
	s.lack(r, "mappings", ConfigMaps)
	if s.opts.Live {
		return
	}
	for p, m := range facts.NeedsAPI(facts.KindCluster) {
		m.Reason = needsCluster
		r.Missing[p] = m
	}
	f.FromComponents(r.Missing)
}

// derive fills in what follows from several facts of a live cluster, and books
// what only others can tell.
func (s *Set) derive(f *facts.Cluster, r *facts.Resource) {
	if !s.opts.Live {
		return
	}
	const cloud = "needs the cloud's API"
	if f.Managed {
		r.Missing["cloud"] = notAssessed(cloud)
	}
	if f.Managed || f.Endpoint.Public == "true" {
		r.Missing["endpoint.restricted"] = facts.Missing{Status: facts.NotAssessed, Partial: true, Reason: cloud + " or the firewall's rules: which addresses may reach the endpoint"}
	}
	if slices.ContainsFunc(f.Etcds, func(c facts.Component) bool {
		v, _ := facts.FlagOf(c.Flags, "listen-client-urls")
		w, _ := facts.FlagOf(c.Flags, "listen-peer-urls")
		return beyondLoopback(v) || beyondLoopback(w)
	}) {
		r.Missing["etcd_guarded"] = facts.Missing{Status: facts.NotAssessed, Partial: true, Reason: "needs the firewall's rules of the control-plane node"}
	}
	r.Missing["encryption"] = notAssessed("nothing that the API shows tells of it; needs the node's own files or the cloud's API")
	if f.Managed {
		r.Missing["encryption"] = notAssessed("the provider runs the store; needs the cloud's API")
	}
	if e, ok := ownEncryption(f); ok {
		f.Encryption = e
		delete(r.Missing, "encryption")
		if m, dark := r.Missing["openshift.encryption"]; dark {
			r.Missing["encryption"] = m
		}
	}
	f.FromComponents(r.Missing)
}

// beyondLoopback: one of the addresses of an etcd flag is not loopback.
func beyondLoopback(urls string) bool {
	for v := range strings.SplitSeq(urls, ",") {
		u, err := url.Parse(strings.TrimSpace(v))
		if err != nil || u.Host == "" || u.Scheme == "unix" || u.Scheme == "unixs" {
			continue
		}
		if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
			return true
		}
	}
	return false
}

// ownEncryption is what a distribution says of the encryption of Secrets in its
// own words.
func ownEncryption(f *facts.Cluster) (facts.Encryption, bool) {
	switch {
	case f.Distribution == "openshift":
		t := f.OpenShift.Encryption
		return facts.Encryption{Configured: t != "" && t != "identity", Provider: t, Path: "openshift.encryption"}, true
	case len(f.K3sServers) == 0 || f.Distribution != "k3s" && f.Distribution != "rke2":
		return facts.Encryption{}, false
	}
	e := facts.Encryption{Configured: true, Provider: "aescbc"} // their default
	for i := range f.K3sServers {
		s := &f.K3sServers[i]
		v, given := facts.FlagOf(s.Flags, "secrets-encryption")
		e.Configured = e.Configured && (given && v != "false" || f.Distribution == "rke2")
		e.Path = s.Path
		if p, ok := facts.FlagOf(s.Flags, "secrets-encryption-provider"); ok {
			e.Provider = p
		}
	}
	return e, true
}
