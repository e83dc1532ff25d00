package kube

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// imageReference splits a reference as container runtimes do: a first part
// with a dot, a colon, or "localhost" is the registry, else it is Docker Hub.
func imageReference(written string) facts.ImageReference {
	r := facts.ImageReference{Reference: written}
	rest, digest, _ := strings.Cut(written, "@")
	r.Digest = digest
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		rest, r.Tag = rest[:i], rest[i+1:]
	}
	if rest == "" || strings.ContainsAny(rest, " \t\n") {
		r.Tag, r.Digest = "", ""
		return r
	}
	first, path, found := strings.Cut(rest, "/")
	if found && (strings.ContainsAny(first, ".:") || first == "localhost") {
		r.Registry, r.Repository = first, path
	} else {
		r.Registry, r.Repository = "docker.io", rest
	}
	if r.Registry == "index.docker.io" {
		r.Registry = "docker.io"
	}
	if r.Registry == "docker.io" && !strings.Contains(r.Repository, "/") {
		r.Repository = "library/" + r.Repository
	}
	return r
}

// pullPolicy fills in the API server's default.
func pullPolicy(written corev1.PullPolicy, image facts.ImageReference) string {
	switch {
	case written != "":
		return string(written)
	case image.Tag == "latest", image.Tag == "" && image.Digest == "":
		return string(corev1.PullAlways)
	default:
		return string(corev1.PullIfNotPresent)
	}
}
