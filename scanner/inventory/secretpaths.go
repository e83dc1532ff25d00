package inventory

import (
	"path"
	"regexp"
	"strings"
)

var (
	yarnDir   = regexp.MustCompile(`^opt/yarn-v[\d.]+/`)
	pythonDir = regexp.MustCompile(`^usr/local/lib/python[\d.]+/`)
)

// noSecretsIn says whether the files at this path are left out of the search for
// secrets by pattern. The rules are those of trivy: what package managers and
// distributions bring, documentation, tests and examples, pictures and archives.
func noSecretsIn(p string) bool {
	return skippedName(p) || skippedDir(p)
}

func skippedName(p string) bool {
	base := path.Base(p)
	switch base {
	case "go.mod", "go.sum", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "Pipfile.lock", "Gemfile.lock":
		return true
	}
	switch path.Ext(base) {
	case ".jpg", ".png", ".gif", ".doc", ".pdf", ".bin", ".svg", ".socket", ".deb", ".rpm", ".zip", ".gz", ".gzip",
		".tar", ".md":
		return true
	default:
		return false
	}
}

func skippedDir(p string) bool {
	for _, prefix := range []string{
		"usr/share/", "usr/include/", "usr/lib/", "usr/local/go/", "usr/src/wordpress/", "var/log/anaconda/",
	} {
		if strings.HasPrefix(p, prefix) {
			return true
		}
	}
	slashed := "/" + p
	if strings.Contains(slashed+"/", "/.git/") || strings.Contains(slashed+"/", "/node_modules/") {
		return true
	}
	for _, part := range []string{
		".dist-info/", "example", "/vendor/", "/locale/", "/locales/",
	} {
		if strings.Contains(slashed, part) {
			return true
		}
	}
	lower := strings.ToLower(slashed)
	for _, part := range []string{"/test", "-test", "_test", ".test"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return strings.HasPrefix(p, "opt/yarn-v") && yarnDir.MatchString(p) ||
		strings.HasPrefix(p, "usr/local/lib/python") && pythonDir.MatchString(p)
}

// binaryHead says whether the first bytes of a file are those of no text.
func binaryHead(head []byte) bool {
	for _, b := range head[:min(len(head), 300)] {
		if b < 7 || b == 11 || 13 < b && b < 27 || 27 < b && b < 0x20 || b == 0x7f {
			return true
		}
	}
	return false
}
