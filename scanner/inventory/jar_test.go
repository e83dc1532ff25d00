package inventory

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// jar makes an archive of names and contents in turn.
func jar(t testing.TB, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i+1 < len(members); i += 2 {
		f, err := w.Create(members[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(members[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func pom(group, id, version string) string {
	return "#Created by Maven\ngroupId=" + group + "\nartifactId=" + id + "\nversion=" + version + "\n"
}

// index is a small index of Maven artifacts.
type index struct {
	artifacts map[string]bool   // "group:id"
	sums      map[string]string // SHA-1 → "group:id:version"
	groups    map[string]string // "id:version" → group
	err       error
	asked     int
}

func (x *index) Exists(_ context.Context, g, a string) (bool, error) {
	x.asked++
	return x.artifacts[g+":"+a], x.err
}

func (x *index) SearchBySHA1(_ context.Context, sum string) (string, string, string, bool, error) {
	x.asked++
	parts := strings.Split(x.sums[sum], ":")
	if len(parts) != 3 {
		return "", "", "", false, x.err
	}
	return parts[0], parts[1], parts[2], true, x.err
}

func (x *index) SearchByArtifactID(_ context.Context, a, v string) (string, bool, error) {
	x.asked++
	g, ok := x.groups[a+":"+v]
	return g, ok, x.err
}

func sum(s string) string { return fmt.Sprintf("%x", sha1.Sum([]byte(s))) }

func TestJars(t *testing.T) {
	inner := jar(t, "META-INF/maven/org.lib/util/pom.properties", pom("org.lib", "util", "2.0"))
	bySum := jar(t, "a.class", "by its checksum")
	byName := jar(t, "a.class", "by its name")
	byManifest := jar(t, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nImplementation-Title: logba\r\n ck\r\nImplementation-Vendor-Id: ch.qos\r\nImplementation-Version: 1.2\r\n\r\nName: x\r\nImplementation-Title: wrong\r\n")
	files := []file{
		{path: "app/util-2.0.jar", content: inner},
		{path: "app/shop.war", content: jar(t, "META-INF/maven/com.acme/shop/pom.properties", pom("com.acme", "shop", "1.0"), "WEB-INF/lib/util-2.0.jar", inner, "WEB-INF/lib/deep.ear", jar(t, "lib/sum.jar", bySum))},
		{path: "app/name-3.1.jar", content: byName},
		{path: "app/manifest.jar", content: byManifest},
		{path: "app/own.jar", content: jar(t, "com/acme/A.class", "x")},
		{path: "app/shaded-1.jar", content: jar(t, "META-INF/maven/a/b/pom.properties", pom("a", "b", "1.0"), "META-INF/maven/a/b2/pom.properties", pom("a", "b", "1.0.0"), "META-INF/maven/a/c/pom.properties", "groupId=a\n")},
		{path: "app/empty.jar"},
	}
	x := &index{
		artifacts: map[string]bool{"ch.qos:logback": true},
		sums:      map[string]string{sum(bySum): "org.sum:sum:7"},
		groups:    map[string]string{"name:3.1": "org.name"},
	}
	layer := scan(t, Options{}, files...)
	inv, err := Merge(t.Context(), []*Layer{layer}, Runtime{}, x)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range inv.Packages {
		got = append(got, fmt.Sprintf("%s %s %s", p.Name, p.Version, p.Path))
		if !strings.HasPrefix(p.Path, p.Binary) || strings.Count(p.Binary, "/") != 1 {
			t.Errorf("binary %q of path %q", p.Binary, p.Path)
		}
	}
	want := []string{
		"a:b 1.0 app/shaded-1.jar", "ch.qos:logback 1.2 app/manifest.jar", "com.acme:shop 1.0 app/shop.war",
		"org.lib:util 2.0 app/shop.war/WEB-INF/lib/util-2.0.jar", "org.lib:util 2.0 app/util-2.0.jar", "org.name:name 3.1 app/name-3.1.jar",
		"org.sum:sum 7 app/shop.war/WEB-INF/lib/deep.ear/lib/sum.jar",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("packages\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !inv.NeedsJavaDB || len(inv.Missing) != 2 {
		t.Errorf("needs index %t, missing %+v", inv.NeedsJavaDB, inv.Missing)
	}

	// Without an index what does not name itself is a gap, not silence.
	inv = merge(t, Runtime{}, layer)
	if gap := inv.Missing["packages"]; !inv.NeedsJavaDB || !strings.Contains(gap.Reason, "4 Java archives do not name themselves") {
		t.Errorf("needs index %t, missing %+v", inv.NeedsJavaDB, inv.Missing)
	}
	// And one that cannot be asked is a gap too.
	inv, err = Merge(t.Context(), []*Layer{layer}, Runtime{}, &index{err: errors.New("the index is gone")})
	if err != nil {
		t.Fatal(err)
	}
	if gap := inv.Missing["packages"]; !strings.Contains(gap.Reason, "the index is gone") {
		t.Errorf("missing %+v", gap)
	}
}

// TestJarThatNamesItself must not need an index.
func TestJarThatNamesItself(t *testing.T) {
	x := &index{}
	inv, err := Merge(t.Context(), []*Layer{scan(t, Options{}, file{path: "util-2.0.jar", content: jar(t, "META-INF/maven/org.lib/util/pom.properties", pom("org.lib", "util", "2.0"))})}, Runtime{}, x)
	if err != nil || inv.NeedsJavaDB || x.asked != 0 || len(inv.Packages) != 1 {
		t.Errorf("asked %d times, %+v, %v", x.asked, inv, err)
	}
}

func TestBrokenJarsAreProblems(t *testing.T) {
	nest := func(n int) string {
		s := jar(t, "x", "y")
		for range n {
			s = jar(t, "inner.jar", s)
		}
		return s
	}
	zeros := strings.Repeat("\x00", 4<<20)
	for _, tc := range []struct{ name, content, reason string }{
		{"no archive", "this is no archive", "not a valid zip file"},
		{"cut off", jar(t, "a", strings.Repeat("text ", 100))[:60], "not a valid zip file"},
		{"too deep", nest(9), "deeper than 8 archives"},
		{"bomb of archives", jar(t, "a.jar", zeros, "b.jar", zeros, "c.jar", zeros), "unpack to more than the limit"},
		{"bomb in a small file", jar(t, "META-INF/MANIFEST.MF", strings.Repeat("\x00", 12<<20)), "larger than the limit"},
		{"inner one broken", jar(t, "lib/inner.jar", "no archive"), "lib/inner.jar"},
		{"list of members too long", "PK\x05\x06\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x7f\x00\x00\x00\x00\x00\x00", "list of members"},
	} {
		l := scan(t, Options{MaxFile: 10 << 20}, file{path: "app/x.jar", content: tc.content})
		if !slices.ContainsFunc(l.Problems, func(p problem) bool { return p.Path == "app/x.jar" && strings.Contains(p.Reason, tc.reason) }) {
			t.Errorf("%s: problems %+v, want %q", tc.name, l.Problems, tc.reason)
		}
		if inv := merge(t, Runtime{}, l); inv.Missing["packages"].Status != "unknown" {
			t.Errorf("%s: missing %+v", tc.name, inv.Missing)
		}
	}
}

func TestEgg(t *testing.T) {
	inv := merge(t, Runtime{}, scan(t, Options{}, file{path: "lib/x-1.egg", content: jar(t, "x.py", "", "EGG-INFO/PKG-INFO", "Name: x\nVersion: 1\n")}, file{path: "lib/bad.egg", content: "no"}))
	if got := strings.Join(names(inv), ", "); got != "python-pkg x 1" || !strings.Contains(inv.Missing["packages"].Reason, "lib/bad.egg") {
		t.Errorf("packages %s, missing %+v", got, inv.Missing)
	}
}
