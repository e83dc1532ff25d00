package engine

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// moduleOf is the Go module whose advisories tell of a program; "" for none.
func moduleOf(name, version string) string {
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	switch name {
	case docker:
		if n, err := strconv.Atoi(major); err == nil && n >= 29 {
			return "" // built from github.com/moby/moby/v2, whose numbers are others
		}
		return "github.com/docker/docker"
	case containerd:
		if major == "2" {
			return "github.com/containerd/containerd/v2"
		}
		return "github.com/containerd/containerd"
	case "runc":
		return "github.com/opencontainers/runc"
	case podman:
		if major == "0" || major == "1" || major == "2" || major == "3" {
			return "github.com/containers/podman/v" + cmp.Or(major, "4")
		}
		return "github.com/containers/podman/v" + major
	case "buildah":
		return "github.com/containers/buildah"
	case crio:
		return "github.com/cri-o/cri-o"
	default:
		return ""
	}
}

// packagedVersion matches versions that a distribution made: 20.10.24+dfsg1,
// 1.6.20~ds1, 1.1.5+ds1, 24.0.7-0ubuntu4, 1.7.12-0ubuntu2, 4.6.1-19.el9.
var packagedVersion = regexp.MustCompile(`(\+dfsg|[~+]ds\d|ubuntu|-\d+[\w.]*\.(el|fc|amzn)\d|\+deb\d|-r\d+$)`)

// component notes a program of the engine.
func (s *session) component(name, version string) {
	version = strings.TrimPrefix(version, "v")
	if version == "" || version == "<unknown>" {
		return
	}
	c := facts.EngineComponent{Name: name, Version: version, Module: moduleOf(name, version), Packaged: packagedVersion.MatchString(version)}
	for _, old := range s.facts.Components {
		if old.Name == name {
			return
		}
	}
	s.facts.Components = append(s.facts.Components, c)
	slices.SortFunc(s.facts.Components, func(a, b facts.EngineComponent) int { return cmp.Compare(a.Name, b.Name) })
}

// lastWord is "2.1.6" of "conmon version 2.1.6, commit: …".
func lastWord(text string) string { return ociVersion(text) }

var versionNumber = regexp.MustCompile(`version:? v?([0-9][^\s,]*)`)

// ociVersion is the version in what a runtime prints of itself: "crun version
// 1.8.1\ncommit: …", "runc version 1.1.5+ds1"; a text without that is itself one.
func ociVersion(text string) string {
	if m := versionNumber.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	if strings.ContainsAny(text, " \n") {
		return ""
	}
	return text
}

// vulnerabilities matches the programs with advisories of their Go modules. What
// a distribution packaged is left out: its numbers stand still while it mends.
func (s *session) vulnerabilities(ctx context.Context) {
	var packaged []string
	for _, c := range s.facts.Components {
		if c.Packaged {
			packaged = append(packaged, c.Name)
		}
	}
	if len(packaged) > 0 {
		s.gap(facts.NotAssessed, "a distribution built "+strings.Join(packaged, ", ")+" and mends it without changing the number; postscan vm matches its packages", true, "vulnerabilities")
	}
	var nameless []string
	for _, c := range s.facts.Components {
		if c.Module == "" && !c.Packaged {
			nameless = append(nameless, c.Name)
		}
	}
	if len(nameless) > 0 {
		const reason = "no advisory names them by their version: "
		m := facts.Missing{Status: facts.NotAssessed, Reason: reason + strings.Join(nameless, ", "), Partial: true}
		if old, ok := s.missing["vulnerabilities"]; ok {
			m.Reason = old.Reason + "; " + m.Reason
		}
		s.missing["vulnerabilities"] = m
	}
	if s.opts.Match == nil {
		s.gap(facts.NotAssessed, cmp.Or(s.opts.NoMatch, "no vulnerability database was given"), true, "vulnerabilities")
		return
	}
	var packages []facts.Package
	byModule := map[string]facts.EngineComponent{}
	for _, c := range s.facts.Components {
		if c.Module == "" || c.Packaged {
			continue
		}
		packages = append(packages, facts.Package{Type: "gobinary", Class: "language", Name: c.Module, Version: "v" + c.Version, Path: c.Name})
		byModule[c.Module] = c
	}
	if len(packages) == 0 {
		return
	}
	found, err := s.opts.Match(ctx, packages)
	if err != nil {
		s.gap(facts.Unknown, "vulnerabilities cannot be looked up: "+err.Error(), true, "vulnerabilities")
	}
	for _, v := range found {
		c, ok := byModule[v.Package]
		if !ok {
			continue
		}
		s.facts.Vulnerabilities = append(s.facts.Vulnerabilities, facts.ComponentVulnerability{
			Component: c.Name, Version: c.Version, ID: v.ID, Severity: v.Severity, Fixed: v.FixedVersion,
		})
	}
	slices.SortFunc(s.facts.Vulnerabilities, func(a, b facts.ComponentVulnerability) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.ID, b.ID))
	})
}
