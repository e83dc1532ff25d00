package engine

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner/facts"
)

// daemonConfig is what is read of Docker's daemon.json.
type daemonConfig struct {
	Hosts         []string `json:"hosts"`
	TLS           bool     `json:"tls"`
	TLSVerify     bool     `json:"tlsverify"`
	TLSCACert     string   `json:"tlscacert"`
	TLSCert       string   `json:"tlscert"`
	TLSKey        string   `json:"tlskey"`
	IPTables      *bool    `json:"iptables"`
	UserlandProxy *bool    `json:"userland-proxy"`
	NoNewPrivs    bool     `json:"no-new-privileges"`
	Seccomp       string   `json:"seccomp-profile"`
	MetricsAddr   string   `json:"metrics-addr"`
	Insecure      []string `json:"insecure-registries"`
}

// daemonJSON reads a daemon.json.
func (m *machine) daemonJSON(path string) (daemonConfig, error) {
	var c daemonConfig
	b, err := m.read(path)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return daemonConfig{}, fmt.Errorf("%s is broken: %w", path, err)
	}
	return c, nil
}

// dockerConfig adds what daemon.json, the command line and the files around them tell.
func (s *session) dockerConfig(dataRoot string) {
	path := "/etc/docker/daemon.json"
	if home := s.home(); home != "" {
		path = filepath.Join(home, ".config/docker/daemon.json")
	}
	if v, ok := s.peer.flag("--config-file"); ok && len(v) > 0 {
		path = v[0]
	}
	conf, err := s.machine.daemonJSON(path)
	settings := []string{"iptables", "userland_proxy", "no_new_privileges", "listeners"}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, fs.ErrPermission):
		s.gap(facts.Unknown, path+" may not be read; run postscan as root", true, settings...)
	case err != nil:
		s.gap(facts.Unknown, err.Error()+"; mend it, for the engine will not start again with it", true, settings...)
	}
	if s.peer.pid == 0 && err == nil || s.peer.pid == 0 && errors.Is(err, fs.ErrNotExist) {
		s.gap(facts.Unknown, "the engine's process was not found, so that its command line is not known; run postscan as root on the machine itself, not in a container", true, settings...)
	}
	s.dockerSwitches(conf)
	s.dockerListeners(conf)
	s.dockerFiles(path, conf, dataRoot)
}

// home is the home of the user whose engine it is; "" for root's.
func (s *session) home() string {
	uid, ok := strings.CutPrefix(s.place.user, "uid ")
	for _, u := range s.machine.users {
		if ok && u.uid == uid {
			return u.home
		}
	}
	return ""
}

// dockerSwitches reads the switches that the API does not tell.
func (s *session) dockerSwitches(conf daemonConfig) {
	f := &s.facts
	f.IPTables, f.UserlandProxy = true, true
	for _, sw := range []struct {
		flag string
		json *bool
		to   *bool
	}{{"--iptables", conf.IPTables, &f.IPTables}, {"--userland-proxy", conf.UserlandProxy, &f.UserlandProxy}} {
		if sw.json != nil {
			*sw.to = *sw.json
		}
		if on, given := s.peer.boolFlag(sw.flag); given {
			*sw.to = on
		}
	}
	on, given := s.peer.boolFlag("--no-new-privileges")
	f.NoNewPrivileges = f.NoNewPrivileges || conf.NoNewPrivs || given && on
	if f.NoNewPrivileges {
		delete(s.missing, "no_new_privileges")
	}
	profile := conf.Seccomp
	if v, ok := s.peer.flag("--seccomp-profile"); ok && len(v) > 0 {
		profile = v[0]
	}
	if profile != "" && profile != "builtin" && f.Seccomp == "default" {
		f.Seccomp = profile // older engines call every profile "default"
	}
}

// dockerListeners reads where the engine listens.
func (s *session) dockerListeners(conf daemonConfig) {
	tls, verify := conf.TLS, conf.TLSVerify
	if on, given := s.peer.boolFlag("--tls"); given {
		tls = on
	}
	if on, given := s.peer.boolFlag("--tlsverify"); given {
		verify = on
	}
	s.facts.Listeners = append(s.facts.Listeners, facts.Listener{Purpose: "api", Network: "unix", Address: s.place.path, Loopback: true, Source: "the socket"})
	add := func(hosts []string, source string) {
		for _, h := range hosts {
			u, err := url.Parse(h)
			if err != nil {
				continue
			}
			l := facts.Listener{Purpose: "api", Network: u.Scheme, Address: u.Host, TLS: tls || verify, ClientVerification: verify, Source: source}
			switch u.Scheme {
			case "tcp":
				l.Loopback = loopback(u.Host)
			case "unix":
				if u.Path == s.place.path {
					continue
				}
				l.Address, l.Loopback, l.TLS, l.ClientVerification = u.Path, true, false, false
			default: // fd:// is the service manager's socket, which is in the units
				continue
			}
			s.facts.Listeners = append(s.facts.Listeners, l)
		}
	}
	add(conf.Hosts, "daemon.json")
	hosts, _ := s.peer.flag("-H", "--host")
	add(hosts, "command line")
	metrics := conf.MetricsAddr
	if v, ok := s.peer.flag("--metrics-addr"); ok && len(v) > 0 {
		metrics = v[0]
	}
	if metrics != "" {
		s.facts.Listeners = append(s.facts.Listeners, facts.Listener{Purpose: "metrics", Network: "tcp", Address: metrics, Loopback: loopback(metrics), Source: "daemon.json"})
	}
}

// remoteListener is the address that was used to reach an engine elsewhere.
func (s *session) remoteListener() {
	address, ok := strings.CutPrefix(s.place.ref, "tcp://")
	if !ok {
		return
	}
	tls := s.opts.Getenv("DOCKER_CERT_PATH") != ""
	l := facts.Listener{Purpose: "api", Network: "tcp", Address: address, Loopback: loopback(address), TLS: tls, Source: "it answers there"}
	if tls {
		l.ClientVerification = true
		s.gap(facts.NotAssessed, "whether the engine asks for a certificate of its clients is in its files, which are on another machine", true, "listeners")
	}
	s.facts.Listeners = append(s.facts.Listeners, l)
}

// dockerFiles describes the files that decide what Docker does.
func (s *session) dockerFiles(config string, conf daemonConfig, dataRoot string) {
	for _, l := range s.facts.Listeners {
		if l.Network == "unix" {
			s.file(l.Address, "socket")
		}
	}
	s.file(config, "config")
	s.file(filepath.Dir(config), "folder")
	s.file(dataRoot, "folder")
	for _, t := range s.dockerTLS(conf) {
		s.file(t.path, t.role)
		if t.role == "certificate" {
			s.certificate(t.path, "api")
		}
	}
	s.file("/etc/default/docker", "config")
	s.file("/etc/sysconfig/docker", "config")
	s.units("docker.service", "docker.socket")
	certs, _ := filepath.Glob(s.machine.path("/etc/docker/certs.d/*/*")) // the pattern is sound
	for _, c := range certs {
		role := "certificate"
		if strings.HasSuffix(c, ".key") {
			role = "key"
		} else {
			s.certificate(s.machine.unrooted(c), "registry")
		}
		s.file(s.machine.unrooted(c), role)
	}
	for _, name := range []string{"swarm-root-ca.crt", "swarm-node.crt"} {
		s.certificate(filepath.Join(dataRoot, "swarm/certificates", name), "swarm")
	}
	s.file(filepath.Join(dataRoot, "swarm/certificates/swarm-node.key"), "key")
}

// tlsFile is a file of the engine's TLS.
type tlsFile struct{ path, role string }

// dockerTLS are the files of the engine's TLS: those that the command line names,
// else daemon.json, else, with TLS on, the usual ones.
func (s *session) dockerTLS(conf daemonConfig) []tlsFile {
	on := conf.TLS || conf.TLSVerify
	for _, name := range []string{"--tls", "--tlsverify"} {
		if v, given := s.peer.boolFlag(name); given {
			on = on || v
		}
	}
	home := s.home()
	if home == "" {
		home = "/root"
	}
	var out []tlsFile
	for _, f := range []struct{ flag, json, usual, role string }{
		{"--tlscacert", conf.TLSCACert, "ca.pem", "certificate"}, {"--tlscert", conf.TLSCert, "cert.pem", "certificate"}, {"--tlskey", conf.TLSKey, "key.pem", "key"},
	} {
		path := f.json
		if v, ok := s.peer.flag(f.flag); ok && len(v) > 0 {
			path = v[0]
		}
		if path == "" && on {
			path = filepath.Join(home, ".docker", f.usual)
		}
		out = append(out, tlsFile{path, f.role})
	}
	return out
}

// certificate notes a certificate where it exists.
func (s *session) certificate(path, role string) {
	if path == "" {
		return
	}
	b, err := s.machine.read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var cert *x509.Certificate
	if err == nil {
		cert, err = firstCertificate(b)
	}
	if err != nil {
		reason := path + " cannot be read: " + err.Error()
		if errors.Is(err, fs.ErrPermission) {
			reason = path + " may not be read; run postscan as root"
		}
		s.gap(facts.Unknown, reason, true, "certificates")
		return
	}
	s.facts.Certificates = append(s.facts.Certificates, facts.EngineCertificate{
		Path: path, Role: role, Subject: cert.Subject.String(), NotAfter: cert.NotAfter.UTC().Format(time.RFC3339),
	})
}

// firstCertificate reads the first certificate of a PEM file.
func firstCertificate(data []byte) (*x509.Certificate, error) {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, errors.New("it holds no certificate in PEM")
		}
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
}

// units describes units of systemd.
func (s *session) units(names ...string) {
	for _, dir := range []string{"/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"} {
		if st, err := os.Lstat(s.machine.path("/lib")); err == nil && st.Mode()&fs.ModeSymlink != 0 && strings.HasPrefix(dir, "/lib/") {
			continue // it is /usr/lib
		}
		for _, n := range names {
			s.file(filepath.Join(dir, n), "unit")
		}
	}
}

// file notes a file where it exists.
func (s *session) file(path, role string) {
	if path == "" {
		return
	}
	if f, ok := s.machine.file(path, role, s.place.user != "" || s.facts.Rootless); ok {
		s.facts.Files = append(s.facts.Files, f)
	}
}
