package vulndb

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner/facts"
)

// javaFiles is an index with a few artifacts, as the registry gives it.
func javaFiles(t *testing.T, updated time.Time) map[string][]byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), javaDB)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{
		"CREATE TABLE artifacts(id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT)",
		"CREATE TABLE indices(artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT)",
		"CREATE UNIQUE INDEX indices_sha1 ON indices(sha1)",
		"INSERT INTO artifacts VALUES (1, 'jstl', 'jstl'), (2, 'javax.servlet', 'jstl'), (3, 'org.example', 'jstl'), (4, 'org.example', 'android')",
	}
	for _, a := range []struct{ id, version, sha1, kind string }{
		{"1", "1.0", "9c581de633e94be1e7a955bd4e8292f16e554387", "jar"},
		{"2", "1.0", "5d4ae7a8a17a33e01283e76e0dff66c4bce6456a", "jar"},
		{"2", "1.1.0", "bca201e52333629c59e459e874e5ecd8f9899e15", "jar"},
		{"3", "1.1.0", "0000000000000000000000000000000000000001", "jar"},
		{"4", "1.0", "0000000000000000000000000000000000000002", "aar"},
	} {
		statements = append(statements, "INSERT INTO indices VALUES ("+a.id+", '"+a.version+"', x'"+a.sha1+"', '"+a.kind+"')")
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	meta := `{"Version":1,"UpdatedAt":"` + updated.Format(time.RFC3339) + `","NextUpdate":"` + updated.AddDate(0, 0, 3).Format(time.RFC3339) + `"}`
	return map[string][]byte{javaDB: b, metadataFile: []byte(meta)}
}

// javaIndex is an index in the folder of a test.
func javaIndex(t *testing.T, updated time.Time) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, javaDir), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, b := range javaFiles(t, updated) {
		if err := os.WriteFile(filepath.Join(dir, javaDir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestJavaDBIdentifiesJars(t *testing.T) {
	j := NewJavaDB(Options{Dir: javaIndex(t, today), Now: at(today)})
	defer j.Close()
	if _, used := j.Source(); used {
		t.Error("the index counts as used before the first question")
	}
	ctx := t.Context()
	group, artifact, version, found, err := j.SearchBySHA1(ctx, "bca201e52333629c59e459e874e5ecd8f9899e15")
	if group+":"+artifact+":"+version != "javax.servlet:jstl:1.1.0" || !found || err != nil {
		t.Errorf("by SHA-1: %s:%s:%s %t %v", group, artifact, version, found, err)
	}
	if _, _, _, found, err := j.SearchBySHA1(ctx, strings.Repeat("11", 20)); found || err != nil {
		t.Errorf("an unknown SHA-1: %t %v", found, err)
	}
	if _, _, _, _, err := j.SearchBySHA1(ctx, "not hex"); err == nil {
		t.Error("a SHA-1 that is none was taken")
	}
	for _, tt := range []struct {
		artifact, version, group string
		found                    bool
	}{
		{"jstl", "1.0", "javax.servlet", true},   // has two versions, the other one has one
		{"jstl", "1.1.0", "javax.servlet", true}, // two publish it
		{"jstl", "9.9", "", false},
		{"android", "1.0", "", false}, // no jar
	} {
		group, found, err := j.SearchByArtifactID(ctx, tt.artifact, tt.version)
		if group != tt.group || found != tt.found || err != nil {
			t.Errorf("%s %s: %q %t %v, want %q %t", tt.artifact, tt.version, group, found, err, tt.group, tt.found)
		}
	}
	for id, want := range map[string]bool{"jstl jstl": true, "javax.servlet jstl": true, "jstl nothing": false} {
		group, artifact, _ := strings.Cut(id, " ")
		if got, err := j.Exists(ctx, group, artifact); got != want || err != nil {
			t.Errorf("Exists(%s) = %t, %v, want %t", id, got, err, want)
		}
	}
	src, used := j.Source()
	if !used || !src.Updated.Equal(today) || src.Problem != "" {
		t.Errorf("Source = %+v, %t", src, used)
	}
	if left, _ := filepath.Glob(filepath.Join(j.opts.Dir, javaDir, javaDB+"?*")); len(left) > 0 {
		t.Errorf("reading left %v behind", left)
	}
}

func TestJavaDBThatIsNotThere(t *testing.T) {
	broken := javaIndex(t, today)
	if err := os.WriteFile(filepath.Join(broken, javaDir, javaDB), []byte(strings.Repeat("no index ", 1000)), 0o644); err != nil {
		t.Fatal(err)
	}
	empty := javaIndex(t, today)
	if err := os.WriteFile(filepath.Join(empty, javaDir, javaDB), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		dir  string
		want error
	}{
		"missing": {t.TempDir(), ErrMissing},
		"corrupt": {broken, ErrCorrupt},
		"empty":   {empty, ErrEmpty},
	} {
		j := NewJavaDB(Options{Dir: tt.dir, Offline: true, Now: at(today)})
		for range 2 { // the second answer is remembered
			_, _, _, _, err := j.SearchBySHA1(t.Context(), strings.Repeat("11", 20))
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), "db update java-db") {
				t.Errorf("%s: %v, want %v and what to do", name, err, tt.want)
			}
		}
		if src, used := j.Source(); !used || src.Problem == "" {
			t.Errorf("%s: Source = %+v, %t, want a problem", name, src, used)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestJavaDBIsFetchedAtTheFirstQuestion(t *testing.T) {
	s := newServer(t)
	s.push(t, "java:1", javaMediaType, javaFiles(t, today))
	j := NewJavaDB(s.options(t.TempDir(), "java:1"))
	defer j.Close()
	if s.blobs.Load() != 0 {
		t.Error("the index was fetched though nobody asked")
	}
	ok, err := j.Exists(t.Context(), "jstl", "jstl")
	if !ok || err != nil {
		t.Errorf("Exists = %t, %v", ok, err)
	}
	if src, _ := j.Source(); !strings.HasSuffix(src.Location, "/java:1") {
		t.Errorf("Source = %+v, want the repository", src)
	}
}

func TestJavaDBThatIsDueIsUsedWhereItCannotBeRefreshed(t *testing.T) {
	s := newServer(t)
	o := s.options(javaIndex(t, today.AddDate(0, 0, -9)), "nothing:1")
	j := NewJavaDB(o)
	defer j.Close()
	if ok, err := j.Exists(t.Context(), "jstl", "jstl"); !ok || err != nil {
		t.Errorf("Exists = %t, %v", ok, err)
	}
	if src, _ := j.Source(); !strings.Contains(src.Problem, "could not be refreshed") {
		t.Errorf("Source = %+v, want why it is old", src)
	}
}

func TestEndOfLife(t *testing.T) {
	for _, tt := range []struct {
		dist         facts.Distribution
		ended, known bool
	}{
		{facts.Distribution{Family: "debian", Version: "10.13"}, true, true},
		{facts.Distribution{Family: "debian", Version: "12.4"}, false, true},
		{facts.Distribution{Family: "debian", Version: "99"}, false, false},
		{facts.Distribution{Family: "alpine", Version: "3.15.11"}, true, true},
		{facts.Distribution{Family: "alpine", Version: "3.23.0"}, false, true},
		{facts.Distribution{Family: "alpine", Version: "edge"}, false, true},
		{facts.Distribution{Family: "centos", Version: "7.9.2009"}, true, true},
		{facts.Distribution{Family: "amazon", Version: "2 (Karoo)"}, true, true},
		{facts.Distribution{Family: "amazon", Version: "2023.9.20251110"}, false, true},
		{facts.Distribution{Family: "ubuntu", Version: "14.04"}, true, true},
		{facts.Distribution{Family: "rocky", Version: "9.4"}, false, true},
		{facts.Distribution{Family: "wolfi", Version: "20230201"}, false, true},
		{facts.Distribution{Family: "opensuse-tumbleweed", Version: "20260101"}, false, true},
		{facts.Distribution{Family: "fedora", Version: "30"}, false, false},
		{facts.Distribution{Family: "azurelinux", Version: "3.0"}, false, false},
		{facts.Distribution{Family: "amazon"}, false, false},
		{facts.Distribution{Family: "none"}, false, false},
		{facts.Distribution{}, false, false},
	} {
		if ended, known := EndOfLife(tt.dist, today); ended != tt.ended || known != tt.known {
			t.Errorf("EndOfLife(%s %q) = %t, %t, want %t, %t", tt.dist.Family, tt.dist.Version, ended, known, tt.ended, tt.known)
		}
	}
	extended := facts.Distribution{Family: "ubuntu", Version: "14.04", Extended: true}
	if ended, known := EndOfLife(extended, time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)); ended || !known {
		t.Errorf("Ubuntu 14.04 in extended maintenance in 2022: %t, %t, want supported", ended, known)
	}
}
