package checks_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner/facts"
)

// entry is one entry of a tar; a body of "" makes it what kind says.
type entry struct {
	name, body string
	kind       byte
}

func bundle(t testing.TB, zipped bool, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	var out io.WriteCloser = nopCloser{&buf}
	if zipped {
		out = gzip.NewWriter(&buf)
	}
	tw := tar.NewWriter(out)
	for _, e := range entries {
		head := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.body)), Typeflag: e.kind}
		if e.kind == tar.TypeSymlink {
			head.Linkname = "/etc/passwd"
		}
		if err := tw.WriteHeader(head); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, e.body); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []io.Closer{tw, out} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// scaffolded are the files of a new check of a user, which pass their own tests.
func scaffolded(t testing.TB) map[string]string {
	t.Helper()
	cat, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	s, err := cat.Scaffold(facts.KindImage, "forbidden_label", false)
	if err != nil {
		t.Fatal(err)
	}
	return s.Files
}

func TestBundle(t *testing.T) {
	files := scaffolded(t)
	for name, c := range map[string]struct {
		prefix string
		zipped bool
	}{
		"gzipped":            {"", true},
		"plain tar":          {"", false},
		"as opa build does":  {"/", true},
		"as tar . does":      {"./", true},
		"below other folder": {"our/policies/", true},
	} {
		entries := []entry{{"/.manifest", `{"revision":"1"}`, tar.TypeReg}, {"/data.json", "{}", tar.TypeReg}, {"image/", "", tar.TypeDir}}
		for path, body := range files {
			entries = append(entries, entry{c.prefix + path, body, tar.TypeReg})
		}
		source, err := checks.Bundle(bytes.NewReader(bundle(t, c.zipped, entries...)), "b.tar.gz", nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		cat, err := checks.Load(checks.BuiltIn(), source)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		check, ok := cat.Lookup("MY-IMG-001")
		if !ok || check.File != "b.tar.gz/image/forbidden_label.rego" || check.BuiltIn {
			t.Errorf("%s: check %+v", name, check)
		}
		rep, err := checks.RunTests(t.Context(), source)
		if err != nil || rep.Err() != nil || len(rep.Tests) == 0 {
			t.Errorf("%s: tests: %v, %v", name, err, rep)
		}
	}
}

func TestBundleRefuses(t *testing.T) {
	rego := entry{"image/x.rego", "package postscan.image.x\n", tar.TypeReg}
	big := strings.Repeat("#", 3<<20)
	var many []entry
	for i := range 12 {
		many = append(many, entry{strings.Repeat("a", i+1) + "/x.rego", big, tar.TypeReg})
	}
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"empty":            {nil, "empty"},
		"no tar":           {append([]byte(strings.Repeat("hello ", 200)), make([]byte, 2048)...), "no tar, or a broken one"},
		"broken gzip":      {[]byte{0x1f, 0x8b, 1, 2}, "read the policy bundle b"},
		"no rego":          {bundle(t, true, entry{"policy.wasm", "x", tar.TypeReg}), "no file of Rego"},
		"leads out":        {bundle(t, true, entry{"../../x.rego", "x", tar.TypeReg}), "leads out"},
		"leads out inside": {bundle(t, true, entry{"image/../../x.rego", "x", tar.TypeReg}), "leads out"},
		"absolute":         {bundle(t, true, entry{"//etc/x.rego", "x", tar.TypeReg}), "leads out"},
		"windows":          {bundle(t, true, entry{`..\x.rego`, "x", tar.TypeReg}), "leads out"},
		"symbolic link":    {bundle(t, true, entry{"image/x.rego", "", tar.TypeSymlink}), "link"},
		"twice":            {bundle(t, true, rego, entry{"./image/x.rego", "package a\n", tar.TypeReg}), "stands twice"},
		"large":            {bundle(t, true, many...), "larger than 32 MiB"},
		"large padding":    {bundle(t, true, rego, entry{"data.json", strings.Repeat(big, 11), tar.TypeReg}), "larger than 32 MiB"},
		"cut off":          {bundle(t, false, rego)[:1024], "the end is missing"},
	} {
		if _, err := checks.Bundle(bytes.NewReader(c.raw), "b", nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", name, err, c.want)
		}
	}
}

// The policies of a bundle obey the contract: what breaks it is told before
// anything is collected.
func TestBundleBreaksTheContract(t *testing.T) {
	files := scaffolded(t)
	policy := files["image/forbidden_label.rego"]
	for name, c := range map[string]struct{ path, text, want string }{
		"the id of another":    {"image/forbidden_label.rego", strings.Replace(policy, "MY-IMG-001", "PS-IMG-001", 1), "PS-IMG-001"},
		"never evaluated":      {"toaster/forbidden_label.rego", strings.ReplaceAll(policy, "postscan.image", "postscan.toaster"), "toaster"},
		"in the wrong package": {"image/forbidden_label.rego", strings.Replace(policy, "package postscan.image.forbidden_label", "package postscan.image.other", 1), "package"},
		"a field of no schema": {"image/forbidden_label.rego", policy + "\nhelper if input.config.no_such_field\n", "no_such_field"},
	} {
		source, err := checks.Bundle(bytes.NewReader(bundle(t, true, entry{c.path, c.text, tar.TypeReg})), "b.tar.gz", nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		cat, err := checks.Load(checks.BuiltIn(), source)
		if err == nil {
			err = cat.Verify()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "b.tar.gz/") {
			t.Errorf("%s: error is %v, want one with %q", name, err, c.want)
		}
	}
}

func FuzzBundle(f *testing.F) {
	f.Add(bundle(f, true, entry{"image/x.rego", "package x\n", tar.TypeReg}))
	f.Add(bundle(f, false, entry{"../x.rego", "package x\n", tar.TypeReg}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		source, err := checks.Bundle(bytes.NewReader(raw), "f", nil)
		if err == nil && source.FS == nil {
			t.Error("neither a source nor an error")
		}
	})
}
