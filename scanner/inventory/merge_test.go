package inventory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestMergeHidesWhatLaterLayersRemove(t *testing.T) {
	pkgJSON := func(name string) string { return `{"name":"` + name + `","version":"1.0.0"}` }
	base := scan(t, Options{},
		file{path: "app/node_modules/a/package.json", content: pkgJSON("a")},
		file{path: "app/node_modules/b/package.json", content: pkgJSON("b")},
		file{path: "opt/x/node_modules/c/package.json", content: pkgJSON("c")},
		file{path: "srv/node_modules/d/package.json", content: pkgJSON("d")},
		file{path: "run/node_modules/e/package.json", content: pkgJSON("e")},
		file{path: "keep/node_modules/f/package.json", content: pkgJSON("f")},
	)
	top := scan(t, Options{},
		file{path: "app/node_modules/.wh.a"},
		file{path: "opt/.wh..wh..opq"},
		file{path: "srv/node_modules", content: "now a file"},
		file{path: "run/node_modules/e/package.json/now", content: "a directory"},
		file{path: "opt/y/node_modules/g/package.json", content: pkgJSON("g")},
	)
	got := strings.Join(names(merge(t, Runtime{}, base, top)), ", ")
	want := "node-pkg b 1.0.0, node-pkg f 1.0.0, node-pkg g 1.0.0"
	if got != want {
		t.Errorf("packages\n got %s\nwant %s", got, want)
	}
}

func TestPackagesNameTheLayerThatBroughtThem(t *testing.T) {
	status := func(pkgs ...string) string {
		var b strings.Builder
		for _, p := range pkgs {
			name, version, _ := strings.Cut(p, "=")
			b.WriteString("Package: " + name + "\nStatus: install ok installed\nVersion: " + version + "\n\n")
		}
		return b.String()
	}
	node := func(v string) file {
		return file{path: "app/node_modules/k/package.json", content: `{"name":"k","version":"` + v + `"}`}
	}
	inv := merge(t, Runtime{},
		scan(t, Options{}, file{path: "etc/debian_version", content: "12\n"}, file{path: "var/lib/dpkg/status", content: status("a=1", "b=1", "c=1")}, node("1.0.0")),
		scan(t, Options{}, file{path: "var/lib/dpkg/status", content: status("a=2", "b=1")}, node("1.0.0")),
		scan(t, Options{}, file{path: "srv/x", content: "x"}),
		scan(t, Options{}, file{path: "var/lib/dpkg/status", content: status("a=1", "b=1", "d=1")}),
	)
	var got []string
	for _, p := range inv.Packages {
		got = append(got, fmt.Sprintf("%s %s %d", p.Name, p.Version, p.Layer))
	}
	// a went back to version 1 in the last layer: that one brought it.
	if want := []string{"a 1 3", "b 1 0", "d 1 3", "k 1.0.0 0"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSecretsOfDeletedFilesStay(t *testing.T) {
	f := forge{rand.New(rand.NewPCG(1, 2))}
	text := func() string { return "x = ghp_" + f.of(alnum, 36) + "\n" }
	same := text()
	o := Options{Secrets: true}
	inv := merge(t, Runtime{},
		scan(t, o, file{path: "a/deleted", content: text()}, file{path: "b/emptied", content: text()}, file{path: "c/rewritten", content: text()}, file{path: "d/again", content: same}, file{path: "e/linked", content: text()}, file{path: "e/name", hard: true, link: "e/linked"}, file{path: "f/directory", content: text()}),
		scan(t, o, file{path: "srv/x", content: "no secret"}),
		scan(t, o, file{path: "a/.wh.deleted"}, file{path: "b/.wh..wh..opq"}, file{path: "c/rewritten", content: "harmless text"}, file{path: "d/again", content: same}, file{path: "e/.wh.linked"}, file{path: "f/directory/x", content: "harmless text"}),
		scan(t, o, file{path: "c/rewritten", content: text()}),
	)
	var got []string
	for _, s := range inv.Secrets {
		got = append(got, fmt.Sprintf("%s %d %t %d", s.Path, s.Layer, s.Deleted, s.DeletedIn))
	}
	want := []string{
		"a/deleted 0 true 2", "b/emptied 0 true 2", "c/rewritten 0 true 2", "c/rewritten 3 false -1", "d/again 0 false -1", "e/name 0 false -1", "f/directory 0 true 2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, gap := inv.Missing["secrets"]; gap {
		t.Errorf("missing %+v", inv.Missing)
	}
}

func TestWhatWasNotAskedForIsNotAssessed(t *testing.T) {
	inv := merge(t, Runtime{}, scan(t, Options{}))
	for _, area := range []string{"secrets", "malware"} {
		if inv.Missing[area].Status != "not_assessed" {
			t.Errorf("missing %s: %+v", area, inv.Missing[area])
		}
	}
	content := "the content of a file on the list"
	o := Options{Secrets: true, Malware: map[[32]byte]string{sha256.Sum256([]byte(content)): "EICAR"}}
	inv = merge(t, Runtime{}, scan(t, o, file{path: "usr/share/x", content: content}, file{path: "bin/large", mode: 0o755, content: strings.Repeat(content, 1<<18)}), scan(t, o, file{path: "usr/share/.wh.x"}))
	if len(inv.Malware) != 1 || inv.Malware[0].Name != "EICAR" || inv.Malware[0].Path != "usr/share/x" || len(inv.Missing) != 0 {
		t.Errorf("malware %+v, missing %+v", inv.Malware, inv.Missing)
	}
}

// TestMalwareInLowerLayers: a file that later layers delete is named and said to be
// deleted; one that they write again is named once.
func TestMalwareInLowerLayers(t *testing.T) {
	o := Options{Malware: map[[32]byte]string{sha256.Sum256([]byte("evil")): "X"}}
	inv := merge(t, Runtime{},
		scan(t, o, file{path: "usr/bin/gone", content: "evil"}, file{path: "usr/bin/again", content: "evil"}, file{path: "usr/bin/other", content: "evil"}),
		scan(t, o, file{path: "usr/bin/.wh.gone"}, file{path: "usr/bin/again", content: "evil", mode: 0o700}, file{path: "usr/bin/other", content: "good"}))
	var got []string
	for _, m := range inv.Malware {
		got = append(got, fmt.Sprintf("%s %d %t", m.Path, m.Layer, m.Deleted))
	}
	want := []string{"usr/bin/again 1 false", "usr/bin/gone 0 true", "usr/bin/other 0 true"}
	if !slices.Equal(got, want) {
		t.Errorf("malware %q, want %q", got, want)
	}
}

// TestMalwareOfEverySize sums files that are read by all ways.
func TestMalwareOfEverySize(t *testing.T) {
	for _, size := range []int{0, 1, headSize, headSize + 1, memorySize - 1, memorySize, memorySize + 1, 2*memorySize + 7} {
		for _, p := range []string{"usr/share/plain", "opt/text.conf", "bin/program", "lib/x.jar"} {
			content := "\x7fELF" + strings.Repeat("z", size)
			if p == "opt/text.conf" {
				content = strings.Repeat("text\n", size/5+1)
			}
			o := Options{Secrets: true, SpoolDir: t.TempDir(), Malware: map[[32]byte]string{sha256.Sum256([]byte(content)): "x"}}
			if l := scan(t, o, file{path: p, content: content, mode: 0o755}); len(l.Malware) != 1 {
				t.Errorf("%s of %d bytes: its checksum is wrong", p, size)
			}
		}
	}
}

// TestLayerIsPlainData writes a layer and reads it again.
func TestLayerIsPlainData(t *testing.T) {
	f := forge{rand.New(rand.NewPCG(6, 2))}
	files := []file{
		{path: "etc/os-release", content: "ID=alpine\nVERSION_ID=3.19\n"}, {path: "lib/apk/db/installed", content: "P:a\nV:1.0-r0\no:a\n\n"},
		{path: "app/node_modules/b/package.json", content: `{"name":"b","version":"1.0.0"}`}, {path: "app/x.jar", content: jar(t, "a", "b")},
		{path: "etc/passwd", content: "root:x:0:0::/:/bin/sh\n"}, {path: "etc/sudoers", content: "root ALL=(ALL) ALL\n"}, {path: "bin/su", mode: 0o755 | fs.ModeSetuid, content: "x"},
		{path: "bin/sh", mode: 0o755, content: "x"}, {path: "etc/app", mode: 0o666, content: "k = ghp_" + f.of(alnum, 36) + "\n"}, {path: "x/.wh.y"}, {path: "y/.wh..wh..opq"},
		{path: "app/node_modules/bad/package.json", content: "{"}, {path: "bin/bash", mode: linkMode, link: "sh"}, {path: "app/copy", hard: true, link: "etc/app"},
	}
	l := scan(t, Options{Secrets: true}, files...)
	kept, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	back := &Layer{}
	if err := json.Unmarshal(kept, back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || !bytes.Equal(kept, again) {
		t.Errorf("%v, got back\n%s\nof\n%s", err, again, kept)
	}
	rt := Runtime{Path: []string{"/bin"}}
	if !reflect.DeepEqual(merge(t, rt, l), merge(t, rt, back)) {
		t.Error("the layer that was read again means something else")
	}
	// The order of the stream does not matter, where it may differ: links come
	// behind what they link to.
	for seed := range uint64(5) {
		mixed := slices.Clone(files)
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(mixed)-1, func(i, k int) { mixed[i], mixed[k] = mixed[k], mixed[i] })
		other, err := json.Marshal(scan(t, Options{Secrets: true}, mixed...))
		if err != nil || !bytes.Equal(kept, other) {
			t.Fatalf("%v, another order gives\n%s\nnot\n%s", err, other, kept)
		}
	}
	if err := json.Unmarshal([]byte(`{"files":"not base64!"}`), back); err == nil {
		t.Error("a broken set of paths is believed")
	}
}

func TestOptionsVersion(t *testing.T) {
	seen := map[string]string{}
	for name, o := range map[string]Options{
		"default": {}, "secrets": {Secrets: true}, "size": {MaxFile: 5}, "depth": {MaxArchiveDepth: 2},
		"no malware": {Malware: map[[32]byte]string{}}, "malware": {Malware: map[[32]byte]string{{1}: "x"}}, "other malware": {Malware: map[[32]byte]string{{1}: "y"}},
	} {
		v := o.Version()
		if other, ok := seen[v]; ok {
			t.Errorf("%s and %s have the same version %q", name, other, v)
		}
		seen[v] = name
	}
	if (Options{}).Version() != (Options{MaxFile: DefaultMaxFile, SpoolDir: "/elsewhere"}).Version() {
		t.Error("the version depends on what changes no result")
	}
}

func TestAddStopsAtErrorsOfTheStream(t *testing.T) {
	broken := errors.New("connection reset")
	for _, p := range []string{"etc/passwd", "bin/x", "a.jar", "opt/text"} {
		s := NewLayer(Options{Secrets: true, SpoolDir: t.TempDir()})
		r := io.MultiReader(strings.NewReader("\x7fELF"+strings.Repeat("text ", 2000)), iotest.ErrReader(broken))
		if p == "opt/text" {
			r = io.MultiReader(strings.NewReader(strings.Repeat("text ", 200_000)), iotest.ErrReader(broken))
		}
		err := s.Add(t.Context(), Entry{Path: p, Mode: 0o755, Size: 1 << 20}, r)
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: error %v, want the stream's with the path", p, err)
		}
		if _, err := s.Finish(t.Context()); !errors.Is(err, broken) {
			t.Errorf("%s: the layer can be finished: %v", p, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NewLayer(Options{}).Add(ctx, Entry{Path: "x"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := Merge(ctx, nil, Runtime{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestPathsNeverLeadOut(t *testing.T) {
	l := scan(t, Options{}, file{path: "../../etc/passwd", content: "root:x:0:0::/:/bin/sh\n"}, file{path: "/etc/group", content: "root:x:0:\n"}, file{path: "."}, file{path: "./etc/./shadow", content: "root:*:\n"}, file{path: "bin/x", mode: linkMode, link: "../../../etc/passwd"})
	inv := merge(t, Runtime{}, l)
	if len(inv.Users) != 1 || len(inv.Groups) != 1 || inv.Users[0].Password != "locked" {
		t.Errorf("users %+v, groups %+v", inv.Users, inv.Groups)
	}
}

// TestProblemsAreCounted names the first broken files and counts the rest.
func TestProblemsAreCounted(t *testing.T) {
	var files []file
	for i := range maxProblems + 50 {
		files = append(files, file{path: fmt.Sprintf("app/node_modules/m%d/package.json", i), content: "{"})
	}
	l := scan(t, Options{}, files...)
	if len(l.Problems) != maxProblems+1 || !strings.HasPrefix(l.Problems[0].Reason, "50 more") {
		t.Errorf("%d problems, first %+v", len(l.Problems), l.Problems[0])
	}
	if gap := merge(t, Runtime{}, l).Missing["packages"]; !strings.Contains(gap.Reason, "more") {
		t.Errorf("missing %+v", gap)
	}
}
