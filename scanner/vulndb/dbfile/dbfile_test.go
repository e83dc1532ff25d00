package dbfile

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const small = `
updated: 2026-11-01T00:00:00Z
next_update: 2026-11-02T00:00:00Z
sources:
  debian 12: {id: debian, name: Debian Security Tracker, url: https://example.org}
advisories:
  debian 12:
    zlib:
      CVE-2023-45853: {severity: low, status: will_not_fix}
    curl:
      CVE-2023-38545: {fixed: 7.88.1-10+deb12u4}
vulnerabilities:
  CVE-2023-38545:
    title: heap overflow
    severity: {nvd: critical, debian: high}
    cvss: {nvd: {v3: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", v3_score: 9.8}}
`

func TestSameFixtureGivesSameBytes(t *testing.T) {
	whole, err := os.ReadFile("../testdata/database.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string]string{"small": small, "of many buckets": string(whole)} {
		f, err := Parse([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		var first []byte
		for range 8 {
			dir := t.TempDir()
			if err := f.Write(dir); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(dir, "trivy.db"))
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b
			}
			if !bytes.Equal(b, first) {
				t.Errorf("two databases of the fixture %s differ", name)
			}
		}
		if n := len(first); n > 128<<10 {
			t.Errorf("the database %s has %d bytes", name, n)
		}
	}
}

func TestParseRefusesUnknownKeys(t *testing.T) {
	if _, err := Parse([]byte("vulnerabilitys: {}")); err == nil || !strings.Contains(err.Error(), "vulnerabilitys") {
		t.Errorf("Parse = %v, want an error that names the key", err)
	}
}
