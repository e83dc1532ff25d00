package report

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// The version of GitLab's security report schemas that GitLab is told, and what
// that version allows. Every GitLab since 15.9 takes it.
const (
	gitlabSchema         = "15.0.7"
	gitlabMaxName        = 255
	gitlabMaxSolution    = 7_000
	gitlabMaxDescription = 100_000
	gitlabMaxLinks       = 20
	gitlabMinVector      = 32
	gitlabMaxVector      = 128
)

// The parts of GitLab's container scanning report that postscan writes; names
// and meaning are those of its schema.
type (
	gitlabFinding struct {
		ID          string                  `json:"id"`
		Name        string                  `json:"name"`
		Description string                  `json:"description"`
		Severity    string                  `json:"severity"`
		Solution    string                  `json:"solution,omitempty"`
		Identifiers []gitlabIdentifier      `json:"identifiers"`
		CVSS        []gitlabCVSS            `json:"cvss_vectors,omitempty"`
		Links       []gitlabLink            `json:"links,omitempty"`
		Details     map[string]gitlabDetail `json:"details,omitempty"`
		Flags       []gitlabFlag            `json:"flags,omitempty"`
		Location    gitlabLocation          `json:"location"`
	}
	gitlabIdentifier struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Value string `json:"value"`
		URL   string `json:"url,omitempty"`
	}
	gitlabCVSS struct {
		Vendor string `json:"vendor"`
		Vector string `json:"vector"`
	}
	gitlabLink struct {
		URL string `json:"url"`
	}
	gitlabDetail struct {
		Name  string `json:"name"`
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	gitlabFlag struct {
		Type        string `json:"type"`
		Origin      string `json:"origin"`
		Description string `json:"description"`
	}
	gitlabLocation struct {
		Dependency      gitlabDependency `json:"dependency"`
		OperatingSystem string           `json:"operating_system"`
		Image           string           `json:"image"`
	}
	gitlabDependency struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
		Version string `json:"version"`
	}
	gitlabScan struct {
		Analyzer  gitlabTool      `json:"analyzer"`
		Scanner   gitlabTool      `json:"scanner"`
		Type      string          `json:"type"`
		StartTime string          `json:"start_time"`
		EndTime   string          `json:"end_time"`
		Status    string          `json:"status"`
		Messages  []gitlabMessage `json:"messages"`
	}
	gitlabTool struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		URL     string `json:"url"`
		Version string `json:"version"`
		Vendor  struct {
			Name string `json:"name"`
		} `json:"vendor"`
	}
	gitlabMessage struct {
		Level string `json:"level"`
		Value string `json:"value"`
	}
)

// GitLab writes what the report finds in images as a GitLab container scanning
// report. The schema has no place for any other target: a message says how many
// findings are left out, the scan is then not successful, and
// [GitLabCodeQuality] has them.
func GitLab(w io.Writer, r *scanner.Report, _ Options) error {
	left := 0
	for i := range r.Findings {
		if r.Findings[i].Resource.Kind != facts.KindImage {
			left++
		}
	}
	bw := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(bw)
	enc.SetEscapeHTML(false)
	_, _ = fmt.Fprintf(bw, "{\n\"version\": %q,\n\"schema\": \"https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v%[1]s/dist/container-scanning-report-format.json\",\n\"scan\": ", gitlabSchema)
	if err := enc.Encode(newGitLabScan(r, left)); err != nil {
		return fmt.Errorf("write the GitLab report: %w", err)
	}
	_, _ = bw.WriteString(",\"vulnerabilities\": [")
	systems, seen, sep := gitlabSystems(r), map[string]int{}, "\n"
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Resource.Kind != facts.KindImage {
			continue
		}
		key := f.Target + "\x00" + f.Fingerprint
		seen[key]++
		_, _ = bw.WriteString(sep)
		if err := enc.Encode(newGitLabFinding(f, systems[f.Target], seen[key])); err != nil {
			return fmt.Errorf("write the GitLab report: %w", err)
		}
		sep = ","
	}
	_, _ = bw.WriteString("]\n}\n")
	return bw.Flush()
}

// newGitLabScan tells how the scan went. It failed where a target has no facts,
// where it was broken off, and where findings have no place in the file.
func newGitLabScan(r *scanner.Report, left int) gitlabScan {
	tool := gitlabTool{ID: "postscan", Name: "postscan", URL: "https://github.com/postscan/postscan", Version: cmp.Or(strings.TrimPrefix(r.Run.Version, "v"), "unknown")}
	tool.Vendor.Name = "postscan"
	s := gitlabScan{
		Analyzer: tool, Scanner: tool, Type: "container_scanning", Status: "success", Messages: []gitlabMessage{},
		StartTime: r.Run.Started.UTC().Format(gitlabTime), EndTime: r.Run.Finished.UTC().Format(gitlabTime),
	}
	say := func(level, text string) {
		s.Messages = append(s.Messages, gitlabMessage{Level: level, Value: cmp.Or(Clean(text), "no text")})
		if level == "fatal" {
			s.Status = "failure"
		}
	}
	if !r.Run.Complete {
		say("fatal", "The scan was broken off: "+r.Run.Error)
	}
	for _, t := range r.Run.Targets {
		if t.Error != "" {
			say("fatal", t.Ref+" could not be scanned: "+t.Error)
		}
	}
	if left > 0 {
		say("fatal", fmt.Sprintf("%s outside images have no place in a container scanning report; -o gitlab-codequality has them", plural(left, "finding")))
	}
	for _, line := range unseenLines(r) {
		say("warn", "Unknown: "+line)
	}
	for _, src := range r.Sources {
		if src.Problem != "" {
			say("warn", src.Name+": "+src.Problem)
		}
	}
	for _, n := range r.Notices {
		say("info", n.Source+": "+n.Text)
	}
	return s
}

const gitlabTime = "2006-01-02T15:04:05"

// gitlabSystems are the operating systems of the report's targets, by Ref.
func gitlabSystems(r *scanner.Report) map[string]string {
	out := map[string]string{}
	for _, t := range r.Run.Targets {
		out[t.Ref] = cmp.Or(t.Properties["os"], t.Properties["platform"])
	}
	return out
}

// newGitLabFinding makes the entry of a finding; nth counts those that share its
// fingerprint in the target, from 1.
func newGitLabFinding(f *scanner.Finding, system string, nth int) gitlabFinding {
	out := gitlabFinding{
		ID:          sbomID("gitlab", f.Target, f.Fingerprint, fmt.Sprint(nth)),
		Name:        limitText(Clean(f.Rule.Title), gitlabMaxName),
		Description: limitText(gitlabDescription(f), gitlabMaxDescription),
		Severity:    gitlabSeverity(f.Severity),
		Solution:    limitText(f.Rule.Remediation, gitlabMaxSolution),
		Identifiers: gitlabIdentifiers(f),
		Links:       gitlabLinks(f),
		Details:     gitlabDetails(f),
		Location:    gitlabLocation{OperatingSystem: cmp.Or(Clean(system), "unknown"), Image: Clean(cmp.Or(f.Resource.ID, f.Target, "image"))},
	}
	out.Location.Dependency.Package.Name = Clean(cmp.Or(f.Key, f.Origin.File, "image configuration"))
	if v := f.Vulnerability; v != nil {
		out.Name = limitText(Clean(strings.TrimSuffix(v.ID+": "+v.Title, ": ")), gitlabMaxName)
		if v.FixedVersion != "" {
			out.Solution = limitText(Clean("Update "+v.Package+" to "+v.FixedVersion+" or later. ")+f.Rule.Remediation, gitlabMaxSolution)
		}
		if n := len(v.Vector); n >= gitlabMinVector && n <= gitlabMaxVector && cvss3.MatchString(v.Vector) {
			out.CVSS = []gitlabCVSS{{Vendor: cmp.Or(v.SeveritySource, "unknown"), Vector: v.Vector}}
		}
		out.Location.Dependency.Package.Name, out.Location.Dependency.Version = Clean(v.Package), Clean(v.Version)
	}
	if s := f.Suppressed; s != nil && s.By == "vex" {
		// The only flag that GitLab knows. A waiver accepts what is true, so it is
		// told in the text alone.
		out.Flags = []gitlabFlag{{Type: "flagged-as-likely-false-positive", Origin: "postscan", Description: Clean(suppressionText(f))}}
	}
	return out
}

// gitlabDescription is what was found, where, and whether it is suppressed. It is
// plain text that is safe as GitLab's Markdown.
func gitlabDescription(f *scanner.Finding) string {
	var b strings.Builder
	if f.Suppressed != nil {
		b.WriteString("Suppressed by " + mdEscape.Replace(Clean(suppressionText(f))) + "\n\n")
	}
	b.WriteString(mdEscape.Replace(Clean(f.Message)))
	if place := fileLine(f); place != "" {
		b.WriteString(" (" + mdEscape.Replace(Clean(place)) + ")")
	}
	if f.Rule.Description != "" {
		b.WriteString("\n\n" + f.Rule.Description)
	}
	return b.String()
}

func gitlabSeverity(s scanner.Severity) string {
	name := s.String()
	return strings.ToUpper(name[:1]) + name[1:]
}

// gitlabIdentifiers puts the vulnerability first, or else the check: GitLab
// follows a finding by its first identifier.
func gitlabIdentifiers(f *scanner.Finding) []gitlabIdentifier {
	check := gitlabIdentifier{Type: "postscan", Name: f.Rule.ID, Value: f.Rule.ID, URL: checkPage(f.Rule.ID)}
	if v := f.Vulnerability; v != nil && v.ID != "" {
		out := []gitlabIdentifier{gitlabAdvisory(v.ID, v.PrimaryURL)}
		for _, alias := range v.Aliases {
			if alias != "" && alias != v.ID {
				out = append(out, gitlabAdvisory(alias, ""))
			}
		}
		return append(out, check)
	}
	out := []gitlabIdentifier{check}
	for _, ref := range f.Rule.References {
		if ref.Framework != "cwe" {
			continue
		}
		number := strings.TrimPrefix(ref.Control, "CWE-")
		out = append(out, gitlabIdentifier{Type: "cwe", Name: "CWE-" + number, Value: number, URL: "https://cwe.mitre.org/data/definitions/" + number + ".html"})
	}
	return out
}

// gitlabAdvisory is an advisory by its id: CVE-2021-44228 is of type cve.
func gitlabAdvisory(id, page string) gitlabIdentifier {
	kind, _, _ := strings.Cut(id, "-")
	out := gitlabIdentifier{Type: strings.ToLower(cmp.Or(kind, "advisory")), Name: Clean(id), Value: Clean(id)}
	if webAddress(page) {
		out.URL = page
	}
	return out
}

// webAddress says whether a text is a whole address: what databases of advisories
// hold is not always one, and a format that asks for one refuses the whole file.
func webAddress(address string) bool {
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") || strings.ContainsAny(address, " \"<>\\^`{|}") || Clean(address) != address {
		return false
	}
	u, err := url.Parse(address)
	return err == nil && u.Host != ""
}

func gitlabLinks(f *scanner.Finding) []gitlabLink {
	var urls []string
	if v := f.Vulnerability; v != nil {
		urls = append([]string{v.PrimaryURL}, v.References...)
	}
	for _, ref := range f.Rule.References {
		if ref.Framework == "url" {
			urls = append(urls, ref.Control)
		}
	}
	var out []gitlabLink
	for _, address := range urls {
		if link := (gitlabLink{address}); webAddress(address) && len(out) < gitlabMaxLinks && !slices.Contains(out, link) {
			out = append(out, link)
		}
	}
	return out
}

func gitlabDetails(f *scanner.Finding) map[string]gitlabDetail {
	out := map[string]gitlabDetail{
		"fingerprint": {Name: "postscan fingerprint", Type: "text", Value: f.Fingerprint},
		"evidence":    {Name: "Evidence", Type: "text", Value: limitText(htmlEvidence(f), 2_000)},
	}
	if f.Layer != nil {
		out["layer"] = gitlabDetail{Name: "Layer", Type: "text", Value: Clean(strings.TrimSpace(fmt.Sprintf("%d %s %s", f.Layer.Index, f.Layer.Digest, f.Layer.Instruction)))}
	}
	if f.Baseline != "" {
		out["baseline"] = gitlabDetail{Name: "Against the baseline", Type: "text", Value: f.Baseline}
	}
	if s := f.Suppressed; s != nil {
		text := suppressionText(f)
		if s.Owner != "" {
			text += ", " + s.Owner
		}
		if s.Expiry != "" {
			text += ", until " + s.Expiry
		}
		out["suppressed"] = gitlabDetail{Name: "Suppressed by", Type: "text", Value: Clean(text)}
	}
	return out
}

// cvss3 matches the vectors of CVSS 3 that GitLab takes: one that it does not
// take would make it refuse the whole file.
var cvss3 = regexp.MustCompile(`^CVSS:3[.][01](/(AV:[NALP]|AC:[LH]|PR:[NLH]|UI:[NR]|S:[UC]|[CIA]:[NLH]|E:[XUPFH]|RL:[XOTWU]|RC:[XURC]|[CIA]R:[XLMH])){5,}$`)

// checkPage is the page of a check.
func checkPage(id string) string {
	return "https://github.com/postscan/postscan/blob/main/docs/checks/" + id + ".md"
}
