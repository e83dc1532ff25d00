package cluster_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/cluster"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/collect/manifests"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// agreeing are objects of most kinds, well and badly kept, in namespaces of
// their own.
const agreeing = `apiVersion: v1
kind: Namespace
metadata:
  name: agree
  labels: {pod-security.kubernetes.io/enforce: privileged, pod-security.kubernetes.io/enforce-version: v1.30, postscan/tenant: blue}
---
apiVersion: v1
kind: Namespace
metadata:
  name: agree-kept
  labels: {pod-security.kubernetes.io/enforce: restricted}
---
apiVersion: v1
kind: Namespace
metadata: {name: agree-bare}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: agree}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: agree}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: agree-kept}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: all, namespace: agree-kept}
spec: {hard: {limits.cpu: "100", limits.memory: 100Gi, pods: "50"}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: all, namespace: agree-kept}
spec: {limits: [{type: Container, default: {cpu: 100m, memory: 64Mi}, defaultRequest: {cpu: 100m, memory: 64Mi}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: agree-kept}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: agree}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from: [{namespaceSelector: {}}]
  - ports: [{port: 8080}]
  egress:
  - to: [{namespaceSelector: {}}]
    ports: [{port: 53, protocol: UDP}]
  - to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shell, namespace: agree}
spec:
  podSelector: {matchLabels: {app: shell}}
  policyTypes: [Egress]
  egress: [{}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: agree-kept}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      automountServiceAccountToken: false
      hostUsers: false
      securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: web
        image: registry.example.com/team/web:1.2@sha256:9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d0e1b2c3d4e5f60718293a4b5c6d7e8f9
        ports: [{containerPort: 8080}]
        resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 1, memory: 64Mi, ephemeral-storage: 64Mi}}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: agree}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      hostPID: true
      shareProcessNamespace: false
      runtimeClassName: box
      containers:
      - name: web
        image: grafana/grafana
        ports: [{containerPort: 80, hostPort: 80}]
        env: [{name: TOKEN, value: EXAMPLE-CREDENTIAL}, {name: PASS, valueFrom: {secretKeyRef: {name: s, key: k}}}]
        securityContext: {privileged: true}
        livenessProbe: {httpGet: {host: 127.0.0.1, port: 80}}
        volumeMounts: [{name: root, mountPath: /host}, {name: sock, mountPath: /run/containerd/containerd.sock}]
      volumes: [{name: root, hostPath: {path: /}}, {name: sock, hostPath: {path: /run/containerd/containerd.sock}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: shell, namespace: agree}
spec:
  serviceName: shell
  selector: {matchLabels: {app: shell}}
  template:
    metadata: {labels: {app: shell}, annotations: {postscan/trust: untrusted}}
    spec:
      hostIPC: true
      shareProcessNamespace: true
      securityContext: {sysctls: [{name: net.core.somaxconn, value: "1024"}], runAsUser: 0, seccompProfile: {type: Unconfined}}
      tolerations: [{operator: Exists}]
      initContainers: [{name: init, image: "busybox:latest", securityContext: {procMount: Default, capabilities: {add: [NET_ADMIN, SYS_ADMIN]}}}]
      containers:
      - name: shell
        image: busybox:1.36
        imagePullPolicy: Never
        securityContext: {appArmorProfile: {type: Unconfined}, seLinuxOptions: {type: spc_t}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: agree}
spec:
  schedule: "@daily"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          hostNetwork: true
          serviceAccountName: web
          containers: [{name: job, image: registry.example.com/job:1, ports: [{containerPort: 22}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: bare, namespace: agree, labels: {app: bare}}
spec:
  containers: [{name: a, image: registry.example.com/a:1}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: app, namespace: agree}
data: {app.conf: "password EXAMPLE-CREDENTIAL"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: clean, namespace: agree}
data: {app.conf: "debug=true"}
---
apiVersion: v1
kind: Service
metadata: {name: open, namespace: agree}
spec: {type: LoadBalancer, allocateLoadBalancerNodePorts: false, selector: {app: web}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: inside, namespace: agree}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: metadata, namespace: agree}
spec: {type: ExternalName, externalName: metadata.google.internal}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: agree, annotations: {nginx.ingress.kubernetes.io/server-snippet: "x"}}
spec:
  rules:
  - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: inside, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: kept, namespace: agree}
spec:
  tls: [{hosts: [kept.example.com], secretName: kept}]
  rules: [{host: kept.example.com}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: agree}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get, list]}, {apiGroups: [""], resources: [pods, pods/exec], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: agree}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: web, namespace: agree}, {kind: User, name: agree-alice, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: agree-all}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: agree-all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: agree-all}
subjects: [{kind: Group, name: agree-ops, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: agree}
spec:
  failurePolicy: Ignore
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: "true"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: agree}
spec: {policyName: agree, validationActions: [Audit]}
`

// testOutcomesAgree applies objects of most kinds to the real server and holds
// the outcomes of every check against what the same files give.
func testOutcomesAgree(t *testing.T, s *clustertest.Server) {
	apply(t, s.Config, strings.TrimSuffix(agreeing, "\n"))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "all.yaml"), []byte(agreeing), 0o600); err != nil {
		t.Fatal(err)
	}
	detect := func(in kube.DetectInput) []kube.Detection {
		if strings.Contains(in.Value, "EXAMPLE-CREDENTIAL") {
			return []kube.Detection{{Rule: "example", Title: "Example", Severity: "high", Line: 1, Length: 18}}
		}
		return nil
	}
	file := &gathered{resources: map[string]*facts.Resource{}}
	if err := manifests.New(manifests.Options{Paths: []string{dir}, Minor: 37, Detect: detect}).Collect(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	live := collect(t, s.Config, "", cluster.Options{NoAnonymous: true, Detect: detect})
	decided := sameOutcomes(t, file, live)
	if len(decided) < 60 {
		t.Errorf("%d checks were decided by both: %v", len(decided), slices.Sorted(maps.Keys(decided)))
	}
	fails := 0
	for _, n := range decided {
		fails += n
	}
	if fails < 60 {
		t.Errorf("%d findings were compared", fails)
	}
}

// sameOutcomes evaluates every check over the resources of the files and over
// those of the same ids in the cluster. What both decide they decide alike; what
// the files show only in part holds in the cluster too; and what the files
// decide the cluster does not leave open. It returns the checks that both decided, with
// how many findings each had.
func sameOutcomes(t *testing.T, file, live *gathered) map[string]int {
	t.Helper()
	catalogue, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	e, err := regoeval.New(t.Context(), catalogue, catalogue.All(), regoeval.Options{Now: time.Unix(2e9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	decided := map[string]int{}
	for _, id := range slices.Sorted(maps.Keys(file.resources)) {
		if strings.HasPrefix(id, "(") { // it stands for what files do not hold
			continue
		}
		if live.resources[id] == nil {
			t.Errorf("%s is not in the cluster's facts", id)
			continue
		}
		a, b := outcomesOf(t, e, file.resources[id]), outcomesOf(t, e, live.resources[id])
		for _, check := range slices.Sorted(maps.Keys(a)) {
			x, y := a[check], b[check]
			whole := func(o scanner.Outcome) bool {
				return len(o.Reasons) == 0 && (o.Status == scanner.Pass || o.Status == scanner.Fail || o.Status == scanner.NotApplicable)
			}
			switch {
			case whole(x) && whole(y):
				// The API server copies AppArmor's old annotations into fields, so a pod in the cluster says it twice.
				twice := check == "PS-K8S-016"
				if x.Status != y.Status || !twice && !slices.Equal(denials(x), denials(y)) {
					t.Errorf("%s of %s\nfile    %s %q\ncluster %s %q", check, id, x.Status, denials(x), y.Status, denials(y))
				}
				if x.Status != scanner.NotApplicable {
					decided[check] += len(x.Violations)
				}
			case whole(x):
				t.Errorf("%s of %s: the file says %s, the cluster %s: %s", check, id, x.Status, y.Status, strings.Join(y.Reasons, "; "))
			case x.Status == scanner.Fail:
				for _, d := range denials(x) {
					if !slices.Contains(denials(y), d) {
						t.Errorf("%s of %s: the file has %q, the cluster %s %q", check, id, d, y.Status, denials(y))
					}
				}
			case x.Status == scanner.Unknown:
				t.Errorf("%s of %s: unknown in a file: %s", check, id, strings.Join(x.Reasons, "; "))
			}
		}
	}
	return decided
}

// outcomesOf are those of every check on a resource, by id.
func outcomesOf(t *testing.T, e *regoeval.Evaluator, r *facts.Resource) map[string]scanner.Outcome {
	t.Helper()
	list, err := e.Evaluate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]scanner.Outcome{}
	for _, o := range list {
		out[o.Rule.ID] = o
	}
	return out
}

// denials are what an outcome's findings say, sorted.
func denials(o scanner.Outcome) []string {
	var out []string
	for _, v := range o.Violations {
		out = append(out, fmt.Sprintf("%s %s %s: %s", v.Severity, v.Key, v.Path, v.Message))
	}
	slices.Sort(out)
	return out
}
