package scanner

// Framework is the report on one body of guidance: what became of each of its
// controls in this scan.
type Framework struct {
	ID      string        `json:"id"` // "nist-800-190"
	Title   string        `json:"title"`
	Version string        `json:"version"` // the edition whose numbers are meant; of Pod Security the version that was judged
	URL     string        `json:"url"`
	Summary ControlCounts `json:"summary"`
	// Controls are all controls, in the framework's order; those that no check covers too.
	Controls []Control `json:"controls"`
}

// ControlStatus is what became of a control.
type ControlStatus string

// The states of a control, worst first. None is passed by absence.
const (
	// ControlFail: a check of it has a finding that counts.
	ControlFail ControlStatus = "fail"
	// ControlIncomplete: nothing that counts was found, but not everything was seen.
	ControlIncomplete ControlStatus = "incomplete"
	// ControlWaived: it fails, and every finding that makes it fail is suppressed.
	ControlWaived ControlStatus = "fail_waived"
	// ControlPass: at least one resource was judged, and all passed.
	ControlPass ControlStatus = "pass"
	// ControlNotCovered: no check speaks to it, or none had anything to judge.
	ControlNotCovered ControlStatus = "not_covered"
)

// ControlCounts are numbers of controls by status.
type ControlCounts struct {
	Pass       int `json:"pass"`
	Fail       int `json:"fail"`
	Waived     int `json:"fail_waived"`
	Incomplete int `json:"incomplete"`
	NotCovered int `json:"not_covered"`
}

// Add counts one control.
func (c *ControlCounts) Add(s ControlStatus) {
	switch s {
	case ControlPass:
		c.Pass++
	case ControlFail:
		c.Fail++
	case ControlWaived:
		c.Waived++
	case ControlIncomplete:
		c.Incomplete++
	case ControlNotCovered:
		c.NotCovered++
	}
}

// Control is one demand of a framework.
type Control struct {
	ID     string        `json:"id"`
	Title  string        `json:"title"` // empty where the framework's text is not free
	Status ControlStatus `json:"status"`
	Reason string        `json:"reason"` // why it is not pass or fail; else empty
	// Counts add up the outcomes of its checks: one resource counts once for each check.
	Counts     Counts         `json:"counts"`
	Findings   int            `json:"findings"`   // that count
	Suppressed int            `json:"suppressed"` // that do not
	System     int            `json:"system"`     // on what comes with the cluster: told apart, and no reason to fail
	Checks     []ControlCheck `json:"checks"`     // that speak to it and were part of the scan
	// LeftOut are checks that speak to it, judge what the scan looked at, and were not selected.
	LeftOut []string `json:"left_out"`
	// OutOfScope are checks that speak to it and judge what the scan does not look at.
	OutOfScope []string `json:"out_of_scope"`
}

// ControlCheck is a check of a control.
type ControlCheck struct {
	ID         string        `json:"id"`
	Title      string        `json:"title"`
	Status     ControlStatus `json:"status"`
	Counts     Counts        `json:"counts"`
	Findings   int           `json:"findings"`
	Suppressed int           `json:"suppressed"`
	System     int           `json:"system"`
}
