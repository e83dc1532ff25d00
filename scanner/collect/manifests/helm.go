package manifests

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chartutil "helm.sh/helm/v4/pkg/chart/common/util"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	depsutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// newestMinor is the version that charts are rendered for where nobody says another.
const newestMinor = 37

// archivedChart tells a packed chart from any other archive: its first files
// stand in one folder that holds a Chart.yaml.
func archivedChart(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // it was only read
	z, err := gzip.NewReader(f)
	if err != nil {
		return false
	}
	t := tar.NewReader(io.LimitReader(z, 1<<20))
	for range 64 {
		h, err := t.Next()
		if err != nil {
			return false
		}
		if dir, file := path.Split(path.Clean(h.Name)); file == "Chart.yaml" && strings.Count(dir, "/") == 1 {
			return true
		}
	}
	return false
}

// renderChart renders a Helm chart, a folder or a .tgz, and takes its objects in.
// Each keeps the template that made it and its line in what that template renders to.
func (c *Collector) renderChart(ctx context.Context, in *input, name string) {
	in.files++
	type result struct {
		chart    *chartv2.Chart
		rendered map[string]string
		err      error
	}
	done := make(chan result, 1)
	go func() { // a template can run for long, and the engine takes no context
		ch, out, err := c.render(name)
		done <- result{ch, out, err}
	}()
	var res result
	select {
	case res = <-done:
	case <-ctx.Done():
		return // the caller reports it
	}
	if res.err != nil {
		file := name
		if !isArchive(name) {
			file = filepath.Join(name, "Chart.yaml")
		}
		in.fail(file, fmt.Errorf("render the Helm chart %s: %w", filepath.ToSlash(name), res.err))
		return
	}
	rendered := "Helm chart " + res.chart.Name()
	if looksUp(res.chart) {
		rendered += " (what it looks up in a cluster counts as not there)"
	}
	in.rendered = append(in.rendered, rendered)
	before := len(in.objects)
	for _, t := range sortedKeys(res.rendered) {
		if base := path.Base(t); strings.HasPrefix(base, "_") || base == "NOTES.txt" || strings.TrimSpace(res.rendered[t]) == "" {
			continue
		}
		in.parse(facts.Origin{File: templateFile(name, t), Rendered: true}, []byte(res.rendered[t]), 0)
	}
	if c.opts.Namespace == "" {
		unplace(in.objects[before:])
	}
	for _, crd := range res.chart.CRDObjects() {
		in.skipped["CustomResourceDefinition.apiextensions.k8s.io"] += strings.Count("\n"+string(crd.File.Data), "\nkind: CustomResourceDefinition")
	}
}

// unplace takes the namespace away that a chart was rendered for where nobody
// says to which it goes: the chart does not ask for that one.
func unplace(objects []object) {
	for i := range objects {
		if o, ok := objects[i].value.(metav1.Object); ok && o.GetNamespace() == metav1.NamespaceDefault {
			o.SetNamespace("")
		}
	}
}

// lookups finds calls of lookup in templates.
var lookups = regexp.MustCompile(`\{\{[^}]*\blookup\s`)

// looksUp says whether a chart, or one below it, asks a cluster for objects.
func looksUp(ch *chartv2.Chart) bool {
	return slices.ContainsFunc(ch.Templates, func(t *common.File) bool { return lookups.Match(t.Data) }) ||
		slices.ContainsFunc(ch.Dependencies(), looksUp)
}

// templateFile is where a template stands. Helm names it CHART/templates/x.yaml;
// the chart's folder may have another name.
func templateFile(name, template string) string {
	if isArchive(name) {
		return filepath.ToSlash(name) + "!/" + template
	}
	_, rest, _ := strings.Cut(template, "/")
	return filepath.ToSlash(filepath.Join(name, rest))
}

// render loads a chart and renders its templates with the given values. The
// chart's schema of values is not enforced: it may point into the network.
func (c *Collector) render(name string) (*chartv2.Chart, map[string]string, error) {
	ch, err := loader.Load(name)
	if err != nil {
		return nil, nil, err
	}
	if err := ch.Validate(); err != nil {
		return nil, nil, err
	}
	values, err := c.values()
	if err != nil {
		return nil, nil, err
	}
	if err := missingDependencies(ch); err != nil {
		return nil, nil, err
	}
	if err := depsutil.ProcessDependencies(ch, values); err != nil {
		return nil, nil, err
	}
	minor := c.opts.Minor
	if minor == 0 {
		minor = newestMinor
	}
	kube, err := common.ParseKubeVersion(fmt.Sprintf("v1.%d.0", minor))
	if err != nil {
		return nil, nil, err
	}
	caps := common.DefaultCapabilities.Copy()
	caps.KubeVersion = *kube
	namespace := c.opts.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	release := common.ReleaseOptions{Name: ch.Name(), Namespace: namespace, Revision: 1, IsInstall: true}
	vals, err := chartutil.ToRenderValuesWithSchemaValidation(ch, values, release, caps, true)
	if err != nil {
		return nil, nil, err
	}
	out, err := engine.Engine{}.Render(ch, vals) // without a client, lookup finds nothing
	return ch, out, err
}

// values reads the files of values, later ones over earlier ones.
func (c *Collector) values() (map[string]any, error) {
	out := map[string]any{}
	for _, name := range c.opts.Values {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, plainError(err)
		}
		v, err := loader.LoadValues(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("read the values %s: %w", filepath.ToSlash(name), err)
		}
		out = loader.MergeMaps(out, v)
	}
	return out, nil
}

// missingDependencies refuses a chart whose dependencies are not in its charts
// folder: what they would render is not known.
func missingDependencies(ch *chartv2.Chart) error {
	have := map[string]bool{}
	for _, d := range ch.Dependencies() {
		have[d.Name()] = true
	}
	var errs []error
	for _, d := range ch.Metadata.Dependencies {
		if !have[d.Name] {
			errs = append(errs, fmt.Errorf("the dependency %q is not in the chart's folder charts; run helm dependency build first", d.Name))
		}
	}
	return errors.Join(errs...)
}
