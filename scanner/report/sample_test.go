package report_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// Rules of the sample reports.
func rules() map[string]*scanner.Rule {
	refs := []scanner.Reference{{Framework: "nist-800-190", Control: "4.1.2"}, {Framework: "cwe", Control: "CWE-250"}}
	list := []*scanner.Rule{
		{ID: "PS-IMG-001", Title: "Image runs as root by default", Severity: scanner.SeverityMedium, Remediation: "Add a numeric USER that is not 0.", References: refs},
		{ID: "PS-IMG-004", Title: "Credential file in a layer", Severity: scanner.SeverityHigh, Remediation: "Rebuild without it and rotate it.", References: refs},
		{ID: "PS-IMG-005", Title: "Set-uid, set-gid or file-capability binaries beyond an allow list", Severity: scanner.SeverityLow, Remediation: "chmod a-s", References: refs},
		{ID: "PS-IMG-013", Title: "Known vulnerability", Severity: scanner.SeverityHigh, Severities: []scanner.Severity{scanner.SeverityCritical, scanner.SeverityHigh, scanner.SeverityMedium, scanner.SeverityLow, scanner.SeverityUnknown}, Remediation: "Rebuild on the fixed versions.", References: refs},
		{ID: "PS-IMG-014", Title: "Known-exploited vulnerability in the image", Severity: scanner.SeverityCritical, Remediation: "Patch or withdraw.", References: refs},
		{ID: "PS-IMG-018", Title: "Image from a registry outside the allow list", Severity: scanner.SeverityMedium, Remediation: "Mirror it.", References: refs},
	}
	out := map[string]*scanner.Rule{}
	for _, r := range list {
		r.Subject = facts.KindImage
		r.Description = "What " + r.ID + " is about."
		out[r.ID] = r
	}
	return out
}

// sample is a report with everything that a writer must cope with: several
// targets, a failed one, folded messages, vulnerabilities, suppressions, gaps,
// and text that a hostile image may hold.
func sample() *scanner.Report {
	day := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	rule := rules()
	web, app := "registry.example:5000/team/web:1.4", "docker.io/library/応用:最新"
	rep := &scanner.Report{
		Schema: scanner.ReportSchema,
		Run: scanner.Run{
			Version: "v0.1.0", PolicyDigest: "sha256:0123", Started: day, Finished: day.Add(1500 * time.Millisecond), Collected: day,
			Params: map[string]any{"stale_days": 90, "ratio": 0.5, "allowed": []any{"docker.io"}},
			Targets: []facts.Target{
				{Kind: "image", Ref: app, Identity: app, Properties: map[string]string{"platform": "linux/arm64/v8"}},
				{Kind: "image", Ref: "broken.example/x:1", Properties: map[string]string{}, Error: "pull broken.example/x:1: no such host; is the name right?\x1b[2J"},
				{Kind: "image", Ref: web, Identity: web, Properties: map[string]string{"platform": "linux/amd64", "digest": "sha256:9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d0e1b2c3d4e5f60718293a4b5c6d7e8f9"}},
			},
			Complete: true,
		},
		Sources: []facts.Source{
			{Name: "vulnerability-db", Location: "mirror.example/trivy-db:2", Version: "2", Updated: day.Add(-60 * time.Hour), NextUpdate: day.Add(-36 * time.Hour), Problem: "it is older than its publisher's next update"},
		},
		Packages: []scanner.PackageEntry{{Target: web, Resource: web, Package: facts.Package{
			Type: "debian", Class: "os", Name: "openssl", Version: "3.0.11", ContentSets: []string{}, Licenses: []string{"Apache-2.0"}, Purl: "pkg:deb/debian/openssl@3.0.11",
		}}},
	}
	add := func(f scanner.Finding) {
		f.Resource = scanner.ResourceRef{Kind: facts.KindImage, ID: f.Target}
		if f.Evidence == nil {
			f.Evidence = []scanner.Evidence{{Path: "config.user", Value: ""}}
		}
		f.Fingerprint = scanner.Fingerprint(f.Rule.ID, f.Target, "image", f.Key)
		rep.Findings = append(rep.Findings, f)
	}
	layer := &scanner.LayerRef{Index: 2, Digest: "sha256:aa", DiffID: "sha256:bb", Instruction: "COPY --chown=app:app target/application /opt/application # and a comment that goes on for longer than a line"}
	add(scanner.Finding{Target: web, Rule: rule["PS-IMG-001"], Severity: scanner.SeverityMedium, Message: "No USER is set, so the process runs as root"})
	for i, file := range []string{"root/.aws/credentials", "srv/\x1b[31mkey\u202e.pem", "srv/鍵/秘密.pem", "srv/\uFFFD.pem", "srv/<b>&amp;.pem"} {
		add(scanner.Finding{
			Target: web, Rule: rule["PS-IMG-004"], Severity: scanner.SeverityHigh, Key: file, Layer: layer,
			Message: "A private key stands in the image", Origin: facts.Origin{File: file, Line: i + 1},
			Evidence: []scanner.Evidence{{Path: fmt.Sprintf("secrets[%d].rule", i), Value: map[string]any{"rule": "private-key", "length": json.Number("9007199254740993")}}},
		})
	}
	for i := range 14 {
		file := fmt.Sprintf("usr/bin/tool-%02d", i)
		add(scanner.Finding{Target: web, Rule: rule["PS-IMG-005"], Severity: scanner.SeverityLow, Key: file, Message: file + " is set-uid root (4755)", Origin: facts.Origin{File: file}})
	}
	yes, epss := true, 0.97
	vulnerable := func(target, id, pkg, version, fixed string, sev scanner.Severity, purl, path string) {
		add(scanner.Finding{
			Target: target, Rule: rule["PS-IMG-013"], Severity: sev, Key: id + " " + purl + " " + path, Message: id + " in " + pkg + " " + version,
			Origin: facts.Origin{File: path}, Layer: layer,
			Vulnerability: &scanner.Vulnerability{KEV: &yes, EPSS: &epss, Vulnerability: facts.Vulnerability{
				ID: id, Package: pkg, PackageType: "debian", Version: version, FixedVersion: fixed, Severity: sev.String(), Purl: purl, Path: path, References: []string{"https://example.org/" + id}, Aliases: []string{},
			}},
		})
	}
	for i := range 9 {
		vulnerable(web, fmt.Sprintf("CVE-2026-%04d", 1000+i), "openssl", "3.0.11-1~deb12u1", "3.0.15-1~deb12u1", scanner.Severity(5-i%6), "pkg:deb/debian/openssl", "var/lib/dpkg/status")
	}
	vulnerable(web, "CVE-2021-44228", "org.apache.logging.log4j:log4j-core", "2.14.1", "2.15.0", scanner.SeverityCritical, "pkg:maven/org.apache.logging.log4j/log4j-core", "opt/application/lib/log4j-core-2.14.1.jar")
	vulnerable(web, "GHSA-xxxx-yyyy-zzzz", "左側パッド", "1.0.0", "", scanner.SeverityMedium, "pkg:npm/leftpad", "srv/node_modules/leftpad/package.json")
	rep.Findings[len(rep.Findings)-1].Suppressed = &scanner.Suppression{By: "only-fixable", Reason: "no version mends it yet"}
	add(scanner.Finding{
		Target: web, Rule: rule["PS-IMG-014"], Severity: scanner.SeverityCritical, Key: "CVE-2021-44228", Layer: layer, Origin: facts.Origin{File: "opt/application/lib/log4j-core-2.14.1.jar"},
		Message:       "CVE-2021-44228 in org.apache.logging.log4j:log4j-core 2.14.1 is on the list of vulnerabilities that attackers use",
		Vulnerability: &scanner.Vulnerability{Vulnerability: facts.Vulnerability{ID: "CVE-2021-44228", References: []string{}, Aliases: []string{}}},
	})
	add(scanner.Finding{Target: app, Rule: rule["PS-IMG-001"], Severity: scanner.SeverityMedium, Message: "No USER is set, so the process runs as root"})
	scanner.SortFindings(rep.Findings)
	ref := scanner.ResourceRef{Kind: facts.KindImage, ID: app}
	rep.Gaps = []scanner.GapEntry{
		{Check: "PS-IMG-013", Target: app, Resource: ref, Status: facts.Unknown, Reasons: []string{`no vulnerability database in "/home/u/.cache/postscan/db": run "postscan db update"`}},
		{Check: "PS-IMG-014", Target: app, Resource: ref, Status: facts.Unknown, Reasons: []string{`no vulnerability database in "/home/u/.cache/postscan/db": run "postscan db update"`}},
		{Check: "PS-IMG-018", Target: app, Resource: ref, Status: facts.NotAssessed, Reasons: []string{"no allowed registries are configured: --param registries_allowed=HOST"}},
	}
	for _, id := range []string{"PS-IMG-001", "PS-IMG-004", "PS-IMG-005", "PS-IMG-013", "PS-IMG-014", "PS-IMG-018"} {
		rep.Checks = append(rep.Checks, scanner.CheckCount{Rule: rule[id], Counts: scanner.Counts{Fail: 1, Pass: 1}})
	}
	rep.Summary = summary(rep)
	return rep
}

// clean is a report without any finding.
func cleanSample() *scanner.Report {
	rep := sample()
	rep.Run.Targets, rep.Sources, rep.Packages, rep.Findings, rep.Gaps = rep.Run.Targets[:1], nil, nil, nil, nil
	rep.Summary = summary(rep)
	return rep
}

func summary(rep *scanner.Report) scanner.Summary {
	s := scanner.Summary{Targets: len(rep.Run.Targets), Resources: 2, Packages: len(rep.Packages), BySeverity: map[scanner.Severity]int{}}
	for _, t := range rep.Run.Targets {
		if t.Error != "" {
			s.Failed++
		}
	}
	for _, f := range rep.Findings {
		if f.Suppressed != nil {
			s.Suppressed++
			continue
		}
		s.Findings++
		s.BySeverity[f.Severity]++
	}
	s.Pass, s.Fail, s.Unknown, s.NotAssessed = 6, 6, 2, 1
	return s
}
