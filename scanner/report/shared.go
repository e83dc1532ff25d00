package report

import (
	"slices"

	"github.com/postscan/postscan/scanner"
)

// shared keeps one copy of what a report that is read repeats: the names of
// targets, packages and layers stand in every finding. It is dropped with the end
// of the reading; what it made one stays one.
type shared struct {
	texts  map[string]string
	layers map[scanner.LayerRef]*scanner.LayerRef
	links  map[string][]string // references of a vulnerability, by its id
}

func newShared() *shared {
	return &shared{texts: map[string]string{}, layers: map[scanner.LayerRef]*scanner.LayerRef{}, links: map[string][]string{}}
}

// share replaces each text by the first copy of it.
func (s *shared) share(texts ...*string) {
	for _, t := range texts {
		if *t == "" {
			continue
		}
		first, ok := s.texts[*t]
		if !ok {
			first = *t
			s.texts[first] = first
		}
		*t = first
	}
}

func (s *shared) list(texts []string) {
	for i := range texts {
		s.share(&texts[i])
	}
}

// finding shares everything but what is a finding's own: message, key and
// fingerprint.
func (s *shared) finding(f *scanner.Finding) {
	s.share(&f.Target, (*string)(&f.Resource.Kind), &f.Resource.ID, &f.Origin.File, &f.Baseline)
	for i := range f.Evidence {
		e := &f.Evidence[i]
		s.share(&e.Path)
		if text, ok := e.Value.(string); ok {
			s.share(&text)
			e.Value = text
		}
	}
	if f.Layer != nil {
		first, ok := s.layers[*f.Layer]
		if !ok {
			first = f.Layer
			s.layers[*first] = first
		}
		f.Layer = first
	}
	if f.Vulnerability != nil {
		s.vulnerability(f.Vulnerability)
	}
}

func (s *shared) vulnerability(v *scanner.Vulnerability) {
	s.share(&v.ID, &v.Package, &v.PackageType, &v.Version, &v.FixedVersion, &v.Status, &v.Severity, &v.SeveritySource, &v.Vector,
		&v.Title, &v.PrimaryURL, &v.DataSource, &v.Published, &v.Purl, &v.Path)
	s.list(v.Aliases)
	if first, ok := s.links[v.ID]; ok && len(v.References) > 0 && slices.Equal(first, v.References) {
		v.References = first
		return
	}
	s.list(v.References)
	s.links[v.ID] = v.References
}

func (s *shared) packaged(p *scanner.PackageEntry) {
	s.share(&p.Target, &p.Resource, &p.Type, &p.Class, &p.Name, &p.Version, &p.Release, &p.Arch, &p.SourceName, &p.SourceVersion, &p.SourceRelease,
		&p.Modularity, &p.Repository, &p.BuildNVR, &p.BuildArch, &p.Purl, &p.Path, &p.Binary, &p.Digest, &p.Maintainer)
	s.list(p.ContentSets)
	s.list(p.Licenses)
}

func (s *shared) gap(g *scanner.GapEntry) {
	s.share(&g.Check, &g.Target, (*string)(&g.Resource.Kind), &g.Resource.ID, (*string)(&g.Status))
	s.list(g.Reasons)
}

func (s *shared) outcome(o *scanner.OutcomeEntry) {
	s.share(&o.Check, &o.Target, (*string)(&o.Resource.Kind), &o.Resource.ID)
	s.list(o.Reasons)
}
