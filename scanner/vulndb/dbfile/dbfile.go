// Package dbfile writes small vulnerability databases in trivy's format from
// fixtures that people can read. Tests and the demonstration have theirs made by
// it; a scan never does.
//
// The same fixture gives the same bytes.
package dbfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	dbtypes "github.com/aquasecurity/trivy-db/pkg/types"
	"go.etcd.io/bbolt"
	"go.yaml.in/yaml/v3"
)

// Fixture is a database. In YAML its keys are the lower-case names below.
type Fixture struct {
	// Version is the schema; 0 means 2, the one that trivy reads.
	Version int `yaml:"version"`
	// Updated and NextUpdate go into the metadata.
	Updated    time.Time `yaml:"updated"`
	NextUpdate time.Time `yaml:"next_update"`
	// Sources says, for buckets of Advisories, who published them.
	Sources map[string]Source `yaml:"sources"`
	// Advisories are by bucket ("debian 12", "npm::GitHub Security Advisory npm"),
	// package and vulnerability.
	Advisories map[string]map[string]map[string]Advisory `yaml:"advisories"`
	// Raw are values that have another shape than Advisory, as Red Hat's have.
	Raw []Raw `yaml:"raw"`
	// Vulnerabilities are the details by id.
	Vulnerabilities map[string]Vulnerability `yaml:"vulnerabilities"`
}

// Source is who published advisories.
type Source struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	URL  string `yaml:"url"`
}

// Advisory says which versions of a package are affected: Fixed alone for OS
// packages (empty: not fixed), ranges for those of languages.
type Advisory struct {
	Fixed      string   `yaml:"fixed"`
	Severity   string   `yaml:"severity"` // of this package, where the publisher has one: "low" … "critical"
	Status     string   `yaml:"status"`   // "will_not_fix" …, where not fixed
	Aliases    []string `yaml:"aliases"`
	Arches     []string `yaml:"arches"`
	Vulnerable []string `yaml:"vulnerable"` // "<4.17.21"
	Patched    []string `yaml:"patched"`    // ">=4.17.21" or "4.17.21"
	Unaffected []string `yaml:"unaffected"`
}

// Raw is one value below a path of buckets and a key.
type Raw struct {
	Path  []string `yaml:"path"`
	Value any      `yaml:"value"`
}

// Vulnerability is what is known of an id.
type Vulnerability struct {
	Title      string            `yaml:"title"`
	Severity   map[string]string `yaml:"severity"` // by source: "nvd", "ghsa", "debian" …
	CVSS       map[string]CVSS   `yaml:"cvss"`
	CWEs       []string          `yaml:"cwes"`
	References []string          `yaml:"references"`
	Published  time.Time         `yaml:"published"`
}

// CVSS is what one source says.
type CVSS struct {
	V2       string  `yaml:"v2"`
	V2Score  float64 `yaml:"v2_score"`
	V3       string  `yaml:"v3"`
	V3Score  float64 `yaml:"v3_score"`
	V40      string  `yaml:"v4"`
	V40Score float64 `yaml:"v4_score"`
}

// Parse reads a fixture; an unknown key is an error.
func Parse(doc []byte) (Fixture, error) {
	var f Fixture
	dec := yaml.NewDecoder(bytes.NewReader(doc))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return f, fmt.Errorf("read database fixture: %w", err)
	}
	return f, nil
}

// Write makes trivy.db and metadata.json in dir, which it creates. A database
// that is there is replaced.
func (f Fixture) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make database folder: %w", err)
	}
	values, err := f.values()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "trivy.db")
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	if err := writeBolt(path, values); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	version := f.Version
	if version == 0 {
		version = 2
	}
	meta, err := json.Marshal(struct {
		Version                             int
		NextUpdate, UpdatedAt, DownloadedAt time.Time
	}{version, f.NextUpdate, f.Updated, f.Updated})
	if err != nil {
		return fmt.Errorf("write metadata: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "metadata.json"), append(meta, '\n'), 0o644)
}

// value is one entry of the file: buckets, key, JSON.
type value struct {
	path []string
	json []byte
}

// values lists every entry, in the order of its path.
func (f Fixture) values() ([]value, error) {
	var out []value
	add := func(content any, path ...string) error {
		b, err := json.Marshal(content)
		if err != nil {
			return fmt.Errorf("database entry %q: %w", path, err)
		}
		out = append(out, value{path, b})
		return nil
	}
	for bucket, s := range f.Sources {
		source := dbtypes.DataSource{ID: dbtypes.SourceID(s.ID), Name: s.Name, URL: s.URL}
		if err := add(source, "data-source", bucket); err != nil {
			return nil, err
		}
	}
	for bucket, packages := range f.Advisories {
		for name, advisories := range packages {
			for id, a := range advisories {
				if err := add(a.entry(), bucket, name, id); err != nil {
					return nil, err
				}
			}
		}
	}
	for id, v := range f.Vulnerabilities {
		if err := add(v.entry(), "vulnerability", id); err != nil {
			return nil, err
		}
	}
	for _, r := range f.Raw {
		if len(r.Path) < 2 {
			return nil, fmt.Errorf("raw database entry %q has no bucket", r.Path)
		}
		if err := add(r.Value, r.Path...); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b value) int { return slices.Compare(a.path, b.path) })
	return out, nil
}

// entry returns the advisory as the database keeps it.
func (a Advisory) entry() *dbtypes.Advisory {
	return &dbtypes.Advisory{
		FixedVersion: a.Fixed, Severity: severity(a.Severity), Status: dbtypes.NewStatus(a.Status),
		VendorIDs: a.Aliases, Arches: a.Arches,
		VulnerableVersions: a.Vulnerable, PatchedVersions: a.Patched, UnaffectedVersions: a.Unaffected,
	}
}

// entry returns the details as the database keeps them.
func (v Vulnerability) entry() dbtypes.Vulnerability {
	out := dbtypes.Vulnerability{Title: v.Title, CweIDs: v.CWEs, References: v.References}
	if !v.Published.IsZero() {
		out.PublishedDate = &v.Published
	}
	for _, source := range slices.Sorted(maps.Keys(v.Severity)) {
		if out.VendorSeverity == nil {
			out.VendorSeverity = dbtypes.VendorSeverity{}
		}
		out.VendorSeverity[dbtypes.SourceID(source)] = severity(v.Severity[source])
	}
	for source, c := range v.CVSS {
		if out.CVSS == nil {
			out.CVSS = dbtypes.VendorCVSS{}
		}
		out.CVSS[dbtypes.SourceID(source)] = dbtypes.CVSS{
			V2Vector: c.V2, V2Score: c.V2Score, V3Vector: c.V3, V3Score: c.V3Score, V40Vector: c.V40, V40Score: c.V40Score,
		}
	}
	return out
}

// severity is unknown where the word is empty or none of the four.
func severity(word string) dbtypes.Severity {
	s, _ := dbtypes.NewSeverity(strings.ToUpper(word)) // it is unknown where there is an error
	return s
}

// writeBolt writes the values, which are in the order of their paths. The page
// size is fixed, as it would otherwise be that of the machine, and each bucket
// has a transaction of its own: where one changes several buckets, the library
// lays them out in the random order of a map.
func writeBolt(path string, values []value) error {
	db, err := bbolt.Open(path, 0o644, &bbolt.Options{PageSize: 4096, FreelistType: bbolt.FreelistArrayType, NoSync: true})
	if err != nil {
		return err
	}
	for len(values) > 0 && err == nil {
		buckets := values[0].path[:len(values[0].path)-1]
		n := slices.IndexFunc(values, func(v value) bool { return !slices.Equal(v.path[:len(v.path)-1], buckets) })
		if n < 0 {
			n = len(values)
		}
		err = db.Update(func(tx *bbolt.Tx) error { return putAll(tx, buckets, values[:n]) })
		values = values[n:]
	}
	if err == nil {
		err = db.Sync()
	}
	if closeErr := db.Close(); err == nil {
		err = closeErr
	}
	return err
}

// putAll puts the values, all of one bucket, into it.
func putAll(tx *bbolt.Tx, buckets []string, values []value) error {
	bucket, err := tx.CreateBucketIfNotExists([]byte(buckets[0]))
	if err != nil {
		return err
	}
	for _, name := range buckets[1:] {
		if bucket, err = bucket.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	for _, v := range values {
		if err := bucket.Put([]byte(v.path[len(v.path)-1]), v.json); err != nil {
			return err
		}
	}
	return nil
}
