// Package house holds the rules of the house: which package may import which,
// what never gets into the binary, what the tree looks like. It has tests only.
//
// The tables below are the rules. A new package needs a line in rooms; whoever
// adds it decides there what it may know of the others.
package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/postscan/postscan"

// rooms are the folders that hold packages, and which other rooms each may
// import. A package belongs to the room with the longest path that leads to it;
// packages of one room may import each other.
var rooms = map[string]struct {
	imports []string // rooms
	alone   bool     // beside its imports the standard library only
}{
	"scanner/facts":             {alone: true},
	"scanner":                   {alone: true, imports: []string{"scanner/facts"}},
	"policies":                  {alone: true},
	"checks":                    {imports: []string{"policies", "scanner/facts"}},
	"scanner/inventory":         {imports: []string{"scanner/facts"}},
	"scanner/vulndb":            {imports: []string{"scanner/facts"}},
	"scanner/collect/image":     {imports: []string{"scanner", "scanner/facts", "scanner/inventory", "scanner/vulndb"}},
	"scanner/collect/vm":        {imports: []string{"scanner", "scanner/facts", "scanner/inventory", "scanner/vulndb"}},
	"scanner/collect/kube":      {imports: []string{"scanner", "scanner/facts"}},
	"scanner/collect/cluster":   {imports: []string{"scanner", "scanner/facts", "scanner/collect/kube"}},
	"scanner/collect/manifests": {imports: []string{"scanner", "scanner/facts", "scanner/collect/kube"}},
	"scanner/collect/engine":    {imports: []string{"scanner", "scanner/facts"}},
	"scanner/audit":             {imports: []string{"scanner", "scanner/facts"}},
	"scanner/regoeval":          {imports: []string{"scanner", "scanner/facts", "checks"}},
	"scanner/filter":            {imports: []string{"scanner", "scanner/facts", "checks"}},
	"scanner/isolation":         {imports: []string{"scanner", "scanner/facts"}},
	"scanner/report":            {imports: []string{"scanner", "scanner/facts", "checks"}},
	"cmd/internal/cli":          {imports: []string{"*"}},
	"cmd/internal/gen":          {imports: []string{"*"}},
	"cmd/internal/demo":         {imports: []string{"scanner/vulndb"}},
	"cmd/internal/house":        {},
	"cmd/postscan":              {imports: []string{"cmd/internal/cli"}},
}

// confined are the libraries that are used in named rooms only. The longest
// path that leads to an import decides.
var confined = map[string][]string{
	"github.com/aquasecurity":            {"scanner/inventory", "scanner/vulndb"},
	"github.com/open-policy-agent":       {"scanner/regoeval", "checks"},
	"github.com/spf13/cobra":             {"cmd/internal/cli", "cmd/internal/gen"},
	"k8s.io/client-go":                   {"scanner/collect/cluster"},
	"k8s.io/client-go/kubernetes/scheme": {"scanner/collect/cluster", "scanner/collect/kube", "scanner/collect/manifests"},
	"helm.sh/helm":                       {"scanner/collect/manifests"},
	"github.com/spf13/viper":             {},
}

// heavy matches packages that must never be linked: they bring Terraform, Helm's
// installer and the SDKs of every cloud, and with them more than 150 MB.
var heavy = regexp.MustCompile(`^(` +
	`github\.com/aquasecurity/trivy/pkg/(commands|scan/local|fanal/(analyzer|artifact|applier|secret)|iac|cache|misconf|report|result|flag|db)` +
	`|helm\.sh/helm/v[34]/pkg/(action|cmd)` +
	`|github\.com/hashicorp/terraform[^/]*` +
	`)(/|$)`)

// topLevel is everything that may stand at the top, beside dot-files.
var topLevel = []string{
	"CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile", "LICENSE", "README.md", "SECURITY.md",
	"checks", "cmd", "docs", "go.mod", "go.sum", "policies", "scanner", "testdata",
}

// vague are names that say nothing of what a package is about.
var vague = []string{"pkg", "util", "utils", "common", "types", "models", "helpers", "misc", "base", "shared"}

// privatePath matches a path of the machines that postscan is built on.
var privatePath = regexp.MustCompile(`(^|[^[:alnum:]_.-])/(work|farm)/`)

func TestPackagesImportOnlyWhatTheirRoomAllows(t *testing.T) {
	for _, f := range sources(t) {
		dir := path.Dir(f.name)
		room, ok := longest(maps.Keys(rooms), dir)
		if !ok {
			t.Errorf("%s: no room for package %s: add it to the table of this test, with what it may import", f.name, dir)
			continue
		}
		for _, imp := range f.imports {
			if lib, ok := longest(maps.Keys(confined), imp); ok && !slices.Contains(confined[lib], room) {
				t.Errorf("%s imports %s, which is used in %v only", f.name, imp, confined[lib])
			}
			ours, isOurs := strings.CutPrefix(imp, module+"/")
			switch {
			case isOurs:
				target, _ := longest(maps.Keys(rooms), ours)
				if target != room && !slices.Contains(rooms[room].imports, target) && !slices.Contains(rooms[room].imports, "*") {
					t.Errorf("%s imports %s: room %s may import %v of ours only", f.name, imp, room, rooms[room].imports)
				}
			case rooms[room].alone && strings.Contains(strings.Split(imp, "/")[0], "."):
				t.Errorf("%s imports %s: room %s uses the standard library only", f.name, imp, room)
			}
		}
	}
}

func TestBinaryLinksNoHeavyPackage(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "./cmd/postscan")
	cmd.Dir = root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps ./cmd/postscan: %v\n%s", err, stderr.Bytes())
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, module+"/scanner") {
		t.Fatalf("the %d packages that go list names do not include %s/scanner: this test would see nothing", len(deps), module)
	}
	for _, dep := range deps {
		if heavy.MatchString(dep) {
			t.Errorf("the binary links %s", dep)
		}
	}
}

func TestPackagesHaveNoInit(t *testing.T) {
	for _, f := range sources(t) {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function: what it sets up belongs to a constructor", f.name)
			}
		}
	}
}

func TestPackageNamesSayWhatTheyAreAbout(t *testing.T) {
	for _, f := range sources(t) {
		for _, name := range append(strings.Split(path.Dir(f.name), "/"), f.syntax.Name.Name) {
			if slices.Contains(vague, name) {
				t.Errorf("%s: %q says nothing of what is in it", f.name, name)
			}
		}
	}
}

func TestTopLevelIsFixed(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range tracked(t) {
		top, _, _ := strings.Cut(name, "/")
		if seen[top] || strings.HasPrefix(top, ".") {
			continue
		}
		seen[top] = true
		if !slices.Contains(topLevel, top) {
			t.Errorf("%s stands at the top level, which is fixed", top)
		}
	}
	for _, name := range []string{"LICENSE", "README.md", "go.mod", "Dockerfile"} {
		if !seen[name] {
			t.Errorf("%s is missing from the top level", name)
		}
	}
}

func TestLicenseIsApache(t *testing.T) {
	text := read(t, "LICENSE")
	for _, want := range []string{"Apache License", "Version 2.0, January 2004", "END OF TERMS AND CONDITIONS"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("LICENSE does not contain %q", want)
		}
	}
}

func TestFilesNameNoPrivatePath(t *testing.T) {
	for _, name := range tracked(t) {
		text := read(t, name)
		if bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 {
			continue // binary
		}
		if loc := privatePath.FindIndex(text); loc != nil {
			line := 1 + bytes.Count(text[:loc[0]], []byte("\n"))
			t.Errorf("%s:%d names a path of a build machine", name, line)
		}
	}
}

func TestPoliciesHaveTestsAndNothingElse(t *testing.T) {
	files := tracked(t)
	policies := 0
	for _, name := range files {
		if !strings.HasPrefix(name, "policies/") {
			continue
		}
		switch path.Ext(name) {
		case ".go":
		case ".rego":
			if strings.HasSuffix(name, "_test.rego") {
				continue
			}
			policies++
			if bytes.Contains(read(t, name), []byte("\n#   decided_by: ")) {
				continue // it holds METADATA alone: what decides it has its tests in Go
			}
			if test := strings.TrimSuffix(name, ".rego") + "_test.rego"; !slices.Contains(files, test) {
				t.Errorf("%s has no %s beside it", name, path.Base(test))
			}
		default:
			t.Errorf("%s: policies holds Rego only, since opa loads every other document as data", name)
		}
	}
	if policies == 0 {
		t.Error("no policy found: this test would see nothing")
	}
}

// A test that skips where a real part is missing must fail where CI says that
// every part is there.
func TestSkipsFailInCI(t *testing.T) {
	skips, asks := map[string]string{}, map[string]bool{} // by folder
	for _, name := range tracked(t) {
		if !strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "cmd/internal/house/") {
			continue
		}
		text := read(t, name)
		if regexp.MustCompile(`\.Skip(f|Now)?\(`).Match(text) {
			skips[path.Dir(name)] = name
		}
		if regexp.MustCompile(`(Getenv|LookupEnv)\("CI"\)`).Match(text) {
			asks[path.Dir(name)] = true
		}
	}
	for dir, name := range skips {
		if !asks[dir] {
			t.Errorf("%s skips, and no test of its folder looks at CI: fail there instead", name)
		}
	}
}

func TestModuleCanBeInstalledByPath(t *testing.T) {
	text := read(t, "go.mod")
	for _, directive := range []string{"replace", "exclude", "tool"} {
		if regexp.MustCompile(`(?m)^` + directive + `\b`).Match(text) {
			t.Errorf("go.mod has a %s directive: go install %s/cmd/postscan@VERSION refuses it or moves the product's versions", directive, module)
		}
	}
}

// The policies are tested by stock opa of the version that judges them.
func TestToolOPAIsTheLinkedOne(t *testing.T) {
	version := regexp.MustCompile(`github\.com/open-policy-agent/opa (v\S+)`)
	product := version.FindSubmatch(read(t, "go.mod"))
	tool := version.FindSubmatch(read(t, ".ci/tools/opa/go.mod"))
	if product == nil || tool == nil {
		t.Fatal("go.mod and .ci/tools/opa/go.mod must both require github.com/open-policy-agent/opa")
	}
	if !bytes.Equal(product[1], tool[1]) {
		t.Errorf("postscan links opa %s, the tests use opa %s", product[1], tool[1])
	}
}

// source is one Go file of the product that is no test.
type source struct {
	name    string // from the root of the repository, with slashes
	syntax  *ast.File
	imports []string
}

// sources parses every Go file of the product, whatever system it is for.
func sources(t *testing.T) []source {
	t.Helper()
	var files []source
	for _, name := range tracked(t) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || slices.Contains(strings.Split(name, "/"), "testdata") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), name, read(t, name), parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		f := source{name: name, syntax: syntax}
		for _, spec := range syntax.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			f.imports = append(f.imports, imp)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		t.Fatal("no Go file found: this test would see nothing")
	}
	return files
}

// tracked names the files that git tracks, or where there is no git, as in a
// source archive, every file there is. Paths are relative to the root.
func tracked(t *testing.T) []string {
	t.Helper()
	dir := root(t)
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = dir
	if out, err := cmd.Output(); err == nil && len(out) > 0 {
		names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		return slices.DeleteFunc(names, func(name string) bool { // deleted, and not yet committed
			_, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
			return err != nil
		})
	}
	var names []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		rel, err := filepath.Rel(dir, p)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// read returns a tracked file. A symbolic link is not followed.
func read(t *testing.T, name string) []byte {
	t.Helper()
	p := filepath.Join(root(t), filepath.FromSlash(name))
	if info, err := os.Lstat(p); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(p)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(target)
	}
	text, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// root is the root of the repository: the nearest folder above with go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above this test")
		}
		dir = filepath.Dir(dir)
	}
}

// longest returns the longest of the paths that is p or leads to it.
func longest(paths func(yield func(string) bool), p string) (string, bool) {
	best, found := "", false
	for dir := range paths {
		if (p == dir || strings.HasPrefix(p, dir+"/")) && len(dir) >= len(best) {
			best, found = dir, true
		}
	}
	return best, found
}
