// Command gen makes the image and the database of the demonstration, in the
// folder image and database below the working directory. The same source gives
// the same bytes: no clock, no random numbers, fixed owners and times, and a
// compressor whose version go.mod pins.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	_ "embed"

	"github.com/postscan/postscan/scanner/vulndb/dbfile"
)

//go:embed database.yaml
var database []byte

// The lists are excerpts: what they say of these vulnerabilities is what the
// publishers said at the date that each names.
const (
	kev = `{
  "title": "Excerpt of CISA's Known Exploited Vulnerabilities for the demonstration of postscan",
  "catalogVersion": "demonstration",
  "dateReleased": "2026-11-01T00:00:00Z",
  "count": 2,
  "vulnerabilities": [
    {"cveID": "CVE-2021-3156", "vendorProject": "Sudo", "product": "Sudo", "dateAdded": "2022-04-06"},
    {"cveID": "CVE-2021-44228", "vendorProject": "Apache", "product": "Log4j2", "dateAdded": "2021-12-10"}
  ]
}
`
	epss = `#model_version:demonstration,score_date:2026-11-01T00:00:00Z
cve,epss,percentile
CVE-2021-3156,0.92,0.99
CVE-2021-44228,0.94,0.99
`
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err) //nolint:forbidigo // this is a program of its own
		os.Exit(1)                           //nolint:forbidigo // this is a program of its own
	}
}

// run makes both folders below dir anew.
func run(dir string) error {
	imageDir, dbDir := filepath.Join(dir, "image"), filepath.Join(dir, "database")
	for _, d := range []string{imageDir, dbDir} {
		if err := os.RemoveAll(d); err != nil {
			return err
		}
	}
	if err := writeImage(imageDir); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	fixture, err := dbfile.Parse(database)
	if err != nil {
		return err
	}
	if err := fixture.Write(dbDir); err != nil {
		return err
	}
	for name, text := range map[string]string{"kev.json": kev, "epss.csv": epss} {
		if err := os.WriteFile(filepath.Join(dbDir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
