package inventory

import (
	"bytes"
	"encoding/binary"
	"path"
	"regexp"
	"slices"
	"strings"
)

// This file knows credentials by the files that programs keep them in, which
// patterns of text alone do not find.

// credentialFile is a well-known place of credentials.
type credentialFile struct {
	id, category, title, severity string
	path                          func(p string) bool
	expr                          string // the group "secret" is the credential
	plausible                     func(secret, text []byte) bool
}

// named returns a test for files with one of these names.
func named(names ...string) func(string) bool {
	return func(p string) bool {
		base := path.Base(p)
		for _, n := range names {
			if base == n {
				return true
			}
		}
		return false
	}
}

// ending returns a test for paths that end with one of these, at a "/".
func ending(tails ...string) func(string) bool {
	return func(p string) bool {
		for _, t := range tails {
			if strings.HasSuffix("/"+p, "/"+t) {
				return true
			}
		}
		return false
	}
}

func credentialFiles() []credentialFile {
	return []credentialFile{
		{
			id: "kubeconfig", category: "Kubernetes", title: "Kubeconfig with embedded credentials", severity: "critical",
			path: kubeconfigPath,
			expr: `(?m)^[ \t-]*(?:client-key-data|token|password|id-token|refresh-token)[ \t]*:[ \t]*["']?(?P<secret>[^\s"'{}]{8,})`,
			plausible: func(s, text []byte) bool {
				return bytes.Contains(text, []byte("clusters:")) && !placeholder(s)
			},
		},
		{
			id: "docker-config", category: "Docker", title: "Registry credentials of Docker or Podman", severity: "critical",
			path: func(p string) bool {
				return ending(".docker/config.json", "containers/auth.json", "containers/0/auth.json")(p) || named(".dockercfg", ".dockerconfigjson")(p)
			},
			expr: `"(?:auth|identitytoken|registrytoken|password)"\s*:\s*"(?P<secret>[^"\s]{4,})"`,
		},
		{
			id: "git-credentials", category: "Git", title: "Stored Git credentials", severity: "critical",
			path: func(p string) bool {
				return named(".git-credentials")(p) || ending(".git/config", "git/credentials")(p)
			},
			expr: `https?://[^\s:@/]{0,256}:(?P<secret>[^\s@/]{4,512})@`,
		},
		{
			id: "npmrc", category: "Npm", title: "npm registry credentials", severity: "critical",
			path: named(".npmrc", "npmrc"),
			expr: `(?m)_(?:authToken|auth|password)[ \t]*=[ \t]*["']?(?P<secret>[^\s"'$]{6,})`,
		},
		{
			id: "pypirc", category: "PyPI", title: "Python package index credentials", severity: "critical",
			path: named(".pypirc", "pip.conf", "pip.ini"),
			expr: `(?m)(?:^[ \t]*password[ \t]*[:=][ \t]*|https?://[^\s:@/]{1,256}:)(?P<secret>[^\s@/$%]{4,512})(?:@|[ \t]*$)`,
		},
		{
			id: "netrc", category: "Netrc", title: "Credentials for servers in .netrc", severity: "critical",
			path: named(".netrc", "_netrc"),
			expr: `\bpassword\s+(?P<secret>[^\s$]{4,})`,
		},
		{
			id: "aws-credentials", category: "AWS", title: "AWS credentials file", severity: "critical",
			path: func(p string) bool { return ending(".aws/credentials", ".aws/config")(p) || named(".boto")(p) },
			expr: `(?m)^[ \t]*(?:aws_secret_access_key|aws_session_token)[ \t]*=[ \t]*(?P<secret>[^\s$]{16,})`,
		},
		{
			id: "gcp-credentials", category: "Google", title: "Google Cloud credentials file", severity: "critical",
			path: func(p string) bool {
				return named("application_default_credentials.json", "legacy_credentials.json", "adc.json")(p)
			},
			expr: `"(?:refresh_token|private_key|client_secret)"\s*:\s*"(?P<secret>[^"]{8,})"`,
		},
		{
			id: "azure-credentials", category: "Azure", title: "Azure credentials file", severity: "critical",
			path: ending(".azure/accessTokens.json", ".azure/msal_token_cache.json", ".azure/service_principal_entries.json",
				".azure/azureProfile.json", ".azure/credentials"),
			expr: `(?i)"?(?:accessToken|refreshToken|access_token|refresh_token|client_secret|secret)"?\s*[:=]\s*"?(?P<secret>[^"\s]{8,})`,
		},
		{
			id: "service-account-token", category: "Kubernetes", title: "Kubernetes service account token", severity: "critical",
			path: func(p string) bool {
				return strings.Contains("/"+p, "/secrets/kubernetes.io/serviceaccount/") && path.Base(p) == "token"
			},
			expr: `(?P<secret>[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})`,
		},
		{
			id: "vault-token", category: "HashiCorp", title: "Vault token", severity: "critical",
			path: named(".vault-token"),
			expr: `(?P<secret>(?:hv[sbr]|[sbr])\.[A-Za-z0-9_-]{16,})`,
		},
		{
			id: "terraform-credentials", category: "HashiCorp", title: "Terraform credentials file", severity: "critical",
			path: named("credentials.tfrc.json", ".terraformrc"),
			expr: `\btoken"?\s*[:=]\s*"(?P<secret>[^"$]{8,})"`,
		},
		{
			id: "pgpass", category: "PostgreSQL", title: "PostgreSQL password file", severity: "high",
			path: named(".pgpass", "pgpass.conf"),
			expr: `(?m)^[^#:\n]{1,256}:[^:\n]{1,16}:[^:\n]{1,256}:[^:\n]{1,256}:(?P<secret>[^\s]{3,})`,
		},
		{
			id: "my-cnf", category: "MySQL", title: "MySQL client password", severity: "high",
			path: named(".my.cnf", ".mylogin.cnf"),
			expr: `(?m)^[ \t]*password[ \t]*=[ \t]*["']?(?P<secret>[^\s"'$]{3,})`,
		},
		{
			id: "putty-private-key", category: "AsymmetricPrivateKey", title: "PuTTY private key", severity: "high",
			path: func(p string) bool { return path.Ext(p) == ".ppk" },
			expr: `(?m)^Private-Lines: \d+\r?\n(?P<secret>[A-Za-z0-9+/=\r\n]{40,})`,
		},
		{
			id: "env-file", category: "Environment", title: "Credential in an environment file", severity: "high",
			path: envFile,
			expr: `(?m)^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]{1,100})=(?P<secret>[^\r\n]{8,1000})$`,
		},
	}
}

// credentialRules makes rules of the well-known places, and lists the places.
func credentialRules() (out []secretRule, places []func(string) bool) {
	for _, f := range credentialFiles() {
		re := regexp.MustCompile(f.expr)
		places = append(places, f.path)
		r := secretRule{
			own: true, id: f.id, category: f.category, title: f.title, severity: f.severity,
			regex: re, group: re.SubexpIndex("secret"),
			path: func(p string) bool { return f.path(p) && !sampleFile(p) },
			plausible: func(s, text []byte) bool {
				if f.plausible != nil {
					return f.plausible(s, text)
				}
				return !placeholder(s)
			},
		}
		if f.id == "env-file" {
			name := re.SubexpIndex("name")
			r.plausible = nil
			r.allow = func(match []byte) bool {
				m := re.FindSubmatch(match)
				return m == nil || !credentialValue(string(m[name]), string(m[r.group]))
			}
		}
		out = append(out, r)
	}
	return out, places
}

// credentialPath says whether the file is looked into although its directory is
// left out of the search by pattern.
func (sr *secretRules) credentialPath(p string) bool {
	base := path.Base(p)
	known := base[0] == '.' || strings.Contains(base, "config") || strings.Contains(base, "cred") ||
		strings.Contains(base, "auth.json") || base == "token" || base == "adc.json"
	switch path.Ext(base) {
	case ".jks", ".keystore", ".p12", ".pfx":
		return !sampleFile(p)
	case ".ppk", ".conf", ".ini":
		known = true
	}
	if !known || sampleFile(p) {
		return false
	}
	return slices.ContainsFunc(sr.places, func(at func(string) bool) bool { return at(p) })
}

func kubeconfigPath(p string) bool {
	base := path.Base(p)
	return base == "config" && path.Base(path.Dir(p)) == ".kube" ||
		strings.Contains(strings.ToLower(base), "kubeconfig") ||
		strings.HasPrefix(p, "etc/kubernetes/") && path.Ext(base) == ".conf" ||
		p == "etc/rancher/k3s/k3s.yaml"
}

func envFile(p string) bool {
	base := path.Base(p)
	if base != ".env" && !strings.HasPrefix(base, ".env.") {
		return false
	}
	switch path.Ext(base) {
	case ".dist", ".template", ".tmpl", ".defaults":
		return false
	}
	return true
}

// sampleFile says whether a path is that of an example, a test or documentation.
func sampleFile(p string) bool {
	lower := strings.ToLower("/" + p)
	for _, part := range []string{
		"/test", "_test", "-test", ".test", "example", "sample", "/fixtures/", "/mock", "/usr/share/doc/", "/docs/", "/node_modules/",
		".dist-info/", "/site-packages/", "/dist-packages/", "/gems/",
	} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}

// placeholder says whether a value only stands for a credential.
func placeholder(s []byte) bool {
	t := strings.ToLower(strings.Trim(string(s), `"'`))
	if t == "" || strings.HasPrefix(t, "$") || strings.HasPrefix(t, "{{") || strings.HasPrefix(t, "<") || strings.HasPrefix(t, "%") {
		return true
	}
	if strings.Trim(t, "*x.-_") == "" {
		return true
	}
	for _, word := range []string{"redacted", "changeme", "change-me", "placeholder", "example", "your-", "your_", "dummy", "insert"} {
		if strings.Contains(t, word) {
			return true
		}
	}
	switch t {
	case "password", "passwd", "secret", "token", "none", "null", "true", "false":
		return true
	default:
		return false
	}
}

var (
	jksRule = &secretRule{
		id: "java-keystore", category: "Keystore", title: "Java keystore with a private key", severity: "high",
	}
	pkcs12Rule = &secretRule{
		id: "pkcs12-keystore", category: "Keystore", title: "PKCS #12 keystore", severity: "high",
	}
)

const (
	jksMagic   = 0xfeedfeed
	jceksMagic = 0xcececece
)

// keystoreRule tells from a file's name and first bytes that it is a keystore.
// Those that only hold the certificates of authorities are no secret.
func keystoreRule(p string, head []byte) *secretRule {
	if len(head) < 12 || sampleFile(p) {
		return nil
	}
	if magic := binary.BigEndian.Uint32(head); magic == jksMagic || magic == jceksMagic {
		return jksRule
	}
	ext := strings.ToLower(path.Ext(p))
	lower := strings.ToLower(path.Base(p))
	if strings.Contains(lower, "cacerts") || strings.Contains(lower, "truststore") {
		return nil
	}
	// A PFX is a sequence that starts with the integer 3.
	if (ext == ".p12" || ext == ".pfx" || ext == ".jks" || ext == ".keystore") && head[0] == 0x30 &&
		bytes.Contains(head[:12], []byte{0x02, 0x01, 0x03}) {
		return pkcs12Rule
	}
	return nil
}

// holdsPrivateKey looks through the entries of a Java keystore. For PKCS #12 it
// cannot be told without the password.
func holdsPrivateKey(rule *secretRule, data []byte) bool {
	if rule != jksRule {
		return true
	}
	count := binary.BigEndian.Uint32(data[8:])
	rest := data[12:]
	for range count {
		if len(rest) < 6 {
			return false
		}
		tag := binary.BigEndian.Uint32(rest)
		if tag != 2 { // 1 is a private key, 3 a secret one
			return true
		}
		// A certificate: alias, date, and where the file says so its type.
		skip := 4 + 2 + int(binary.BigEndian.Uint16(rest[4:])) + 8
		if binary.BigEndian.Uint32(data[4:]) == 2 {
			if len(rest) < skip+2 {
				return false
			}
			skip += 2 + int(binary.BigEndian.Uint16(rest[skip:]))
		}
		if len(rest) < skip+4 {
			return false
		}
		skip += 4 + int(binary.BigEndian.Uint32(rest[skip:]))
		if skip > len(rest) {
			return false
		}
		rest = rest[skip:]
	}
	return false
}
