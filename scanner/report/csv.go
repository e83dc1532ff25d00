package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/postscan/postscan/scanner"
)

// csvColumns are the columns of the CSV format. New ones are added at the end.
var csvColumns = []string{
	"check", "severity", "title", "target", "resource_kind", "resource", "message", "file", "line", "layer",
	"vulnerability", "package", "installed_version", "fixed_version", "key", "fingerprint",
	"suppressed_by", "suppressed_reason", "suppressed_expiry", "remediation", "baseline",
}

// CSV writes a line for each finding, suppressed ones too, below a line of
// column names. A cell that a spreadsheet would run as a formula starts with an
// apostrophe: names in images and clusters are chosen by strangers.
func CSV(w io.Writer, r *scanner.Report, _ Options) error {
	cw := csv.NewWriter(w)
	if err := cw.Write(csvColumns); err != nil {
		return err
	}
	for i := range r.Findings {
		if err := cw.Write(csvLine(&r.Findings[i])); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}

func csvLine(f *scanner.Finding) []string {
	cells := []string{
		f.Rule.ID, f.Severity.String(), f.Rule.Title, f.Target, string(f.Resource.Kind), f.Resource.ID, f.Message, f.Origin.File, number(f.Origin.Line), "",
		"", "", "", "", f.Key, f.Fingerprint,
		"", "", "", f.Rule.Remediation, f.Baseline,
	}
	if f.Layer != nil {
		cells[9] = f.Layer.Digest
	}
	if v := f.Vulnerability; v != nil {
		cells[10], cells[11], cells[12], cells[13] = v.ID, v.Package, v.Version, v.FixedVersion
	}
	if s := f.Suppressed; s != nil {
		cells[16], cells[17], cells[18] = s.By, s.Reason, s.Expiry
	}
	for i, c := range cells {
		if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
			cells[i] = "'" + c
		}
	}
	return cells
}

// number is n in decimal, empty for 0.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
