package checks

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // for the list of retired ids
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/postscan/postscan/policies"
	"github.com/postscan/postscan/scanner/facts"
)

// Source is a folder of policies: "<subject>/<name>.rego" with
// "<subject>/<name>_test.rego" beside it, and "lib/<name>.rego".
type Source struct {
	FS fs.FS
	// Name stands before the paths in Check.File and in errors: a folder's name.
	Name string
	// Official marks postscan's own policies: their ids begin with PS-, those of
	// all others must not.
	Official bool
}

// BuiltIn is the source of the policies that are compiled in.
func BuiltIn() Source { return Source{FS: policies.FS, Name: "policies", Official: true} }

// Dir is the source of a folder on disk. It is official where it is the folder
// policies of a checkout of postscan.
func Dir(dir string) Source {
	b, err := os.ReadFile(filepath.Join(dir, "embed.go"))
	return Source{FS: os.DirFS(dir), Name: filepath.ToSlash(dir), Official: err == nil && bytes.Contains(b, []byte("package policies\n"))}
}

// Catalogue is a set of checks and what belongs to them. It does not change and
// is safe for concurrent use.
type Catalogue struct {
	checks     []*Check // by ID
	byID       map[string]*Check
	files      []*file // policies, libraries and tests, by source and path
	frameworks []Framework
	params     []Param // by name
	digest     string
}

// fileKind says what a file of Rego is for.
type fileKind int

const (
	policyFile fileKind = iota
	libraryFile
	testFile
)

// file is one file of Rego.
type file struct {
	name     string // for people: Source.Name and path
	path     string // inside the source
	kind     fileKind
	subject  facts.Kind // of a policy or its test
	pkg      string
	src      string
	official bool
	header   header
	check    *Check // of a policy
	problems Problems
}

//go:embed retired.yaml
var retiredFile []byte

// retiredIDs are ids that must not be used again.
func retiredIDs() (map[string]string, error) {
	var list []struct{ ID, Since, Reason string }
	if err := yaml.Unmarshal(retiredFile, &list); err != nil {
		return nil, fmt.Errorf("read the retired ids: %w", err)
	}
	out := map[string]string{}
	for _, r := range list {
		out[r.ID] = r.Reason
	}
	return out, nil
}

// Load reads the METADATA of every policy of the sources and validates it. The
// error is [Problems] where policies break the contract. The Rego below the
// METADATA is not read yet: see [Catalogue.Compile] and [Catalogue.Verify].
func Load(sources ...Source) (*Catalogue, error) {
	retired, err := retiredIDs()
	if err != nil {
		return nil, err
	}
	return load(sources, retired)
}

func load(sources []Source, retired map[string]string) (*Catalogue, error) {
	var frameworks []Framework
	var frameworksErr error
	var wg sync.WaitGroup
	wg.Go(func() { frameworks, frameworksErr = Frameworks() })
	files, err := readSources(sources)
	if err != nil {
		return nil, err
	}
	inParallel(files, func(f *file) { f.parseHeader() })
	wg.Wait()
	if frameworksErr != nil {
		return nil, frameworksErr
	}
	c := &Catalogue{byID: map[string]*Check{}, files: files, frameworks: frameworks}
	var problems Problems
	for _, f := range files {
		problems = append(problems, f.problems...)
		if f.kind == policyFile && len(f.problems) == 0 && f.header.partOf == "" {
			problems = append(problems, c.add(f, retired)...)
		}
	}
	for _, f := range files {
		if f.kind == policyFile && len(f.problems) == 0 && f.header.partOf != "" {
			problems = append(problems, c.addPart(f)...)
		}
	}
	problems = append(problems, c.duplicatePackages()...)
	problems = append(problems, c.collectParams()...)
	if err := problems.orNil(); err != nil {
		return nil, err
	}
	slices.SortFunc(c.checks, func(a, b *Check) int { return cmp.Compare(a.ID, b.ID) })
	c.digest = digest(files)
	return c, nil
}

// readSources lists and reads every file of Rego.
func readSources(sources []Source) ([]*file, error) {
	var out []*file
	for _, s := range sources {
		if s.FS == nil {
			return nil, errors.New("read policies: a source has no file system")
		}
		err := fs.WalkDir(s.FS, ".", func(p string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && p != "." && strings.HasPrefix(d.Name(), "."):
				return fs.SkipDir
			case d.IsDir() || path.Ext(p) != ".rego":
				return nil
			}
			b, err := fs.ReadFile(s.FS, p)
			if err != nil {
				return err
			}
			out = append(out, &file{name: path.Join(s.Name, p), path: p, src: string(b), official: s.Official})
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read the policies of %q: %w", s.Name, err)
		}
	}
	return out, nil
}

// inParallel does something with every file, on all processors.
func inParallel(files []*file, do func(*file)) {
	next := make(chan *file)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), max(len(files), 1)) {
		wg.Go(func() {
			for f := range next {
				do(f)
			}
		})
	}
	for _, f := range files {
		next <- f
	}
	close(next)
	wg.Wait()
}

// All returns every check by id.
func (c *Catalogue) All() []*Check { return slices.Clone(c.checks) }

// Lookup returns the check with the id, in any case.
func (c *Catalogue) Lookup(id string) (*Check, bool) {
	check, ok := c.byID[strings.ToUpper(id)]
	return check, ok
}

// Params returns every parameter of every check by name.
func (c *Catalogue) Params() []Param { return slices.Clone(c.params) }

// Frameworks returns every framework by id.
func (c *Catalogue) Frameworks() []Framework { return slices.Clone(c.frameworks) }

// Framework returns the framework with the id.
func (c *Catalogue) Framework(id string) (*Framework, bool) {
	for i := range c.frameworks {
		if c.frameworks[i].ID == id {
			return &c.frameworks[i], true
		}
	}
	return nil, false
}

// Digest is the SHA-256, in hex, over all policies and libraries: what decides,
// and nothing else. Tests and the order of sources do not change it.
func (c *Catalogue) Digest() string { return c.digest }

func digest(files []*file) string {
	deciding := slices.DeleteFunc(slices.Clone(files), func(f *file) bool { return f.kind == testFile })
	slices.SortFunc(deciding, func(a, b *file) int { return cmp.Compare(a.pkg, b.pkg) })
	h := sha256.New()
	for _, f := range deciding {
		fmt.Fprintf(h, "%s %d\n%s", f.pkg, len(f.src), f.src)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// lastPart is what stands after the last dot.
func lastPart(pkg string) string { return pkg[strings.LastIndexByte(pkg, '.')+1:] }
