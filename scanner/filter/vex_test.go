package filter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/filter"
)

const digest = "sha256:9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d0e1b2c3d4e5f60718293a4b5c6d7e8f9"

func vulnerable() *scanner.Report {
	f := func(id, purl string, aliases ...string) scanner.Finding {
		return scanner.Finding{Rule: &scanner.Rule{ID: "PS-IMG-013"}, Target: "web", Vulnerability: &scanner.Vulnerability{Vulnerability: facts.Vulnerability{ID: id, Purl: purl, Aliases: aliases}}}
	}
	return &scanner.Report{
		Run: scanner.Run{Targets: []facts.Target{{Kind: "image", Ref: "web", Identity: "docker.io/team/web linux/amd64", Properties: map[string]string{"digest": digest, "tag": "1.2"}}}},
		Findings: []scanner.Finding{
			f("CVE-2021-1", "pkg:npm/lodash@4.17.20", "GHSA-1"),
			f("CVE-2021-1", "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12"),
			f("CVE-2021-2", "pkg:npm/lodash@4.17.20", "GHSA-1"),
		},
	}
}

func openvex(statements ...string) string {
	return `{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2026-01-01T00:00:00Z","statements":[` + strings.Join(statements, ",") + `]}`
}

func statement(id, status, product string, parts ...string) string {
	subs := make([]string, 0, len(parts))
	for _, p := range parts {
		subs = append(subs, fmt.Sprintf(`{"@id":%q}`, p))
	}
	return fmt.Sprintf(`{"vulnerability":{"name":%q},"products":[{"@id":%q,"subcomponents":[%s]}],"status":%q,"justification":"vulnerable_code_not_in_execute_path"}`, id, product, strings.Join(subs, ","), status)
}

// cycloneDX says of lodash that it is not affected at some versions.
func cycloneDX(versions string) string {
	return `{"bomFormat":"CycloneDX","specVersion":"1.6","vulnerabilities":[{"id":"CVE-2021-1","analysis":{"state":"not_affected"},"affects":[{"ref":"pkg:npm/lodash","versions":[` + versions + `]}]}]}`
}

func TestVEX(t *testing.T) {
	oci := "pkg:oci/web@" + strings.Replace(digest, ":", "%3A", 1) + "?repository_url=docker.io%2Fteam%2Fweb"
	for name, c := range map[string]struct{ doc, want string }{
		"package with version":      {openvex(statement("CVE-2021-1", "not_affected", "pkg:npm/lodash@4.17.20")), "x.."},
		"package without version":   {openvex(statement("CVE-2021-1", "not_affected", "pkg:npm/lodash")), "x.."},
		"other version":             {openvex(statement("CVE-2021-1", "not_affected", "pkg:npm/lodash@4.17.21")), "..."},
		"qualifiers are a subset":   {openvex(statement("CVE-2021-1", "fixed", "pkg:deb/debian/libc6?distro=debian-12")), ".x."},
		"other distribution":        {openvex(statement("CVE-2021-1", "fixed", "pkg:deb/debian/libc6?distro=debian-11")), "..."},
		"the image":                 {openvex(statement("CVE-2021-1", "not_affected", oci)), "xx."},
		"a package of the image":    {openvex(statement("CVE-2021-1", "not_affected", oci, "pkg:npm/lodash")), "x.."},
		"another digest":            {openvex(statement("CVE-2021-1", "not_affected", "pkg:oci/web@sha256%3A00")), "..."},
		"another image":             {openvex(statement("CVE-2021-1", "not_affected", "pkg:oci/db", "pkg:npm/lodash")), "..."},
		"another repository":        {openvex(statement("CVE-2021-1", "not_affected", "pkg:oci/web?repository_url=ghcr.io%2Fteam%2Fweb")), "..."},
		"affected does not count":   {openvex(statement("CVE-2021-1", "affected", "pkg:npm/lodash")), "..."},
		"under investigation":       {openvex(statement("CVE-2021-1", "under_investigation", "pkg:npm/lodash")), "..."},
		"the later one counts":      {openvex(statement("CVE-2021-1", "not_affected", "pkg:npm/lodash"), statement("CVE-2021-1", "affected", "pkg:npm/lodash")), "..."},
		"a wildcard is no wildcard": {openvex(statement("CVE-2021-1", "not_affected", "*")), "..."},
		"CycloneDX by reference": {`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","bom-ref":"r1","name":"lodash","purl":"pkg:npm/lodash@4.17.20"}],
			"vulnerabilities":[{"id":"CVE-2021-1","analysis":{"state":"not_affected","justification":"code_not_reachable"},"affects":[{"ref":"r1"}]}]}`, "x.."},
		"CycloneDX by link": {`{"bomFormat":"CycloneDX","specVersion":"1.6",
			"vulnerabilities":[{"id":"CVE-2021-2","analysis":{"state":"false_positive"},"affects":[{"ref":"pkg:npm/lodash@4.17.20"}]}]}`, "..x"},
		"another name of it":             {openvex(statement("GHSA-1", "not_affected", "pkg:npm/lodash")), "x.x"},
		"a later one by another name":    {openvex(statement("CVE-2021-1", "not_affected", "pkg:npm/lodash"), statement("GHSA-1", "affected", "pkg:npm/lodash")), "..."},
		"an earlier one by another name": {openvex(statement("GHSA-1", "affected", "pkg:npm/lodash"), statement("CVE-2021-1", "not_affected", "pkg:npm/lodash")), "x.."},
		"CycloneDX this version":         {cycloneDX(`{"version":"4.17.20","status":"unaffected"}`), "x.."},
		"CycloneDX another version":      {cycloneDX(`{"version":"4.17.21","status":"unaffected"}`), "..."},
		"CycloneDX affected version":     {cycloneDX(`{"version":"4.17.20","status":"affected"}`), "..."},
		"CycloneDX version of no status": {cycloneDX(`{"version":"4.17.20"}`), "..."},
		"CycloneDX one of the versions":  {cycloneDX(`{"version":"1.0","status":"affected"},{"version":"4.17.20","status":"unaffected"}`), "x.."},
		"CycloneDX range is not judged":  {cycloneDX(`{"range":"vers:npm/>=4.17.0|<5","status":"unaffected"}`), "..."},
		"CycloneDX in triage": {`{"bomFormat":"CycloneDX","specVersion":"1.6",
			"vulnerabilities":[{"id":"CVE-2021-2","analysis":{"state":"in_triage"},"affects":[{"ref":"pkg:npm/lodash@4.17.20"}]}]}`, "..."},
		"CycloneDX of another image": {`{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"container","bom-ref":"top","name":"db","purl":"pkg:oci/db"}},
			"vulnerabilities":[{"id":"CVE-2021-2","analysis":{"state":"resolved"},"affects":[{"ref":"pkg:npm/lodash@4.17.20"}]}]}`, "..."},
	} {
		statements, err := filter.ReadVEX(strings.NewReader(c.doc), "vex.json")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r := vulnerable()
		if err := filter.NewVEX(statements).Apply(r); err != nil {
			t.Fatal(err)
		}
		if got := suppressed(r); got != c.want {
			t.Errorf("%s: suppressed %s, want %s", name, got, c.want)
		}
		for _, f := range r.Findings {
			if f.Suppressed != nil && (f.Suppressed.By != "vex" || !strings.Contains(f.Suppressed.Reason, "vex.json")) {
				t.Errorf("%s: the suppression does not say where it comes from: %+v", name, f.Suppressed)
			}
		}
	}
}

func TestVEXRefuses(t *testing.T) {
	for name, doc := range map[string]string{
		"empty":            "",
		"no JSON":          "hello",
		"something else":   `{"a":1}`,
		"unknown status":   openvex(statement("CVE-2021-1", "fine", "pkg:npm/lodash")),
		"no vulnerability": openvex(statement("", "fixed", "pkg:npm/lodash")),
		"says nothing":     `{"bomFormat":"CycloneDX","specVersion":"1.6"}`,
	} {
		if _, err := filter.ReadVEX(strings.NewReader(doc), "vex.json"); err == nil || !strings.Contains(err.Error(), "vex.json") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func FuzzReadVEX(f *testing.F) {
	f.Add(openvex(statement("CVE-2021-1", "not_affected", "pkg:npm/lodash")))
	f.Add(`{"bomFormat":"CycloneDX","specVersion":"1.6","vulnerabilities":[{"id":"CVE-2021-1","analysis":{"state":"resolved"},"affects":[{"ref":"x"}]}]}`)
	f.Fuzz(func(t *testing.T, doc string) {
		statements, err := filter.ReadVEX(strings.NewReader(doc), "f")
		if err != nil {
			return
		}
		if err := filter.NewVEX(statements).Apply(vulnerable()); err != nil {
			t.Error(err)
		}
	})
}
