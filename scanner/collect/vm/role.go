package vm

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner/facts"
)

// role tells what the machine is there for.
func (s *scan) role() {
	r := &s.doc.Role
	for _, e := range []struct {
		name     string
		sockets  []string
		units    []string
		programs []string
	}{
		{"docker", []string{"run/docker.sock", "var/run/docker.sock"}, []string{"docker.service", "docker.socket", "snap.docker.dockerd.service"}, []string{"dockerd"}},
		{"containerd", []string{"run/containerd/containerd.sock", "run/k3s/containerd/containerd.sock", "var/snap/microk8s/common/run/containerd.sock"}, []string{"containerd.service", "snap.microk8s.daemon-containerd.service", "k3s.service", "k3s-agent.service", "rke2-server.service", "rke2-agent.service"}, []string{"containerd"}},
		{"cri-o", []string{"run/crio/crio.sock", "var/run/crio/crio.sock"}, []string{"crio.service", "cri-o.service"}, []string{"crio"}},
		{"podman", []string{"run/podman/podman.sock", "var/lib/containers/storage/libpod"}, []string{"podman.socket", "podman.service"}, nil},
	} {
		link, enabled := s.enabled(e.units...)
		socket := slices.IndexFunc(e.sockets, s.t.exists)
		switch {
		case socket >= 0:
			s.at("role.engines", e.sockets[socket])
		case enabled:
			s.at("role.engines", link)
		case !s.runs(e.programs...):
			continue
		}
		r.Engines = append(r.Engines, e.name)
	}
	r.KubernetesNode = s.isNode()
	r.ContainerHost = len(r.Engines) > 0 || r.KubernetesNode
	s.services()
	_, audit := s.enabled("auditd.service")
	r.Audit = audit || s.runs("auditd", "kauditd-user", "laurel")
	r.LogForwarding = s.forwardsLogs()
	_, synced := s.enabled("chrony.service", "chronyd.service", "systemd-timesyncd.service", "ntp.service", "ntpd.service", "ntpsec.service", "openntpd.service", "ntpd-rs.service")
	r.TimeSync = synced || s.runs("chronyd", "systemd-timesyncd", "systemd-timesyn", "ntpd", "ntpd-rs", "ptp4l", "VBoxService")
}

// isNode says whether the machine is a node of Kubernetes.
func (s *scan) isNode() bool {
	if link, ok := s.enabled("kubelet.service", "snap.microk8s.daemon-kubelite.service", "k3s.service", "k3s-agent.service", "rke2-server.service", "rke2-agent.service"); ok {
		s.at("role.kubernetes_node", link)
		return true
	}
	for _, name := range []string{"var/lib/kubelet/config.yaml", "etc/kubernetes/kubelet.conf", "etc/kubernetes/kubelet/kubelet-config.json", "etc/kubernetes/kubelet/config.json", microK8s + "/args/kubelet"} {
		if s.t.exists(name) {
			s.at("role.kubernetes_node", name)
			return true
		}
	}
	return s.runs("kubelet", "kubelite", "k3s", "k3s-server", "k3s-agent")
}

// services finds what else the machine starts or runs.
func (s *scan) services() {
	for _, k := range []struct {
		kind  string
		names []string // of programs; their units have the name, or one of those behind
	}{
		{"database", []string{"postgresql postgres", "mysql mysqld", "mariadb mariadbd", "mongod", "redis-server redis", "memcached", "cassandra", "influxdb influxd"}},
		{"web", []string{"apache2", "httpd", "nginx", "caddy", "lighttpd", "tomcat9", "tomcat10"}},
		{"mail", []string{"postfix master", "exim4", "dovecot", "sendmail"}},
		{"file", []string{"smbd smb", "nfs-server nfsd", "vsftpd", "proftpd"}},
		{"directory", []string{"slapd", "samba-ad-dc", "named", "dirsrv"}},
		{"build", []string{"jenkins", "gitlab-runner", "actions.runner", "teamcity"}},
		{"queue", []string{"rabbitmq-server", "kafka", "nats-server", "mosquitto"}}, //nolint:misspell // the name of a broker
		{"desktop", []string{"gdm3 gdm", "lightdm", "sddm", "xrdp", "vncserver"}},
	} {
		for _, names := range k.names {
			if at, ok := s.started(strings.Fields(names)); ok {
				s.doc.Role.Services = append(s.doc.Role.Services, facts.MachineService{Name: strings.Fields(names)[0], Kind: k.kind, Path: at})
			}
		}
	}
	// A machine of Kubernetes runs these in pods: the process list of the machine shows them too.
}

// started finds the unit that starts one of the programs. Running programs do not
// count: those of containers would be taken for the machine's own.
func (s *scan) started(names []string) (string, bool) {
	for _, n := range names {
		if link, ok := s.enabled(n + ".service"); ok {
			return absolute(link), true
		}
	}
	return "", false
}

// forwardsLogs says whether something sends logs to another machine.
func (s *scan) forwardsLogs() bool {
	if _, ok := s.enabled("fluent-bit.service", "fluentd.service", "td-agent.service", "vector.service", "filebeat.service", "promtail.service", "alloy.service",
		"systemd-journal-upload.service", "amazon-cloudwatch-agent.service", "google-cloud-ops-agent.service", "google-fluentd.service", "azuremonitoragent.service",
		"datadog-agent.service", "SplunkForwarder.service", "splunkforwarder.service", "nxlog.service", "elastic-agent.service", "otelcol.service"); ok {
		return true
	}
	if s.runs("fluent-bit", "fluentd", "vector", "filebeat", "promtail", "datadog-agent", "splunkd", "systemd-journal-upload") {
		return true
	}
	files := append([]string{"etc/rsyslog.conf"}, s.t.below("etc/rsyslog.d", func(n string) bool { return strings.HasSuffix(n, ".conf") })...)
	for _, name := range files {
		if data, err := s.t.read(name); err == nil && forwards(string(data)) {
			s.at("role.log_forwarding", name)
			return true
		}
	}
	return false
}

// forwards finds "*.* @host", "*.* @@host" and omfwd in a configuration of rsyslog.
func forwards(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if strings.Contains(line, `"omfwd"`) || strings.Contains(line, `"omrelp"`) {
			return true
		}
		if f := strings.Fields(line); len(f) == 2 && strings.HasPrefix(f[1], "@") && strings.Contains(f[0], ".") {
			return true
		}
	}
	return false
}

// updates tells how the machine is kept up to date.
func (s *scan) updates() {
	u := &s.doc.Updates
	u.Agent = s.updateAgent()
	newest := time.Time{}
	for _, name := range []string{
		"var/lib/dpkg/status", "var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages", "var/lib/rpm/Packages.db", "usr/lib/sysimage/rpm/rpmdb.sqlite",
		"usr/lib/sysimage/rpm/Packages.db", "lib/apk/db/installed", "usr/lib/apk/db/installed", "var/lib/pacman/local",
	} {
		if info, err := s.t.stat(name); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
			s.at("updates.last_days", name)
		}
	}
	switch {
	case newest.IsZero():
		s.unknown("updates.last_days", "there is no package database whose age would tell")
	case s.opts.Now.IsZero():
		s.unknown("updates.last_days", "the time of the scan is not set")
	default:
		u.LastDays = max(int(s.opts.Now.Sub(newest).Hours()/24), 0)
	}
}

// updateAgent names what installs updates without being asked.
func (s *scan) updateAgent() string {
	for _, a := range []struct {
		name  string
		units []string
	}{
		{"dnf-automatic", []string{"dnf-automatic.timer", "dnf-automatic-install.timer", "dnf5-automatic.timer"}}, {"yum-cron", []string{"yum-cron.service"}},
		{"rpm-ostree", []string{"rpm-ostreed-automatic.timer", "zincati.service"}}, {"transactional-update", []string{"transactional-update.timer"}},
		{"os-update", []string{"os-update.timer"}}, {"update-engine", []string{"update-engine.service"}}, {"bootc", []string{"bootc-fetch-apply-updates.timer"}},
	} {
		if link, ok := s.enabled(a.units...); ok {
			s.at("updates.agent", link)
			return a.name
		}
	}
	if !s.t.exists("usr/bin/unattended-upgrade") {
		return ""
	}
	on := false
	for _, name := range s.t.below("etc/apt/apt.conf.d", func(string) bool { return true }) { // later files win
		data, err := s.t.read(name)
		if err != nil {
			continue
		}
		if v, ok := aptPeriodic(string(data)); ok {
			on = v
			s.at("updates.agent", name)
		}
	}
	if on {
		return "unattended-upgrades"
	}
	return ""
}

// aptPeriodic finds APT::Periodic::Unattended-Upgrade, which "0" switches off.
func aptPeriodic(text string) (on, ok bool) {
	for line := range strings.Lines(text) {
		f := strings.Fields(strings.TrimSuffix(strings.TrimSpace(line), ";"))
		if len(f) == 2 && strings.EqualFold(f[0], "APT::Periodic::Unattended-Upgrade") {
			v := strings.Trim(f[1], `";`)
			on, ok = v != "0" && v != "", true
		}
	}
	return on, ok
}

// bootstrapFiles are the files of cloud-init and its likes with user data, or with
// what was made of it.
func (s *scan) bootstrapFiles() []string {
	var out []string
	const most, deepest = 2000, 6
	var walk func(dir string, depth int)
	walk = func(dir string, depth int) {
		names, err := s.t.list(dir)
		if err != nil {
			if !absent(err) {
				s.unknown("bootstrap", why(err))
			}
			return
		}
		for _, name := range names {
			p := path.Join(dir, name)
			info, err := s.t.root.Lstat(p) // links lead to what is seen elsewhere
			switch {
			case err != nil || len(out) >= most:
			case info.IsDir() && depth < deepest && name != "sem" && name != "handlers":
				walk(p, depth+1)
			case info.Mode().IsRegular() && info.Size() > 0:
				out = append(out, p)
			}
		}
	}
	for _, dir := range []string{"var/lib/cloud/instances", "var/lib/cloud/seed", "var/lib/cloud/scripts", "var/lib/waagent", "etc/cloud"} {
		walk(dir, 0)
	}
	for _, name := range []string{"var/log/cloud-init-output.log", "var/lib/cloud/data/user-data.txt"} {
		if info, err := s.t.stat(name); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			out = append(out, name)
		}
	}
	return out
}

// anybodyReads says whether every account can read the file.
func (s *scan) anybodyReads(name string) bool {
	info, err := s.t.stat(name)
	if err != nil || info.Mode().Perm()&0o004 == 0 {
		return false
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if info, err := s.t.stat(dir); err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
	}
	return true
}
