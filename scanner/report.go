package scanner

import (
	"time"

	"github.com/postscan/postscan/scanner/facts"
)

// ReportSchema is the name and major version of the report format.
const ReportSchema = "postscan.report/v1"

// Report is the whole result of a scan. The JSON format is this document; every
// other format is written from it alone.
type Report struct {
	Schema   string           `json:"schema"`
	Run      Run              `json:"run"`
	Sources  []facts.Source   `json:"sources"`
	Summary  Summary          `json:"summary"`
	Checks   []CheckCount     `json:"checks"`
	Packages []PackageEntry   `json:"packages"`
	Findings []Finding        `json:"findings"`
	Gaps     []GapEntry       `json:"gaps"`                           // everything unknown or not assessed, with the reason
	Notices  []Notice         `json:"notices"`                        // what filters had to say: an expired waiver …
	Baseline *BaselineSummary `json:"baseline" jsonschema:"nullable"` // nil where the report was compared with none
	// Isolation is nil where the scan looked at no workload.
	Isolation *Isolation `json:"isolation" jsonschema:"nullable"`
	// Images has the images that workloads of the report run; nil where the scan
	// did not look at both.
	Images []RunningImage `json:"images,omitempty"`
	// Compliance has the frameworks that were asked for.
	Compliance []Framework    `json:"compliance"`
	Outcomes   []OutcomeEntry `json:"outcomes,omitempty"` // every outcome, only where asked for
}

// Run says what was run, when, and on what.
type Run struct {
	Version      string         `json:"version"`
	PolicyDigest string         `json:"policy_digest"` // SHA-256 over the policies
	Started      time.Time      `json:"started"`
	Finished     time.Time      `json:"finished"`
	Collected    time.Time      `json:"collected"` // data.params.now of the policies
	Params       map[string]any `json:"params"`
	Targets      []facts.Target `json:"targets"`
	Complete     bool           `json:"complete"` // false where collection was broken off
	Error        string         `json:"error"`    // why
}

// Summary counts what is in the report. Suppressed findings are counted apart,
// in Suppressed alone.
type Summary struct {
	Targets     int              `json:"targets"`
	Failed      int              `json:"failed_targets"` // targets without facts
	Resources   int              `json:"resources"`
	Findings    int              `json:"findings"`
	Suppressed  int              `json:"suppressed"`
	BySeverity  map[Severity]int `json:"by_severity"` // every severity has an entry
	Pass        int              `json:"pass"`        // outcomes
	Fail        int              `json:"fail"`
	NotApplic   int              `json:"not_applicable"`
	NotAssessed int              `json:"not_assessed"`
	Unknown     int              `json:"unknown"`
	Packages    int              `json:"packages"`
}

// CheckCount is a check with the number of resources by outcome.
type CheckCount struct {
	*Rule
	Counts
	// ByTarget has the counts of each target (by Ref) that has a resource of the
	// check's subject.
	ByTarget map[string]Counts `json:"by_target"`
}

// Counts are numbers of resources by outcome.
type Counts struct {
	Pass          int `json:"pass"`
	Fail          int `json:"fail"`
	NotApplicable int `json:"not_applicable"`
	NotAssessed   int `json:"not_assessed"`
	Unknown       int `json:"unknown"`
}

// Add counts one outcome.
func (c *Counts) Add(s Status) {
	switch s {
	case Pass:
		c.Pass++
	case Fail:
		c.Fail++
	case NotApplicable:
		c.NotApplicable++
	case NotAssessed:
		c.NotAssessed++
	case Unknown:
		c.Unknown++
	}
}

// PackageEntry is a package with the target and resource that it was found in.
type PackageEntry struct {
	Target   string `json:"target"`
	Resource string `json:"resource"`
	facts.Package
}

// GapEntry is one thing that was not seen. A fail with reasons makes one too.
type GapEntry struct {
	Check    string      `json:"check"`
	Target   string      `json:"target"`
	Resource ResourceRef `json:"resource"`
	Status   facts.Gap   `json:"status"`
	Reasons  []string    `json:"reasons"`
}

// Notice is something that readers must know and that is no finding.
type Notice struct {
	Source string `json:"source"` // "waivers", "vex" …
	Text   string `json:"text"`
}

// States of a finding against a baseline. A finding of a report that was
// compared with none has neither.
const (
	BaselineNew       = "new"
	BaselineUnchanged = "unchanged"
)

// BaselineSummary is the comparison with an earlier report.
type BaselineSummary struct {
	Name      string        `json:"name"`      // as the user named it
	Collected time.Time     `json:"collected"` // when its facts were collected
	New       int           `json:"new"`
	Unchanged int           `json:"unchanged"`
	Gone      []GoneFinding `json:"gone"`
	Unseen    int           `json:"unseen"` // findings of the baseline that this scan could not look for
}

// GoneFinding is a finding of the baseline that is not there any more.
type GoneFinding struct {
	Check       string      `json:"check"`
	Title       string      `json:"title"`
	Severity    Severity    `json:"severity"`
	Target      string      `json:"target"`
	Resource    ResourceRef `json:"resource"`
	Message     string      `json:"message"`
	Key         string      `json:"key"`
	Fingerprint string      `json:"fingerprint"`
}

// OutcomeEntry is one outcome as the report keeps it.
type OutcomeEntry struct {
	Check    string      `json:"check"`
	Target   string      `json:"target"`
	Resource ResourceRef `json:"resource"`
	Status   Status      `json:"status"`
	Reasons  []string    `json:"reasons"`
}
