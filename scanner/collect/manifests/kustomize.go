package manifests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner/facts"
)

// originAnnotation is where Kustomize notes the file of a resource, when asked.
const originAnnotation = "config.kubernetes.io/origin"

// kustomizeFolders renders every kustomization that no other one takes in, and
// returns the files that kustomizations take in, by their clean paths.
func (c *Collector) kustomizeFolders(ctx context.Context, in *input, dirs []string) map[string]bool {
	used, based := map[string]bool{}, map[string]bool{}
	bad := map[string]error{}
	for _, dir := range dirs {
		w := &kustomizeWalk{files: used, folders: based, seen: map[string]bool{}, open: map[string]bool{}}
		if err := w.folder(dir); err != nil {
			bad[dir] = err
		}
	}
	for _, dir := range dirs {
		switch err := bad[dir]; {
		case ctx.Err() != nil:
			return used
		case err != nil:
			in.files++
			in.fail(kustomizationOf(dir), fmt.Errorf("render the kustomization %s: %w", filepath.ToSlash(dir), err))
		case !based[cleanPath(dir)]:
			c.kustomize(in, dir)
		}
	}
	return used
}

// kustomizeWalk follows a kustomization to what it takes in, and refuses what is
// not a local file: Kustomize itself would fetch it.
type kustomizeWalk struct {
	files   map[string]bool // taken in, clean paths
	folders map[string]bool // kustomizations that others take in
	seen    map[string]bool
	open    map[string]bool // those that are being walked
}

// folder walks one kustomization.
func (w *kustomizeWalk) folder(dir string) error {
	dir = cleanPath(dir)
	if w.open[dir] {
		return fmt.Errorf("%s takes itself in", filepath.ToSlash(dir))
	}
	if w.seen[dir] {
		return nil
	}
	w.seen[dir], w.open[dir] = true, true
	defer delete(w.open, dir)
	file := kustomizationOf(dir)
	if file == "" {
		return fmt.Errorf("%s has no kustomization.yaml", filepath.ToSlash(dir))
	}
	w.files[file] = true
	data, err := os.ReadFile(file)
	if err != nil {
		return plainError(err)
	}
	var k types.Kustomization
	if err := yaml.Unmarshal(data, &k); err != nil {
		return fmt.Errorf("%s: %w", filepath.ToSlash(file), err)
	}
	if len(k.HelmCharts) > 0 || len(k.HelmChartInflationGenerator) > 0 {
		return errors.New("it inflates Helm charts, which runs a program; render it with kustomize build --enable-helm and pipe the output in")
	}
	var errs []error
	for _, r := range slices.Concat(k.Resources, k.Bases, k.Components) { //nolint:staticcheck // old kustomizations still have bases
		errs = append(errs, w.resource(dir, r))
	}
	for _, p := range filePaths(&k) {
		errs = append(errs, w.file(dir, p))
	}
	for _, g := range slices.Concat(k.Generators, k.Transformers, k.Validators) {
		errs = append(errs, w.plugin(dir, g))
	}
	return errors.Join(errs...)
}

// filePaths lists the plain files that a kustomization names.
func filePaths(k *types.Kustomization) []string {
	out := slices.Concat(k.Crds, k.Configurations)
	for _, p := range slices.Concat(k.Patches, k.PatchesJson6902) { //nolint:staticcheck // old kustomizations still have them
		out = append(out, p.Path)
	}
	for _, p := range k.PatchesStrategicMerge { //nolint:staticcheck // old kustomizations still have them
		if !strings.Contains(string(p), "\n") {
			out = append(out, string(p))
		}
	}
	for _, r := range k.Replacements {
		out = append(out, r.Path)
	}
	out = append(out, k.OpenAPI["path"])
	sources := func(s *types.KvPairSources) {
		out = append(out, s.EnvSource)
		out = append(out, s.EnvSources...)
		for _, f := range s.FileSources {
			if _, p, found := strings.Cut(f, "="); found {
				f = p
			}
			out = append(out, f)
		}
	}
	for i := range k.ConfigMapGenerator {
		sources(&k.ConfigMapGenerator[i].KvPairSources)
	}
	for i := range k.SecretGenerator {
		sources(&k.SecretGenerator[i].KvPairSources)
	}
	return out
}

// remoteError says that something is not a local file.
func remoteError(entry string) error {
	if !remote(entry) && (localFolder(entry) || !strings.Contains(entry, "/")) {
		return fmt.Errorf("it takes in %q, which is not there", entry)
	}
	return fmt.Errorf("it takes in %q, which is not a file or folder here; remote bases are not fetched, so copy it beside the kustomization, or pipe the output of kustomize build in", entry)
}

// resource follows an entry of resources, bases or components.
func (w *kustomizeWalk) resource(dir, entry string) error {
	full := filepath.Join(dir, entry)
	info, err := os.Stat(full)
	if remote(entry) || err != nil {
		return remoteError(entry)
	}
	if !info.IsDir() {
		w.files[cleanPath(full)] = true
		return nil
	}
	if !localFolder(entry) {
		return remoteError(entry)
	}
	w.folders[cleanPath(full)] = true
	return w.folder(full)
}

// file checks a plain file.
func (w *kustomizeWalk) file(dir, entry string) error {
	if entry == "" {
		return nil
	}
	full := filepath.Join(dir, entry)
	if _, err := os.Stat(full); err != nil || remote(entry) {
		return remoteError(entry)
	}
	w.files[cleanPath(full)] = true
	return nil
}

// plugin checks a generator, transformer or validator: a file or text in place.
// What they may fetch is not known, so none may hold an address.
func (w *kustomizeWalk) plugin(dir, entry string) error {
	text := entry
	if !strings.Contains(entry, "\n") {
		if err := w.file(dir, entry); err != nil {
			return err
		}
		full := filepath.Join(dir, entry)
		if info, err := os.Stat(full); err == nil && info.IsDir() {
			return w.folder(full)
		}
		data, err := os.ReadFile(full)
		if err != nil {
			return plainError(err)
		}
		text = string(data)
	}
	if strings.Contains(text, "://") || strings.Contains(text, "git@") {
		return fmt.Errorf("a generator or transformer of it holds an address; nothing is fetched, so render it with kustomize build and pipe the output in")
	}
	return nil
}

// remote tells an address from a path.
func remote(entry string) bool {
	return strings.Contains(entry, "://") || strings.Contains(entry, "git@") || strings.Contains(entry, "?") || strings.HasPrefix(entry, "git::")
}

// localFolder tells a folder from what Kustomize would take for a repository: a
// first part with a dot (github.com/…), a colon, or a double slash.
func localFolder(entry string) bool {
	first, _, _ := strings.Cut(filepath.ToSlash(entry), "/")
	return first == "." || first == ".." || !strings.ContainsAny(first, ".:") && !strings.Contains(entry, "//") && !strings.Contains(entry, "_git")
}

// kustomize renders one kustomization and takes its objects in.
func (c *Collector) kustomize(in *input, dir string) {
	in.files++
	in.rendered = append(in.rendered, "kustomization "+filepath.ToSlash(dir))
	if err := c.renderKustomization(in, dir); err != nil {
		in.fail(kustomizationOf(dir), fmt.Errorf("render the kustomization %s: %w", filepath.ToSlash(dir), err))
	}
}

func (c *Collector) renderKustomization(in *input, dir string) error {
	root := kustomizationOf(dir)
	data, err := os.ReadFile(root)
	if err != nil {
		return plainError(err)
	}
	asked, err := withOrigins(data)
	if err != nil {
		return err
	}
	fsys := overlay{FileSystem: filesys.MakeFsOnDisk(), path: cleanPath(root), data: asked}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fsys, dir)
	if err != nil {
		return err
	}
	line := 0
	for _, r := range resources.Resources() {
		origin, text, err := renderedText(r)
		if err != nil {
			return err
		}
		file := dir
		if origin != "" {
			file = filepath.Join(dir, origin)
		}
		in.parse(facts.Origin{File: filepath.ToSlash(file), Rendered: true}, text, line)
		line += bytes.Count(text, []byte("\n")) + 1 // the line of --- between two
	}
	return nil
}

// renderedText returns the YAML of a resource and the file that it came from.
func renderedText(r *resource.Resource) (string, []byte, error) {
	annotations := r.GetAnnotations()
	var origin struct {
		Path         string `json:"path"`
		ConfiguredIn string `json:"configuredIn"`
	}
	if note, ok := annotations[originAnnotation]; ok {
		if err := yaml.Unmarshal([]byte(note), &origin); err != nil {
			return "", nil, err
		}
		delete(annotations, originAnnotation)
		if err := r.SetAnnotations(annotations); err != nil {
			return "", nil, err
		}
	}
	text, err := r.AsYAML()
	if origin.Path == "" {
		origin.Path = origin.ConfiguredIn
	}
	return origin.Path, text, err
}

// withOrigins asks a kustomization to note where its resources come from.
func withOrigins(data []byte) ([]byte, error) {
	var m map[string]any
	if err := yaml.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	if m == nil {
		m = map[string]any{}
	}
	list, _ := m["buildMetadata"].([]any)
	if !slices.Contains(list, any(types.OriginAnnotations)) {
		m["buildMetadata"] = append(list, types.OriginAnnotations)
	}
	return yaml.Marshal(m)
}

// overlay is the disk with one file's content replaced. It writes nothing.
type overlay struct {
	filesys.FileSystem
	path string
	data []byte
}

func (o overlay) ReadFile(name string) ([]byte, error) {
	if cleanPath(name) == o.path {
		return o.data, nil
	}
	return o.FileSystem.ReadFile(name)
}
