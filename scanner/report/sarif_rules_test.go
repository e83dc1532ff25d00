package report_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/report"
)

// codeScanning is what GitHub's code scanning reads of a file.
type codeScanning struct {
	Runs []struct {
		AutomationDetails struct{ ID string }
		Tool              struct {
			Driver struct {
				Rules []struct {
					ID                                string
					ShortDescription, FullDescription struct{ Text string }
					Help                              struct{ Text, Markdown string }
					Properties                        struct {
						Tags     []string
						Severity *string `json:"security-severity"`
					}
				}
			}
		}
		Results []struct {
			RuleID              string
			Message             struct{ Text string }
			PartialFingerprints map[string]string
			Locations           []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine, StartColumn, EndLine, EndColumn int }
				}
			}
		}
	}
}

// What GitHub asks of a rule and of a result holds for reports of every shape, and
// for texts that are longer than it takes.
func TestSARIFKeepsTheRulesOfCodeScanning(t *testing.T) {
	all := cases()
	long := kindsSample()
	for i := range long.Findings {
		f := &long.Findings[i]
		f.Rule.Title, f.Rule.Description, f.Message = strings.Repeat("ü", 3_000), strings.Repeat("é ", 3_000), strings.Repeat("m", 5_000)
		for k := range 30 {
			f.Rule.References = append(f.Rule.References, scanner.Reference{Framework: fmt.Sprintf("framework-%d", k), Control: "1"})
		}
	}
	all["long texts"] = long
	for name, rep := range all {
		var doc codeScanning
		if err := json.Unmarshal(write(t, rep, "sarif", report.Options{}), &doc); err != nil {
			t.Fatal(err)
		}
		categories := map[string]bool{}
		for _, run := range doc.Runs {
			if id := run.AutomationDetails.ID; id == "" || categories[id] {
				t.Errorf("%s: the category %q is empty, or that of two targets", name, id)
			}
			categories[run.AutomationDetails.ID] = true
			for _, r := range run.Tool.Driver.Rules {
				short, full := utf8.RuneCountInString(r.ShortDescription.Text), utf8.RuneCountInString(r.FullDescription.Text)
				if r.ID == "" || short == 0 || short > 1024 || full == 0 || full > 1024 || r.Help.Text == "" || r.Help.Markdown == "" {
					t.Errorf("%s: rule %q has descriptions of %d and %d characters, or no help", name, r.ID, short, full)
				}
				if !slices.Contains(r.Properties.Tags, "security") || len(r.Properties.Tags) > 20 {
					t.Errorf("%s: rule %s has %d tags: %q", name, r.ID, len(r.Properties.Tags), r.Properties.Tags)
				}
			}
			seen := map[string]bool{}
			for _, res := range run.Results {
				if res.Message.Text == "" || len(res.Locations) == 0 {
					t.Fatalf("%s: %s has no message or no place", name, res.RuleID)
				}
				place := res.Locations[0].PhysicalLocation
				if u, err := url.Parse(place.ArtifactLocation.URI); err != nil || u.Scheme != "" || u.Host != "" || u.Path == "" || strings.HasPrefix(u.Path, "/") || strings.Contains(u.Path, "//") {
					t.Errorf("%s: %s: the location %q is no relative path: %v", name, res.RuleID, place.ArtifactLocation.URI, err)
				}
				if r := place.Region; r.StartLine < 1 || r.StartColumn < 1 || r.EndLine < r.StartLine || r.EndColumn < 1 {
					t.Errorf("%s: %s: region %+v", name, res.RuleID, r)
				}
				hash := res.PartialFingerprints["primaryLocationLineHash"]
				if hash == "" || seen[hash] {
					t.Errorf("%s: %s: the fingerprint %q is empty, or that of two results", name, res.RuleID, hash)
				}
				seen[hash] = true
			}
		}
	}
}

// A file stays below the 10 MB that code scanning takes, compressed, also where
// the texts are such that they cannot be made smaller.
func TestSARIFStaysBelowTenMegabytes(t *testing.T) {
	rep := mixedReport()
	rep.Run.Targets, rep.Gaps = rep.Run.Targets[:1], nil
	tmpl, noise := rep.Findings[0], rand.New(rand.NewPCG(1, 2))
	rep.Findings = nil
	for i := range 24_000 {
		f := tmpl
		text := make([]byte, 600)
		for k := range text {
			text[k] = 'a' + byte(noise.UintN(26))
		}
		f.Message, f.Severity = string(text), scanner.Severity(i%6)
		f.Fingerprint = scanner.Fingerprint("x", "y", "z", fmt.Sprint(i))
		rep.Findings = append(rep.Findings, f)
	}
	b := write(t, rep, "sarif", report.Options{})
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if zipped.Len() > 10_000_000 || zipped.Len() < 5_000_000 || !bytes.Contains(b, []byte("left out")) {
		t.Errorf("%d bytes compressed, of %d; want below 10 MB, not far below, and a word on what was left out", zipped.Len(), len(b))
	}
}
