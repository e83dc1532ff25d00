package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdxlib"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/report"
)

const schemaDir = "../../testdata/schemas"

// cycloneDXSchema compiles the published schema, which stands in the module that
// writes CycloneDX.
func cycloneDXSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatalf("find the module cyclonedx-go: %v", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "schema")
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for url, file := range map[string]string{
		"http://cyclonedx.org/schema/bom-1.6.schema.json":  "bom-1.6.schema.json",
		"http://cyclonedx.org/schema/spdx.schema.json":     "spdx.schema.json",
		"http://cyclonedx.org/schema/jsf-0.82.schema.json": "jsf-0.82.schemax.json",
	} {
		if err := c.AddResource(url, decodeAny(t, readFile(t, filepath.Join(dir, file)))); err != nil {
			t.Fatal(err)
		}
	}
	return compiled(t, c, "http://cyclonedx.org/schema/bom-1.6.schema.json")
}

func compiled(t *testing.T, c *jsonschema.Compiler, location string) *jsonschema.Schema {
	t.Helper()
	s, err := c.Compile(location)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decodeAny(t *testing.T, b []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v in\n%.500s", err, b)
	}
	return v
}

// Every format that has a schema holds to it, whatever the report is like.
func TestPublishedSchemas(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{"cyclonedx": cycloneDXSchema(t), "json": compiled(t, jsonschema.NewCompiler(), "schema/report.v1.json")}
	for format, file := range map[string]string{
		"sarif": "sarif-2.1.0.json", "gitlab": "gitlab-container-scanning.json", "gitlab-codequality": "gitlab-codequality.json", "spdx": "spdx-2.3.json",
	} {
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		schemas[format] = compiled(t, c, filepath.Join(schemaDir, file))
	}
	for name, rep := range cases() {
		for format, schema := range schemas {
			b := write(t, rep, format, report.Options{})
			if err := schema.Validate(decodeAny(t, b)); err != nil {
				t.Errorf("%s as %s: %v", name, format, err)
			}
			if format == "spdx" {
				readSPDX(t, name, b)
			}
		}
	}
	// A schema that allows everything would prove nothing.
	for format, old := range map[string]string{
		"cyclonedx": `"specVersion"`, "sarif": `"runs"`, "gitlab": `"identifiers"`, "gitlab-codequality": `"check_name"`, "spdx": `"SPDXID"`, "json": `"findings"`,
	} {
		b := bytes.ReplaceAll(write(t, sample(), format, report.Options{}), []byte(old), []byte(`"misspelt"`))
		if schemas[format].Validate(decodeAny(t, b)) == nil {
			t.Errorf("the schema of %s allows a document without %s", format, old)
		}
	}
}

// readSPDX reads a document with SPDX's own library, which follows references.
func readSPDX(t *testing.T, name string, b []byte) {
	t.Helper()
	doc, err := spdxjson.Read(bytes.NewReader(b))
	if err == nil {
		err = spdxlib.ValidateDocument(doc)
	}
	if err != nil {
		t.Errorf("%s as spdx: %v", name, err)
	}
}

// A remediation of several lines is one text in an annotation, which escapes what
// would move it.
func TestAnnotationsHoldNoEscapedLines(t *testing.T) {
	rep := kindsSample()
	for i := range rep.Findings {
		rep.Findings[i].Rule.Remediation = "Drop the one\nand keep\n\nthe other."
	}
	out := string(write(t, rep, "github", report.Options{}))
	if !strings.Contains(out, "Drop the one and keep the other.") || strings.Contains(out, `\n`) {
		t.Errorf("annotations:\n%s", out)
	}
}

// A vector of CVSS that GitLab's schema does not take would make it refuse the
// whole file, so it is left out.
func TestGitLabVectors(t *testing.T) {
	schema := compiled(t, jsonschema.NewCompiler(), filepath.Join(schemaDir, "gitlab-container-scanning.json"))
	const whole = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	for vector, taken := range map[string]bool{
		whole: true, whole + "/E:P/RL:O/RC:C": true, whole + strings.Repeat("/A:H", 20): true,
		"CVSS:3.1/S:U/C:N/I:N/A:N/E:X": false, whole + strings.Repeat("/A:H", 30): false, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N": false,
		"AV:N/AC:L/Au:N/C:P/I:P/A:P": false, whole + "/": false, whole + "\n": false, "": false, "CVSS:3.1/" + strings.Repeat("x", 40): false,
	} {
		rep := mixedReport()
		rep.Findings[0].Vulnerability.Vector = vector
		b := write(t, rep, "gitlab", report.Options{})
		if err := schema.Validate(decodeAny(t, b)); err != nil {
			t.Errorf("%q: %v", vector, err)
		}
		if bytes.Contains(b, []byte("cvss_vectors")) != taken {
			t.Errorf("%q: written is %v, want %v", vector, !taken, taken)
		}
	}
}

// TestSPDXByItsPublishedSchema holds the SPDX documents to the schema as SPDX
// publishes it. It is not kept here, for its licence asks for more than a note:
// POSTSCAN_SPDX_SCHEMA says where it is, and .ci/run fetches it.
func TestSPDXByItsPublishedSchema(t *testing.T) {
	file := os.Getenv("POSTSCAN_SPDX_SCHEMA")
	if file == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("POSTSCAN_SPDX_SCHEMA is not set; .ci/run sets it")
		}
		t.Skip("NOT LOOKED AT: POSTSCAN_SPDX_SCHEMA does not say where SPDX's schema is")
	}
	byPublished(t, file, "spdx")
}

// TestGitLabByItsPublishedSchema holds the reports for GitLab to the schema as GitLab
// publishes it, which is in no package: .ci/run asks GitLab for it, sets
// POSTSCAN_GITLAB_SCHEMA, and where GitLab cannot be reached says so at its end.
func TestGitLabByItsPublishedSchema(t *testing.T) {
	file := os.Getenv("POSTSCAN_GITLAB_SCHEMA")
	if file == "" {
		t.Skip("NOT LOOKED AT: POSTSCAN_GITLAB_SCHEMA does not say where GitLab's schema is")
	}
	byPublished(t, file, "gitlab")
}

// byPublished holds what is written in the format for every case to the schema in the file.
func byPublished(t *testing.T, file, format string) {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("published.json", decodeAny(t, readFile(t, file))); err != nil {
		t.Fatal(err)
	}
	schema := compiled(t, c, "published.json")
	for name, rep := range cases() {
		if err := schema.Validate(decodeAny(t, write(t, rep, format, report.Options{}))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFormatsTellOfEveryFinding(t *testing.T) {
	rep := kindsSample()
	for _, format := range []string{"json", "sarif", "csv", "junit", "html", "gitlab-codequality"} {
		out := string(write(t, rep, format, report.Options{}))
		for i := range rep.Findings {
			if id := rep.Findings[i].Rule.ID; !strings.Contains(out, id) {
				t.Errorf("%s does not tell of %s on %s", format, id, rep.Findings[i].Target)
			}
		}
	}
	// GitLab's container scanning has images alone, and says so.
	var doc struct {
		Scan struct {
			Status   string
			Messages []struct{ Level, Value string }
		}
		Vulnerabilities []json.RawMessage
	}
	if err := json.Unmarshal(write(t, rep, "gitlab", report.Options{}), &doc); err != nil {
		t.Fatal(err)
	}
	images := 0
	for i := range rep.Findings {
		if rep.Findings[i].Resource.Kind == "image" {
			images++
		}
	}
	said := false
	for _, m := range doc.Scan.Messages {
		said = said || m.Level == "fatal" && strings.Contains(m.Value, "gitlab-codequality has them")
	}
	if len(doc.Vulnerabilities) != images || images == len(rep.Findings) || doc.Scan.Status != "failure" || !said {
		t.Errorf("%d of %d image findings, status %s, messages %v", len(doc.Vulnerabilities), images, doc.Scan.Status, doc.Scan.Messages)
	}
	var issues []struct{ Fingerprint string }
	if err := json.Unmarshal(write(t, rep, "gitlab-codequality", report.Options{}), &issues); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, i := range issues {
		if seen[i.Fingerprint] {
			t.Errorf("two issues share the fingerprint %s: GitLab shows one", i.Fingerprint)
		}
		seen[i.Fingerprint] = true
	}
	if len(issues) < len(rep.Findings) {
		t.Errorf("%d issues of %d findings", len(issues), len(rep.Findings))
	}
}

// cases are reports of every shape that a writer must cope with.
func cases() map[string]*scanner.Report {
	incomplete := sample()
	incomplete.Run.Complete, incomplete.Run.Error = false, "time-out after 5m0s\nand more"
	waived := sample()
	for i := range waived.Findings {
		waived.Findings[i].Suppressed = &scanner.Suppression{By: []string{"waiver", "vex", "annotation", "baseline", "only-fixable"}[i%5], Reason: "accepted \"for now\"", Owner: "team", Expiry: "2027-01-31"}
	}
	nothing := cleanSample()
	nothing.Run.Targets = []facts.Target{}
	return map[string]*scanner.Report{
		"sample": sample(), "clean": cleanSample(), "no target": nothing, "filtered": filteredSample(), "workloads": workloadSample(), "waived": waived,
		"incomplete": incomplete, "every kind": kindsSample(), "strange names": strangeSample(),
	}
}
