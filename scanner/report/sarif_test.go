package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/report"
)

// sarifDoc is what the tests read of a file.
type sarifDoc struct {
	Version string `json:"version"`
	Runs    []struct {
		AutomationDetails struct {
			ID string `json:"id"`
		} `json:"automationDetails"`
		Tool struct {
			Driver struct {
				Rules []struct {
					ID         string            `json:"id"`
					Properties map[string]any    `json:"properties"`
					Help       map[string]string `json:"help"`
				} `json:"rules"`
			} `json:"driver"`
		} `json:"tool"`
		Invocations []struct {
			ExecutionSuccessful bool `json:"executionSuccessful"`
			Notes               []struct {
				Level   string                `json:"level"`
				Message struct{ Text string } `json:"message"`
			} `json:"toolExecutionNotifications"`
		} `json:"invocations"`
		Results []struct {
			RuleID              string            `json:"ruleId"`
			RuleIndex           int               `json:"ruleIndex"`
			Level               string            `json:"level"`
			PartialFingerprints map[string]string `json:"partialFingerprints"`
			Suppressions        []struct {
				Justification string `json:"justification"`
			} `json:"suppressions"`
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string } `json:"artifactLocation"`
					Region           map[string]int       `json:"region"`
				} `json:"physicalLocation"`
			} `json:"locations"`
		} `json:"results"`
	} `json:"runs"`
}

// mixedReport has one of everything that a writer must cope with.
func mixedReport() *scanner.Report {
	root := &scanner.Rule{
		ID: "PS-IMG-001", Title: "Image runs as root by default", Severity: scanner.SeverityMedium, Subject: facts.KindImage,
		Description: "Root in the container is root for the kernel.", Remediation: "Add a numeric USER.",
		References: []scanner.Reference{{Framework: "nist-800-190", Control: "4.1.2"}, {Framework: "cwe", Control: "250"}, {Framework: "url", Control: "https://example.org/root"}},
	}
	caps := &scanner.Rule{
		ID: "PS-K8S-009", Title: "Dangerous capability", Severity: scanner.SeverityHigh, Subject: "workload",
		Severities: []scanner.Severity{scanner.SeverityCritical, scanner.SeverityHigh}, Remediation: "Drop it.",
	}
	vuln := &scanner.Rule{ID: "PS-IMG-013", Title: "Known vulnerability", Severity: scanner.SeverityHigh, Subject: facts.KindImage, Remediation: "Update the package."}
	image := scanner.ResourceRef{Kind: facts.KindImage, ID: "registry.example:5000/team/app:1.2@sha256:0000"}
	pod := scanner.ResourceRef{Kind: "workload", ID: "shop/Deployment/we b#%:1"}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	evidence := []scanner.Evidence{{Path: "config.user", Value: ""}}
	cve := func(id, pkg, path string, sev scanner.Severity) scanner.Finding {
		v := &scanner.Vulnerability{Vulnerability: facts.Vulnerability{
			ID: id, Package: pkg, Version: "1.0", FixedVersion: "1.1", Score: 9.8, Title: "A \"quoted\" title\nof two lines", Path: path, Purl: "pkg:npm/" + pkg + "@1.0",
			PrimaryURL: "https://example.org/" + id,
		}}
		return scanner.Finding{
			Rule: vuln, Severity: sev, Target: "app", Resource: image, Message: pkg + " 1.0 is vulnerable", Evidence: evidence, Key: id + pkg + path,
			Fingerprint: scanner.Fingerprint(vuln.ID, "registry.example:5000/team/app linux/amd64", "image", id+pkg+path), Origin: facts.Origin{File: path},
			Layer: &scanner.LayerRef{Index: 1, Digest: "sha256:aa", Instruction: "RUN npm ci"}, Vulnerability: v,
		}
	}
	r := &scanner.Report{
		Schema: scanner.ReportSchema,
		Run: scanner.Run{
			Version: "v0.1.0", PolicyDigest: "abc", Started: at, Finished: at.Add(time.Second), Collected: at, Complete: true,
			Targets: []facts.Target{
				{Kind: "image", Ref: "app", Identity: "registry.example:5000/team/app linux/amd64", Properties: map[string]string{"tag": "1.2"}},
				{Kind: "image", Ref: "broken", Identity: "broken", Error: "manifest unknown"},
				{Kind: "cluster", Ref: "prod", Identity: "uid-1"},
				{Kind: "image", Ref: "clean", Identity: "clean"},
			},
		},
		Sources: []facts.Source{{Name: "vulnerability-db", Problem: "is 12 days old"}},
		Checks:  []scanner.CheckCount{{Rule: root, Counts: scanner.Counts{Fail: 1}}, {Rule: vuln, Counts: scanner.Counts{Fail: 1}}, {Rule: caps, Counts: scanner.Counts{Fail: 1, Unknown: 1}}},
		Findings: []scanner.Finding{
			cve("CVE-2021-0001", "lodash", "app/a package.json", scanner.SeverityCritical),
			cve("CVE-2021-0001", "lodash", "app/b/package.json", scanner.SeverityLow),
			cve("CVE-2021-0002", "naïve", "app/ü:%#.json", scanner.SeverityUnknown),
			{Rule: root, Severity: scanner.SeverityMedium, Target: "app", Resource: image, Message: "USER is \"root\"", Evidence: evidence, Fingerprint: strings.Repeat("a", 64), Suppressed: &scanner.Suppression{By: "waiver", Reason: "legacy", Owner: "team", Expiry: "2027-01-01"}},
			{Rule: caps, Severity: scanner.SeverityCritical, Target: "prod", Resource: pod, Message: "adds SYS_ADMIN", Evidence: evidence, Fingerprint: strings.Repeat("b", 64)},
			{Rule: caps, Severity: scanner.SeverityHigh, Target: "prod", Resource: pod, Message: "adds NET_ADMIN", Evidence: evidence, Fingerprint: strings.Repeat("b", 64)},
		},
		Gaps: []scanner.GapEntry{
			{Check: "PS-IMG-017", Target: "app", Resource: image, Status: facts.NotAssessed, Reasons: []string{"no --verify-key"}},
			{Check: "PS-K8S-009", Target: "prod", Resource: pod, Status: facts.Unknown, Reasons: []string{"forbidden"}},
		},
	}
	return r
}

func writeSARIF(t *testing.T, r *scanner.Report) sarifDoc {
	t.Helper()
	var buf bytes.Buffer
	if err := report.SARIF(&buf, r, report.Options{}); err != nil {
		t.Fatal(err)
	}
	validateSARIF(t, buf.Bytes())
	var doc sarifDoc
	if err := json.Unmarshal(buf.Bytes(), &doc); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, buf.Bytes())
	}
	return doc
}

func TestSARIF(t *testing.T) {
	doc := writeSARIF(t, mixedReport())
	if len(doc.Runs) != 4 {
		t.Fatalf("%d runs, want one per target", len(doc.Runs))
	}
	app, broken, prod, clean := doc.Runs[0], doc.Runs[1], doc.Runs[2], doc.Runs[3]
	if app.AutomationDetails.ID != "postscan/image/registry.example:5000/team/app-linux/amd64/" {
		t.Errorf("category is %q", app.AutomationDetails.ID)
	}
	rules := map[string]string{}
	for _, run := range doc.Runs {
		for _, rule := range run.Tool.Driver.Rules {
			rules[rule.ID] = fmt.Sprint(rule.Properties["security-severity"])
		}
	}
	for id, want := range map[string]string{
		"CVE-2021-0001": "9.8", "CVE-2021-0002": "<nil>", "PS-IMG-001": "5.5", "PS-K8S-009/critical": "9.5", "PS-K8S-009/high": "8.0",
	} {
		if rules[id] != want {
			t.Errorf("rule %s has security-severity %s, want %s (rules: %v)", id, rules[id], want, rules)
		}
	}
	for _, run := range doc.Runs {
		for _, res := range run.Results {
			if got := run.Tool.Driver.Rules[res.RuleIndex].ID; got != res.RuleID {
				t.Errorf("ruleIndex leads to %s, ruleId is %s", got, res.RuleID)
			}
			uri := res.Locations[0].PhysicalLocation.ArtifactLocation.URI
			if uri == "" || strings.ContainsAny(uri, " #") || strings.Contains(uri, "1.2") || strings.Contains(uri, "registry.example") {
				t.Errorf("location %q: want a relative URI without host, tag or digest", uri)
			}
			if len(res.Locations[0].PhysicalLocation.Region) < 4 {
				t.Errorf("region %v lacks numbers", res.Locations[0].PhysicalLocation.Region)
			}
		}
	}
	if app.Results[3].Suppressions == nil || app.Results[3].Suppressions[0].Justification != "waiver: legacy" {
		t.Errorf("the waived finding is not marked: %+v", app.Results[3])
	}
	if a, b := prod.Results[0].PartialFingerprints, prod.Results[1].PartialFingerprints; a["primaryLocationLineHash"] == b["primaryLocationLineHash"] {
		t.Error("two results share one fingerprint")
	}
	if broken.Invocations[0].ExecutionSuccessful || prod.Invocations[0].ExecutionSuccessful {
		t.Error("a run that did not see everything is successful")
	}
	if !app.Invocations[0].ExecutionSuccessful || !clean.Invocations[0].ExecutionSuccessful {
		t.Error("a run with nothing unknown is not successful")
	}
	if clean.Results == nil {
		t.Error("a clean run has no results array")
	}
}

// What is too much for code scanning is cut where it hurts least, and said.
func TestSARIFBudget(t *testing.T) {
	r := mixedReport()
	r.Run.Targets = r.Run.Targets[:1]
	r.Gaps = nil
	tmpl := r.Findings[0]
	r.Findings = nil
	for i := range 30_000 {
		f := tmpl
		v := *tmpl.Vulnerability
		v.ID = fmt.Sprintf("CVE-2020-%05d", i%500)
		f.Vulnerability = &v
		f.Severity = scanner.Severity(i % 6)
		f.Fingerprint = scanner.Fingerprint("x", "y", "z", fmt.Sprint(i))
		r.Findings = append(r.Findings, f)
	}
	doc := writeSARIF(t, r)
	run := doc.Runs[0]
	if n := len(run.Results); n > 25_000 || n < 10_000 {
		t.Fatalf("%d results, want at most 25,000 and not many fewer", n)
	}
	var said bool
	for _, n := range run.Invocations[0].Notes {
		said = said || strings.Contains(n.Message.Text, "left out")
	}
	if !said {
		t.Error("nothing says that findings were left out")
	}
	critical := 0
	for _, res := range run.Results {
		if res.Level == "error" {
			critical++
		}
	}
	if critical != 10_000 {
		t.Errorf("%d of 10,000 high and critical findings were kept", critical)
	}
}

func TestSARIFManyTargets(t *testing.T) {
	r := mixedReport()
	for i := range 30 {
		r.Run.Targets = append(r.Run.Targets, facts.Target{Kind: "image", Ref: fmt.Sprintf("t%02d", i), Identity: fmt.Sprintf("t%02d", i)})
	}
	doc := writeSARIF(t, r)
	if len(doc.Runs) != 20 {
		t.Fatalf("%d runs, want 20", len(doc.Runs))
	}
	results := 0
	for _, run := range doc.Runs {
		results += len(run.Results)
	}
	if results != len(r.Findings) {
		t.Errorf("%d of %d findings kept: the targets with findings must come first", results, len(r.Findings))
	}
}
