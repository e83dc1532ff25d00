package manifests

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// kustomizationNames are the names that Kustomize looks for.
var kustomizationNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// isArchive tells a packed Helm chart by its name.
func isArchive(path string) bool {
	return strings.HasSuffix(path, ".tgz") || strings.HasSuffix(path, ".tar.gz")
}

// isManifest tells files that may hold manifests by their names.
func isManifest(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// kustomizationOf returns the folder's kustomization file, "" where it has none.
func kustomizationOf(dir string) string {
	for _, n := range kustomizationNames {
		if info, err := os.Stat(filepath.Join(dir, n)); err == nil && info.Mode().IsRegular() {
			return filepath.Join(dir, n)
		}
	}
	return ""
}

// isChart tells a chart's folder.
func isChart(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "Chart.yaml"))
	return err == nil && info.Mode().IsRegular()
}

// readFolder reads everything below a folder: charts and kustomizations are
// rendered, other YAML and JSON files are read as they are. What a
// kustomization takes in is not read a second time. Links are not followed.
func (c *Collector) readFolder(ctx context.Context, in *input, root string) {
	var charts, kustomizations, files []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return fs.SkipAll
		}
		if err != nil {
			in.fail(p, plainError(err))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.IsDir() {
			switch {
			case !d.Type().IsRegular():
			case isArchive(p):
				charts = append(charts, p)
			case isManifest(p):
				files = append(files, p)
			}
			return nil
		}
		switch {
		case p != root && strings.HasPrefix(d.Name(), "."), d.Name() == "node_modules":
			return fs.SkipDir
		case isChart(p):
			charts = append(charts, p)
			return fs.SkipDir
		case kustomizationOf(p) != "":
			kustomizations = append(kustomizations, p)
		}
		return nil
	})
	if err != nil {
		in.fail(root, plainError(err))
	}
	used := c.kustomizeFolders(ctx, in, kustomizations)
	for _, p := range charts {
		if ctx.Err() == nil && (!isArchive(p) || archivedChart(p)) {
			c.renderChart(ctx, in, p)
		}
	}
	for _, p := range files {
		if ctx.Err() != nil {
			return
		}
		if !used[cleanPath(p)] && !slices.Contains(kustomizationNames, filepath.Base(p)) {
			c.readFile(in, p)
		}
	}
}

// cleanPath makes paths that name the same file equal.
func cleanPath(p string) string {
	if abs, err := filepath.Abs(p); err == nil {
		return abs
	}
	return filepath.Clean(p)
}
