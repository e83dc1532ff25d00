package engine

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// What real engines said, as people published it, RECORDED: the values are theirs, and fields that nothing here reads are left
// out. Each names its source.

// recordedCRIO serves one container and its pod as a CRI-O gave them.
type recordedCRIO struct {
	crioServer
	version, container, pod string
}

func (r recordedCRIO) Version(context.Context, *cri.VersionRequest) (*cri.VersionResponse, error) {
	return &cri.VersionResponse{Version: "0.1.0", RuntimeName: "cri-o", RuntimeVersion: r.version, RuntimeApiVersion: "v1"}, nil
}

// Status names no handlers, as engines before CRI had them.
func (recordedCRIO) Status(context.Context, *cri.StatusRequest) (*cri.StatusResponse, error) {
	return &cri.StatusResponse{Status: &cri.RuntimeStatus{}}, nil
}

func (r recordedCRIO) ContainerStatus(ctx context.Context, req *cri.ContainerStatusRequest) (*cri.ContainerStatusResponse, error) {
	out, err := r.crioServer.ContainerStatus(ctx, req)
	if out.GetStatus() != nil {
		out.Status.Mounts, out.Info = nil, map[string]string{"info": r.container}
	}
	return out, err
}

func (r recordedCRIO) PodSandboxStatus(ctx context.Context, req *cri.PodSandboxStatusRequest) (*cri.PodSandboxStatusResponse, error) {
	out, err := r.crioServer.PodSandboxStatus(ctx, req)
	out.Info = map[string]string{"info": r.pod}
	return out, err
}

const (
	// What crictl inspect told of a container and of its pod on 2023-12-12, of the kind of CRI-O 1.28, as the tests of Falco keep it with shortened lists:
	// https://github.com/falcosecurity/libs/blob/master/userspace/libsinsp/test/container_engine/container_parser_cri_crio.ut.cpp
	recordedContainer = `{"sandboxID": "1f04600dc6949359da68eee5fe7c4069706a567c07d1ef89fe3bbfdeac7a6dca", "pid": 1835083, "privileged": true, "runtimeSpec": {"ociVersion": "1.0.2-dev",
  "process": {"user": {"uid": 0, "gid": 0, "additionalGids": [0]}, "args": ["docker-entrypoint.sh", "docker-entrypoint.sh", "redis-server"], "env": ["HOSTNAME=crictl_host"], "cwd": "/data",
    "capabilities": {"bounding": ["CAP_SYS_ADMIN", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_KILL"]}, "oomScoreAdj": 30},
  "root": {"path": "/var/lib/containers/storage/overlay/452374ade3f42caaea412ed8d221100864d3282e29acde3279db72f6d2468a67/merged"},
  "linux": {"resources": {"devices": [{"allow": false, "access": "rwm"}], "memory": {"limit": 209715200, "swap": 209715200}, "cpu": {"shares": 512, "quota": 20000, "period": 10000, "cpus": "0", "mems": "0"}, "pids": {"limit": 0}},
    "cgroupsPath": "pod_123-456.slice:crio:49ecc282021562c567a8159ef424a06cdd8637efdca5953de9794eafe29adcad", "namespaces": [{"type": "pid"}],
    "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"]}, "maskedPaths": ["/proc/acpi"], "readonlyPaths": ["/proc/asound"]}}}`
	recordedPod = `{"runtimeSpec": {"ociVersion": "1.0.2-dev", "annotations": {"io.container.manager": "cri-o", "io.kubernetes.cri-o.Created": "2023-12-12T04:10:22.504653972Z",
  "io.kubernetes.cri-o.NamespaceOptions": "{\"pid\":1}", "io.kubernetes.cri-o.PortMappings": "[]", "io.kubernetes.cri-o.PrivilegedRuntime": "false", "io.kubernetes.cri-o.HostNetwork": "false"}}}`

	// What crictl inspect told of a privileged container of CRI-O 1.18, which did not say "privileged" yet: it has every
	// capability of its kernel, also as ambient ones. https://github.com/cri-o/cri-o/issues/3769 (its lists of system calls,
	// mounts and masked paths are left out there, as here).
	recordedOldContainer = `{"sandboxID": "3d79183ae56f6f8dd8b843985138b298745b2d4dfc02ed9709214ca475e80d57", "pid": 0, "runtimeSpec": {"ociVersion": "1.0.2-dev",
  "process": {"user": {"uid": 0, "gid": 0}, "args": ["redis-server"], "cwd": "/data", "capabilities": {"bounding": ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
    "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
    "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ"]}},
  "root": {"path": "/x"}, "linux": {"namespaces": [{"type": "pid"}, {"type": "network", "path": "/n"}, {"type": "ipc", "path": "/i"}, {"type": "uts", "path": "/u"}, {"type": "mount"}]}}}`

	// The crio.conf that OpenShift 4.3 wrote to its nodes, without its comments:
	// https://github.com/openshift/machine-config-operator/blob/01108fc0c4d2581802b10d528669891b060ab2c3/templates/worker/01-worker-container-runtime/_base/files/crio.yaml
	recordedConfig = `[crio]
[crio.api]
stream_address = ""
stream_port = "10010"
[crio.runtime]
conmon = "/usr/libexec/crio/conmon"
apparmor_profile = "crio-default"
cgroup_manager = "systemd"
hooks_dir = ["/etc/containers/oci/hooks.d", "/usr/share/containers/oci/hooks.d"]
[crio.image]
global_auth_file = "/var/lib/kubelet/config.json"
pause_command = "/usr/bin/pod"
[crio.network]
network_dir = "/etc/kubernetes/cni/net.d/"
plugin_dirs = ["/var/lib/cni/bin"]
[crio.metrics]
enable_metrics = true
metrics_port = 9537
`
)

// TestRecordedCRIO reads what real CRI-Os said.
func TestRecordedCRIO(t *testing.T) {
	root := folder(t)
	writeFile(t, root, "sys/kernel/x", "")
	writeFile(t, root, "etc/crio/crio.conf", recordedConfig)
	socket := serveCRI(t, recordedCRIO{version: "1.28.2", container: recordedContainer, pod: recordedPod})
	o := Options{Hosts: []string{"unix://" + socket}, Root: root}
	s := collect(t, o)
	e := s.engine(t, "cri-o")
	// An empty address is no loopback.
	if l := e.Listeners; len(l) != 3 || l[1].Purpose != "stream" || l[1].Address != ":10010" || l[1].Loopback || l[2].Address != "127.0.0.1:9537" {
		t.Errorf("listeners %+v", l)
	}
	c := s.container(t, "cri-o/shop/web/app")
	if !c.Privileged || c.Seccomp != "RuntimeDefault" || c.Limits.Memory != 209715200 || !c.Limits.CPU || c.Root != "yes" || len(c.Ports) > 0 {
		t.Errorf("container %+v", c)
	}
	got := findings(t, o)
	want := map[string][]string{
		"cri-o":              {"PS-ENG-001 critical stream :10010", "PS-ENG-017 high cri-o support"},
		"cri-o/shop/web/app": {"PS-ENG-004 critical privileged", "PS-ENG-008 low user", "PS-ENG-014 low root"},
	}
	// The recorded list of namespaces is shortened, so that what it says of the others is not the engine's.
	got["cri-o/shop/web/app"] = slices.DeleteFunc(got["cri-o/shop/web/app"], func(f string) bool { return f == "PS-ENG-007 medium uts" })
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}

	// An older CRI-O does not say that a container is privileged.
	socket = serveCRI(t, recordedCRIO{version: "1.18.0", container: recordedOldContainer, pod: recordedPod})
	old := collect(t, Options{Hosts: []string{"unix://" + socket}, Root: root}).container(t, "cri-o/shop/web/app")
	for _, name := range []string{"BPF", "PERFMON", "CHECKPOINT_RESTORE"} { // its kernel did not know these yet
		if slices.Contains(old.Capabilities, name) {
			t.Errorf("capabilities %v", old.Capabilities)
		}
	}
	if !old.Privileged || old.Seccomp != "Unconfined" {
		t.Errorf("an old CRI-O: %+v", old)
	}
}

// Containers as docker inspect and podman inspect told of them on machines with SELinux; here they have stopped, because their
// processes are not on this machine.
const (
	// Docker 1.9 on RHEL 7, 2016-06-23: https://github.com/RedHatInsights/insights-core/blob/master/insights/tests/parsers/test_docker_inspect.py
	recordedDocker = `{"Id": "97d7cd1a5d8fd7730e83bb61ecbc993742438e966ac5c11910776b5d53f4ae07", "Name": "/hehe2", "State": {"Status": "exited", "Running": false, "Pid": 0},
  "Image": "882ab98aae5394aebe91fe6d8a4297fa0387c3cfd421b2d892bddf218ac373b2", "Driver": "devicemapper", "MountLabel": "system_u:object_r:svirt_sandbox_file_t:s0:c429,c690",
  "ProcessLabel": "system_u:system_r:svirt_lxc_net_t:s0:c429,c690", "AppArmorProfile": "", "ExecIDs": null,
  "HostConfig": {"Binds": null, "Memory": 0, "CpuShares": 0, "CpuPeriod": 0, "CpusetCpus": "", "CpuQuota": 0, "Privileged": false, "PortBindings": {}, "PublishAllPorts": false, "Devices": [], "NetworkMode": "default",
    "IpcMode": "", "PidMode": "", "UTSMode": "", "CapAdd": null, "CapDrop": null, "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, "SecurityOpt": null, "ReadonlyRootfs": false, "CgroupParent": ""},
  "Mounts": [], "Config": {"User": "root", "Env": ["container=docker", "PKGM=yum"], "Cmd": ["/bin/bash"], "Image": "rhel7_imagemagick", "Entrypoint": null, "Labels": {"Name": "rhel7/rhel"}},
  "NetworkSettings": {"Ports": {}, "Networks": {"bridge": {}}}}`
	// Podman on RHEL 8, 2019-08-21, of which the compatible API gives the same labels:
	// https://github.com/RedHatInsights/insights-core/blob/master/insights/tests/parsers/test_podman_inspect.py
	recordedPodman = `{"Id": "66db151828e9beede0cdd9c17fc9bd5ebb5d125dd036f7230bc6b6433e5c0dda", "Name": "gnocchi_metricd", "State": {"Status": "exited", "Running": false, "Pid": 0},
  "Image": "a6b8f27df9feb9d820527d413f24ec9b1fcfb12049dd91af5fc188636bebe504", "Driver": "overlay", "MountLabel": "system_u:object_r:container_file_t:s0:c514,c813",
  "ProcessLabel": "system_u:system_r:container_t:s0:c514,c813", "AppArmorProfile": "", "ExecIDs": [],
  "HostConfig": {"NetworkMode": "host", "PortBindings": null, "CapAdd": [], "CapDrop": [], "IpcMode": "", "PidMode": "", "Privileged": false, "ReadonlyRootfs": false, "SecurityOpt": [], "UTSMode": "", "UsernsMode": "",
    "Runtime": "runc", "Memory": 0, "NanoCpus": 0, "PidsLimit": null},
  "Mounts": [{"Type": "bind", "Source": "/etc/pki/ca-trust/source/anchors", "Destination": "/etc/pki/ca-trust/source/anchors", "RW": false, "Propagation": "rprivate"},
    {"Type": "bind", "Source": "/etc/ceph", "Destination": "/var/lib/kolla/config_files/src-ceph", "RW": false, "Propagation": "rprivate"}],
  "Config": {"User": "0:0", "Env": ["container=oci", "KOLLA_INSTALL_TYPE=binary"], "Cmd": ["dumb-init", "--single-child", "--", "kolla_start"], "Image": "192.168.24.1:8787/rhosp15/openstack-gnocchi-metricd:20190819.1"},
  "NetworkSettings": {}}`
)

// TestRecordedSELinux reads containers of machines with SELinux.
func TestRecordedSELinux(t *testing.T) {
	for name, tt := range map[string]struct {
		document, id, selinux string
		findings              []string
	}{
		"docker": {recordedDocker, "docker/hehe2", "svirt_lxc_net_t", []string{
			"PS-ENG-008 low user", "PS-ENG-011 low no_new_privileges", "PS-ENG-013 info cpu", "PS-ENG-013 low memory", "PS-ENG-013 low pids", "PS-ENG-014 low root",
		}},
		"podman": {recordedPodman, "docker/gnocchi_metricd", "container_t", []string{
			"PS-ENG-006 high network", "PS-ENG-008 low user", "PS-ENG-011 low no_new_privileges", "PS-ENG-012 high /var/lib/kolla/config_files/src-ceph", "PS-ENG-013 info cpu", "PS-ENG-013 low memory", "PS-ENG-013 low pids", "PS-ENG-014 low root",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t)
			writeFile(t, root, "sys/fs/selinux/enforce", "1")
			writeFile(t, root, "sys/kernel/x", "")
			e := serveEngine(t, behaviour{
				containers: 1,
				info: func(w http.ResponseWriter, _ *http.Request) {
					_ = json.NewEncoder(w).Encode(map[string]any{"ID": "T", "ServerVersion": "1.13.1-108.git4ef4b30.el7", "OSType": "linux", "CgroupVersion": "1", "SecurityOptions": []string{"name=seccomp,profile=/etc/docker/seccomp.json", "name=selinux"}})
				},
				inspect: func(w http.ResponseWriter, _ *http.Request, _ int) bool {
					_, _ = w.Write([]byte(tt.document)) // who hung up is not told
					return true
				},
			})
			s := collect(t, Options{Hosts: e.host(), Root: root})
			if c := s.container(t, tt.id); c.SELinux != tt.selinux || c.AppArmor != "none" || c.Seccomp != "Localhost" || s.engine(t, "docker").SELinux != "enabled" {
				t.Errorf("container %+v, engine %+v", c, s.engine(t, "docker"))
			}
			outcomes, err := evaluator(t).Evaluate(t.Context(), s.resources[tt.id])
			must(t, err)
			var got []string
			for _, o := range outcomes {
				for _, v := range o.Violations {
					got = append(got, o.Rule.ID+" "+v.Severity.String()+" "+v.Key)
				}
				if o.Gap == facts.Unknown && o.Rule.ID == "PS-ENG-010" {
					t.Errorf("PS-ENG-010 is unknown: %v", o.Reasons)
				}
			}
			slices.Sort(got)
			if diff := gocmp.Diff(tt.findings, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}
