package report

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// A Part is what a report says of one target, as a report of its own.
type Part struct {
	// Name is that of the part's file, without what says the format: readable,
	// safe in every file system, the same from scan to scan, and never twice.
	Name   string
	Report *scanner.Report
}

// Parts splits a report by target, for formats of which a file takes only so
// many. A report without targets is one part, which says what went wrong. The
// parts share the report's findings; packages and counters are not split.
func Parts(r *scanner.Report) []Part {
	if len(r.Run.Targets) == 0 {
		return []Part{{Name: noTarget, Report: r}}
	}
	findings, gaps := map[string][]scanner.Finding{}, map[string][]scanner.GapEntry{}
	for i := range r.Findings {
		f := &r.Findings[i]
		findings[f.Target] = append(findings[f.Target], *f)
	}
	for _, g := range r.Gaps {
		gaps[g.Target] = append(gaps[g.Target], g)
	}
	out := make([]Part, 0, len(r.Run.Targets))
	for _, t := range r.Run.Targets {
		one := *r
		one.Run.Targets = []facts.Target{t}
		one.Findings, one.Gaps = findings[t.Ref], gaps[t.Ref]
		out = append(out, Part{Name: partName(t), Report: &one})
	}
	return out
}

// IsPart says whether a file's name is one that a [Part] has, with an ending.
func IsPart(file string) bool {
	return strings.HasPrefix(file, noTarget+".") || partFile.MatchString(file)
}

// partFile matches the names of partName.
var partFile = regexp.MustCompile(`^(cluster|engine|image|manifests|vm)[A-Za-z0-9._-]*-[0-9a-f]{8}\.[a-z]+$`)

// noTarget is the name of a report without targets.
const noTarget = "postscan"

// partName is made of the target's identity, which does not change with the tag,
// and of its Ref where that tells two tags of one image apart.
func partName(t facts.Target) string {
	const most = 80
	slug := strings.Trim(strings.Map(func(r rune) rune {
		if isASCIIAlnum(r) || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, t.Kind+"-"+strings.TrimSpace(t.Identity)), "-.")
	sum := sha256.Sum256([]byte(t.Kind + "\x00" + t.Identity + "\x00" + t.Ref))
	return slug[:min(len(slug), most)] + "-" + hex.EncodeToString(sum[:4])
}
