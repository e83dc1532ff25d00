package filter_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/filter"
	"github.com/postscan/postscan/scanner/report"
)

// draws makes choices. Bytes of a fuzzer take the place of chance.
type draws struct{ r *rand.Rand }

func (d draws) upTo(n int) int { return d.r.IntN(n) }

func pick[T any](d draws, list ...T) T { return list[d.upTo(len(list))] }

var (
	propertyChecks = []string{"PS-IMG-001", "PS-IMG-013", "PS-K8S-001"}
	propertyIDs    = []string{"shop/Deployment/web", "shop/Deployment/db", "docker.io/team/web:1"}
	propertyCVEs   = []string{"CVE-2021-1", "CVE-2021-2", "CVE-2021-3"}
)

// randomReport has findings, some of unknown severity, and gaps.
func randomReport(d draws) *scanner.Report {
	rules := map[string]*scanner.Rule{}
	r := &scanner.Report{Schema: scanner.ReportSchema, Run: scanner.Run{Complete: d.upTo(4) > 0, Params: map[string]any{}, Targets: []facts.Target{
		{Kind: "image", Ref: "web:1", Identity: "docker.io/team/web linux/amd64", Properties: map[string]string{"tag": "1"}}, {Kind: "cluster", Ref: "prod", Identity: "uid", Properties: map[string]string{}},
	}}}
	for _, id := range propertyChecks {
		rules[id] = &scanner.Rule{ID: id, Title: id, Severity: scanner.SeverityHigh}
		r.Checks = append(r.Checks, scanner.CheckCount{Rule: rules[id], Counts: scanner.Counts{Unknown: d.upTo(3), Fail: d.upTo(3)}, ByTarget: map[string]scanner.Counts{}})
	}
	for range d.upTo(12) {
		id, resource := pick(d, propertyChecks...), pick(d, propertyIDs...)
		f := scanner.Finding{
			Rule: rules[id], Severity: scanner.Severity(d.upTo(6)), Target: pick(d, "web:1", "prod"), Resource: scanner.ResourceRef{Kind: facts.KindWorkload, ID: resource},
			Message: "m", Evidence: []scanner.Evidence{{Path: "p", Value: true}}, Key: pick(d, "", "app", "sidecar"),
		}
		if id == "PS-IMG-013" {
			f.Vulnerability = &scanner.Vulnerability{Vulnerability: facts.Vulnerability{ID: pick(d, propertyCVEs...), Package: "a", Purl: "pkg:npm/a@1.0", FixedVersion: pick(d, "", "2.0"), References: []string{}, Aliases: []string{}}}
			f.Key = f.Vulnerability.ID
		}
		f.Fingerprint = scanner.Fingerprint(id, f.Target, resource, f.Key)
		r.Findings = append(r.Findings, f)
	}
	for range d.upTo(4) {
		r.Gaps = append(r.Gaps, scanner.GapEntry{Check: pick(d, propertyChecks...), Target: "prod", Resource: scanner.ResourceRef{ID: pick(d, propertyIDs...)}, Status: pick(d, facts.Unknown, facts.NotAssessed), Reasons: []string{"forbidden"}})
	}
	return r
}

// said is what one filter of a random kind says of findings, told a second time
// by a plain reading of its own words.
type said struct {
	filter scanner.Filter
	name   string
	// accepts says whether the words of the filter cover a finding.
	accepts func(f *scanner.Finding) bool
}

func randomFilter(t *testing.T, d draws) said {
	t.Helper()
	const now = "2026-06-01T00:00:00Z"
	switch d.upTo(5) {
	case 0:
		id, resource, key := pick(d, append(propertyChecks, propertyCVEs...)...), pick(d, "", "*", "shop/*", "*web*", "nothing"), pick(d, "", "app", "*", "CVE-*")
		expires := pick(d, "2027-01-31", "2020-01-31")
		list, err := filter.ReadWaivers(strings.NewReader(fmt.Sprintf("waivers:\n  - {id: %s, resource: %q, key: %q, reason: r, expires: %s}\n", id, resource, key, expires)), "w")
		if err != nil {
			t.Fatal(err)
		}
		w, err := filter.NewWaivers(list, func(id string) bool { return strings.HasPrefix(id, "PS-") }, day(now))
		if err != nil {
			t.Fatal(err)
		}
		covers := func(pattern, text string) bool {
			switch {
			case pattern == "", pattern == "*", pattern == text:
				return true
			case strings.HasPrefix(pattern, "*") && strings.HasSuffix(pattern, "*"):
				return strings.Contains(text, strings.Trim(pattern, "*"))
			case strings.HasSuffix(pattern, "*"):
				return strings.HasPrefix(text, strings.TrimSuffix(pattern, "*"))
			default:
				return false
			}
		}
		return said{w, "waiver " + id + " " + resource + " " + key + " " + expires, func(f *scanner.Finding) bool {
			named := f.Rule.ID == id || f.Vulnerability != nil && f.Vulnerability.ID == id
			return expires > "2026-06-01" && named && (covers(resource, f.Resource.ID) || covers(resource, f.Target)) && covers(key, f.Key)
		}}
	case 1:
		cve, status := pick(d, propertyCVEs...), pick(d, "not_affected", "fixed", "affected", "under_investigation")
		doc := openvex(statement(cve, status, "pkg:npm/a"))
		statements, err := filter.ReadVEX(strings.NewReader(doc), "v")
		if err != nil {
			t.Fatal(err)
		}
		return said{filter.NewVEX(statements), "vex " + cve + " " + status, func(f *scanner.Finding) bool {
			return (status == "not_affected" || status == "fixed") && f.Vulnerability != nil && f.Vulnerability.ID == cve
		}}
	case 2:
		return said{filter.OnlyFixable{Checks: []string{"PS-IMG-013"}}, "only-fixable", func(f *scanner.Finding) bool {
			return f.Vulnerability != nil && f.Vulnerability.FixedVersion == ""
		}}
	case 3:
		before, only := randomReport(d), d.upTo(2) == 0
		held := map[string]bool{}
		for _, f := range before.Findings {
			held[f.Fingerprint] = true
		}
		return said{filter.Baseline{Before: before, Name: "before", OnlyNew: only}, "baseline", func(f *scanner.Finding) bool { return only && held[f.Fingerprint] }}
	default:
		allow, id, resource := d.upTo(2) == 0, pick(d, propertyChecks...), pick(d, propertyIDs...)
		value := pick(d, "r; expires=2027-01-31", "r; expires=2020-01-31", "r", "expires=2027-01-31")
		a := filter.NewAnnotations(allow, func(id string) bool { return strings.HasPrefix(id, "PS-") }, day(now))
		a.Add(&facts.Resource{Kind: facts.KindWorkload, ID: resource, Target: "prod", Annotations: map[string]string{facts.WaiverAnnotation + id: value}})
		return said{a, "annotation " + id + " " + value, func(f *scanner.Finding) bool {
			return allow && value == "r; expires=2027-01-31" && f.Rule.ID == id && f.Resource.ID == resource && f.Target == "prod"
		}}
	}
}

// No sequence of filters makes a finding or something unknown disappear from the
// JSON report, whatever severity is shown; none changes what was found; and what
// no filter accepts in its own words counts.
func checkFilters(t *testing.T, d draws) {
	t.Helper()
	r := randomReport(d)
	before := write(t, r, report.Options{})
	var filters []said
	for range d.upTo(6) {
		filters = append(filters, randomFilter(t, d))
	}
	var names []string
	for _, f := range filters {
		names = append(names, f.name)
		if err := f.filter.Apply(r); err != nil {
			t.Fatal(err)
		}
	}
	after := write(t, r, report.Options{MinSeverity: scanner.Severity(d.upTo(6))})
	was, err := report.Read(bytes.NewReader(before))
	if err != nil {
		t.Fatal(err)
	}
	is, err := report.Read(bytes.NewReader(after))
	if err != nil {
		t.Fatal(err)
	}
	if len(is.Findings) != len(was.Findings) || !reflect.DeepEqual(is.Gaps, was.Gaps) || !reflect.DeepEqual(is.Checks, was.Checks) {
		t.Fatalf("%q: %d findings of %d, %d gaps of %d", names, len(is.Findings), len(was.Findings), len(is.Gaps), len(was.Gaps))
	}
	for i := range is.Findings {
		f := is.Findings[i]
		accepted := false
		for _, s := range filters {
			accepted = accepted || s.accepts(&was.Findings[i])
		}
		if f.Suppressed != nil && !accepted {
			t.Fatalf("%q: %s on %s is suppressed by %+v, which none of them says", names, f.Rule.ID, f.Resource.ID, f.Suppressed)
		}
		if f.Suppressed != nil && (f.Suppressed.By == "" || f.Suppressed.Reason == "") {
			t.Fatalf("%q: suppressed without saying by what or why: %+v", names, f.Suppressed)
		}
		f.Suppressed, f.Baseline = nil, ""
		if !reflect.DeepEqual(f, was.Findings[i]) {
			t.Fatalf("%q: a filter changes what was found: %+v, was %+v", names, f, was.Findings[i])
		}
	}
}

func write(t *testing.T, r *scanner.Report, o report.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.JSON(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFiltersHideNothing(t *testing.T) {
	for seed := range uint64(3000) {
		checkFilters(t, draws{rand.New(rand.NewPCG(seed, 7))})
	}
}

func FuzzFiltersHideNothing(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) { checkFilters(t, draws{rand.New(rand.NewPCG(a, b))}) })
}
