package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/postscan/postscan/scanner/report"
)

// A credential that the scanner finds, in a file, in an image's configuration, in
// a manifest or on a machine's disk, stands in no format, in no facts and in no log.
func TestSecretsStandInNoFormat(t *testing.T) {
	// Made up, and in two parts so that no scanner takes this file for a leak.
	token, key := "ghp_"+"x7Kq2mVb9RtLw4ZpYc8NdJf1HsGa6QeU3oTi", "AKIA"+"Q3EGXMPLVTNRWZ5Y"
	body := testKey()
	address := startRegistry(t)
	push(t, address+"/team/leaky:1", buildImage(t, v1.Config{
		Entrypoint: []string{"/app"}, Env: []string{"GITHUB_TOKEN=" + token}, Labels: map[string]string{"deploy": key},
	}, map[string]string{"app": "#!/bin/sh\n", "root/.ssh/id_rsa": body, "srv/.env": "GITHUB_TOKEN=" + token + "\n"}))
	manifest := "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - name: web\n      image: nginx\n      env: [{name: GITHUB_TOKEN, value: " + token + "}]\n      args: [\"--key=" + key + "\"]\n"
	t.Chdir(t.TempDir())
	if err := os.WriteFile("web.yaml", []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"disk/etc/os-release": "ID=debian\nVERSION_ID=12\n", "disk/etc/hostname": "web\n", "disk/root/.ssh/id_rsa": body,
		"disk/var/lib/cloud/instances/i-1/user-data.txt": "#!/bin/sh\nexport GITHUB_TOKEN=" + token + "\nexport AWS_ACCESS_KEY_ID=" + key + "\n",
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { // #nosec G301 -- everybody can read it, which is the finding
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil { // #nosec G306 -- the same
			t.Fatal(err)
		}
	}
	for scan, c := range map[string]struct {
		found string
		args  []string
	}{
		"image":     {"GITHUB_TOKEN", []string{"image", address + "/team/leaky:1", "--platform", "linux/amd64", "--no-vulnerabilities", "--no-signatures", "--no-cache"}},
		"manifests": {"GITHUB_TOKEN", []string{"manifests", "web.yaml"}},
		"vm":        {"user-data.txt", []string{"vm", "--root", "disk", "--no-vulnerabilities"}},
	} {
		args := slices.Concat(c.args, []string{"--outcomes", "--facts-out", scan + ".facts", "--verbose", "--log-format", "json"})
		for _, f := range report.Formats() {
			args = append(args, "-o", f.Name+"="+scan+"."+f.Name)
		}
		r := run(t, nil, append(args, "-o", "sarif="+scan+"-folder/")...)
		if r.code != exitDone {
			t.Fatalf("%v: exit code %d: %s", args, r.code, r.stderr)
		}
		found := read(t, scan+".json")
		if !strings.Contains(found, c.found) {
			t.Errorf("%s: the credential was not found, so this test sees nothing", scan)
		}
		files, err := filepath.Glob(scan + "*")
		if err != nil {
			t.Fatal(err)
		}
		inside, err := filepath.Glob(scan + "-folder/*")
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{"stdout": r.stdout, "stderr": r.stderr}
		for _, file := range append(files, inside...) {
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				texts[file] = read(t, file)
			}
		}
		if len(texts) < len(report.Formats())+4 {
			t.Errorf("%s: only %d texts were looked at", scan, len(texts))
		}
		lines := strings.Split(strings.TrimSpace(body), "\n")
		for name, text := range texts {
			for _, secret := range []string{token, key, lines[len(lines)/2]} {
				if strings.Contains(text, secret) {
					t.Errorf("%s holds a credential in clear", name)
				}
			}
		}
	}
}
