package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unsafe"

	"github.com/clipperhouse/displaywidth"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

const goldenDir = "../../testdata/reports"

// goldenNames are the ends of the golden files' names, by format.
func goldenNames() map[string]string {
	return map[string]string{
		"table": "table.txt", "json": "json", "sarif": "sarif", "junit": "junit.xml", "markdown": "md", "html": "html", "cyclonedx": "cdx.json", "spdx": "spdx.json",
		"csv": "csv", "gitlab": "gitlab.json", "gitlab-codequality": "codequality.json", "github": "github.txt",
	}
}

// The same reports in every format.
func TestGolden(t *testing.T) {
	type golden struct {
		file   string
		rep    *scanner.Report
		format string
		opts   report.Options
	}
	list := []golden{
		{"sample.high.table.txt", sample(), "table", report.Options{MinSeverity: scanner.SeverityHigh}},
		{"sample.color.table.txt", sample(), "table", report.Options{Color: true, Width: 120}},
	}
	for name, rep := range map[string]*scanner.Report{
		"sample": sample(), "clean": cleanSample(), "filtered": filteredSample(), "workloads": workloadSample(), "kinds": kindsSample(), "strange": strangeSample(),
	} {
		for _, f := range report.Formats() {
			list = append(list, golden{name + "." + goldenNames()[f.Name], rep, f.Name, report.Options{}})
		}
	}
	for _, c := range list {
		t.Run(c.file, func(t *testing.T) {
			got := write(t, c.rep, c.format, c.opts)
			file := filepath.Join(goldenDir, c.file)
			if *update {
				if err := os.WriteFile(file, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs (run with -update and look at the diff); got:\n%s", file, got)
			}
		})
	}
}

func TestReadGivesTheSameBytes(t *testing.T) {
	incomplete := cleanSample()
	incomplete.Run.Complete, incomplete.Run.Error = false, "time-out after 5m0s"
	incomplete.Outcomes = []scanner.OutcomeEntry{{Check: "PS-IMG-001", Target: "x", Status: scanner.Pass, Reasons: []string{}}}
	for name, rep := range map[string]*scanner.Report{"sample": sample(), "incomplete": incomplete, "kinds": kindsSample(), "strange": strangeSample(), "filtered": filteredSample(), "workloads": workloadSample()} {
		first := write(t, rep, "json", report.Options{})
		read, err := report.Read(bytes.NewReader(first))
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range report.Formats() {
			a, b := write(t, rep, format.Name, report.Options{}), write(t, read, format.Name, report.Options{})
			if !bytes.Equal(a, b) {
				t.Errorf("%s: %s of the report that was read differs", name, format.Name)
			}
		}
		if second := write(t, read, "json", report.Options{}); !bytes.Equal(first, second) {
			t.Errorf("%s: reading and writing changes the bytes", name)
		}
		if shared := read.Findings; len(shared) > 1 && !sharesRules(read) {
			t.Errorf("%s: findings of a check do not share its rule", name)
		}
	}
}

// manyFindings is a report whose lists are longer than what is decoded in one go.
func manyFindings() *scanner.Report {
	rep := sample()
	for i := range 2_000 {
		f := rep.Findings[i%20]
		f.Message = fmt.Sprintf("%d \\\" [{", i) // looks like the end of a text, and like brackets
		rep.Findings = append(rep.Findings, f)
	}
	return rep
}

// Long lists are decoded in parts, and come back whole and in order, however the
// report is laid out and however it arrives.
func TestReadLongLists(t *testing.T) {
	want := write(t, manyFindings(), "json", report.Options{})
	var indented, compact bytes.Buffer
	if err := errors.Join(json.Indent(&indented, want, "\t", "   "), json.Compact(&compact, want)); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]io.Reader{
		"as written": bytes.NewReader(want), "indented": &indented, "compact": &compact, "byte by byte": iotest.OneByteReader(bytes.NewReader(want)),
	} {
		rep, err := report.Read(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(write(t, rep, "json", report.Options{}), want) {
			t.Errorf("%s: it is not the same report", name)
		}
	}
	broken := bytes.Replace(want, []byte(`"message":"1500 `), []byte(`"message":1500,"x":" `), 1)
	if _, err := report.Read(bytes.NewReader(broken)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("findings: item %d:", len(sample().Findings)+1500)) {
		t.Errorf("a broken item is told as %v", err)
	}
}

// A name on the command line may be no UTF-8, and stands in the report all the
// same: written before and after a reading it is one text.
func TestReadGivesTheSameBytesOfBrokenNames(t *testing.T) {
	rep := cleanSample()
	rep.Notices = []scanner.Notice{{Source: "waivers", Text: "w\xff.yaml:7 \\ufffd \uFFFD"}}
	first := write(t, rep, "json", report.Options{})
	read, err := report.Read(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	if second := write(t, read, "json", report.Options{}); !bytes.Equal(first, second) {
		t.Errorf("reading and writing changes the bytes:\n%s\n%s", first, second)
	}
}

// A report of 100,000 findings repeats most of its texts; they are held once.
func TestReadSharesTexts(t *testing.T) {
	rep, err := report.Read(bytes.NewReader(write(t, sample(), "json", report.Options{})))
	if err != nil {
		t.Fatal(err)
	}
	first := map[string]*byte{}
	for i := range rep.Findings {
		f := &rep.Findings[i]
		texts := []string{f.Target, f.Resource.ID, f.Evidence[0].Path}
		if v := f.Vulnerability; v != nil {
			texts = append(texts, v.ID, v.Package, v.Purl, v.Version)
		}
		if l := f.Layer; l != nil {
			texts = append(texts, l.Digest, l.Instruction)
		}
		for _, s := range texts {
			if first[s] == nil {
				first[s] = unsafe.StringData(s)
			}
			if s != "" && first[s] != unsafe.StringData(s) {
				t.Errorf("%q is held twice", s)
			}
		}
	}
	if len(first) < 10 {
		t.Fatalf("only %d texts were looked at", len(first))
	}
}

func sharesRules(rep *scanner.Report) bool {
	known := map[*scanner.Rule]bool{}
	for _, c := range rep.Checks {
		known[c.Rule] = true
	}
	for _, f := range rep.Findings {
		if !known[f.Rule] {
			return false
		}
	}
	return true
}

// JSON writes field by field, so a new field of Report could be forgotten.
func TestJSONHoldsEveryField(t *testing.T) {
	rep := sample()
	rep.Images = []scanner.RunningImage{{}}
	rep.Outcomes = []scanner.OutcomeEntry{{Check: "PS-IMG-001", Reasons: []string{}}}
	plain, err := json.Marshal(rep)
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	if err := json.Unmarshal(plain, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(write(t, rep, "json", report.Options{}), &got); err != nil {
		t.Fatal(err)
	}
	for field := range reflect.TypeFor[scanner.Report]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if _, ok := got[name]; !ok {
			t.Errorf("field %q is not written", name)
		}
	}
	if !reflect.DeepEqual(got["findings"], want["findings"]) || !reflect.DeepEqual(got["run"], want["run"]) {
		t.Error("the stream and encoding/json do not agree")
	}
}

func TestReadRefuses(t *testing.T) {
	whole := string(write(t, sample(), "json", report.Options{}))
	for i := 0; i < len(whole)-3; i += 97 {
		if _, err := report.Read(strings.NewReader(whole[:i])); err == nil {
			t.Fatalf("a report cut off after %d of %d bytes is read", i, len(whole))
		}
	}
	for name, c := range map[string]struct{ doc, want string }{
		"facts":         {`{"header":{"schema":"postscan.facts/v1"}}`, "no schema"},
		"other major":   {`{"schema":"postscan.report/v2"}`, "postscan.report/v2"},
		"no object":     {`[]`, "begins with"},
		"null check":    {`{"schema":"postscan.report/v1","checks":[{}]}`, "no id"},
		"no evidence":   {`{"schema":"postscan.report/v1","findings":[{"check":"X"}]}`, "no evidence"},
		"empty":         {" \n", "it is empty"},
		"two reports":   {whole + whole, "give one report"},
		"a comma":       {`{"schema":"postscan.report/v1","sources":[,]}`, "sources: item 0"},
		"no comma":      {`{"schema":"postscan.report/v1","notices":[{} {}]}`, "notices: item 1"},
		"two in one":    {`{"schema":"postscan.report/v1","notices":[1"x"]}`, "notices"},
		"wrong bracket": {`{"schema":"postscan.report/v1","notices":[{"text":"a"]]}`, "notices: item 0"},
		"wrong type":    {`{"schema":"postscan.report/v1","findings":{}}`, "expected"},
	} {
		if _, err := report.Read(strings.NewReader(c.doc)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestTableFitsAndIsSafe(t *testing.T) {
	for _, width := range []int{60, 80, 120, 200} {
		out := string(write(t, sample(), "table", report.Options{Width: width})) + string(write(t, workloadSample(), "table", report.Options{Width: width}))
		for _, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
			if n := displaywidth.String(line); n > width {
				t.Errorf("width %d: a line has %d columns: %s", width, n, line)
			}
			if i := strings.IndexFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }); i >= 0 {
				t.Errorf("width %d: control character in %q", width, line)
			}
		}
	}
}

func TestTableCounts(t *testing.T) {
	rep := sample()
	out := string(write(t, rep, "table", report.Options{MinSeverity: scanner.SeverityHigh}))
	for _, want := range []string{
		"21 findings below high not shown", "Not scanned", "no such host", "Suppressed", "only-fixable: no version mends it yet",
		"no vulnerability database", "not assessed  PS-IMG-018", "2 days old", "1 target not scanned",
	} {
		if !strings.Contains(strings.ReplaceAll(out, "\n", " "), want) {
			t.Errorf("the table does not say %q:\n%s", want, out)
		}
	}
}

func write(t testing.TB, rep *scanner.Report, format string, o report.Options) []byte {
	t.Helper()
	f, err := report.Lookup(format)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b, rep, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteErrorIsReturned(t *testing.T) {
	for _, f := range report.Formats() {
		if err := f.Write(fullDisk{}, sample(), report.Options{}); err == nil {
			t.Errorf("%s: the writer's error is lost", f.Name)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, os.ErrClosed }

func FuzzRead(f *testing.F) {
	small := sample()
	small.Run.Targets, small.Findings, small.Checks, small.Gaps = small.Run.Targets[:1], small.Findings[:2], small.Checks[:1], small.Gaps[:1]
	f.Add(write(f, small, "json", report.Options{}))
	f.Add([]byte(`{"schema":"postscan.report/v1","findings":[{"check":"X","evidence":[{"path":"a","value":1e400}]}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		rep, err := report.Read(bytes.NewReader(doc))
		if err != nil {
			return
		}
		if !json.Valid(doc) {
			t.Error("what is no JSON is read")
		}
		first := write(t, rep, "json", report.Options{})
		again, err := report.Read(bytes.NewReader(first))
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if second := write(t, again, "json", report.Options{}); !bytes.Equal(first, second) {
			t.Error("reading and writing changes the bytes")
		}
		write(t, rep, "table", report.Options{Width: 40})
	})
}
