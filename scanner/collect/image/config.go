package image

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// defaultPath is what runtimes set where the image sets no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// maxPorts bounds how many ports an image may expose; a range counts as many.
const maxPorts = 4096

// configFacts describes the runtime configuration. UserUID is left to whoever knows
// the image's accounts. badPorts are those that could not be read.
func configFacts(c *v1.Config, windows bool) (conf facts.ImageConfig, badPorts []string) {
	conf = facts.ImageConfig{
		User: c.User, WorkingDir: c.WorkingDir,
		LabelNames: slices.Sorted(maps.Keys(c.Labels)),
		Entrypoint: c.Entrypoint, Cmd: c.Cmd,
		Volumes:     slices.Sorted(maps.Keys(c.Volumes)),
		Healthcheck: "absent",
	}
	path, separator := defaultPath, ":"
	if windows {
		path, separator = "", ";"
	}
	for _, e := range c.Env {
		name, value, _ := strings.Cut(e, "=")
		conf.EnvNames = append(conf.EnvNames, name)
		if name == "PATH" || windows && strings.EqualFold(name, "PATH") {
			path = value
		}
	}
	for d := range strings.SplitSeq(path, separator) {
		if d != "" {
			conf.Path = append(conf.Path, d)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(c.ExposedPorts)) {
		ports, ok := parsePort(p)
		if !ok || len(conf.ExposedPorts)+len(ports) > maxPorts {
			badPorts = append(badPorts, plain(p))
			continue
		}
		conf.ExposedPorts = append(conf.ExposedPorts, ports...)
	}
	slices.SortFunc(conf.ExposedPorts, func(a, b facts.ExposedPort) int {
		if a.Number != b.Number {
			return a.Number - b.Number
		}
		return strings.Compare(a.Protocol, b.Protocol)
	})
	if h := c.Healthcheck; h != nil && len(h.Test) > 0 {
		conf.Healthcheck = "defined"
		if h.Test[0] == "NONE" {
			conf.Healthcheck = "none"
		}
	}
	return conf, badPorts
}

// parsePort reads "80", "80/tcp" or "8000-8010/udp".
func parsePort(s string) ([]facts.ExposedPort, bool) {
	num, proto, ok := strings.Cut(s, "/")
	if !ok {
		proto = "tcp"
	}
	proto = strings.ToLower(proto)
	if proto != "tcp" && proto != "udp" && proto != "sctp" {
		return nil, false
	}
	from, to, ranged := strings.Cut(num, "-")
	if !ranged {
		to = from
	}
	lo, err1 := strconv.Atoi(from)
	hi, err2 := strconv.Atoi(to)
	if err1 != nil || err2 != nil || lo < 0 || hi > 65535 || hi < lo || hi-lo >= maxPorts {
		return nil, false
	}
	var out []facts.ExposedPort
	for n := lo; n <= hi; n++ {
		out = append(out, facts.ExposedPort{Number: n, Protocol: proto})
	}
	return out, true
}

// baseFacts reads what the labels say of the base image. ok is false where they
// say nothing.
func baseFacts(labels map[string]string) (b facts.BaseImage, ok bool) {
	b = facts.BaseImage{Name: labels["org.opencontainers.image.base.name"], Digest: labels["org.opencontainers.image.base.digest"]}
	if b.Name == "" && b.Digest == "" {
		return b, false
	}
	rest := b.Name
	if name, digest, found := strings.Cut(rest, "@"); found {
		rest = name
		if b.Digest == "" {
			b.Digest = digest
		}
	}
	// A colon before the last slash belongs to the registry's port.
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		b.Tag = rest[i+1:]
	}
	return b, true
}
