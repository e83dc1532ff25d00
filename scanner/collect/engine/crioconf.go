package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"

	"github.com/pelletier/go-toml/v2"

	"github.com/postscan/postscan/scanner/facts"
)

// crioConfig is what is read of CRI-O's configuration. Pointers are settings
// whose default is not the zero value.
type crioConfig struct {
	Crio struct {
		Root string `toml:"root"`
		API  struct {
			Listen        string  `toml:"listen"`
			StreamAddress *string `toml:"stream_address"`
			StreamPort    string  `toml:"stream_port"`
			StreamTLS     bool    `toml:"stream_enable_tls"`
			StreamCA      string  `toml:"stream_tls_ca"`
			StreamCert    string  `toml:"stream_tls_cert"`
		} `toml:"api"`
		Runtime struct {
			SELinux                 bool                   `toml:"selinux"`
			AppArmorProfile         *string                `toml:"apparmor_profile"`
			SeccompProfile          string                 `toml:"seccomp_profile"`
			SeccompWhenEmpty        *bool                  `toml:"seccomp_use_default_when_empty"`
			DefaultCapabilities     []string               `toml:"default_capabilities"`
			InheritableCapabilities bool                   `toml:"add_inheritable_capabilities"`
			AllowedDevices          []string               `toml:"allowed_devices"`
			DefaultSysctls          []string               `toml:"default_sysctls"`
			HooksDirs               []string               `toml:"hooks_dir"`
			DefaultRuntime          string                 `toml:"default_runtime"`
			PrivilegedSeccomp       string                 `toml:"privileged_seccomp_profile"`
			Runtimes                map[string]crioRuntime `toml:"runtimes"`
		} `toml:"runtime"`
		Image struct {
			SignaturePolicy    string   `toml:"signature_policy"`
			InsecureRegistries []string `toml:"insecure_registries"`
		} `toml:"image"`
		Metrics struct {
			Enable bool   `toml:"enable_metrics"`
			Host   string `toml:"metrics_host"`
			Port   int    `toml:"metrics_port"`
			Cert   string `toml:"metrics_cert"`
		} `toml:"metrics"`
		NRI struct {
			Enable *bool `toml:"enable_nri"`
		} `toml:"nri"`
	} `toml:"crio"`
}

type crioRuntime struct {
	Path               string   `toml:"runtime_path"`
	Type               string   `toml:"runtime_type"`
	WithoutHostDevices bool     `toml:"privileged_without_host_devices"`
	AllowedAnnotations []string `toml:"allowed_annotations"`
}

// crioConfig reads crio.conf and what stands in the folder beside it, later files over earlier ones.
func (m *machine) crioConfig(path string) (crioConfig, error) {
	var c crioConfig
	b, err := m.read(path)
	found := err == nil
	if err == nil {
		err = toml.Unmarshal(b, &c)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return crioConfig{}, fmt.Errorf("read %s: %w", path, err)
	}
	more, _ := filepath.Glob(m.path(path + ".d/*")) // the pattern is sound
	for _, f := range more {
		b, err := m.read(m.unrooted(f))
		if err == nil {
			err = toml.Unmarshal(b, &c)
		}
		if err != nil {
			return crioConfig{}, fmt.Errorf("read %s: %w", m.unrooted(f), err)
		}
		found = true
	}
	if !found {
		return c, fs.ErrNotExist
	}
	return c, nil
}

// crioFacts reads how CRI-O is set up: what it says on its socket, else its files.
func (s *session) crioFacts(ctx context.Context, a *criAPI) {
	file := "/etc/crio/crio.conf"
	if v, ok := s.peer.flag("-c", "--config"); ok && len(v) > 0 {
		file = v[0]
	}
	conf, err := s.machine.crioConfig(file)
	s.file(file, "config")
	s.file(filepath.Dir(file), "folder")
	more, _ := filepath.Glob(s.machine.path(file + ".d/*")) // the pattern is sound
	for _, f := range more {
		s.file(s.machine.unrooted(f), "config")
	}
	s.units("crio.service")
	live, liveErr := s.crioSocketConfig(ctx)
	if liveErr == nil {
		conf, err = live, nil
	}
	if err != nil {
		reason := "CRI-O's configuration cannot be read: " + err.Error()
		if errors.Is(err, fs.ErrNotExist) {
			reason = "CRI-O does not tell its configuration, and there is no file of it"
		}
		s.gap(facts.Unknown, reason, true, "cri", "seccomp", "apparmor", "selinux", "listeners", "insecure_registries", "default_capabilities", "signature_policy")
	}
	_, handlers := a.statusConfig(ctx, s)
	s.crioRuntime(conf, handlers)
	s.crioListeners(conf)
	if p := conf.Crio.Image.SignaturePolicy; p != "" {
		if !s.readSignaturePolicy(p) {
			s.gap(facts.Unknown, p+" is not there, which CRI-O is told to obey", false, "signature_policy")
		}
	} else {
		s.signaturePolicy("")
	}
	for _, r := range conf.Crio.Image.InsecureRegistries {
		s.insecure(r, "crio.conf")
	}
	s.registriesConf("")
}

// crioSocketConfig asks CRI-O for the configuration that it runs with, by HTTP on its socket.
func (s *session) crioSocketConfig(ctx context.Context) (crioConfig, error) {
	var c crioConfig
	h := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", s.place.path)
	}}}
	defer h.CloseIdleConnections()
	err := s.call(ctx, "ask CRI-O for its configuration", func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/config", nil)
		if err != nil {
			return err
		}
		resp, err := h.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close() //nolint:errcheck // read only
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		b, err := io.ReadAll(io.LimitReader(resp.Body, maxFile))
		if err != nil {
			return err
		}
		return toml.Unmarshal(b, &c)
	})
	return c, err
}

// crioRuntime reads the settings that hold for every pod.
func (s *session) crioRuntime(conf crioConfig, handlers []string) {
	f, r := &s.facts, conf.Crio.Runtime
	if s.machine.has("/sys/fs/selinux/enforce") {
		f.SELinux = "disabled"
		if r.SELinux {
			f.SELinux = "enabled"
		}
	}
	if s.machine.has("/sys/module/apparmor/parameters/enabled") {
		f.AppArmor = "enabled"
		if r.AppArmorProfile != nil && (*r.AppArmorProfile == "unconfined" || *r.AppArmorProfile == "") {
			f.AppArmor = "disabled"
		}
	}
	f.Seccomp = "default"
	switch {
	case r.SeccompProfile == "unconfined", r.SeccompWhenEmpty != nil && !*r.SeccompWhenEmpty:
		f.Seccomp = "unconfined"
	case r.SeccompProfile != "":
		f.Seccomp = r.SeccompProfile
	}
	if r.DefaultCapabilities != nil {
		f.DefaultCapabilities = names(r.DefaultCapabilities)
		f.CRI.AddedCapabilities = without(f.DefaultCapabilities, facts.DefaultCapabilities(crio))
	}
	c := &f.CRI
	c.InheritableCapabilities, c.AllowedDevices = r.InheritableCapabilities, r.AllowedDevices
	c.UnprivilegedPorts = slices.ContainsFunc(r.DefaultSysctls, func(v string) bool { return v == "net.ipv4.ip_unprivileged_port_start=0" })
	c.UnprivilegedICMP = slices.ContainsFunc(r.DefaultSysctls, func(v string) bool { return v == "net.ipv4.ping_group_range=0 2147483647" })
	c.NRI = conf.Crio.NRI.Enable == nil || *conf.Crio.NRI.Enable
	for _, name := range slices.Sorted(maps.Keys(r.Runtimes)) {
		rt := r.Runtimes[name]
		c.Runtimes = append(c.Runtimes, facts.CRIRuntime{
			Name: name, Type: cmp.Or(rt.Type, "oci"), Default: name == cmp.Or(r.DefaultRuntime, "crun"),
			Sandboxed: rt.Type == "vm" || s.sandboxed(name) || s.sandboxed(rt.Path), HostDevices: !rt.WithoutHostDevices,
			AllowedAnnotations: slices.Sorted(slices.Values(rt.AllowedAnnotations)),
		})
	}
	for _, h := range handlers {
		known := h == "" || slices.ContainsFunc(c.Runtimes, func(r facts.CRIRuntime) bool { return r.Name == h })
		if !known {
			c.Runtimes = append(c.Runtimes, facts.CRIRuntime{Name: h, Type: "unknown", Sandboxed: s.sandboxed(h), HostDevices: true})
		}
	}
	dirs := r.HooksDirs
	if dirs == nil {
		dirs = []string{"/usr/share/containers/oci/hooks.d"}
	}
	for _, d := range dirs {
		s.file(d, "hooks")
	}
}

func (s *session) crioListeners(conf crioConfig) {
	a := conf.Crio.API
	if a.StreamTLS {
		s.certificate(a.StreamCert, "api")
	}
	if a.StreamAddress != nil || a.StreamPort != "" {
		// CRI-O's default is the loopback; an empty address is one that other machines reach.
		host := "127.0.0.1"
		if a.StreamAddress != nil {
			host = *a.StreamAddress
		}
		address := net.JoinHostPort(host, cmp.Or(a.StreamPort, "0"))
		s.facts.Listeners = append(s.facts.Listeners, facts.Listener{
			Purpose: "stream", Network: "tcp", Address: address, Loopback: loopback(address), TLS: a.StreamTLS, ClientVerification: a.StreamTLS && a.StreamCA != "", Source: "crio.conf",
		})
	}
	if m := conf.Crio.Metrics; m.Enable {
		address := hostPort(m.Host, cmp.Or(m.Port, 9090))
		s.facts.Listeners = append(s.facts.Listeners, facts.Listener{Purpose: "metrics", Network: "tcp", Address: address, Loopback: loopback(address), TLS: m.Cert != "", Source: "crio.conf"})
	}
}
