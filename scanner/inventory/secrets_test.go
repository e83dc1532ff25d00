package inventory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aquasecurity/trivy/pkg/fanal/secret"
)

// forge makes random credentials that look like real ones. Nothing of them stands
// in this file.
type forge struct{ r *rand.Rand }

func (f forge) of(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[f.r.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	alnum = "abcdefghijklmnopqrstuvwxyz" + upper
	hexes = "0123456789abcdef"
)

// lines makes one line of text for each of many kinds of credentials.
func (f forge) lines() []string {
	return []string{
		"export AWS_ACCESS_KEY_ID=AKIA" + f.of(upper, 16),
		"aws_secret_access_key = " + f.of(alnum, 40),
		"GITHUB=ghp_" + f.of(alnum, 36), "x gho_" + f.of(alnum, 36), "ghs_" + f.of(alnum, 40),
		"github_pat_" + f.of(alnum, 22) + "_" + f.of(alnum, 59),
		"glpat-" + f.of(alnum, 20), "hf_" + f.of(alnum, 34), "xoxb-" + f.of(alnum, 20),
		"sk_live_" + f.of(hexes, 24), "pk_test_" + f.of(hexes, 24),
		"https://hooks.slack.com/services/" + f.of(alnum, 44),
		"SK" + f.of(hexes, 32), "facebook_key = '" + f.of(hexes, 32) + "'", "dapi" + f.of("abcdefgh0123", 32),
		"discord_token: '" + f.of("abcdefgh0123", 64) + "'",
		"jwt ey" + "J" + f.of(alnum, 30) + ".ey" + "J" + f.of(alnum, 40) + "." + f.of(alnum, 43),
		"lin_api_" + f.of(alnum, 40), "'npm_" + f.of(alnum, 36) + "'", "pul-" + f.of(hexes, 40), "rubygems_" + f.of(hexes, 48),
		"SG." + f.of(alnum, 66), "AccountKey=" + f.of(alnum, 86) + "==", "shpat_" + f.of(hexes, 32),
		"\"dt0c01." + f.of(alnum, 24) + "." + f.of(alnum, 64) + "\"",
		"azure_devops_pat = \"" + f.of("abcdefghijklmnopqrstuvwxyz234567", 52) + "\"",
		f.of(alnum, 3) + "8Q~" + f.of(alnum, 34), "ek_" + f.of(hexes, 32),
		"sk-proj-" + f.of(alnum, 30) + "T3Blbk" + "FJ" + f.of(alnum, 30),
		f.privateKey(25),
	}
}

func (f forge) privateKey(lines int) string {
	var b strings.Builder
	b.WriteString("-----BEGIN RSA " + "PRIVATE KEY-----\n")
	for range lines {
		b.WriteString(f.of(alnum, 64) + "\n")
	}
	b.WriteString("-----END RSA " + "PRIVATE KEY-----")
	return b.String()
}

// noise makes lines of code without credentials.
func (f forge) noise(lines int) string {
	words := []string{"if", "else", "for", "range", "value", "nil", "err", "x", "y", "size", "data", "self", "name", "import", "from", "config", "key", "token", "aws", "secret", "linear", "global", "return", "func", "private key", "test_", "live_", "password", "sk", "the", "{", "}", "="}
	var b strings.Builder
	for range lines {
		for range f.r.IntN(12) {
			b.WriteString(words[f.r.IntN(len(words))] + " ")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestSecretsAgainstTrivy compares every finding, with its lines, with what trivy's
// own scanner finds in the same text.
func TestSecretsAgainstTrivy(t *testing.T) {
	oracle := secret.NewScanner(nil)
	for seed := range uint64(30) {
		f := forge{rand.New(rand.NewPCG(seed, 1))}
		var text strings.Builder
		for _, line := range f.lines() {
			text.WriteString(f.noise(f.r.IntN(20)) + line + "\n")
		}
		var want []string
		for _, m := range oracle.Scan(secret.ScanArgs{FilePath: "/etc/app/settings.xml", Content: strings.NewReader(text.String())}).Findings {
			want = append(want, fmt.Sprintf("%s %d-%d %s", m.RuleID, m.StartLine, m.EndLine, strings.ToLower(m.Severity)))
		}
		l := scan(t, Options{Secrets: true}, file{path: "etc/app/settings.xml", content: text.String()})
		var got []string
		for _, m := range l.Secrets[0].Found {
			got = append(got, fmt.Sprintf("%s %d-%d %s", m.Rule, m.StartLine, m.EndLine, m.Severity))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || len(want) < 25 {
			t.Fatalf("seed %d: found\n%s\nwant\n%s", seed, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestSecretsInLongFiles puts credentials at and around the ends of the pieces that
// a long file is read in.
func TestSecretsInLongFiles(t *testing.T) {
	f := forge{rand.New(rand.NewPCG(7, 7))}
	key := f.privateKey(40)
	token := "ghp_" + f.of(alnum, 36)
	for _, at := range []int{0, chunkSize - 3000, chunkSize - 20, chunkSize, chunkSize + chunkOverlap/2, chunkSize + chunkOverlap - 10, 2*chunkSize + chunkOverlap, 3 * chunkSize, memorySize + 100} {
		for name, one := range map[string]string{"private-key": key, "github-pat": token} {
			var text strings.Builder
			text.WriteString(strings.Repeat("a line of text\n", at/15))
			before := strings.Count(text.String(), "\n")
			text.WriteString(one + "\n" + strings.Repeat("more text\n", 60_000))
			for _, mode := range []file{{path: "opt/data.txt", content: text.String()}, {path: "opt/data.sh", content: text.String(), mode: 0o755}} {
				l := scan(t, Options{Secrets: true, SpoolDir: t.TempDir()}, mode)
				if len(l.Secrets) != 1 || len(l.Secrets[0].Found) != 1 {
					t.Fatalf("%s at %d: found %+v, want one", name, at, l.Secrets)
				}
				m := l.Secrets[0].Found[0]
				line := before + 1
				if name == "private-key" {
					line++ // the lines between the marks
				}
				if m.Rule != name || m.StartLine != line {
					t.Errorf("%s at %d: rule %s in line %d, want line %d", name, at, m.Rule, m.StartLine, line)
				}
			}
		}
	}
}

// TestEveryRuleHasAnAnchor holds what the search rests on: a string of at least two
// characters leads to every rule, and a match holds one.
func TestEveryRuleHasAnAnchor(t *testing.T) {
	for _, r := range secret.GetBuiltinRules() {
		some, _, _, err := requirements(r.Regex.String())
		if err != nil || shortest(some.words) < 2 {
			t.Errorf("%s: words %+v, %v", r.ID, some.words, err)
		}
	}
	own, _ := credentialRules()
	for _, r := range own {
		if r.id == "env-file" || r.id == "pgpass" || r.id == "service-account-token" {
			continue // led to by their files alone; tested below
		}
		some, _, _, err := requirements(r.regex.String())
		if err != nil || shortest(some.words) < 2 {
			t.Errorf("%s: words %+v, %v", r.id, some.words, err)
		}
	}
}

// TestSkippedPathsAgainstTrivy holds the shortcuts for paths to trivy's own rules.
func TestSkippedPathsAgainstTrivy(t *testing.T) {
	oracle := secret.NewScanner(nil)
	for _, p := range []string{
		"etc/passwd", "root/.ssh/id_rsa", "usr/share/x", "usr/lib/x", "usr/include/x.h", "usr/local/lib/python3.11/site.py", "usr/local/lib/x",
		"usr/local/go/src/x.go", "usr/local/golang/x", "usr/libexec/x", "opt/yarn-v1.22.19/lib/cli.js", "opt/yarn-vx/lib", "app/.git/config", ".git/config",
		"app/.gitignore", "node_modules/a/b.js", "app/node_modules", "app/node_modules/x", "a/go.mod", "go.sum", "x/package-lock.json", "a.jpg", "a.JPG", "b.svg",
		"dir.svg/file", "a.tar.gz", "a.tgz", "README.md", "a.mdx", "app/test/x", "tests.py", "x/testing.py", "app/mytest.py", "app/a-test.js", "a.test", "Test/x", "a/TEST/b",
		"latest/x", "app/x_test.go", "contest/x", "vendor/x", "app/vendor/x", "vendors/x", "example.txt", "app/Examples/x", "app/my-example/x", "locale/de", "a/locales/x",
		"localex/x", "x.dist-info/RECORD", "srv/x.dist-info", "var/log/anaconda/x", "var/log/x", "usr/src/wordpress/wp.php", "usr/src/x", "home/u/.aws/credentials",
		"a/b.socket", "x.bin", "bin/x", "x.deb", "x.rpm", "x.zip", "x.gzip", "usr/share", "usr/lib", "Pipfile.lock", "yarn.lock", "app/Gemfile.lock", "pnpm-lock.yaml", "x.doc", "x.pdf", "x.gif", "x.png", "x.tar", "x.gz",
	} {
		want := oracle.IsSkipped(p) || oracle.AllowPath(p) || oracle.AllowPath("/"+p)
		if got := noSecretsIn(p); got != want {
			t.Errorf("%s: skipped %t, trivy %t", p, got, want)
		}
	}
}

// TestNoCredentialLeavesTheScan looks for the credentials themselves in everything
// that is kept or told.
func TestNoCredentialLeavesTheScan(t *testing.T) {
	f := forge{rand.New(rand.NewPCG(3, 9))}
	token, password := "ghp_"+f.of(alnum, 36), f.of(alnum, 24)
	l := scan(t, Options{Secrets: true},
		file{path: "etc/app.conf", content: "token " + token + "\n"},
		file{path: "root/.docker/config.json", content: `{"auths":{"r":{"auth":"` + password + `"}}}`},
		file{path: "root/.netrc", content: "machine m login l password " + password + "\n"},
		file{path: "root/.env", content: "DB_PASSWORD=" + password + "\n"},
		file{path: "etc/shadow", content: "root:$6$" + password + ":19000:0:99999:7:::\n"},
		file{path: "etc/passwd", content: "root:" + password + ":0:0:root:/root:/bin/sh\n"},
		file{path: "app/node_modules/b/package.json", content: `{"name": ` + token})
	kept, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(merge(t, Runtime{}, l))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{kept, told} {
		if bytes.Contains(b, []byte(token)) || bytes.Contains(b, []byte(password)) {
			t.Error("a credential is in what is kept or told")
		}
	}
	if len(l.Secrets) != 4 {
		t.Errorf("%d files with credentials, want 4", len(l.Secrets))
	}
}

func TestCredentialFiles(t *testing.T) {
	f := forge{rand.New(rand.NewPCG(5, 5))}
	s := f.of(alnum, 40)
	jks := func(tag byte) string {
		return "\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00" + string(tag) + "\x00\x01a" + "\x00\x00\x00\x00\x00\x00\x00\x00" +
			map[byte]string{1: "\x00\x00\x00\x04", 2: "\x00\x05X.509\x00\x00\x00\x04"}[tag] + "keys"
	}
	for _, tc := range []struct{ path, content, rule string }{
		{"home/u/.kube/config", "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    server: https://x\nusers:\n- name: u\n  user:\n    client-key-data: " + s + "\n", "kubeconfig"},
		{"etc/kubernetes/admin.conf", "clusters:\n- x\nusers:\n- user:\n    token: " + s + "\n", "kubeconfig"},
		{"home/u/.kube/config", "clusters: []\nusers:\n- user:\n    exec:\n      command: aws\n", ""},
		{"root/.docker/config.json", `{"auths":{"https://index.docker.io/v1/":{"auth":"` + s + `"}}}`, "docker-config"},
		{"root/.docker/config.json", `{"auths":{"x":{}},"credsStore":"pass"}`, ""},
		{"run/containers/0/auth.json", `{"auths":{"x":{"auth":"` + s + `"}}}`, "docker-config"},
		{"root/.git-credentials", "https://user:" + s + "@git.example.org\n", "git-credentials"},
		{"srv/app/.git/config", "[remote \"origin\"]\n\turl = https://ci:" + s + "@git.example.org/x.git\n", "git-credentials"},
		{"srv/app/.git/config", "[remote \"origin\"]\n\turl = https://git.example.org/x.git\n", ""},
		{"root/.npmrc", "//registry.npmjs.org/:_authToken=" + s + "\n", "npmrc"},
		{"root/.npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n", ""},
		{"root/.pypirc", "[pypi]\nusername = __token__\npassword = " + s + "\n", "pypirc"},
		{"etc/pip.conf", "[global]\nindex-url = https://ci:" + s + "@pypi.example.org/simple\n", "pypirc"},
		{"root/.netrc", "machine example.org\nlogin ci\npassword " + s + "\n", "netrc"},
		{"root/.aws/credentials", "[default]\naws_session_token = " + s + s + "\n", "aws-credentials"},
		{"root/.config/gcloud/application_default_credentials.json", `{"client_id":"x","refresh_token":"` + s + `","type":"authorized_user"}`, "gcp-credentials"},
		{"root/.azure/msal_token_cache.json", `{"RefreshToken":{"x":{"secret":"` + s + `"}}}`, "azure-credentials"},
		{"var/run/secrets/kubernetes.io/serviceaccount/token", s[:10] + "." + s[10:20] + "." + s[20:], "service-account-token"},
		{"root/.vault-token", "hvs." + s, "vault-token"},
		{"root/.terraform.d/credentials.tfrc.json", `{"credentials":{"app.terraform.io":{"token":"` + s + `"}}}`, "terraform-credentials"},
		{"root/.pgpass", "db:5432:shop:app:" + s + "\n", "pgpass"},
		{"root/.my.cnf", "[client]\nuser=root\npassword=" + s + "\n", "my-cnf"},
		{"root/key.ppk", "PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 2\n" + s + "\n" + s + "\nPrivate-MAC: x\n", "putty-private-key"},
		{"app/.env", "# settings\nDEBUG=true\nSECRET_KEY_BASE=" + s + "\n", "env-file"},
		{"app/.env", "DEBUG=true\nAPP_NAME=shop\nDB_PASSWORD=${DB_PASSWORD}\nAPI_KEY=changeme-please-1\n", ""},
		{"app/.env.example", "SECRET_KEY_BASE=" + s + "\n", ""},
		{"etc/ssl/app.jks", jks(1), "java-keystore"},
		{"etc/ssl/certs/java/cacerts", jks(2), ""},
		{"etc/ssl/trust.jks", jks(2), ""},
		{"app/server.p12", "\x30\x82\x01\x00\x02\x01\x03" + strings.Repeat("\x00", 40), "pkcs12-keystore"},
		{"usr/lib/jvm/lib/security/cacerts", "\x30\x82\x01\x00\x02\x01\x03" + strings.Repeat("\x00", 40), ""},
		// Places where everybody has something that only looks like one.
		{"usr/share/doc/x/root/.npmrc", "_authToken=" + s + "\n", ""},
		{"app/node_modules/x/.npmrc", "_authToken=" + s + "\n", ""},
		{"usr/lib/python3/dist-packages/x/tests/.netrc", "machine a password " + s + "\n", ""},
		{"app/testdata/server.p12", "\x30\x82\x01\x00\x02\x01\x03" + strings.Repeat("\x00", 40), ""},
	} {
		l := scan(t, Options{Secrets: true}, file{path: tc.path, content: tc.content})
		var got []string
		for _, f := range l.Secrets {
			for _, m := range f.Found {
				got = append(got, m.Rule)
			}
		}
		if strings.Join(got, " ") != tc.rule {
			t.Errorf("%s: rules %v, want %q", tc.path, got, tc.rule)
		}
		if len(l.Problems) > 0 {
			t.Errorf("%s: problems %+v", tc.path, l.Problems)
		}
	}
}

func TestCompiledPythonIsSearched(t *testing.T) {
	f := forge{rand.New(rand.NewPCG(8, 8))}
	text := "\xa7\x0d\x0d\x0a\x00\x00\x00\x00abc\x00\x01token = ghp_" + f.of(alnum, 36) + "\x00\x02\x03"
	l := scan(t, Options{Secrets: true}, file{path: "app/settings.pyc", content: text}, file{path: "app/other.bin2", content: text})
	if len(l.Secrets) != 1 || l.Secrets[0].Found[0].StartLine != 0 {
		t.Errorf("found %+v, want one without a line", l.Secrets)
	}
}
