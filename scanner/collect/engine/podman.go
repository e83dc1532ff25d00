package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/postscan/postscan/scanner/facts"
)

// podmanAPI is Podman: Docker's API as far as that goes, and its own (libpod)
// for what only that tells.
type podmanAPI struct {
	*dockerAPI
}

// libpod is the oldest version of Podman's own API that has all that is asked for.
const libpod = "/v4.0.0/libpod"

// libpodInfo is what is read of GET /libpod/info.
type libpodInfo struct {
	Host struct {
		Conmon     struct{ Version string }
		OCIRuntime struct{ Name, Version string } `json:"ociRuntime"`
		Security   struct {
			AppArmor       bool   `json:"apparmorEnabled"`
			SELinux        bool   `json:"selinuxEnabled"`
			Seccomp        bool   `json:"seccompEnabled"`
			SeccompProfile string `json:"seccompProfilePath"`
			Rootless       bool   `json:"rootless"`
			Capabilities   string `json:"capabilities"`
		}
	}
	Version struct{ Version, APIVersion string }
}

// describe implements [api].
func (p *podmanAPI) describe(ctx context.Context, s *session) error {
	s.facts.Name = podman
	s.facts.DefaultCapabilities = facts.DefaultCapabilities(podman)
	if err := p.common(ctx, s); err != nil {
		return err
	}
	f := &s.facts
	var info libpodInfo
	err := s.call(ctx, "ask Podman's own API about itself", func(ctx context.Context) error { return p.get(ctx, libpod+"/info", &info) })
	if err != nil {
		s.gap(facts.Unknown, s.explain(err).Error(), false, "rootless", "seccomp", "default_capabilities")
		s.containerGaps["rootless"] = s.missing["rootless"]
	} else {
		sec := info.Host.Security
		f.Rootless = sec.Rootless
		if sec.Rootless {
			f.UserNamespaces = "rootless"
		}
		f.Seccomp = "default"
		switch {
		case !sec.Seccomp:
			f.Seccomp = "unsupported"
		case sec.SeccompProfile != "" && !strings.HasPrefix(sec.SeccompProfile, "/usr/share/containers/") && sec.SeccompProfile != "/etc/containers/seccomp.json":
			f.Seccomp = sec.SeccompProfile
		}
		if sec.AppArmor {
			f.AppArmor = "enabled"
		}
		if sec.SELinux {
			f.SELinux = "enabled"
		}
		if sec.Capabilities != "" {
			f.DefaultCapabilities = names(strings.Split(sec.Capabilities, ","))
		}
		f.Version = cmp.Or(info.Version.Version, f.Version)
		s.component(podman, f.Version)
		s.component(info.Host.OCIRuntime.Name, ociVersion(info.Host.OCIRuntime.Version))
		s.component("conmon", lastWord(info.Host.Conmon.Version))
	}
	p.networks(ctx, s)
	p.volumes(ctx, s)
	if s.place.local {
		s.podmanConfig()
	} else {
		s.remoteListener()
	}
	return nil
}

// container implements [api].
func (p *podmanAPI) container(ctx context.Context, s *session, id string) (*container, error) {
	c, err := p.dockerAPI.container(ctx, s, id)
	if err != nil {
		return nil, err
	}
	var own struct {
		BoundingCaps []string
		HostConfig   struct {
			UsernsMode string
			CgroupMode string
			IDMappings *struct{ UIDMap []string }
		}
		OCIRuntime string
	}
	if err := p.get(ctx, libpod+"/containers/"+id+"/json", &own); err != nil {
		if strings.Contains(err.Error(), "404") {
			return nil, errGone
		}
		c.missing["capabilities"] = facts.Missing{Status: facts.Unknown, Reason: "Podman's own API does not tell of the container: " + err.Error()}
		return c, nil
	}
	d := &c.doc
	if !d.Privileged && d.CapabilitiesFrom != "process" {
		d.Capabilities, d.CapabilitiesFrom = whole(names(own.BoundingCaps)), "engine"
	}
	d.Runtime = cmp.Or(own.OCIRuntime, d.Runtime)
	d.Sandboxed = s.sandboxed(d.Runtime)
	if !s.facts.Rootless && d.Namespaces.User == "host" && (own.HostConfig.IDMappings != nil || own.HostConfig.UsernsMode == "private") {
		d.Namespaces.User = "private"
	}
	return c, nil
}

// podmanConfig adds what Podman's files tell.
func (s *session) podmanConfig() {
	home := s.home()
	s.facts.Listeners = append(s.facts.Listeners, facts.Listener{Purpose: "api", Network: "unix", Address: s.place.path, Loopback: true, Source: "the socket"})
	s.file(s.place.path, "socket")
	for _, p := range s.machine.engines() {
		i := slices.Index(p.args, "service")
		if p.name != podman || i < 0 {
			continue
		}
		for _, a := range p.args[i+1:] {
			address, ok := strings.CutPrefix(a, "tcp:")
			if !ok {
				continue
			}
			address = strings.TrimPrefix(address, "//")
			certs, cert := p.flag("--tls-cert")
			authorities, clients := p.flag("--tls-client-ca")
			for _, file := range append(certs, authorities...) {
				s.certificate(file, "api")
			}
			s.facts.Listeners = append(s.facts.Listeners, facts.Listener{
				Purpose: "api", Network: "tcp", Address: address, Loopback: loopback(address), TLS: cert, ClientVerification: clients, Source: "command line",
			})
		}
	}
	s.units("podman.service", "podman.socket")
	confs := []string{"/usr/share/containers/containers.conf", "/etc/containers/containers.conf"}
	more, _ := filepath.Glob(s.machine.path("/etc/containers/containers.conf.d/*.conf")) // the pattern is sound
	for _, f := range more {
		confs = append(confs, s.machine.unrooted(f))
	}
	if home != "" {
		confs = append(confs, filepath.Join(home, ".config/containers/containers.conf"))
	}
	var conf struct {
		Containers struct {
			NoNewPrivileges bool   `toml:"no_new_privileges"`
			Seccomp         string `toml:"seccomp_profile"`
		} `toml:"containers"`
	}
	for _, f := range confs {
		b, err := s.machine.read(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		s.file(f, "config")
		if err == nil {
			err = toml.Unmarshal(b, &conf)
		}
		if err != nil {
			s.gap(facts.Unknown, f+" cannot be read: "+err.Error(), true, "no_new_privileges", "seccomp")
		}
	}
	s.facts.NoNewPrivileges = s.facts.NoNewPrivileges || conf.Containers.NoNewPrivileges
	if p := conf.Containers.Seccomp; p == "unconfined" {
		s.facts.Seccomp = p
	}
	s.signaturePolicy(home)
	s.registriesConf(home)
}

// signaturePolicy reads containers' policy.json, which Podman and CRI-O obey.
func (s *session) signaturePolicy(home string) {
	files := []string{"/etc/containers/policy.json"}
	if home != "" {
		files = append([]string{filepath.Join(home, ".config/containers/policy.json")}, files...)
	}
	for _, f := range files {
		if s.readSignaturePolicy(f) {
			return
		}
	}
}

// readSignaturePolicy reads one policy.json; false where there is none.
func (s *session) readSignaturePolicy(file string) bool {
	b, err := s.machine.read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	s.file(file, "config")
	var p struct {
		Default []struct{ Type string }
	}
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || len(p.Default) == 0 {
		reason := file + " has no default"
		if err != nil {
			reason = file + " cannot be read: " + err.Error()
		}
		s.gap(facts.Unknown, reason, false, "signature_policy")
		return true
	}
	s.facts.SignaturePolicy = facts.SignaturePolicy{Default: p.Default[0].Type, File: file}
	return true
}

// registriesConf reads containers' registries.conf, which Podman and CRI-O obey.
func (s *session) registriesConf(home string) {
	files := []string{"/etc/containers/registries.conf"}
	if home != "" {
		if _, err := s.machine.read(filepath.Join(home, ".config/containers/registries.conf")); err == nil {
			files = []string{filepath.Join(home, ".config/containers/registries.conf")}
		}
	}
	more, _ := filepath.Glob(s.machine.path("/etc/containers/registries.conf.d/*.conf")) // the pattern is sound
	for _, f := range more {
		files = append(files, s.machine.unrooted(f))
	}
	for _, f := range files {
		b, err := s.machine.read(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		s.file(f, "config")
		var conf struct {
			Registry []struct {
				Prefix, Location string
				Insecure         bool
				Mirror           []struct {
					Location string
					Insecure bool
				}
			} `toml:"registry"`
			Registries struct {
				Insecure struct{ Registries []string }
			}
		}
		if err == nil {
			err = toml.Unmarshal(b, &conf)
		}
		if err != nil {
			s.gap(facts.Unknown, f+" cannot be read: "+err.Error(), true, "insecure_registries")
			continue
		}
		for _, r := range conf.Registry {
			if r.Insecure {
				s.insecure(cmp.Or(r.Location, r.Prefix), f)
			}
			for _, m := range r.Mirror {
				if m.Insecure {
					s.insecure(m.Location, f)
				}
			}
		}
		for _, r := range conf.Registries.Insecure.Registries {
			s.insecure(r, f)
		}
	}
}

// insecure notes a registry that is not verified.
func (s *session) insecure(registry, source string) {
	host, _, _ := strings.Cut(registry, "/")
	s.facts.InsecureRegistries = append(s.facts.InsecureRegistries, facts.InsecureRegistry{Registry: registry, Loopback: loopback(host), Source: source})
}
