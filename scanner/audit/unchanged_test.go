package audit

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// exported is the history in text. Ids of runs are numbered, for they are random.
func exported(t *testing.T, s *Store) string {
	t.Helper()
	runs, err := s.Runs(t.Context(), "", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	number := map[string]string{}
	for i := range runs {
		number[runs[len(runs)-1-i].ID] = "run " + strconv.Itoa(i)
	}
	var b bytes.Buffer
	if err := s.Export(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		line = strings.ReplaceAll(anyID.ReplaceAllStringFunc(line, func(id string) string { return number[id] }), s.worker, "worker")
		if !strings.Contains(line, `"table":"notification"`) { // sorted by random keys
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// What is not compared, for nothing changed, is as if it had been: a history that
// compares every run says the same, whatever happened.
func TestWhatIsNotComparedIsTheSame(t *testing.T) {
	names := []string{"a", "b", "c"}
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 1))
		clocks := []*clock{{at: start}, {at: start}}
		var stores []*Store
		for _, c := range clocks {
			stores = append(stores, open(t, c, "sqlite:"+filepath.Join(t.TempDir(), "h.db")))
		}
		var rep *scanner.Report
		for range 40 {
			if rep == nil || random.IntN(2) == 0 {
				var keys []string
				for _, k := range names {
					if random.IntN(3) > 0 {
						keys = append(keys, k)
					}
				}
				rep = report(keys...)
				if len(keys) > 0 && random.IntN(2) == 0 {
					rep.Findings[0].Suppressed = &scanner.Suppression{By: "waiver", Reason: "known", Expiry: clocks[0].at.AddDate(0, 0, random.IntN(3)-1).Format(time.DateOnly)}
				}
				if random.IntN(3) == 0 {
					rep.Run.Targets = append(rep.Run.Targets, facts.Target{Kind: "vm", Ref: "host2", Identity: []string{"machine-1", "machine-2"}[random.IntN(2)]})
				}
				switch random.IntN(8) {
				case 0:
					rep.Run.Complete, rep.Run.Error = false, "broken off"
				case 1:
					rep.Gaps = []scanner.GapEntry{{Check: "PS-VM-001", Target: "host", Status: facts.Unknown}}
				case 2:
					rep.Run.Targets[0].Error = "not reached"
				case 3:
					rep.Run.Targets = append([]facts.Target{}, rep.Run.Targets[len(rep.Run.Targets)-1:]...)
					rep.Findings = nil
				}
			}
			pass, ends := time.Duration(random.IntN(30)-2)*time.Hour, random.IntN(3) == 0
			for i, s := range stores {
				clocks[i].pass(pass)
				if ends {
					if err := s.EndWaivers(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if i == 0 {
					if err := s.db.write(t.Context(), func(x tx) error {
						_, err := x.exec(t.Context(), `UPDATE target SET booked = NULL`)
						return err
					}); err != nil {
						t.Fatal(err)
					}
				}
				record(t, s, rep)
			}
		}
		a, b := strings.Split(exported(t, stores[0]), "\n"), strings.Split(exported(t, stores[1]), "\n")
		for i := range a {
			if i >= len(b) || a[i] != b[i] {
				t.Fatalf("seed %d, line %d of the history:\n%s\nwithout comparing:\n%s", seed, i, a[i], b[min(i, len(b)-1)])
			}
		}
		checkTimes(t, stores[1])
	}
}

// An unchanged run does not touch what it would compare.
func TestAnUnchangedRunComparesNothing(t *testing.T) { onBoth(t, testAnUnchangedRun) }

func testAnUnchangedRun(t *testing.T, s *Store, _ *clock) {
	record(t, s, report("a", "b"))
	if err := s.db.write(t.Context(), func(x tx) error {
		_, err := x.exec(t.Context(), `UPDATE finding SET message = 'untouched'`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if run := record(t, s, report("a", "b")); run.Counts != (Counts{Medium: 2}) {
		t.Errorf("%+v", run.Counts)
	}
	if list, _, err := s.Findings(t.Context(), Filter{}); err != nil || len(list) != 2 || list[0].Message != "untouched" || !list[0].LastSeen.After(list[0].FirstSeen) {
		t.Errorf("%+v, %v", list, err)
	}
	record(t, s, report("a"))
	if list, _, err := s.Findings(t.Context(), Filter{Standing: StandingOpen}); err != nil || len(list) != 1 || list[0].Message == "untouched" {
		t.Errorf("%+v, %v", list, err)
	}
}
