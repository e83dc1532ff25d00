package kube

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/postscan/postscan/scanner/facts"
)

// labelSet makes a map of labels into what selectors take.
func labelSet(l map[string]string) labels.Set { return labels.Set(l) }

// subjectKey names who a binding gives a role to.
type subjectKey struct {
	kind string // ServiceAccount, User, Group
	name
}

func keyOf(sub rbacv1.Subject) subjectKey {
	k := subjectKey{sub.Kind, name{"", sub.Name}}
	if sub.Kind == "ServiceAccount" {
		k.namespace = sub.Namespace
	}
	return k
}

// The groups that Kubernetes itself puts callers into.
const (
	groupAuthenticated   = "system:authenticated"
	groupServiceAccounts = "system:serviceaccounts"
)

// access is all of RBAC, indexed once before the resources are yielded.
type access struct {
	set       *Set
	bySubject map[subjectKey][]*binding
	// viaGroup holds what the groups give, worked out once.
	viaGroup   map[string]grants
	privileged map[string]bool // namespaces that hold an account with takeover rights
	weakest    string          // over all namespaces
	used       map[name]bool   // accounts whose token a workload mounts
	tokens     map[name]int    // legacy token Secrets by account
	// tokenHolders are the namespaces with such a Secret of an account with takeover rights.
	tokenHolders map[string]bool
}

// grants is what one subject has by bindings that name it.
type grants struct {
	list   []facts.Grant
	rights []facts.Right // Grant is an index into list
	places map[string]facts.Origin
}

func (s *Set) indexAccess() *access {
	s.settleRoles()
	a := &access{set: s, bySubject: map[subjectKey][]*binding{}, viaGroup: map[string]grants{}, privileged: map[string]bool{}, used: map[name]bool{}, tokens: map[name]int{}, tokenHolders: map[string]bool{}}
	for _, t := range s.secrets {
		a.tokens[name{t.namespace, t.account}]++
	}
	for _, b := range s.bindings {
		seen := map[subjectKey]bool{}
		for _, sub := range b.subjects {
			if k := keyOf(sub); !seen[k] {
				seen[k] = true
				a.bySubject[k] = append(a.bySubject[k], b)
			}
		}
	}
	a.weakest = s.weakestLevel(slices.Collect(maps.Keys(s.namespaces)))
	for k, list := range a.bySubject {
		if k.kind == "ServiceAccount" && slices.ContainsFunc(list, a.takesOver) {
			a.privileged[k.namespace] = true
			if a.tokens[k.name] > 0 {
				a.tokenHolders[k.namespace] = true
			}
		}
	}
	return a
}

// use notes that a workload mounts the token of its service account.
func (a *access) use(w *work) {
	id := &w.facts.Identity
	n := name{w.ref.namespace, id.ServiceAccount}
	acc := a.set.accounts[n]
	if declaresToken(w.facts) || id.Automount && (id.AutomountFrom == "pod" || acc == nil || acc.automount != "false") {
		a.used[n] = true
	}
}

// declaresToken is true where a mounted volume holds a token for the API server
// that the pod spec itself asks for, as policies/lib/tokens.rego reads it.
func declaresToken(w *facts.Workload) bool {
	return slices.ContainsFunc(w.Volumes, func(v facts.Volume) bool {
		return len(v.Mounts) > 0 && slices.ContainsFunc(v.Tokens, func(t facts.ProjectedToken) bool {
			return t.Audience == "" || strings.Contains(t.Audience, "kubernetes.default.svc")
		})
	})
}

// takesOver: a ClusterRoleBinding to rights over secrets, roles, nodes or everything.
func (a *access) takesOver(b *binding) bool {
	if b.ref.kind != "ClusterRoleBinding" {
		return false
	}
	_, rights, _ := a.set.rulesOf(b.role)
	return slices.ContainsFunc(rights, func(r facts.Right) bool {
		if len(r.Names) > 0 {
			return false
		}
		switch r.Resource {
		case "secrets":
			return slices.Contains(r.Verbs, "get") || slices.Contains(r.Verbs, "list")
		case "pods/exec", "serviceaccounts/token":
			return slices.Contains(r.Verbs, "create")
		case "pods":
			return slices.Contains(r.Verbs, "create")
		case "nodes/proxy":
			return true
		case "clusterroles.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io":
			return slices.Contains(r.Verbs, "escalate") || slices.Contains(r.Verbs, "bind")
		case "mutatingwebhookconfigurations.admissionregistration.k8s.io":
			return true
		default:
			return false
		}
	})
}

// weakestLevel is the weakest level that Pod Security enforces in the namespaces.
func (s *Set) weakestLevel(list []string) string {
	if len(list) == 0 {
		return "unknown"
	}
	best := restricted
	for _, n := range list {
		ns := s.namespaces[n]
		if ns == nil {
			return "unknown"
		}
		if levelRank(ns.psa.Enforce) < levelRank(best) {
			best = ns.psa.Enforce
		}
	}
	return best
}

// of returns what the bindings of one subject give; via is "" for its own and
// the group's name for what it has as a member.
func (a *access) of(k subjectKey, via string) grants {
	type group struct {
		role     ref
		bindings []*binding
	}
	var groups []group
	at := map[ref]int{}
	for _, b := range a.bySubject[k] {
		i, ok := at[b.role]
		if !ok {
			i = len(groups)
			at[b.role] = i
			groups = append(groups, group{role: b.role})
		}
		groups[i].bindings = append(groups[i].bindings, b)
	}
	slices.SortFunc(groups, func(x, y group) int { return compareRefs(x.role, y.role) })
	out := grants{places: map[string]facts.Origin{}}
	for _, g := range groups {
		a.addGrant(&out, k, g.role, g.bindings, via)
	}
	return out
}

// addGrant adds one role with its bindings.
func (a *access) addGrant(out *grants, k subjectKey, r ref, bindings []*binding, via string) {
	rules, rights, about := a.set.rulesOf(r)
	g := facts.Grant{Role: about, Via: via, Rules: rules, Bootstrap: about.Bootstrap && a.set.roles[r] != nil}
	slices.SortFunc(bindings, func(x, y *binding) int { return compareRefs(x.ref, y.ref) })
	for _, b := range bindings {
		g.Bindings = append(g.Bindings, facts.BindingRef{Kind: b.ref.kind, Namespace: b.ref.namespace, Name: b.ref.name.name})
		g.Bootstrap = g.Bootstrap && installedSubject(b, k)
		if b.ref.kind == "ClusterRoleBinding" {
			g.ClusterWide = true
		} else {
			g.Namespaces = append(g.Namespaces, b.ref.namespace)
		}
	}
	slices.Sort(g.Namespaces)
	g.Namespaces = slices.Compact(g.Namespaces)
	index := len(out.list)
	path := keyIndex("grants", index)
	if p := bindings[0].at; p.File != "" {
		out.places[path] = p.Origin
	}
	if own := a.set.roles[r]; own != nil && own.at.File != "" {
		for i := range own.rules {
			o := own.at.Origin
			if line, ok := own.at.Lines[keyIndex("rules", i)]; ok {
				o.Line = line
			}
			out.places[path+"."+keyIndex("rules", i)] = o
		}
	}
	system := slices.ContainsFunc(g.Namespaces, systemNamespace)
	priv := slices.ContainsFunc(g.Namespaces, func(n string) bool { return a.privileged[n] })
	weakest, token := a.set.weakestLevel(g.Namespaces), a.privilegedToken(g.Namespaces)
	if g.ClusterWide {
		system, priv, weakest, token = true, true, a.weakest, a.privilegedToken(slices.Collect(maps.Keys(a.tokenHolders)))
	}
	for _, right := range rights {
		if !g.ClusterWide {
			if right.Verbs = withinNamespace(right.Resource, right.Verbs); len(right.Verbs) == 0 {
				continue
			}
		}
		right.PrivilegedToken = token
		right.ClusterWide, right.Namespaces, right.System, right.Privileged = g.ClusterWide, g.Namespaces, system, priv
		right.Weakest, right.Via, right.Grant = weakest, via, index
		right.Path = path + "." + keyIndex("rules", right.Rule)
		out.rights = append(out.rights, right)
	}
	out.list = append(out.list, g)
}

// privilegedToken says whether one of the namespaces holds a Secret with a token
// of an account that has takeover rights.
func (a *access) privilegedToken(namespaces []string) string {
	if slices.ContainsFunc(namespaces, func(n string) bool { return a.tokenHolders[n] }) {
		return "true"
	}
	if _, miss := a.set.miss[Secrets]; miss || !a.set.opts.Live {
		return "unknown"
	}
	return "false"
}

// members returns the groups that an identity is in by itself.
func members(k subjectKey) []string {
	switch {
	case k.kind == "ServiceAccount":
		return []string{groupServiceAccounts, groupServiceAccounts + ":" + k.namespace, groupAuthenticated}
	case k.kind == "User" && k.name.name == "system:anonymous":
		return []string{"system:unauthenticated"}
	case k.kind == "User":
		return []string{groupAuthenticated}
	case k.kind == "Group" && strings.HasPrefix(k.name.name, groupServiceAccounts+":"):
		return []string{groupServiceAccounts, groupAuthenticated}
	case k.kind == "Group" && k.name.name == groupServiceAccounts:
		return []string{groupAuthenticated}
	default:
		return nil
	}
}

// closed returns what a subject has, by its own bindings and by its groups.
// Bootstrap grants are left out where dropBootstrap is set; rights of theirs
// stay, with Grant -1.
func (a *access) closed(k subjectKey, dropBootstrap bool) grants {
	out := a.of(k, "")
	for _, g := range members(k) {
		via, ok := a.viaGroup[g]
		if !ok {
			via = a.of(subjectKey{"Group", name{"", g}}, g)
			a.viaGroup[g] = via
		}
		shift := len(out.list)
		out.list = append(out.list, via.list...)
		for _, r := range via.rights {
			r.Grant += shift
			r.Path = keyIndex("grants", r.Grant) + "." + keyIndex("rules", r.Rule)
			out.rights = append(out.rights, r)
		}
		for p, o := range via.places {
			out.places[shiftGrant(p, shift)] = o
		}
	}
	if !dropBootstrap {
		return out
	}
	kept := grants{places: map[string]facts.Origin{}}
	to := make([]int, len(out.list))
	for i := range out.list {
		to[i] = -1
		if !out.list[i].Bootstrap {
			to[i] = len(kept.list)
			kept.list = append(kept.list, out.list[i])
		}
	}
	for _, r := range out.rights {
		r.Grant = to[r.Grant]
		if r.Grant < 0 {
			r.Path = ""
		} else {
			r.Path = keyIndex("grants", r.Grant) + "." + keyIndex("rules", r.Rule)
		}
		kept.rights = append(kept.rights, r)
	}
	return kept
}

// shiftGrant moves the index of "grants[2]…" up.
func shiftGrant(path string, by int) string {
	num, rest, _ := strings.Cut(strings.TrimPrefix(path, "grants["), "]")
	n, err := strconv.Atoi(num)
	if err != nil {
		return path
	}
	return keyIndex("grants", n+by) + rest
}

// identityResources yields every service account, and every user and group that
// a binding names.
func (s *Set) identityResources(yield func(*facts.Resource) bool) bool {
	a := s.access
	keys := map[subjectKey]bool{}
	for n := range s.accounts {
		keys[subjectKey{"ServiceAccount", n}] = true
	}
	for k := range a.bySubject {
		keys[k] = true
	}
	for u := range s.cluster.mapped {
		keys[u] = true
	}
	for _, c := range s.cluster.certificates {
		for _, g := range c.Groups {
			if g == "system:masters" {
				keys[subjectKey{"Group", name{"", g}}] = true
			}
		}
	}
	order := slices.SortedFunc(maps.Keys(keys), func(x, y subjectKey) int {
		return cmp.Or(strings.Compare(x.kind, y.kind), strings.Compare(x.namespace, y.namespace), strings.Compare(x.name.name, y.name.name))
	})
	for _, k := range order {
		if !s.keep(k.namespace, k.kind) {
			continue
		}
		if !yield(s.identity(a, k)) {
			return false
		}
	}
	return true
}

// identity builds one identity.
func (s *Set) identity(a *access, k subjectKey) *facts.Resource {
	g := a.closed(k, false)
	f := &facts.Identity{Type: k.kind, Cluster: s.clusterSummary(), Live: s.opts.Live, Grants: g.list, Rights: g.rights, Exists: "unknown", Automount: unset, Used: "false", Mapped: s.seen(s.cluster.mapped[k], ConfigMaps)}
	var at Place
	if k.kind == "ServiceAccount" {
		f.Namespace = s.namespaceView(k.namespace, true)
		f.Default = k.name.name == "default"
		f.Used = s.seen(a.used[k.name], Pods, Controllers)
		if acc := s.accounts[k.name]; acc != nil {
			f.Exists, f.Automount, at = "true", acc.automount, acc.at
		} else if _, miss := s.miss[ServiceAccounts]; s.opts.Live && !miss {
			f.Exists = "false"
		}
		f.TokenSecrets = a.tokens[k.name]
	} else {
		f.Name = k.name.name
		f.Namespace.PodSecurity = podSecurity(nil)
		for _, c := range s.cluster.certificates {
			if c.Issued && (k.kind == "User" && c.User == k.name.name || k.kind == "Group" && slices.Contains(c.Groups, k.name.name)) {
				f.Certificates++
			}
		}
		if _, miss := s.miss[CertificateSigning]; miss && f.Certificates == 0 {
			f.Certificates = -1
		}
	}
	f.System = systemIdentity(k, g.list)
	if at.File == "" && len(a.bySubject[k]) > 0 { // nobody wrote an object for it: the binding brought it in
		at.Target = a.bySubject[k][0].at.Target
	}
	r := s.resource(facts.KindIdentity, ref(k), at, f)
	for p, o := range g.places {
		if r.Places == nil {
			r.Places = map[string]facts.Origin{}
		}
		r.Places[p] = o
	}
	for _, path := range []string{"grants", "rights"} {
		s.lack(r, path, Bindings)
		s.lackPart(r, path, Roles) // the roles that every cluster has are known without
	}
	if !s.opts.Live {
		m := notAssessed("the cluster may hold more roles and bindings than these files; scan the cluster")
		m.Partial = true
		r.Missing["grants"], r.Missing["rights"] = m, m
	}
	s.lack(r, "rights[].weakest", Namespaces)
	s.lack(r, "rights[].privileged_token", Secrets)
	s.lack(r, "token_secrets", Secrets)
	s.lack(r, "certificates", CertificateSigning)
	s.lack(r, "used", Pods, Controllers)
	s.lack(r, "mapped", ConfigMaps)
	if k.kind == "ServiceAccount" {
		s.missNamespace(r, k.namespace)
	}
	return r
}

// seen is what a list shows of something: true where it was found, false where
// it was not, and unknown where the list is not whole.
func (s *Set) seen(found bool, lists ...Topic) string {
	if found {
		return "true"
	}
	for _, t := range lists {
		if _, miss := s.miss[t]; miss {
			return "unknown"
		}
	}
	return "false"
}

// lackPart marks a path as missing in part where a topic was not seen: what is
// known without it is still judged.
func (s *Set) lackPart(r *facts.Resource, path string, t Topic) {
	m, ok := s.miss[t]
	if _, has := r.Missing[path]; ok && !has {
		m.Partial = true
		r.Missing[path] = m
	}
}

// roleResources yields every Role and ClusterRole.
func (s *Set) roleResources(yield func(*facts.Resource) bool) bool {
	var aggregated []*role
	for _, r := range s.roles {
		if r.aggregate != nil {
			aggregated = append(aggregated, r)
		}
	}
	slices.SortFunc(aggregated, func(x, y *role) int { return compareRefs(x.ref, y.ref) })
	for _, k := range slices.SortedFunc(maps.Keys(s.roles), compareRefs) {
		if !s.keep(k.namespace, k.kind) {
			continue
		}
		own := s.roles[k]
		rules, rights, _ := s.rulesOf(k)
		f := &facts.Role{Kind: k.kind, Namespace: k.namespace, Bootstrap: own.bootstrap, Bound: own.bound, Aggregated: own.aggregate != nil, Rules: rules}
		f.System = systemRole(k, own.bootstrap)
		for _, to := range []string{"view", "edit", "admin"} {
			if k.kind == "ClusterRole" && own.labels["rbac.authorization.k8s.io/aggregate-to-"+to] == "true" {
				f.AggregatesTo = append(f.AggregatesTo, to)
			}
		}
		for _, to := range aggregated {
			if k.kind == "ClusterRole" && to != own && aggregates(to.aggregate, own.labels) {
				f.AggregatesTo = append(f.AggregatesTo, to.ref.name.name)
			}
		}
		slices.Sort(f.AggregatesTo)
		f.AggregatesTo = slices.Compact(f.AggregatesTo)
		for _, right := range rights {
			right.ClusterWide, right.Grant, right.System, right.Privileged, right.Weakest = true, -1, true, true, "unknown"
			right.Path = keyIndex("rules", right.Rule)
			f.Rights = append(f.Rights, right)
		}
		r := s.resource(facts.KindRole, k, own.at, f)
		s.lack(r, "bound", Bindings)
		if !yield(r) {
			return false
		}
	}
	return true
}

// bindingResources yields every RoleBinding and ClusterRoleBinding.
func (s *Set) bindingResources(yield func(*facts.Resource) bool) bool {
	for _, b := range s.bindings {
		if !s.keep(b.ref.namespace, b.ref.kind) {
			continue
		}
		_, _, about := s.rulesOf(b.role)
		f := &facts.Binding{Kind: b.ref.kind, Namespace: b.ref.namespace, Bootstrap: b.bootstrap, RolePath: "roleRef", Role: about}
		_, noAccounts := s.miss[ServiceAccounts]
		_, noNamespaces := s.miss[Namespaces]
		for i, sub := range b.subjects {
			fs := facts.Subject{Kind: sub.Kind, Namespace: sub.Namespace, Name: sub.Name, Found: "unknown", Path: keyIndex("subjects", i)}
			if sub.Kind == "ServiceAccount" {
				_, exists := s.accounts[name{sub.Namespace, sub.Name}]
				switch {
				case exists:
					fs.Found = "true"
				case s.opts.Live && !noAccounts:
					fs.Found = "false"
					fs.Waits = !noNamespaces && s.namespaces[sub.Namespace] == nil
				}
			}
			f.Subjects = append(f.Subjects, fs)
		}
		r := s.resource(facts.KindBinding, b.ref, b.at, f)
		if about.Found == "unknown" {
			s.lackPart(r, "role.found", Roles)
			if !s.opts.Live {
				r.Missing["role.found"] = elsewhere()
			}
		}
		if slices.ContainsFunc(f.Subjects, func(sub facts.Subject) bool { return sub.Kind == "ServiceAccount" && sub.Found == "unknown" }) {
			s.lackPart(r, "subjects[].found", ServiceAccounts)
			if !s.opts.Live {
				r.Missing["subjects[].found"] = elsewhere()
			}
		}
		if !yield(r) {
			return false
		}
	}
	return true
}

// accountMissing marks the existence of a workload's service account as not known.
func (s *Set) accountMissing(r *facts.Resource) {
	m, ok := s.miss[ServiceAccounts]
	if !ok {
		m = elsewhere()
	}
	r.Missing["identity.exists"] = m
}

// elsewhere is the gap of what a set of manifests does not hold: the cluster may.
func elsewhere() facts.Missing {
	m := notAssessed("these files do not hold it, the cluster may; scan the cluster")
	m.Partial = true
	return m
}
