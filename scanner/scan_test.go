package scanner_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

var root = &scanner.Rule{ID: "PS-IMG-001", Title: "root", Severity: scanner.SeverityMedium, Subject: facts.KindImage}

// verdicts is an evaluator that has its outcome for each resource id.
type verdicts map[string]scanner.Outcome

func (v verdicts) Rules() []*scanner.Rule { return []*scanner.Rule{root} }

func (v verdicts) Evaluate(_ context.Context, r *facts.Resource) ([]scanner.Outcome, error) {
	o := v[r.ID]
	o.Rule, o.Resource = root, r
	return []scanner.Outcome{o}, nil
}

// images is a collector that sends one image for each tag, and fails at last
// with its error.
type images struct {
	tags []string
	err  error
}

func (c images) Collect(ctx context.Context, sink scanner.Sink) error {
	for _, tag := range c.tags {
		ref := "web:" + tag
		err := errors.Join(
			sink.Target(facts.Target{Kind: "image", Ref: ref, Identity: "docker.io/library/web linux/amd64"}),
			sink.Resource(ctx, &facts.Resource{
				Kind: facts.KindImage, ID: "docker.io/library/web:" + tag, Key: "image", Target: ref,
				Facts: &facts.Image{
					Layers:   []facts.Layer{{Digest: "sha256:aa", Step: 0}},
					History:  []facts.HistoryStep{{Instruction: "COPY", Arguments: "a b", Layer: 0}},
					Secrets:  []facts.Secret{{Path: "root/key", StartLine: 3, Layer: 0}},
					Packages: []facts.Package{{Name: "openssl"}},
				},
			}),
		)
		if err != nil {
			return err
		}
	}
	return c.err
}

func scan(t *testing.T, c scanner.Collector, v verdicts) (*scanner.Report, error) {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return scanner.Scan(t.Context(), c, v, scanner.Options{Now: func() time.Time { return at }, Collected: at, Outcomes: true})
}

func fail(path string) scanner.Outcome {
	return scanner.Outcome{Status: scanner.Fail, Violations: []scanner.Violation{{Message: "m", Path: path, Severity: scanner.SeverityHigh}}}
}

func TestScanBooksEveryOutcome(t *testing.T) {
	rep, err := scan(t, images{tags: []string{"1", "2", "3", "4", "5"}}, verdicts{
		"docker.io/library/web:1": {Status: scanner.Pass},
		"docker.io/library/web:2": fail("secrets[0].rule"),
		"docker.io/library/web:3": {Status: scanner.Unknown, Gap: facts.Unknown, Reasons: []string{"forbidden"}},
		"docker.io/library/web:4": {Status: scanner.NotAssessed, Gap: facts.NotAssessed, Reasons: []string{"not configured"}},
		"docker.io/library/web:5": {Status: scanner.NotApplicable},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := scanner.Counts{Pass: 1, Fail: 1, NotApplicable: 1, NotAssessed: 1, Unknown: 1}
	if c := rep.Checks[0]; c.Counts != want || c.ByTarget["web:3"] != (scanner.Counts{Unknown: 1}) {
		t.Errorf("counts %+v, by target %+v", c.Counts, c.ByTarget)
	}
	if len(rep.Gaps) != 2 || rep.Gaps[0].Status != facts.Unknown || rep.Gaps[1].Reasons[0] != "not configured" {
		t.Errorf("gaps %+v", rep.Gaps)
	}
	if s := rep.Summary; s.Findings != 1 || s.BySeverity[scanner.SeverityHigh] != 1 || s.Packages != 5 || s.Resources != 5 || len(rep.Outcomes) != 5 {
		t.Errorf("summary %+v, %d outcomes", s, len(rep.Outcomes))
	}
	f := rep.Findings[0]
	if f.Origin.File != "root/key" || f.Origin.Line != 3 || f.Layer == nil || f.Layer.Instruction != "COPY a b" {
		t.Errorf("the finding stands at %+v in %+v", f.Origin, f.Layer)
	}
}

// A scan that is broken off keeps what came until then and says so.
func TestScanBrokenOff(t *testing.T) {
	broken := errors.New("interrupted")
	rep, err := scan(t, images{tags: []string{"1"}, err: broken}, verdicts{"docker.io/library/web:1": fail("config.user")})
	if !errors.Is(err, broken) || rep == nil || rep.Run.Complete || rep.Run.Error != "interrupted" || len(rep.Findings) != 1 {
		t.Errorf("error %v, report %+v", err, rep)
	}
}

// A new tag of the same repository keeps the fingerprint.
func TestFingerprintSurvivesATag(t *testing.T) {
	rep, err := scan(t, images{tags: []string{"1", "2"}}, verdicts{"docker.io/library/web:1": fail("config.user"), "docker.io/library/web:2": fail("secrets[0]")})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Findings[0].Fingerprint != rep.Findings[1].Fingerprint {
		t.Error("the tag or the evidence's place changes the fingerprint")
	}
}

func TestFingerprintTellsApart(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{{"a", "b", "c", "d"}, {"ab", "", "c", "d"}, {"a", "bc", "", "d"}, {"a", "b", "cd", ""}, {"a", "b", "c", "e"}} {
		fp := scanner.Fingerprint(parts[0], parts[1], parts[2], parts[3])
		if other, ok := seen[fp]; ok {
			t.Errorf("%q and %q share a fingerprint", parts, other)
		}
		seen[fp] = parts
	}
}

// The order of the report does not depend on the order in which things came.
func TestSortFindingsIsTotal(t *testing.T) {
	var list []scanner.Finding
	for i := range 60 {
		list = append(list, scanner.Finding{
			Rule: &scanner.Rule{ID: fmt.Sprint("PS-IMG-00", i%3)}, Target: fmt.Sprint("t", i%2), Severity: scanner.Severity(i % 6),
			Resource: scanner.ResourceRef{ID: fmt.Sprint(i % 5)}, Key: fmt.Sprint(i % 7), Message: fmt.Sprint(i), Evidence: []scanner.Evidence{{Path: "p"}},
		})
	}
	order := func(fs []scanner.Finding) string {
		scanner.SortFindings(fs)
		var b strings.Builder
		for _, f := range fs {
			b.WriteString(f.Message + " ")
		}
		return b.String()
	}
	backward := slices.Clone(list)
	slices.Reverse(backward)
	if a, b := order(list), order(backward); a != b {
		t.Errorf("two orders of one set:\n%s\n%s", a, b)
	}
	if list[0].Target != "t0" || list[0].Severity < list[1].Severity {
		t.Errorf("the worst of the first target comes first, not %+v", list[0])
	}
}

// The order is that of one comparison over all.
func TestSortFindingsOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rules := []*scanner.Rule{{ID: "A"}, {ID: "B"}, {ID: "C"}}
	text := func() string { return string(rune('a' + r.IntN(3))) }
	for _, n := range []int{0, 1, 2, 500} {
		fs := make([]scanner.Finding, n)
		for i := range fs {
			fs[i] = scanner.Finding{
				Rule: rules[r.IntN(3)], Severity: scanner.Severity(r.IntN(6)), Target: text(), Resource: scanner.ResourceRef{ID: text()}, Key: text(), Message: text(), Evidence: []scanner.Evidence{{Path: text()}},
			}
		}
		want := slices.Clone(fs)
		slices.SortFunc(want, func(a, b scanner.Finding) int {
			return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Rule.ID, b.Rule.ID), cmp.Compare(a.Resource.ID, b.Resource.ID),
				cmp.Compare(a.Key, b.Key), cmp.Compare(a.Message, b.Message), cmp.Compare(a.Evidence[0].Path, b.Evidence[0].Path))
		})
		scanner.SortFindings(fs)
		if !reflect.DeepEqual(fs, want) {
			t.Errorf("%d findings are in another order", n)
		}
	}
}

func TestSeverity(t *testing.T) {
	for _, name := range []string{"unknown", "info", "low", "medium", "high", "critical"} {
		s, err := scanner.ParseSeverity(strings.ToUpper(name))
		if err != nil || s.String() != name {
			t.Errorf("%s: %v %v", name, s, err)
		}
	}
	if _, err := scanner.ParseSeverity("severe"); err == nil || !strings.Contains(err.Error(), "use one of critical") {
		t.Errorf("error %v", err)
	}
}
