package kube

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"

	"github.com/postscan/postscan/scanner/facts"
)

func TestPathsOfNodes(t *testing.T) {
	for written, want := range map[string]string{
		"":                         "/",
		"/":                        "/",
		"//":                       "/",
		"/etc/":                    "/etc",
		"etc":                      "/etc",
		"/srv/../etc":              "/etc",
		"/../..":                   "/",
		`C:\var\lib\kubelet`:       `C:\var\lib\kubelet`,
		"c:/ProgramData":           "c:/ProgramData",
		`\\.\pipe\docker_engine`:   `\\.\pipe\docker_engine`,
		"//./pipe/docker_engine":   "//./pipe/docker_engine",
		"//etc":                    "/etc",
		"/c:/is/a/folder/of/linux": "/c:/is/a/folder/of/linux",
	} {
		if got := nodePath(written); got != want {
			t.Errorf("%q is %q, want %q", written, got, want)
		}
	}
}

// The taint of control-plane nodes has the effect NoSchedule: who tolerates
// another effect alone is not let onto them.
func TestTolerationsOfControlPlaneNodes(t *testing.T) {
	cases := map[string]struct {
		toleration           string
		named, all, anywhere bool
	}{
		"every taint":               {"{operator: Exists}", false, true, true},
		"every taint, one effect":   {"{operator: Exists, effect: NoSchedule}", false, true, true},
		"other effect":              {"{operator: Exists, effect: NoExecute}", false, false, false},
		"by name":                   {"{key: node-role.kubernetes.io/control-plane, operator: Exists}", true, false, true},
		"by the old name":           {"{key: node-role.kubernetes.io/master, effect: NoSchedule}", true, false, true},
		"by name, another effect":   {"{key: node-role.kubernetes.io/control-plane, operator: Exists, effect: NoExecute}", false, false, false},
		"by name, hardly an effect": {"{key: node-role.kubernetes.io/control-plane, operator: Exists, effect: PreferNoSchedule}", false, false, false},
		"something else":            {"{key: team, value: a, effect: NoSchedule}", false, false, false},
	}
	for name, c := range cases {
		s := New(Options{})
		s.Add(decode[corev1.Pod](t, "metadata: {name: a, namespace: shop}\nspec: {tolerations: ["+c.toleration+"], containers: [{name: c, image: i}]}"), Place{})
		p := workloads(s)["shop/Pod/a"].Facts.(*facts.Workload).Placement
		if p.ToleratesControlPlane != c.named || p.ToleratesEverything != c.all || (p.TolerationPath != "") != c.anywhere {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestANodeThatFilesOnlyNameIsAGap(t *testing.T) {
	s := New(Options{})
	s.Add(decode[corev1.Pod](t, "metadata: {name: a, namespace: shop}\nspec: {nodeName: n1, containers: [{name: c, image: i}]}"), Place{})
	s.Add(decode[corev1.Pod](t, "metadata: {name: b, namespace: shop}\nspec: {containers: [{name: c, image: i}]}"), Place{})
	got := workloads(s)
	if m := got["shop/Pod/a"].Missing["placement.node_name"]; m.Status != facts.NotAssessed || !m.Partial {
		t.Errorf("pinned to a node that was not seen: %+v", m)
	}
	if m, has := got["shop/Pod/b"].Missing["placement.node_name"]; has {
		t.Errorf("not pinned: %+v", m)
	}
}

// Without a token in the pod no right of its account matters, so nothing is open.
func TestRightsAreAGapWhereTheTokenIsInThePod(t *testing.T) {
	const volume = `volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: token, audience: "AUDIENCE"}}]}}]`
	pod := func(automount, audience, mounts string) *facts.Resource {
		s := New(Options{})
		text := "metadata: {name: a, namespace: shop}\nspec: {" + automount + "containers: [{name: c, image: i" + mounts + "}], "
		s.Add(decode[corev1.Pod](t, text+strings.Replace(volume, "AUDIENCE", audience, 1)+"}"), Place{})
		return workloads(s)["shop/Pod/a"]
	}
	const off, mounted = "automountServiceAccountToken: false, ", ", volumeMounts: [{name: t, mountPath: /t}]"
	for name, c := range map[string]struct {
		r    *facts.Resource
		open bool
	}{
		"automatic":                    {pod("", "vault", ""), true},
		"none":                         {pod(off, "vault", mounted), false},
		"declared, for the API server": {pod(off, "", mounted), true},
		"declared, by its name":        {pod(off, "https://kubernetes.default.svc", mounted), true},
		"declared, but not mounted":    {pod(off, "", ""), false},
	} {
		for _, path := range []string{"identity.grants", "identity.rights", "identity.bound"} {
			if _, has := c.r.Missing[path]; has != c.open {
				t.Errorf("%s: missing are %v", name, slices.Sorted(maps.Keys(c.r.Missing)))
			}
		}
	}
}

// A class of which no node says whether it has the handler is no pass.
func TestHandlersThatNobodyListsAreAGap(t *testing.T) {
	const class = "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: box}\nhandler: runsc"
	const pod = "metadata: {name: a, namespace: shop}\nspec: {runtimeClassName: box, containers: [{name: c, image: i}]}"
	for _, live := range []bool{false, true} {
		s := New(Options{Live: live})
		s.Add(decode[nodev1.RuntimeClass](t, class), Place{})
		s.Add(decode[corev1.Pod](t, pod), Place{})
		want := facts.NotAssessed
		if live {
			want = facts.Unknown
		}
		if m := workloads(s)["shop/Pod/a"].Missing["runtime_class.available"]; m.Status != want || !m.Partial || m.Reason == "" {
			t.Errorf("live %v: %+v", live, m)
		}
	}
	s := New(Options{})
	s.Add(decode[corev1.Pod](t, "metadata: {name: a, namespace: shop}\nspec: {containers: [{name: c, image: i}]}"), Place{})
	if m, has := workloads(s)["shop/Pod/a"].Missing["runtime_class.available"]; has {
		t.Errorf("without a class: %+v", m)
	}
}
