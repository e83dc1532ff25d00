package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/postscan/postscan/scanner/facts"
)

// containerdConfig is what is read of containerd's config.toml, of any of its versions.
type containerdConfig struct {
	Version int      `toml:"version"`
	Root    string   `toml:"root"`
	State   string   `toml:"state"`
	Imports []string `toml:"imports"`
	GRPC    struct {
		Address    string `toml:"address"`
		TCPAddress string `toml:"tcp_address"`
		TCPTLSCA   string `toml:"tcp_tls_ca"`
		TCPTLSCert string `toml:"tcp_tls_cert"`
	} `toml:"grpc"`
	Metrics struct {
		Address string `toml:"address"`
	} `toml:"metrics"`
	Plugins map[string]map[string]any `toml:"plugins"`
}

// containerdConfig reads a config.toml.
func (m *machine) containerdConfig(path string) (containerdConfig, error) {
	var c containerdConfig
	b, err := m.read(path)
	if err != nil {
		return c, err
	}
	if err := toml.Unmarshal(b, &c); err != nil {
		return containerdConfig{}, fmt.Errorf("%s is broken: %w", path, err)
	}
	return c, nil
}

// section finds the settings of one plug-in by the names that it has had: of
// version 3, 2 and 1 of the configuration.
func (c containerdConfig) section(names ...string) section {
	for _, n := range names {
		if p, ok := c.Plugins[n]; ok {
			return p
		}
	}
	return nil
}

// The names of the parts that serve Kubernetes.
func criRuntime() []string {
	return []string{"io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri", "cri"}
}
func criImages() []string {
	return []string{"io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri", "cri"}
}
func criServer() []string { return []string{"io.containerd.grpc.v1.cri", "cri"} }

// section is a table of settings. Names are compared without case and "_":
// the file writes enable_selinux, the status enableSelinux.
type section map[string]any

func (s section) get(name string) (any, bool) {
	want := settingName(name)
	for k, v := range s {
		if settingName(k) == want {
			return v, true
		}
	}
	return nil, false
}

func settingName(n string) string { return strings.ReplaceAll(strings.ToLower(n), "_", "") }

func (s section) text(name string) string {
	v, _ := s.get(name)
	t, _ := v.(string)
	return t
}

func (s section) on(name string) bool {
	v, _ := s.get(name)
	b, _ := v.(bool)
	return b
}

func (s section) table(name string) section {
	v, _ := s.get(name)
	t, _ := v.(map[string]any)
	return t
}

func (s section) list(name string) []string {
	v, _ := s.get(name)
	l, _ := v.([]any)
	var out []string
	for _, e := range l {
		if t, ok := e.(string); ok {
			out = append(out, t)
		}
	}
	return out
}

// containerdFacts reads how containerd is set up: what it says itself, and its files.
func (s *session) containerdFacts(ctx context.Context, a *criAPI) {
	file := "/etc/containerd/config.toml"
	if v, ok := s.peer.flag("-c", "--config"); ok && len(v) > 0 {
		file = v[0]
	}
	conf, err := s.machine.containerdConfig(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		s.gap(facts.Unknown, err.Error(), true, "listeners", "insecure_registries", "cri")
	}
	s.file(file, "config")
	s.file(filepath.Dir(file), "folder")
	s.file(cmp.Or(conf.Root, "/var/lib/containerd"), "folder")
	s.file(cmp.Or(conf.State, "/run/containerd"), "folder")
	s.units("containerd.service")
	for _, pattern := range conf.Imports {
		list, _ := filepath.Glob(s.machine.path(pattern)) // a broken pattern is containerd's to tell
		for _, f := range list {
			more, err := s.machine.containerdConfig(s.machine.unrooted(f))
			s.file(s.machine.unrooted(f), "config")
			if err != nil {
				s.gap(facts.Unknown, err.Error(), true, "listeners", "insecure_registries", "cri")
				continue
			}
			conf.merge(more)
		}
	}
	effective, handlers := a.statusConfig(ctx, s)
	run := conf.section(criRuntime()...)
	var live section
	if json.Unmarshal([]byte(effective), &live) == nil && live != nil {
		run = live
	}
	s.containerdListeners(conf, run)
	s.containerdRuntime(run, handlers)
	s.containerdRegistries(conf.section(criImages()...).table("registry"), run.table("registry"))
	nri := conf.section("io.containerd.nri.v1.nri")
	if nri != nil {
		s.facts.CRI.NRI = !nri.on("disable")
	} else {
		s.facts.CRI.NRI = strings.HasPrefix(s.facts.Version, "2.")
	}
	if s.facts.CRI.NRI {
		s.file(cmp.Or(nri.text("plugin_path"), "/opt/nri/plugins"), "hooks")
		s.file(cmp.Or(nri.text("socket_path"), "/var/run/nri/nri.sock"), "socket")
	}
}

// merge takes over what an imported file sets.
func (c *containerdConfig) merge(o containerdConfig) {
	if c.Plugins == nil {
		c.Plugins = map[string]map[string]any{}
	}
	for name, p := range o.Plugins {
		if c.Plugins[name] == nil {
			c.Plugins[name] = map[string]any{}
		}
		maps.Copy(c.Plugins[name], p)
	}
	c.GRPC.TCPAddress = cmp.Or(o.GRPC.TCPAddress, c.GRPC.TCPAddress)
	c.GRPC.TCPTLSCA, c.GRPC.TCPTLSCert = cmp.Or(o.GRPC.TCPTLSCA, c.GRPC.TCPTLSCA), cmp.Or(o.GRPC.TCPTLSCert, c.GRPC.TCPTLSCert)
	c.Metrics.Address = cmp.Or(o.Metrics.Address, c.Metrics.Address)
}

func (s *session) containerdListeners(conf containerdConfig, run section) {
	add := func(purpose, address string, tls, verify bool, source string) {
		s.facts.Listeners = append(s.facts.Listeners, facts.Listener{
			Purpose: purpose, Network: "tcp", Address: address, Loopback: loopback(address), TLS: tls, ClientVerification: verify, Source: source,
		})
	}
	s.certificate(conf.GRPC.TCPTLSCert, "api")
	s.certificate(conf.GRPC.TCPTLSCA, "api")
	if a := conf.GRPC.TCPAddress; a != "" {
		add("api", a, conf.GRPC.TCPTLSCert != "", conf.GRPC.TCPTLSCA != "", "config.toml")
	}
	if a := conf.Metrics.Address; a != "" {
		add("metrics", a, false, false, "config.toml")
	}
	stream := conf.section(criServer()...)
	if _, ok := run.get("streamServerAddress"); ok {
		stream = run
	}
	if !s.facts.CRI.Served {
		return
	}
	host, set := stream.get("streamServerAddress")
	if port := stream.text("streamServerPort"); set || port != "" && port != "0" {
		if !set {
			host = "127.0.0.1" // its default; an empty address is one that other machines reach
		}
		tls := stream.on("enableTLSStreaming")
		add("stream", net.JoinHostPort(fmt.Sprint(host), cmp.Or(port, "0")), tls, tls, "config.toml")
	}
}

// containerdRuntime reads the settings that hold for every pod.
func (s *session) containerdRuntime(run section, handlers []string) {
	f := &s.facts
	if run == nil {
		if f.CRI.Served {
			s.gap(facts.Unknown, "the engine does not tell its configuration, and there is no file of it", true, "cri", "seccomp", "apparmor", "selinux")
		}
		return
	}
	if s.machine.has("/sys/fs/selinux/enforce") {
		f.SELinux = "disabled"
		if run.on("enableSelinux") {
			f.SELinux = "enabled"
		}
	}
	if s.machine.has("/sys/module/apparmor/parameters/enabled") && !run.on("disableApparmor") {
		f.AppArmor = "enabled"
	}
	if p := run.text("unsetSeccompProfile"); p != "" {
		f.Seccomp = p
		if p == "runtime/default" {
			f.Seccomp = "default"
		}
	} else {
		f.Seccomp = "unconfined" // what a pod gets that says nothing
	}
	f.CRI.UnprivilegedPorts, f.CRI.UnprivilegedICMP = run.on("enableUnprivilegedPorts"), run.on("enableUnprivilegedICMP")
	c := run.table("containerd")
	byName := c.table("runtimes")
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		r := byName.table(name)
		f.CRI.Runtimes = append(f.CRI.Runtimes, facts.CRIRuntime{
			Name: name, Type: cmp.Or(r.text("runtimeType"), "io.containerd.runc.v2"), Default: name == cmp.Or(c.text("defaultRuntimeName"), "runc"),
			Sandboxed: s.sandboxed(name) || s.sandboxed(r.text("runtimeType")), HostDevices: !r.on("privilegedWithoutHostDevices"), AllowedAnnotations: slices.Sorted(slices.Values(append(r.list("podAnnotations"), r.list("containerAnnotations")...))),
		})
	}
	for _, h := range handlers {
		known := h == "" || slices.ContainsFunc(f.CRI.Runtimes, func(r facts.CRIRuntime) bool { return r.Name == h })
		if !known {
			f.CRI.Runtimes = append(f.CRI.Runtimes, facts.CRIRuntime{Name: h, Type: "unknown", Sandboxed: s.sandboxed(h), HostDevices: true})
		}
	}
}

// containerdRegistries reads which registries are not verified: the old settings and the hosts.toml files.
func (s *session) containerdRegistries(tables ...section) {
	for _, registry := range tables {
		for host := range registry.table("configs") {
			if registry.table("configs").table(host).table("tls").on("insecure_skip_verify") {
				s.insecure(host, "config.toml")
			}
		}
		for host := range registry.table("mirrors") {
			for _, e := range registry.table("mirrors").table(host).list("endpoint") {
				if h, ok := strings.CutPrefix(e, "http://"); ok {
					s.insecure(strings.TrimSuffix(h, "/"), "config.toml")
				}
			}
		}
		for _, dir := range filepath.SplitList(cmp.Or(registry.text("config_path"), registry.text("configPath"))) {
			s.hostsTOML(dir)
		}
	}
	slices.SortFunc(s.facts.InsecureRegistries, func(a, b facts.InsecureRegistry) int {
		return cmp.Or(cmp.Compare(a.Registry, b.Registry), cmp.Compare(a.Source, b.Source))
	})
	s.facts.InsecureRegistries = slices.Compact(s.facts.InsecureRegistries)
}

// hostsTOML reads the hosts.toml of every registry in a folder.
func (s *session) hostsTOML(dir string) {
	files, _ := filepath.Glob(s.machine.path(filepath.Join(dir, "*", "hosts.toml"))) // a broken pattern is containerd's to tell
	for _, f := range files {
		name := s.machine.unrooted(f)
		b, err := s.machine.read(name)
		var conf struct {
			Server     string
			SkipVerify bool `toml:"skip_verify"`
			Host       map[string]struct {
				SkipVerify bool `toml:"skip_verify"`
			}
		}
		if err == nil {
			err = toml.Unmarshal(b, &conf)
		}
		if err != nil {
			s.gap(facts.Unknown, name+" cannot be read: "+err.Error(), true, "insecure_registries")
			continue
		}
		registry := filepath.Base(filepath.Dir(name))
		if conf.SkipVerify || strings.HasPrefix(conf.Server, "http://") {
			s.insecure(registry, name)
		}
		for host, h := range conf.Host {
			if h.SkipVerify || strings.HasPrefix(host, "http://") {
				s.insecure(strings.TrimPrefix(strings.TrimPrefix(host, "http://"), "https://"), name)
			}
		}
	}
}

// has says whether a file is there.
func (m *machine) has(path string) bool {
	_, err := m.read(path)
	return err == nil
}
