package report

import (
	"strings"

	"github.com/postscan/postscan/scanner"
)

const (
	reset    = "\x1b[0m"
	boldText = "\x1b[1m"
	dimText  = "\x1b[2m"
)

func (t *table) bold(s string) string { return t.paint(boldText, s) }
func (t *table) dim(s string) string  { return t.paint(dimText, s) }

// severity paints s in the colour of a severity.
func (t *table) severity(sev scanner.Severity, s string) string {
	switch sev {
	case scanner.SeverityCritical:
		return t.paint("\x1b[1;31m", s)
	case scanner.SeverityHigh:
		return t.paint("\x1b[31m", s)
	case scanner.SeverityMedium:
		return t.paint("\x1b[33m", s)
	case scanner.SeverityLow:
		return t.paint("\x1b[36m", s)
	default:
		return t.paint(dimText, s)
	}
}

func (t *table) paint(code, s string) string {
	if !t.opts.Color || s == "" {
		return s
	}
	return code + s + reset
}

// stripColor removes what paint added.
func stripColor(s string) string {
	for {
		start := strings.Index(s, "\x1b[")
		if start < 0 {
			return s
		}
		end := strings.IndexByte(s[start:], 'm')
		if end < 0 {
			return s
		}
		s = s[:start] + s[start+end+1:]
	}
}
