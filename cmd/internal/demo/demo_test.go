package demo

import (
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/vulndb"
)

func TestImageIsWhole(t *testing.T) {
	paths, err := Extract(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(paths.Image)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
}

func TestDatabaseKnowsPackagesOfEveryKind(t *testing.T) {
	vulndb.RouteLogs(slog.New(slog.DiscardHandler))
	paths, err := Extract(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	db, err := vulndb.Open(t.Context(), vulndb.Options{Dir: paths.Database, Bundled: true, KEV: paths.KEV, EPSS: paths.EPSS})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := db.Missing(); len(got) > 0 {
		t.Errorf("Missing = %v, want both lists", got)
	}
	if got := db.Source().Problem; got == "" {
		t.Error("the source does not say that the database is bundled")
	}
	found, err := db.Match(t.Context(), facts.Distribution{Family: "debian", Version: "10.13"}, []facts.Package{
		{Type: "debian", Class: "os", Name: "sudo", Version: "1.8.27", Release: "1+deb10u2", SourceName: "sudo", SourceVersion: "1.8.27", SourceRelease: "1+deb10u2"},
		{Type: "node-pkg", Class: "language", Name: "lodash", Version: "4.17.15"},
		{Type: "python-pkg", Class: "language", Name: "PyYAML", Version: "5.3.1"},
		{Type: "jar", Class: "language", Name: "org.apache.logging.log4j:log4j-core", Version: "2.14.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, v := range found {
		ids = append(ids, v.ID)
		if v.Title == "" || v.Severity == "unknown" || len(v.References) == 0 || v.Published == "" {
			t.Errorf("%s lacks details: %+v", v.ID, v)
		}
	}
	slices.Sort(ids)
	want := []string{
		"CVE-2020-14343", "CVE-2020-28500", "CVE-2020-8203", "CVE-2021-23337", "CVE-2021-3156", "CVE-2021-44228", "CVE-2021-44832", "CVE-2021-45046",
	}
	if !slices.Equal(ids, want) {
		t.Errorf("found %v, want %v", ids, want)
	}
}

func TestDemonstrationIsSmall(t *testing.T) {
	const limit = 300 << 10
	var size int64
	err := fs.WalkDir(files, ".", func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil || size > limit {
		t.Errorf("the demonstration has %d bytes (%v), %d are allowed", size, err, limit)
	}
}

func TestExtractSaysWhereItCannotWrite(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Extract(file); err == nil {
		t.Error("Extract into a file succeeded")
	}
}
