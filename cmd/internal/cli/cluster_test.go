package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/report"
)

// kubeconfig writes a kubeconfig for the user of the configuration.
func kubeconfig(t *testing.T, c *rest.Config) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: c.Host, CertificateAuthority: c.CAFile, CertificateAuthorityData: c.CAData, InsecureSkipTLSVerify: c.Insecure}
	config.AuthInfos["user"] = &clientcmdapi.AuthInfo{Token: c.BearerToken, ClientCertificateData: c.CertData, ClientKeyData: c.KeyData, ClientCertificate: c.CertFile, ClientKey: c.KeyFile}
	config.Contexts["here"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "user"}
	config.CurrentContext = "here"
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

func clusterReport(t *testing.T, code int, args ...string) *scanner.Report {
	t.Helper()
	res := run(t, nil, append([]string{"cluster", "-o", "json"}, args...)...)
	if res.code != code {
		t.Fatalf("exit code %d, want %d: %s", res.code, code, res.stderr)
	}
	rep, err := report.Read(bytes.NewReader([]byte(res.stdout)))
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// control finds a control of the one framework that the report is about.
func control(t *testing.T, rep *scanner.Report, id string) scanner.Control {
	t.Helper()
	if len(rep.Compliance) != 1 {
		t.Fatalf("the report is about %d frameworks", len(rep.Compliance))
	}
	for _, c := range rep.Compliance[0].Controls {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("there is no control %s", id)
	return scanner.Control{}
}

// The whole way on a real API server: what is careless is found, and what the
// rights of the user do not show is unknown and trips the gate.
func TestCluster(t *testing.T) {
	s := clustertest.Start(t, []string{"nobody"})
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	privileged, no := true, false
	ctx := t.Context()
	if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().ServiceAccounts("shop").Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "careless"}, Spec: corev1.PodSpec{
		AutomountServiceAccountToken: &no,
		Containers:                   []corev1.Container{{Name: "app", Image: "example.org/app:1", SecurityContext: &corev1.SecurityContext{Privileged: &privileged}}},
	}}
	if _, err := client.CoreV1().Pods("shop").Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}

	rep := clusterReport(t, 3, "--kubeconfig", kubeconfig(t, s.Config), "--framework", "pss-baseline", "--fail-on", "critical")
	found := false
	for _, f := range rep.Findings {
		found = found || f.Rule.ID == "PS-K8S-001" && f.Resource.ID == "shop/Pod/careless"
	}
	if !found {
		t.Errorf("the privileged pod was not found: %+v", rep.Findings)
	}
	if worst := rep.Isolation.Groups[0]; worst.Level != 0 || worst.Score > 5 || worst.Workloads[0].Resource.ID != "shop/Pod/careless" || len(worst.Steps) == 0 {
		t.Errorf("the worst isolated is %+v", worst)
	}
	if c := control(t, rep, "privileged"); c.Status != scanner.ControlFail || c.Findings != 1 {
		t.Errorf("the control is %+v", c)
	}

	// Elsewhere there is nothing, and a pattern leaves the namespace out.
	for _, args := range [][]string{{"-n", "default"}, {"--exclude-namespace", "sh*"}} {
		other := clusterReport(t, 0, append(args, "--kubeconfig", kubeconfig(t, s.Config), "--framework", "pss-baseline")...)
		for _, f := range other.Findings {
			if f.Resource.ID == "shop/Pod/careless" {
				t.Errorf("%v reports the pod", args)
			}
		}
	}

	res := run(t, nil, "cluster", "-o", "json", "--kubeconfig", kubeconfig(t, s.As("nobody")), "--framework", "pss-baseline", "--fail-on", "critical")
	if res.code != 4 {
		t.Errorf("without rights the gate exits %d: %s", res.code, res.stderr)
	}
	blind, err := report.Read(bytes.NewReader([]byte(res.stdout)))
	if err != nil {
		t.Fatal(err)
	}
	if len(blind.Findings) > 0 || blind.Summary.Pass > 0 || blind.Summary.Unknown == 0 {
		t.Errorf("without rights: %+v", blind.Summary)
	}
	if c := control(t, blind, "privileged"); c.Status != scanner.ControlIncomplete {
		t.Errorf("without rights the control is %+v", c)
	}
	if g := blind.Isolation.Groups[0]; g.Level != 0 || g.BestLevel != 6 || g.Confidence != 0 {
		t.Errorf("without rights the isolation is %+v", g)
	}
	// The table leads from the right that is missing to the checks that wait for it.
	table := run(t, nil, "cluster", "--kubeconfig", kubeconfig(t, s.As("nobody")), "--framework", "pss-baseline").stdout
	flat := strings.Join(strings.Fields(table), " ")
	if !strings.Contains(flat, "may not list pods; grant the verb list on it (see docs/deploy)") || !strings.Contains(flat, "PS-K8S-001") {
		t.Errorf("the table does not say which right is missing for which checks:\n%s", table)
	}
	for _, g := range blind.Gaps {
		if g.Status == facts.Unknown && len(g.Reasons) == 0 {
			t.Errorf("%s is unknown without a reason", g.Check)
		}
	}
}

// What makes no sense is told before anything is asked for.
func TestClusterUsage(t *testing.T) {
	for _, args := range [][]string{{"--exclude-namespace", "team-["}, {"--page-size", "0"}} {
		if res := run(t, nil, append([]string{"cluster"}, args...)...); res.code != 2 || !strings.Contains(res.stderr, args[0]) {
			t.Errorf("%v: exit code %d: %s", args, res.code, res.stderr)
		}
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if res := run(t, nil, "cluster", "--kubeconfig", file); res.code != 1 || !strings.Contains(res.stderr, file) {
		t.Errorf("no such kubeconfig: exit code %d: %s", res.code, res.stderr)
	}
}
