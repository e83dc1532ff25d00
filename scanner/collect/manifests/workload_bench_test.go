package manifests

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// hardened meets the restricted level; ordinary says little about its security, as
// most do; careless fails many checks. Each has two containers.
const (
	ordinary = `apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec:
  serviceAccountName: web
  containers:
  - &c
    name: app
    image: registry.example.com/team/web:1.2
    env: [{name: MODE, value: production}, {name: TOKEN, valueFrom: {secretKeyRef: {name: web, key: token}}}]
    ports: [{containerPort: 8080}]
    resources: {requests: {cpu: 100m, memory: 1Gi}, limits: {memory: 1Gi}}
    volumeMounts: [{name: tmp, mountPath: /tmp}, {name: conf, mountPath: /etc/web, readOnly: true}]
  - <<: *c
    name: side
  volumes: [{name: tmp, emptyDir: {}}, {name: conf, configMap: {name: web}}]
`
	hardened = `apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
  containers:
  - &c
    name: app
    image: registry.example.com/team/web:1.2
    ports: [{containerPort: 8080}]
    resources: {limits: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi}}
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: tmp, mountPath: /tmp}]
  - <<: *c
    name: side
  volumes: [{name: tmp, emptyDir: {}}]
`
	careless = `apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec:
  hostPID: true
  containers:
  - &c
    name: app
    image: nginx
    ports: [{containerPort: 80}]
    securityContext: {privileged: true}
    volumeMounts: [{name: run, mountPath: /host/run}, {name: etc, mountPath: /host/etc, readOnly: true}]
  - <<: *c
    name: side
  volumes: [{name: run, hostPath: {path: /run}}, {name: etc, hostPath: {path: /etc}}]
`
)

// BenchmarkWorkloadPolicies judges workloads by every workload check. No two are
// equal: they differ in the tag of one image ("tag"), as builds of one application
// do, or in the names of containers, images, volumes and accounts too ("names"), as
// applications do.
func BenchmarkWorkloadPolicies(b *testing.B) {
	cat, err := checks.Load(checks.BuiltIn())
	if err != nil {
		b.Fatal(err)
	}
	selected, err := cat.Select([]string{"subject:workload"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ name, text string }{{"hardened", hardened}, {"ordinary", ordinary}, {"careless", careless}} {
		for _, differ := range []string{"tag", "names"} {
			b.Run(c.name+"/"+differ, func(b *testing.B) {
				eval, err := regoeval.New(b.Context(), cat, selected, regoeval.Options{Now: time.Unix(0, 0)})
				if err != nil {
					b.Fatal(err)
				}
				seen := workloads{list: map[string]*facts.Resource{}}
				if err := New(Options{Paths: []string{"-"}, Stdin: strings.NewReader(c.text), Parallel: 1}).Collect(b.Context(), &seen); err != nil {
					b.Fatal(err)
				}
				r := seen.list["stdin"]
				w, ok := r.Facts.(*facts.Workload)
				if !ok {
					b.Fatalf("facts %T", r.Facts)
				}
				b.ReportAllocs()
				for n := 0; b.Loop(); n++ {
					w.Containers[0].Image.Tag = fmt.Sprint("1.", n)
					if differ == "names" {
						rename(w, n)
					}
					if _, err := eval.Evaluate(b.Context(), r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// rename makes another application of the workload.
func rename(w *facts.Workload, n int) {
	w.Identity.ServiceAccount = fmt.Sprint("account-", n)
	for i := range w.Containers {
		c := &w.Containers[i]
		old := c.Name
		c.Name, c.Image.Repository = fmt.Sprintf("app-%d-%d", n, i), fmt.Sprintf("team/app-%d-%d", n, i)
		c.Image.Reference = "registry.example.com/" + c.Image.Repository + ":" + c.Image.Tag
		for j := range c.SecretEnv {
			c.SecretEnv[j].Secret = fmt.Sprint("secret-", n)
		}
		for j := range w.Volumes {
			for k := range w.Volumes[j].Mounts {
				if m := &w.Volumes[j].Mounts[k]; m.Container == old {
					m.Container = c.Name
				}
			}
		}
	}
	for i := range w.Volumes {
		w.Volumes[i].Name = fmt.Sprintf("volume-%d-%d", n, i)
	}
}
