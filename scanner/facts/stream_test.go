package facts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner/facts"
)

func sample() *facts.Resource {
	return &facts.Resource{
		Kind: facts.KindImage, ID: "docker.io/library/web:1", Key: "image", Target: "web:1",
		Missing: map[string]facts.Missing{"created": {Status: facts.Unknown, Reason: "the config has no date"}},
		Facts: &facts.Image{
			Registry: "docker.io", Repository: "library/web", OS: "linux",
			Layers:  []facts.Layer{{Digest: "sha256:aa", Step: 0}},
			History: []facts.HistoryStep{{Instruction: "COPY", Arguments: "a b", Layer: 0}},
			Secrets: []facts.Secret{{Rule: "private-key", Path: "root/key", StartLine: 3, Layer: 0, DeletedIn: -1}},
		},
	}
}

func write(t *testing.T, broken error) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := facts.NewWriter(&buf, facts.Header{Version: "1.2.3", Collected: time.Unix(1700000000, 0).UTC()})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		w.Target(facts.Target{Kind: "image", Ref: "web:1", Identity: "docker.io/library/web linux/amd64"}),
		w.Source(facts.Source{Name: "vulnerability-db"}),
		w.Resource(sample()),
		w.Close(broken),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

func TestStreamRoundTrip(t *testing.T) {
	var got *facts.Resource
	var target facts.Target
	h, tr, err := facts.Read(bytes.NewReader(write(t, nil)), facts.Handler{
		Target:   func(x facts.Target) error { target = x; return nil },
		Resource: func(r *facts.Resource) error { got = r; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if h.Version != "1.2.3" || h.Schema != facts.Schema || !tr.Complete || tr.Resources != 1 || target.Ref != "web:1" {
		t.Errorf("header %+v, trailer %+v, target %+v", h, tr, target)
	}
	var again bytes.Buffer
	w, _ := facts.NewWriter(&again, h)
	if err := errors.Join(w.Target(target), w.Source(facts.Source{Name: "vulnerability-db"}), w.Resource(got), w.Close(nil)); err != nil {
		t.Fatal(err)
	}
	if want := write(t, nil); !bytes.Equal(want, again.Bytes()) {
		t.Errorf("the stream changed on the way:\n%s\n%s", want, again.Bytes())
	}
}

func TestStreamHasNoNull(t *testing.T) {
	if b := write(t, nil); bytes.Contains(b, []byte("null")) {
		t.Errorf("the stream holds a null:\n%s", b)
	}
}

func TestNormalise(t *testing.T) {
	r := sample()
	im := r.Facts.(*facts.Image)
	im.Secrets[0].Path = "srv/\xff.pem"
	im.Config.Cmd = []string{"a\xc3", "ü"}
	r.Normalise()
	if im.Secrets[0].Path != "srv/\uFFFD.pem" || im.Config.Cmd[0] != "a\uFFFD" || im.Config.Cmd[1] != "ü" {
		t.Errorf("text is %q, %q", im.Secrets[0].Path, im.Config.Cmd)
	}
	if im.Packages == nil || r.Links == nil {
		t.Error("a list is still nil")
	}
}

func TestStreamBrokenOff(t *testing.T) {
	_, tr, err := facts.Read(bytes.NewReader(write(t, errors.New("interrupted"))), facts.Handler{})
	if err != nil || tr.Complete || tr.Error != "interrupted" {
		t.Errorf("trailer %+v, error %v", tr, err)
	}
	whole := write(t, nil)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	noTrailer := bytes.Join(lines[:len(lines)-2], nil)
	for name, b := range map[string][]byte{"no trailer": noTrailer, "cut in a record": whole[:len(whole)-5]} {
		if _, _, err := facts.Read(bytes.NewReader(b), facts.Handler{}); !errors.Is(err, facts.ErrTruncated) {
			t.Errorf("%s: error is %v, want ErrTruncated", name, err)
		}
	}
}

func TestStreamRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"empty":           "",
		"no JSON":         "hello",
		"no header":       `{"trailer":{"complete":true}}`,
		"other major":     `{"header":{"schema":"postscan.facts/v2"}}`,
		"unknown kind":    `{"header":{"schema":"postscan.facts/v1"}}` + "\n" + `{"resource":{"kind":"toaster","facts":{}}}` + "\n" + `{"trailer":{}}`,
		"wrong type":      `{"header":{"schema":"postscan.facts/v1"}}` + "\n" + `{"resource":{"kind":"image","facts":{"os":7}}}` + "\n" + `{"trailer":{}}`,
		"facts not there": `{"header":{"schema":"postscan.facts/v1"}}` + "\n" + `{"resource":{"kind":"image"}}` + "\n" + `{"trailer":{}}`,
	} {
		if _, _, err := facts.Read(strings.NewReader(in), facts.Handler{Resource: func(*facts.Resource) error { return nil }}); err == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
}

// What an older minor version did not write is missing, not zero.
func TestOlderMinor(t *testing.T) {
	in := `{"kind":"image","id":"x","facts":{"os":"linux","secrets":[{"path":"a"}],"config":{"user":""}}}`
	var r facts.Resource
	if err := json.Unmarshal([]byte(in), &r); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"users", "config.env_names", "secrets[].rule"} {
		if m, ok := r.MissingAt(path); !ok || m.Status != facts.Unknown {
			t.Errorf("%s: missing %+v %v, want unknown", path, m, ok)
		}
	}
	for _, path := range []string{"os", "config.user", "secrets[].path"} {
		if m, ok := r.MissingAt(path); ok {
			t.Errorf("%s is there but counts as missing: %+v", path, m)
		}
	}
}

func TestMissingAt(t *testing.T) {
	r := facts.Resource{Missing: map[string]facts.Missing{
		"packages":              {Reason: "parent"},
		"vulnerabilities[].kev": {Reason: "element"},
		"signature.verified":    {Reason: "leaf"},
	}}
	for path, want := range map[string]string{
		"packages": "parent", "packages[].name": "parent", "packages.x.y": "parent",
		"vulnerabilities[].kev": "element", "vulnerabilities": "", "vulnerabilities[].id": "",
		"signature.verified": "leaf", "signature": "", "packagesx": "",
	} {
		if m, _ := r.MissingAt(path); m.Reason != want {
			t.Errorf("MissingAt(%q) = %q, want %q", path, m.Reason, want)
		}
	}
}

func TestPlace(t *testing.T) {
	r := sample()
	if p := r.Place("secrets[0].rule"); p.Origin.File != "root/key" || p.Origin.Line != 3 || p.Layer != 0 {
		t.Errorf("secret stands at %+v", p)
	}
	if p := r.Place("secrets[9]"); p.Layer != -1 {
		t.Errorf("an index beyond the list stands at %+v", p)
	}
	r.Origin.File, r.Lines = "a.yaml", map[string]int{"spec.containers[0]": 7}
	if p := r.Place("spec.containers[0].image"); p.Origin.Line != 7 {
		t.Errorf("nearest parent's line is %d, want 7", p.Origin.Line)
	}
}

// Every list of the image that has places of its own must be in PlaceOf.
func TestPlaceOfKnowsEveryListWithLayers(t *testing.T) {
	im := &facts.Image{}
	v := reflect.ValueOf(im).Elem()
	for f, fv := range v.Fields() {
		if fv.Kind() != reflect.Slice || fv.Type().Elem().Kind() != reflect.Struct {
			continue
		}
		if _, has := fv.Type().Elem().FieldByName("Layer"); !has {
			continue
		}
		fv.Set(reflect.MakeSlice(fv.Type(), 1, 1))
		list := f.Tag.Get("json")
		if _, _, _, ok := im.PlaceOf(list, 0); !ok {
			t.Errorf("PlaceOf does not know %q", list)
		}
	}
}

func FuzzRead(f *testing.F) {
	var buf bytes.Buffer
	w, _ := facts.NewWriter(&buf, facts.Header{})
	_ = w.Resource(sample())
	_ = w.Close(nil)
	f.Add(buf.Bytes())
	f.Add([]byte(`{"header":{"schema":"postscan.facts/v1"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, tr, err := facts.Read(bytes.NewReader(b), facts.Handler{Resource: func(r *facts.Resource) error {
			if r.Facts == nil {
				t.Error("a resource without facts was handed on")
			}
			r.Place("secrets[0]")
			r.MissingAt("a[].b.c")
			return nil
		}})
		if err == nil && !bytes.Contains(b, []byte("trailer")) {
			t.Errorf("read without a trailer: %+v", tr)
		}
	})
}

func TestReadMissesNoResource(t *testing.T) {
	lines := bytes.SplitAfter(write(t, nil), []byte("\n"))
	lost := bytes.Join(append(lines[:3:3], lines[4:]...), nil)
	if _, _, err := facts.Read(bytes.NewReader(lost), facts.Handler{}); err == nil || !strings.Contains(err.Error(), "0 resources of 1") {
		t.Errorf("a lost resource gives the error %v", err)
	}
}

func TestReadHeader(t *testing.T) {
	whole := write(t, nil)
	h, rest, err := facts.ReadHeader(bytes.NewReader(whole))
	if err != nil || h.Version != "1.2.3" {
		t.Fatalf("header %+v, error %v", h, err)
	}
	again, err := io.ReadAll(rest)
	if err != nil || !bytes.Equal(again, whole) {
		t.Errorf("the stream behind the header is not whole: %v\n%s", err, again)
	}
}
