package report_test

import (
	"fmt"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// kindsSample is a report with a target of each kind and findings on each.
func kindsSample() *scanner.Report {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	rep := &scanner.Report{
		Schema: scanner.ReportSchema,
		Run: scanner.Run{
			Version: "v0.1.0", PolicyDigest: "sha256:0123", Started: at, Finished: at.Add(time.Second), Collected: at, Complete: true, Params: map[string]any{},
			Targets: []facts.Target{
				{Kind: "cluster", Ref: "prod", Identity: "6f1d2b9e-0000-4000-8000-000000000001", Properties: map[string]string{"version": "v1.34.1"}},
				{Kind: "engine", Ref: "unix:///run/podman/podman.sock", Identity: "3f2a/podman", Properties: map[string]string{}},
				{Kind: "image", Ref: "registry.example/team/web:1.4", Identity: "registry.example/team/web linux/amd64", Properties: map[string]string{"platform": "linux/amd64"}},
				{Kind: "manifests", Ref: "deploy", Identity: "deploy", Properties: map[string]string{}},
				{Kind: "vm", Ref: "vm", Identity: "3f2a9c0d", Properties: map[string]string{"hypervisor": "kvm"}},
			},
		},
		Sources: []facts.Source{}, Packages: []scanner.PackageEntry{}, Gaps: []scanner.GapEntry{}, Notices: []scanner.Notice{},
	}
	for i, f := range []struct {
		id, title, target string
		kind              facts.Kind
		resource          string
		origin            facts.Origin
		severities        []scanner.Severity
	}{
		{"PS-CP-003", "Anonymous requests are answered", "prod", facts.KindCluster, "cluster", facts.Origin{}, nil},
		{"PS-K8S-009", "Node-takeover capability", "prod", facts.KindWorkload, "shop/Deployment/web", facts.Origin{}, []scanner.Severity{scanner.SeverityCritical, scanner.SeverityHigh}},
		{"PS-ENG-001", "The engine's socket is open to others", "unix:///run/podman/podman.sock", "engine", "engine", facts.Origin{File: "/etc/containers/containers.conf", Line: 7}, nil},
		{"PS-IMG-001", "Image runs as root by default", "registry.example/team/web:1.4", facts.KindImage, "registry.example/team/web:1.4", facts.Origin{}, nil},
		{"PS-K8S-001", "Privileged container", "deploy", facts.KindWorkload, "shop/Deployment/web", facts.Origin{File: "deploy/web.yaml", Line: 21}, nil},
		{"PS-K8S-001", "Privileged container", "deploy", facts.KindWorkload, "shop/Deployment/web", facts.Origin{File: "deploy/chart/templates/web.yaml", Line: 3, Rendered: true}, nil},
		{"PS-VM-001", "No IOMMU", "vm", "vm", "vm", facts.Origin{File: "/proc/cmdline", Line: 1}, nil},
	} {
		rule := &scanner.Rule{
			ID: f.id, Title: f.title, Description: "What it is about.", Severity: scanner.Severity(2 + i%4), Severities: f.severities, Subject: f.kind, Remediation: "Mend it.",
			References: []scanner.Reference{{Framework: "nist-800-190", Control: "4.4.3"}, {Framework: "cwe", Control: "250"}},
		}
		rep.Findings = append(rep.Findings, scanner.Finding{
			Rule: rule, Severity: rule.Severity, Target: f.target, Resource: scanner.ResourceRef{Kind: f.kind, ID: f.resource}, Message: "it is so",
			Evidence: []scanner.Evidence{{Path: "a.b[0]", Value: true}}, Origin: f.origin, Fingerprint: scanner.Fingerprint(f.id, f.target, f.resource, ""),
		})
		rep.Checks = append(rep.Checks, scanner.CheckCount{Rule: rule, Counts: scanner.Counts{Fail: 1}, ByTarget: map[string]scanner.Counts{f.target: {Fail: 1}}})
	}
	scanner.SortFindings(rep.Findings)
	rep.Summary = summary(rep)
	return rep
}

// strangeSample has names with everything that breaks formats: newlines, other
// scripts, and what URIs, Markdown, CSV, XML and workflow commands give a meaning.
func strangeSample() *scanner.Report {
	rep := kindsSample()
	names := []string{
		"a:b#c%d e", "zeile\neins\r\nzwei", "鍵/秘密.pem", "ключ \u202e gpj.exe", "=cmd|' /C calc'!A0", "</script><script>alert(1)</script>",
		"::error::x", "![x](http://example.org/x.png) @everyone #1", "\x1b[31mred\x00", "\uFFFD", "..", "%2e%2e/%00", "naïve é́", "👩\u200d💻",
	}
	tmpl := rep.Findings
	rep.Findings = nil
	const target = "registry.example/team/web:1.4"
	for i, name := range names {
		for _, f := range tmpl {
			if f.Resource.Kind == facts.KindImage {
				f.Vulnerability = &scanner.Vulnerability{Vulnerability: facts.Vulnerability{
					ID: fmt.Sprintf("CVE-2026-%04d", i), Package: name, Version: name, FixedVersion: name, Title: name, Path: name, Severity: "high",
					Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", References: []string{"javascript:alert(1)", "https://example.org/a b"}, Aliases: []string{name}, PrimaryURL: name,
				}}
			}
			f.Message, f.Key, f.Origin.File = name, name, name
			if f.Target != target {
				f.Resource.ID = name + "/" + f.Resource.ID
			}
			f.Evidence = []scanner.Evidence{{Path: "x", Value: name}}
			f.Fingerprint = scanner.Fingerprint(f.Rule.ID, f.Target, name, "")
			rep.Findings = append(rep.Findings, f)
		}
		rep.Packages = append(rep.Packages, scanner.PackageEntry{Target: target, Resource: target, Package: facts.Package{Type: "node-pkg", Class: "language", Name: name, Version: name, Path: name, ContentSets: []string{}, Licenses: []string{name}}})
		rep.Notices = append(rep.Notices, scanner.Notice{Source: "waivers", Text: name})
		rep.Gaps = append(rep.Gaps, scanner.GapEntry{Check: "PS-IMG-001", Target: "deploy", Resource: scanner.ResourceRef{Kind: "workload", ID: name}, Status: facts.Unknown, Reasons: []string{name}})
	}
	scanner.SortFindings(rep.Findings)
	rep.Summary = summary(rep)
	return rep
}
