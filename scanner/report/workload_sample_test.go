package report_test

import (
	"fmt"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/report"
)

// workloadSample is a report with the isolation of workloads and with the report
// on two frameworks, every state of a control among them.
func workloadSample() *scanner.Report {
	rep := filteredSample()
	rep.Run.Targets[1].Error = "" // a target that failed would leave no control passed
	group := func(level, best, score, confidence int, grade string, workloads ...string) scanner.IsolationGroup {
		g := scanner.IsolationGroup{
			Level: level, LevelName: fmt.Sprintf("level %d", level), BestLevel: best, Score: score, BestScore: min(100, score+100-confidence), Grade: grade, Confidence: confidence,
			Points: []scanner.IsolationPoint{
				{Part: "seccomp", What: "its system calls are filtered", State: scanner.PointsUnknown, Unknown: 6, Max: 7, Fact: "nodes.seccomp_default", Reason: "needs the kubelet's configuration; use --kubelet-config"},
				{Part: "capabilities", What: "what root in it may do", State: scanner.PointsPartial, Given: 3, Max: 8, Fact: "containers[0].effective.capabilities", Value: "CHOWN, NET_RAW", Reason: "the runtime's default set"},
			},
			Breakers: []scanner.IsolationBreaker{}, Unseen: []string{}, Steps: []scanner.IsolationStep{},
		}
		for _, id := range workloads {
			g.Workloads = append(g.Workloads, scanner.IsolatedWorkload{
				Target: "cluster", Resource: scanner.ResourceRef{Kind: facts.KindWorkload, ID: id}, Container: "app", Class: "default", Required: 2, Verdict: scanner.Fail,
			})
		}
		return g
	}
	worst := group(0, 0, 5, 74, "E", "shop/DaemonSet/agent", "shop/Pod/\x1b[31mred", "shop/Pod/x", "shop/Pod/y", "shop/Pod/z")
	worst.Breakers = []scanner.IsolationBreaker{
		{Level: 0, What: "a container is privileged", Known: true, Fact: "containers[0].privileged", Value: "true"},
		{Level: 0, What: "a container sees /run/\x1b[2J of the node, which is or holds the socket of a runtime or of the kubelet", Known: true, Fact: "volumes[0].host_path", Value: "/run"},
	}
	worst.Ceiling = &scanner.IsolationCeiling{Score: 5, Reason: "a container is privileged"}
	worst.Steps = []scanner.IsolationStep{{Text: "set privileged to false, and do not mount /run/\x1b[2J of the node", Cost: 2, Level: 2, Score: 21}}
	middle := group(1, 3, 17, 60, "E", "shop/Deployment/web")
	middle.Breakers = []scanner.IsolationBreaker{{Level: 1, What: "a container has neither a seccomp filter nor a security module", Fact: "nodes.seccomp_default"}}
	groups := []scanner.IsolationGroup{worst, middle}
	for i := range 6 {
		groups = append(groups, group(2, 2, 21+i, 100, "D", fmt.Sprintf("shop/Deployment/api-%d", i)))
	}
	groups = append(groups, group(5, 6, 93, 96, "A", "shop/StatefulSet/vault"))
	groups[len(groups)-1].Unseen = []string{"a critical flaw of the hypervisor below its nodes would hold the score at 60"}
	rep.Isolation = &scanner.Isolation{Model: scanner.IsolationModel, Groups: groups}

	control := func(id, title string) checks.Control { return checks.Control{ID: id, Title: title} }
	check := func(id string, controls ...string) *checks.Check {
		c := &checks.Check{ID: id, Subject: facts.KindImage}
		if id == "PS-K8S-001" {
			c.Subject = facts.KindWorkload
		}
		for _, name := range controls {
			c.References = append(c.References, checks.Reference{Framework: "nist-800-190", Control: name})
		}
		return c
	}
	for i := range rep.Findings {
		if rep.Findings[i].Rule.ID == "PS-IMG-005" {
			rep.Findings[i].Suppressed = &scanner.Suppression{By: "waiver", Reason: "the base image is rebuilt in May", Owner: "team", Expiry: "2027-05-31"}
		}
	}
	for i := range rep.Checks {
		if rep.Checks[i].ID == "PS-IMG-018" {
			rep.Checks[i].Counts = scanner.Counts{Pass: 1, NotAssessed: 1}
		}
	}
	rep.Checks = append(rep.Checks, scanner.CheckCount{Rule: &scanner.Rule{ID: "PS-IMG-020", Title: "Passed", Subject: facts.KindImage}, Counts: scanner.Counts{Pass: 2}})
	rep.Summary = summary(rep)
	rep.Compliance = report.Compliance(rep, []checks.Framework{
		{
			ID: "nist-800-190", Title: "NIST SP 800-190", Version: "2017", URL: "https://csrc.nist.gov/pubs/sp/800/190/final",
			Controls: []checks.Control{
				control("4.1.1", "Image vulnerabilities"), control("4.1.2", "Image configuration"), control("4.1.3", "Malware in images"),
				control("4.1.4", "Clear-text secrets"), control("4.1.5", "Untrusted images"), control("4.4.3", "Insecure runtime configuration"), control("4.6", ""),
			},
		},
		{ID: "pss-baseline", Title: "Pod Security Standards, baseline", Version: "v1.37", URL: "https://kubernetes.io/docs/concepts/security/pod-security-standards/", Controls: []checks.Control{control("privileged", "Privileged containers")}},
	}, []*checks.Check{
		check("PS-IMG-001", "4.1.2"), check("PS-IMG-004", "4.1.4"), check("PS-IMG-005", "4.1.3"), check("PS-IMG-018", "4.1.5"), check("PS-IMG-020", "4.1.1"),
		check("PS-K8S-001", "4.4.3"),
	}, []facts.Kind{facts.KindImage})
	return rep
}
