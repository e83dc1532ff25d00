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

// hardened meets the restricted level; careless fails many checks. Each has two containers.
const (
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

// BenchmarkWorkloadPolicies judges distinct workloads by every workload check.
func BenchmarkWorkloadPolicies(b *testing.B) {
	cat, err := checks.Load(checks.BuiltIn())
	if err != nil {
		b.Fatal(err)
	}
	selected, err := cat.Select([]string{"subject:workload"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	eval, err := regoeval.New(b.Context(), cat, selected, regoeval.Options{Now: time.Unix(0, 0)})
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{"hardened": hardened, "careless": careless} {
		b.Run(name, func(b *testing.B) {
			seen := workloads{list: map[string]*facts.Resource{}}
			if err := New(Options{Paths: []string{"-"}, Stdin: strings.NewReader(text), Parallel: 1}).Collect(b.Context(), &seen); err != nil {
				b.Fatal(err)
			}
			r := seen.list["stdin"]
			w, ok := r.Facts.(*facts.Workload)
			if !ok {
				b.Fatalf("facts %T", r.Facts)
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				w.Containers[0].Image.Tag = fmt.Sprint("1.", n) // no two are equal
				if _, err := eval.Evaluate(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
