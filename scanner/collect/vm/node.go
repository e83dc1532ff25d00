package vm

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner/facts"
)

// nodeScan reads what the machine's files tell of it as a node of Kubernetes.
type nodeScan struct {
	*scan
	n       *facts.Node
	missing map[string]facts.Missing
	owners  map[int]string
	groups  map[int]string
	seen    map[string]bool // paths of files that are listed
}

// node returns the machine as a node of Kubernetes, nil where it is none. What
// only the API tells is not assessed.
func (s *scan) node(target string, machine *facts.Resource, found []component) *facts.Resource {
	if !s.doc.Role.KubernetesNode {
		return nil
	}
	k := &nodeScan{
		scan: s, n: &facts.Node{OS: "linux", RebootDueDays: -1, MetadataGuard: "unknown"}, missing: facts.NeedsAPI(facts.KindNode), owners: map[int]string{}, groups: map[int]string{}, seen: map[string]bool{},
	}
	for _, u := range s.doc.Users {
		if _, ok := k.owners[u.UID]; !ok {
			k.owners[u.UID] = u.Name
		}
	}
	k.readGroups()
	k.system()
	k.kubelet()
	k.k3s()
	k.files(found)
	k.software()
	k.settings()
	slices.SortFunc(k.n.Files, func(a, b facts.NodeFile) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(k.n.Certificates, func(a, b facts.NodeCertificate) int { return strings.Compare(a.Path, b.Path) })
	return &facts.Resource{
		Kind: facts.KindNode, ID: "Node/" + s.doc.Hostname, Key: "node", Target: target, Aliases: machine.Aliases,
		Links:   []facts.Link{{Type: "runs-on", To: "vm/" + s.doc.Hostname, Evidence: "its kubelet was found on the machine", Confidence: "certain"}},
		Missing: k.missing, Places: map[string]facts.Origin{}, Facts: k.n,
	}
}

// hide notes what of the node could not be seen.
func (k *nodeScan) hide(where string, status facts.Gap, reason string, partial bool) {
	addMissing(k.missing, map[string]facts.Missing{where: {Status: status, Reason: reason, Partial: partial}})
}

func (k *nodeScan) readGroups() {
	data, err := k.t.read("etc/group")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 3 {
			continue
		}
		if gid, err := strconv.Atoi(f[2]); err == nil && k.groups[gid] == "" {
			k.groups[gid] = clean(f[0])
		}
	}
}

// system takes over what the machine's own facts say.
func (k *nodeScan) system() {
	d := k.doc
	k.n.OSImage, k.n.Kernel = d.Distribution.Name, d.Kernel.Release
	k.n.Architecture = map[string]string{"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}[d.Architecture]
	if k.n.Architecture == "" {
		k.n.Architecture = d.Architecture
	}
	if d.Kernel.Release == "" {
		k.hide("kernel", facts.Unknown, "a disk does not tell the running kernel", false)
	}
	known := func(path string) bool {
		_, gone := (&facts.Resource{Missing: k.scan.missing}).MissingAt(path)
		return !gone
	}
	three := func(path string, yes, no bool) string {
		switch {
		case !known(path):
			return "unknown"
		case yes:
			return "true"
		case no:
			return "false"
		default:
			return "unknown"
		}
	}
	k.n.SecureBoot = three("boot.secure_boot", d.Boot.SecureBoot == "enabled", d.Boot.SecureBoot != "enabled")
	k.n.TPM = three("boot.tpm", d.Boot.TPM != "none", d.Boot.TPM == "none")
	k.n.DiskEncrypted = three("disk.root", d.Disk.Root == "encrypted", d.Disk.Root == "plain")
	k.n.Virtual = three("machine.kind", d.Machine.Kind == "vm", d.Machine.Kind == "bare-metal")
	k.n.AppArmor = three("protection.apparmor", d.Protection.AppArmor == "enabled", false)
	k.n.RebootDue = d.Kernel.RebootRequired
	delete(k.missing, "virtual")
	delete(k.missing, "apparmor")
	if !known("kernel.reboot_required") {
		k.hide("reboot_due", facts.Unknown, "a disk does not tell it", false)
	}
	for _, e := range d.Role.Engines {
		if e != "podman" {
			k.n.Runtime = e
			if e != "docker" {
				break // the kubelet's own; Docker may stand beside it
			}
		}
	}
	if k.n.Runtime == "" {
		k.hide("runtime", facts.Unknown, "no socket, unit or process of a container runtime was found", false)
	}
}

// kubelet reads the command line of the kubelet and the files that it names.
func (k *nodeScan) kubelet() {
	line, found := k.commandLine("kubelet", "kubelet.service")
	if !found {
		if k.isK3s() {
			reason := "k3s and RKE2 start the kubelet inside of themselves; its configuration is seen with postscan cluster --kubelet-config"
			k.hide("kubelet", facts.NotAssessed, reason, false)
			k.hide("kubelet_flags", facts.NotAssessed, reason, false)
			return
		}
		const reason = "neither a process nor a unit of systemd tells how the kubelet is started"
		k.hide("kubelet", facts.Unknown, reason, false)
		k.hide("kubelet_flags", facts.Unknown, reason, false)
		return
	}
	k.log.Debug("kubelet found", "by", line.file)
	k.n.KubeletFlags = facts.ParseFlags("kubelet", line.args, "kubelet_flags")
	var docs [][]byte
	read := func(name string) bool {
		data, err := k.t.read(name)
		if err == nil {
			data, err = yaml.YAMLToJSON(data)
		}
		if err == nil {
			err = validKubelet(data)
		}
		if err != nil {
			k.hide("kubelet", facts.Unknown, "the kubelet's configuration: "+why(err), false)
			return false
		}
		docs = append(docs, data)
		k.file(name, facts.RoleKubeletConfig)
		return true
	}
	if name, ok := facts.FlagOf(k.n.KubeletFlags, "config"); ok && !read(name) {
		return
	}
	if dir, ok := facts.FlagOf(k.n.KubeletFlags, "config-dir"); ok {
		for _, name := range k.t.below(dir, func(n string) bool { return strings.HasSuffix(n, ".conf") }) {
			if !read(name) {
				return
			}
		}
	}
	kubelet, err := facts.ReadKubelet(k.n.KubeletFlags, docs...)
	if err != nil {
		k.hide("kubelet", facts.Unknown, clean(err.Error()), false)
		return
	}
	k.n.Kubelet = kubelet
	for name, role := range map[string]string{
		kubelet.ClientCAFile: facts.RoleKubeletCA, kubelet.TLSCertFile: facts.RoleCertificate, kubelet.TLSPrivateKeyFile: facts.RolePrivateKey,
	} {
		if name != "" {
			k.file(name, role)
		}
	}
	for flag, role := range map[string]string{"kubeconfig": facts.RoleKubeletConf, "bootstrap-kubeconfig": facts.RoleBootstrapConf} {
		if name, ok := facts.FlagOf(k.n.KubeletFlags, flag); ok && strings.HasPrefix(name, "/") {
			k.file(name, role)
		}
	}
}

// validKubelet refuses a file that is no object.
func validKubelet(data []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil || object == nil {
		return fmt.Errorf("it is no KubeletConfiguration")
	}
	return nil
}

func (k *nodeScan) isK3s() bool {
	return k.t.exists("etc/rancher/k3s") || k.t.exists("etc/rancher/rke2") || k.t.exists("var/lib/rancher/k3s") || k.t.exists("var/lib/rancher/rke2")
}

// k3s reads the settings of k3s and RKE2.
func (k *nodeScan) k3s() {
	for _, name := range []string{"k3s", "rke2"} {
		dir := "etc/rancher/" + name
		if !k.t.exists(dir) && !k.t.exists("var/lib/rancher/"+name) {
			continue
		}
		mode := "agent"
		if k.t.exists("var/lib/rancher/" + name + "/server") {
			mode = "server"
		}
		k.n.K3s = []facts.Flag{{Name: mode, Value: "true", Path: "k3s[0]"}}
		files := append([]string{dir + "/config.yaml"}, k.t.below(dir+"/config.yaml.d", func(n string) bool { return strings.HasSuffix(n, ".yaml") })...)
		for _, file := range files {
			k.k3sFile(file)
		}
		k.k3sProcess(name)
	}
}

func (k *nodeScan) k3sFile(file string) {
	data, err := k.t.read(file)
	if err != nil {
		if !absent(err) {
			k.hide("k3s", facts.Unknown, why(err), true)
		}
		return
	}
	k.file(file, facts.RoleK3sConfig)
	var settings map[string]any
	if err := yaml.Unmarshal(data, &settings); err != nil {
		k.hide("k3s", facts.Unknown, absolute(file)+" is no YAML of settings", true)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if !facts.KeepsFlag("k3s", key) {
			continue
		}
		values, ok := settings[key].([]any)
		if !ok {
			values = []any{settings[key]}
		}
		for _, v := range values {
			k.n.K3s = facts.AddFlag(k.n.K3s, facts.Flag{Name: key, Value: clean(fmt.Sprint(v)), Path: fmt.Sprintf("k3s[%d]", len(k.n.K3s))})
		}
	}
}

// k3sProcess adds the arguments of the running server or agent.
func (k *nodeScan) k3sProcess(name string) {
	if !k.live {
		return
	}
	for _, pid := range k.processes() {
		if comm := k.t.line(path.Join("proc", pid, "comm")); comm != name && !strings.HasPrefix(comm, name+"-") {
			continue
		}
		data, err := k.t.read(path.Join("proc", pid, "cmdline"))
		if err != nil {
			continue
		}
		words := strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
		for _, f := range facts.ParseFlags("k3s", words[1:], "k3s") {
			if f.Name != "server" && f.Name != "agent" {
				k.n.K3s = facts.AddFlag(k.n.K3s, f)
			}
		}
		return
	}
}

// file lists one file with its mode and owner.
func (k *nodeScan) file(name, role string) {
	resolved, err := k.t.resolve(name)
	if err != nil {
		if !absent(err) {
			k.hide("files", facts.Unknown, why(err), true)
		}
		return
	}
	info, err := k.t.root.Lstat(resolved)
	if err != nil || k.seen[resolved+" "+role] {
		return
	}
	k.seen[resolved+" "+role] = true
	uid, gid, known := owner(info)
	if !known {
		k.hide("files", facts.Unknown, "this system does not tell owners of files", true)
		return
	}
	k.n.Files = append(k.n.Files, facts.NodeFile{
		Path: absolute(clean(resolved)), Role: role, Mode: modeBits(info.Mode()), Owner: nameOf(k.owners, uid), Group: nameOf(k.groups, gid),
	})
}

func nameOf(names map[int]string, id int) string {
	if name, ok := names[id]; ok {
		return name
	}
	return strconv.Itoa(id)
}

func modeBits(m fs.FileMode) int {
	n, err := strconv.ParseInt(octal(m), 8, 32)
	if err != nil {
		return 0
	}
	return int(n)
}

// nodeFile is where something of a cluster lies, and what it is.
type nodeFile struct{ path, role string }

// usualFiles are the files and folders of kubeadm and of those who keep to its
// places, of k3s, RKE2 and MicroK8s.
func usualFiles() []nodeFile {
	files := []nodeFile{
		{"etc/kubernetes/manifests", facts.RoleManifestDir}, {"etc/kubernetes/pki", facts.RolePKIDir}, {"etc/kubernetes/pki/etcd", facts.RolePKIDir},
		{"etc/kubernetes/admin.conf", facts.RoleAdminKubeconfig}, {"etc/kubernetes/super-admin.conf", facts.RoleAdminKubeconfig},
		{"etc/rancher/k3s/k3s.yaml", facts.RoleAdminKubeconfig}, {"etc/rancher/rke2/rke2.yaml", facts.RoleAdminKubeconfig},
		{"etc/kubernetes/controller-manager.conf", facts.RoleKubeconfig}, {"etc/kubernetes/scheduler.conf", facts.RoleKubeconfig},
		{"etc/kubernetes/kubelet.conf", facts.RoleKubeletConf}, {"etc/kubernetes/bootstrap-kubelet.conf", facts.RoleBootstrapConf},
		{"var/lib/kubelet/config.yaml", facts.RoleKubeletConfig}, {"etc/kubernetes/kubelet/kubelet-config.json", facts.RoleKubeletConfig}, {"etc/kubernetes/kubelet/config.json", facts.RoleKubeletConfig},
		{"etc/systemd/system/kubelet.service", facts.RoleKubeletUnit}, {"usr/lib/systemd/system/kubelet.service", facts.RoleKubeletUnit}, {"lib/systemd/system/kubelet.service", facts.RoleKubeletUnit},
		{"var/lib/kube-proxy/kubeconfig", facts.RoleProxyKubeconfig}, {"var/lib/kube-proxy/kubeconfig.conf", facts.RoleProxyKubeconfig},
		{"etc/cni/net.d", facts.RoleCNIDir}, {"opt/cni/bin", facts.RoleCNIDir}, {"var/lib/etcd", facts.RoleEtcdData}, {"var/lib/rancher/k3s/server/db/etcd", facts.RoleEtcdData},
		{"var/lib/rancher/rke2/server/db/etcd", facts.RoleEtcdData}, {"var/lib/rancher/k3s/server/cred/encryption-config.json", facts.RoleEncryptionConfig},
		{"var/lib/rancher/rke2/server/cred/encryption-config.json", facts.RoleEncryptionConfig},
		{"var/lib/rancher/k3s/server/token", facts.RoleJoinToken}, {"var/lib/rancher/k3s/server/node-token", facts.RoleJoinToken}, {"var/lib/rancher/rke2/server/token", facts.RoleJoinToken},
		{"var/lib/rancher/k3s/server/tls", facts.RolePKIDir}, {"var/lib/rancher/rke2/server/tls", facts.RolePKIDir},
		{"etc/containerd/config.toml", facts.RoleRuntimeConfig}, {"etc/crio/crio.conf", facts.RoleRuntimeConfig},
		{"run/containerd/containerd.sock", facts.RoleRuntimeSocket}, {"run/k3s/containerd/containerd.sock", facts.RoleRuntimeSocket}, {"run/crio/crio.sock", facts.RoleRuntimeSocket},
	}
	for _, dir := range []string{"var/lib/rancher/k3s", "var/lib/rancher/rke2"} {
		files = append(files,
			nodeFile{dir + "/server/cred/admin.kubeconfig", facts.RoleAdminKubeconfig},
			nodeFile{dir + "/server/cred/controller.kubeconfig", facts.RoleKubeconfig}, nodeFile{dir + "/server/cred/scheduler.kubeconfig", facts.RoleKubeconfig},
			nodeFile{dir + "/agent/kubelet.kubeconfig", facts.RoleKubeletConf}, nodeFile{dir + "/agent/kubeproxy.kubeconfig", facts.RoleProxyKubeconfig},
			nodeFile{dir + "/agent/client-ca.crt", facts.RoleKubeletCA}, nodeFile{dir + "/agent/pod-manifests", facts.RoleManifestDir},
			nodeFile{dir + "/agent/etc/cni/net.d", facts.RoleCNIDir}, nodeFile{dir + "/agent/etc/containerd/config.toml", facts.RoleRuntimeConfig},
			nodeFile{dir + "/server/agent-token", facts.RoleJoinToken},
		)
	}
	return append(files,
		nodeFile{microK8s + "/certs", facts.RolePKIDir}, nodeFile{microK8s + "/credentials/client.config", facts.RoleAdminKubeconfig},
		nodeFile{microK8s + "/credentials/controller.config", facts.RoleKubeconfig}, nodeFile{microK8s + "/credentials/scheduler.config", facts.RoleKubeconfig},
		nodeFile{microK8s + "/credentials/kubelet.config", facts.RoleKubeletConf}, nodeFile{microK8s + "/credentials/proxy.config", facts.RoleProxyKubeconfig},
		nodeFile{microK8s + "/credentials/known_tokens.csv", facts.RoleTokenFile}, nodeFile{microK8s + "/credentials/cluster-tokens.txt", facts.RoleJoinToken},
		nodeFile{microK8s + "/credentials/persistent-cluster-tokens.txt", facts.RoleJoinToken},
		nodeFile{microK8s + "/args/kubelet", facts.RoleKubeletConfig}, nodeFile{microK8s + "/args/cni-network", facts.RoleCNIDir},
		nodeFile{microK8s + "/args/containerd.toml", facts.RoleRuntimeConfig}, nodeFile{microK8s + "/var/kubernetes/backend", facts.RoleEtcdData},
		nodeFile{"var/snap/microk8s/common/run/containerd.sock", facts.RoleRuntimeSocket},
	)
}

// files lists what the cluster's components keep on the node.
func (k *nodeScan) files(found []component) {
	for _, f := range usualFiles() {
		k.file(f.path, f.role)
	}
	for _, dir := range etcdData(found) {
		k.file(dir, facts.RoleEtcdData)
	}
	if !k.live {
		k.hide("files", facts.Unknown, "a disk does not show the sockets of a running machine", true)
	}
	for _, d := range []struct {
		dir, role string
		suffixes  []string
	}{
		{"etc/kubernetes/manifests", facts.RoleManifest, []string{".yaml", ".yml", ".json"}}, {"etc/cni/net.d", facts.RoleCNIConfig, []string{".conf", ".conflist", ".json"}},
		{"etc/crio/crio.conf.d", facts.RoleRuntimeConfig, []string{".conf"}}, {"etc/systemd/system/kubelet.service.d", facts.RoleKubeletUnit, []string{".conf"}},
		{"usr/lib/systemd/system/kubelet.service.d", facts.RoleKubeletUnit, []string{".conf"}}, {"var/lib/rancher/k3s/server/db/snapshots", facts.RoleEtcdSnapshot, []string{""}},
		{"var/lib/rancher/rke2/server/db/snapshots", facts.RoleEtcdSnapshot, []string{""}}, {"var/lib/rancher/rke2/agent/pod-manifests", facts.RoleManifest, []string{".yaml", ".yml", ".json"}},
		{"var/lib/rancher/k3s/agent/etc/cni/net.d", facts.RoleCNIConfig, []string{".conf", ".conflist", ".json"}}, {"var/lib/rancher/rke2/agent/etc/cni/net.d", facts.RoleCNIConfig, []string{".conf", ".conflist", ".json"}},
		{microK8s + "/args/cni-network", facts.RoleCNIConfig, []string{".conf", ".conflist", ".json"}},
	} {
		names, err := k.t.list(d.dir)
		if err != nil && !absent(err) {
			k.hide("files", facts.Unknown, why(err), true)
		}
		for _, name := range names {
			if slices.ContainsFunc(d.suffixes, func(s string) bool { return strings.HasSuffix(name, s) }) {
				k.file(path.Join(d.dir, name), d.role)
			}
		}
	}
	for _, dir := range []string{"etc/kubernetes/pki", "var/lib/kubelet/pki", "var/lib/rancher/k3s/server/tls", "var/lib/rancher/rke2/server/tls", microK8s + "/certs"} {
		k.pki(dir, 0)
	}
	for _, name := range []string{"etc/kubernetes/admin.conf", "etc/kubernetes/super-admin.conf", "etc/rancher/k3s/k3s.yaml", "etc/rancher/rke2/rke2.yaml", microK8s + "/credentials/client.config"} {
		k.adminCertificate(name)
	}
	if name := k.n.Kubelet.TLSCertFile; name != "" {
		k.certificate(name, "kubelet-serving")
	}
}

// pki lists keys and certificates of a folder and those below it.
func (k *nodeScan) pki(dir string, depth int) {
	names, err := k.t.list(dir)
	if err != nil {
		if !absent(err) {
			k.hide("files", facts.Unknown, why(err), true)
			k.hide("certificates", facts.Unknown, why(err), true)
		}
		return
	}
	for _, name := range names {
		p := path.Join(dir, name)
		info, err := k.t.stat(p)
		switch {
		case err != nil:
		case info.IsDir():
			if depth < 3 {
				k.file(p, facts.RolePKIDir)
				k.pki(p, depth+1)
			}
		case strings.HasSuffix(name, ".key"):
			k.file(p, facts.RolePrivateKey)
		case strings.HasSuffix(name, ".crt"):
			k.file(p, facts.RoleCertificate)
			k.certificate(p, certificateRole(p))
		case strings.HasSuffix(name, "-current.pem"): // certificate and key in one
			k.file(p, facts.RolePrivateKey)
			k.certificate(p, certificateRole(p))
		}
	}
}

// certificateRole tells by its path what a certificate is for.
func certificateRole(p string) string {
	name := strings.TrimSuffix(strings.TrimSuffix(path.Base(p), ".crt"), ".pem")
	if path.Base(path.Dir(p)) == "etcd" {
		switch name {
		case "ca", "server-ca", "peer-ca":
			return "etcd-ca"
		case "server", "server-client":
			return "etcd-server"
		case "peer", "peer-server-client":
			return "etcd-peer"
		default:
			return "etcd-client"
		}
	}
	switch name {
	case "ca", "front-proxy-ca", "server-ca", "client-ca", "request-header-ca":
		return "ca"
	case "apiserver", "serving-kube-apiserver":
		return "apiserver"
	case "apiserver-kubelet-client", "client-kube-apiserver":
		return "apiserver-kubelet-client"
	case "apiserver-etcd-client", "front-proxy-client":
		return name
	case "kubelet-client-current":
		return "kubelet-client"
	case "kubelet", "kubelet-server-current":
		return "kubelet-serving"
	case "client-admin":
		return "admin"
	default:
		return "other"
	}
}

// certificate lists the first certificate of a file.
func (k *nodeScan) certificate(name, role string) {
	data, err := k.t.read(name)
	if err == nil {
		var c facts.NodeCertificate
		if c, err = parseCertificate(data); err == nil {
			c.Path, c.Role = absolute(clean(name)), role
			k.n.Certificates = append(k.n.Certificates, c)
			return
		}
		err = fmt.Errorf("%s: %w", absolute(name), err)
	}
	if !absent(err) {
		k.hide("certificates", facts.Unknown, why(err), true)
	}
}

// adminCertificate lists the client's certificate inside of a kubeconfig.
func (k *nodeScan) adminCertificate(name string) {
	data, err := k.t.read(name)
	if err != nil {
		if !absent(err) {
			k.hide("certificates", facts.Unknown, why(err), true)
		}
		return
	}
	var conf struct {
		Users []struct {
			User struct {
				Certificate string `json:"client-certificate-data"`
			} `json:"user"`
		} `json:"users"`
	}
	if err := yaml.Unmarshal(data, &conf); err != nil {
		k.hide("certificates", facts.Unknown, absolute(name)+" is no kubeconfig", true)
		return
	}
	for _, u := range conf.Users {
		raw, err := base64.StdEncoding.DecodeString(u.User.Certificate)
		if u.User.Certificate == "" {
			continue
		}
		var c facts.NodeCertificate
		if err == nil {
			c, err = parseCertificate(raw)
		}
		if err != nil {
			k.hide("certificates", facts.Unknown, absolute(name)+" holds no certificate that can be read", true)
			continue
		}
		c.Path, c.Role = absolute(clean(name)), "admin"
		k.n.Certificates = append(k.n.Certificates, c)
	}
}

// parseCertificate reads the first certificate of a PEM file.
func parseCertificate(data []byte) (facts.NodeCertificate, error) {
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		if block == nil {
			return facts.NodeCertificate{}, fmt.Errorf("it holds no certificate in PEM")
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return facts.NodeCertificate{}, fmt.Errorf("its certificate cannot be read: %w", err)
		}
		c := facts.NodeCertificate{
			Subject: clean(cert.Subject.String()), Issuer: clean(cert.Issuer.String()), NotAfter: cert.NotAfter.UTC().Format(time.RFC3339),
			KeyKind: "other", CA: cert.IsCA, SelfSigned: bytes.Equal(cert.RawSubject, cert.RawIssuer),
		}
		switch key := cert.PublicKey.(type) {
		case *rsa.PublicKey:
			c.KeyKind, c.KeyBits = "rsa", key.N.BitLen()
		case *ecdsa.PublicKey:
			c.KeyKind, c.KeyBits = "ecdsa", key.Curve.Params().BitSize
		case ed25519.PublicKey:
			c.KeyKind, c.KeyBits = "ed25519", 8*len(key)
		}
		return c, nil
	}
}

// software finds what runs containers, with the version of its package or of its build.
func (k *nodeScan) software() {
	for _, p := range []struct {
		name, module string
		files        []string
		packages     []string
	}{
		{"runc", "github.com/opencontainers/runc", []string{"usr/bin/runc", "usr/sbin/runc", "usr/local/sbin/runc", "usr/local/bin/runc"}, []string{"runc", "containerd.io"}},
		{"containerd", "github.com/containerd/containerd", []string{"usr/bin/containerd", "usr/local/bin/containerd"}, []string{"containerd", "containerd.io"}},
		{"cri-o", "github.com/cri-o/cri-o", []string{"usr/bin/crio", "usr/local/bin/crio"}, []string{"cri-o"}},
		{"kubelet", "k8s.io/kubernetes", []string{"usr/bin/kubelet", "usr/local/bin/kubelet", "opt/bin/kubelet"}, []string{"kubelet", "kubernetes-node"}},
		{"kube-proxy", "k8s.io/kubernetes", []string{"usr/bin/kube-proxy", "usr/local/bin/kube-proxy"}, []string{"kube-proxy"}},
		{"k3s", "github.com/k3s-io/k3s", []string{"usr/local/bin/k3s", "usr/bin/k3s"}, []string{"k3s"}},
		{"nvidia-container-toolkit", "github.com/NVIDIA/nvidia-container-toolkit", []string{"usr/bin/nvidia-container-runtime", "usr/bin/nvidia-ctk"}, []string{"nvidia-container-toolkit"}},
		{"cni-plugins", "github.com/containernetworking/plugins", []string{"opt/cni/bin/bridge", "usr/lib/cni/bridge"}, []string{"kubernetes-cni", "containernetworking-plugins"}},
		{"crun", "", []string{"usr/bin/crun", "usr/local/bin/crun"}, []string{"crun"}},
	} {
		for _, file := range p.files {
			f, err := k.t.open(file)
			if err != nil {
				if !absent(err) {
					k.hide("software", facts.Unknown, why(err), true)
				}
				continue
			}
			w := facts.NodeSoftware{Name: p.name, Path: absolute(file)}
			for _, held := range k.doc.Packages {
				if held.Class == "os" && slices.Contains(p.packages, held.Name) && !strings.HasPrefix(file, "usr/local/") {
					w.Version, w.Packaged = held.Version, true
				}
			}
			if info, err := buildinfo.Read(f); err == nil && !w.Packaged && strings.HasPrefix(info.Main.Path, p.module) && p.module != "" && info.Main.Version != "(devel)" {
				w.Version = strings.TrimPrefix(info.Main.Version, "v")
			}
			_ = f.Close() // it was only read
			if w.Version == "" {
				k.hide("software", facts.Unknown, "neither a package nor its build tells the version of "+w.Path, true)
			}
			k.n.Software = append(k.n.Software, w)
			break
		}
	}
	if k.opts.NoPackages {
		k.hide("software", facts.NotAssessed, noPackages, true)
	}
	slices.SortFunc(k.n.Software, func(a, b facts.NodeSoftware) int { return strings.Compare(a.Name, b.Name) })
	k.versions()
}

// versions takes the version of the kubelet and the runtime over.
func (k *nodeScan) versions() {
	for _, w := range k.n.Software {
		switch w.Name {
		case "kubelet", "k3s":
			parts := strings.SplitN(w.Version, ".", 3)
			if len(parts) == 3 {
				k.n.KubeletMinor, _ = strconv.Atoi(parts[1])
				patch := parts[2]
				if i := strings.IndexFunc(patch, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
					patch = patch[:i]
				}
				k.n.KubeletPatch, _ = strconv.Atoi(patch)
			}
		case k.n.Runtime:
			k.n.RuntimeVer = w.Version
		}
	}
	if k.n.KubeletMinor == 0 {
		k.hide("kubelet_minor", facts.Unknown, "no file tells the version of the kubelet", false)
		k.hide("kubelet_patch", facts.Unknown, "no file tells the version of the kubelet", false)
	}
	if k.n.RuntimeVer == "" {
		k.hide("runtime_version", facts.Unknown, "no file tells the version of the container runtime", false)
	}
}

// settings reads what a kubelet with protectKernelDefaults asks for.
func (k *nodeScan) settings() {
	if !k.live {
		k.hide("settings", facts.Unknown, "a disk does not tell the kernel's settings; run postscan vm on the running node", false)
		return
	}
	for _, name := range []string{"kernel.keys.root_maxbytes", "kernel.keys.root_maxkeys", "kernel.panic", "kernel.panic_on_oops", "vm.overcommit_memory", "vm.panic_on_oom"} {
		data, err := k.t.readUpTo("proc/sys/"+strings.ReplaceAll(name, ".", "/"), 4096)
		if err == nil {
			k.n.Settings = append(k.n.Settings, facts.KernelSetting{Name: name, Value: clean(string(data))})
		} else if !absent(err) {
			k.hide("settings", facts.Unknown, why(err), true)
		}
	}
}
