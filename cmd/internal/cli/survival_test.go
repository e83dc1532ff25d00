package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/report"
)

// compared scans twice and compares the second report with the first.
func compared(t *testing.T, version string, first, second []string) (before, after *scanner.Report) {
	t.Helper()
	scan := func(version string, args []string) *scanner.Report {
		t.Helper()
		var stdout, stderr bytes.Buffer
		code := Main(t.Context(), Env{
			Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
			Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }, Version: version,
		})
		if code != exitDone {
			t.Fatalf("%v: exit code %d: %s", args, code, stderr.String())
		}
		rep, err := report.Read(&stdout)
		if err != nil {
			t.Fatal(err)
		}
		return rep
	}
	before = scan("v0.0.0-test", append(first, "-o", "json", "-o", "json=before.json"))
	return before, scan(version, append(second, "-o", "json", "--baseline", "before.json"))
}

const survivalWeb = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: app
          image: registry.example/app:1
          securityContext: {privileged: true, capabilities: {add: [SYS_ADMIN, NET_ADMIN]}}
        - name: log
          image: registry.example/log:1
          securityContext: {runAsUser: 0}
`

const survivalPod = `apiVersion: v1
kind: Pod
metadata: {name: web-7d4f9, generateName: web-, namespace: shop}
spec:
  containers: [{name: app, image: registry.example/app:1, securityContext: {privileged: true}}]
`

// A finding keeps its fingerprint through everything that does not mend it: the
// baseline of yesterday must not fill with new findings that are none.
func TestFingerprintsSurvive(t *testing.T) {
	head, both, _ := strings.Cut(survivalWeb, "        - name: app\n")
	app, log, found := strings.Cut(both, "        - name: log\n")
	if !found {
		t.Fatal("the sample has no two containers")
	}
	reordered := head + "        - name: log\n" + log + "        - name: app\n" + app
	sidecar := strings.Replace(survivalWeb, "      containers:\n", "      containers:\n        - {name: mesh, image: registry.example/mesh:1}\n", 1)
	for name, c := range map[string]struct {
		before, after string
		version       string
		more          bool // what was added has findings of its own
	}{
		"moved lines":          {survivalWeb, "# a comment\n\n" + strings.Replace(survivalWeb, "spec:\n", "spec:\n  # another\n  replicas: 3\n", 1), "v0.0.0-test", false},
		"re-ordered":           {survivalWeb, reordered, "v0.0.0-test", false},
		"an added sidecar":     {survivalWeb, sidecar, "v0.0.0-test", true},
		"an upgrade":           {survivalWeb, survivalWeb, "v9.0.0", false},
		"a pod's new name":     {survivalPod, strings.Replace(survivalPod, "web-7d4f9", "web-x2k8p", 1), "v0.0.0-test", false},
		"a new tag in the pod": {survivalWeb, strings.ReplaceAll(survivalWeb, ":1\n", ":2\n"), "v0.0.0-test", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			scan := func(file, text string) []string {
				t.Helper()
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return []string{"manifests", file, "--name", "shop"}
			}
			first := scan("deploy.yaml", c.before)
			// The second scan reads the same path: a renamed file is another matter.
			before, after := compared(t, c.version, first, first)
			if after.Baseline.New != 0 {
				t.Fatalf("the same scan twice has %d new findings", after.Baseline.New)
			}
			scan("deploy.yaml", c.after)
			var stdout bytes.Buffer
			if code := Main(t.Context(), Env{
				Args: append(first, "-o", "json", "--baseline", "before.json"), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stdout,
				Now: func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }, Version: c.version,
			}); code != exitDone {
				t.Fatalf("exit code %d: %s", code, stdout.String())
			}
			after, err := report.Read(&stdout)
			if err != nil {
				t.Fatal(err)
			}
			b := after.Baseline
			if len(before.Findings) < 5 || b.Unchanged != len(before.Findings) || len(b.Gone) != 0 || b.Unseen != 0 || (b.New > 0) != c.more {
				t.Errorf("of %d findings %d are unchanged, %d gone, %d unseen; %d are new", len(before.Findings), b.Unchanged, len(b.Gone), b.Unseen, b.New)
			}
		})
	}
}

// So do those of an image under another tag, and of its next build.
func TestFingerprintsSurviveTagAndDigest(t *testing.T) {
	address := startRegistry(t)
	next := buildImage(t, v1.Config{Entrypoint: []string{"/app"}}, map[string]string{
		"app": "#!/bin/sh\n# the next build\n", "etc/passwd": "root:x:0:0::/root:/bin/sh\n", "root/.ssh/id_rsa": "-----BEGIN OPENSSH PRIVATE KEY-----\nother\n",
	})
	push(t, address+"/team/careless:2", next)
	digest, err := next.Digest()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	args := func(ref string) []string {
		return []string{"image", address + "/team/careless" + ref, "--platform", "linux/amd64", "--no-vulnerabilities", "--no-signatures", "--no-cache", "--checks", "PS-IMG-001,PS-IMG-011"}
	}
	for _, ref := range []string{":2", "@" + digest.String()} {
		before, after := compared(t, "v0.0.0-test", args(":1"), args(ref))
		if b := after.Baseline; len(before.Findings) == 0 || b.Unchanged != len(before.Findings) || b.New != 0 || len(b.Gone) != 0 {
			t.Errorf("%s: of %d findings %d are unchanged, %d gone, %d new", ref, len(before.Findings), b.Unchanged, len(b.Gone), b.New)
		}
	}
}

// These fingerprints are in baselines and in the databases of code scanning: a
// version of postscan that changes them closes and opens every alert.
func TestFingerprintsOfThisVersionStay(t *testing.T) {
	r := run(t, nil, "demo", "-o", "csv", "--checks", "PS-IMG-001,PS-IMG-002,PS-IMG-016")
	for check, want := range map[string]string{
		"PS-IMG-001": "59ea58fdbc3615b2da52be6a4348ad3dacc594713abde107e2b758331ba25734",
		"PS-IMG-002": "20835e8d44cb45eed3f51a9dafd81595684d9df478f121b8df44fc05eb8de538",
		"PS-IMG-016": "3b18525743206eb5998f77e053b2b21856635f328988fb55908db6d983cd3e3e",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%s has another fingerprint than %s:\n%s", check, want, r.stdout)
		}
	}
}
