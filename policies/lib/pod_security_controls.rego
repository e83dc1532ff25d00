# METADATA
# description: |
#   Which controls of the Pod Security Standards a workload fails, and the highest level that it meets.
package postscan.lib.pod_security_controls

import data.postscan.lib.pod_security

# capabilities are those that the baseline level lets a container add.
capabilities := {
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
	"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

# volume_types are those of the restricted level.
volume_types := {
	"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image",
	"persistentVolumeClaim", "projected", "secret",
}

selinux_types contains type if some type in {"", "container_t", "container_init_t", "container_kvm_t"}

selinux_types contains "container_engine_t" if pod_security.minor >= 31

# sysctls says from which version of the standards a name is allowed.
sysctls := {
	"kernel.shm_rmid_forced": 0,
	"net.ipv4.ip_local_port_range": 0,
	"net.ipv4.ip_unprivileged_port_start": 0,
	"net.ipv4.ping_group_range": 0,
	"net.ipv4.tcp_syncookies": 0,
	"net.ipv4.ip_local_reserved_ports": 27,
	"net.ipv4.tcp_fin_timeout": 29,
	"net.ipv4.tcp_keepalive_intvl": 29,
	"net.ipv4.tcp_keepalive_probes": 29,
	"net.ipv4.tcp_keepalive_time": 29,
	"net.ipv4.tcp_rmem": 32,
	"net.ipv4.tcp_wmem": 32,
	"net.ipv4.tcp_notsent_lowat": 37,
	"net.ipv4.tcp_slow_start_after_idle": 37,
}

profiles := {"unset", "RuntimeDefault", "Localhost"}

# contexts are the security contexts of the pod and of its containers, each with the path of its owner. No names are in them, so
# that workloads that differ in names share what is said of them.
contexts := array.concat(
	[[input.pod_path, input.security_context]],
	[[c.path, c.security_context] | some c in input.containers],
)

# baseline holds [control, path] for what the baseline level refuses.
baseline contains ["privileged", concat("", [c.path, ".securityContext.privileged"])] if {
	some c in input.containers
	c.privileged
}

baseline contains ["hostNamespaces", concat("", [input.pod_path, ".hostNetwork"])] if input.host_network

baseline contains ["hostNamespaces", concat("", [input.pod_path, ".hostPID"])] if input.host_pid

baseline contains ["hostNamespaces", concat("", [input.pod_path, ".hostIPC"])] if input.host_ipc

baseline contains ["hostPathVolumes", concat("", [v.path, ".hostPath"])] if {
	some v in input.volumes
	v.type == "hostPath"
}

baseline contains ["hostPorts", concat("", [p.path, ".hostPort"])] if {
	some c in input.containers
	some p in c.ports
	p.host_port != 0
}

baseline contains ["capabilities_baseline", concat("", [c.path, ".securityContext.capabilities.add"])] if {
	some c in input.containers
	some name in c.capabilities_add
	not name in capabilities
}

baseline contains ["appArmorProfile", concat("", [path, ".securityContext.appArmorProfile.type"])] if {
	some [path, context] in contexts
	not context.apparmor in profiles
}

baseline contains ["appArmorProfile", note.path] if {
	some note in input.apparmor_annotations
	not note.value in {"", "runtime/default"}
	not startswith(note.value, "localhost/")
}

baseline contains ["seLinuxOptions", concat("", [path, ".securityContext.seLinuxOptions.type"])] if {
	some [path, context] in contexts
	not context.selinux.type in selinux_types
}

baseline contains ["seLinuxOptions", concat("", [path, ".securityContext.seLinuxOptions.", field])] if {
	some [path, context] in contexts
	some field in ["user", "role"]
	context.selinux[field] != ""
}

baseline contains ["procMount", path] if {
	not pod_security.relaxed
	some path in proc_mounts
}

baseline contains ["seccompProfile_baseline", path] if {
	pod_security.minor >= 19
	some path in seccomp_off
}

baseline contains ["seccompProfile_baseline", note.path] if {
	pod_security.minor < 19
	some note in input.seccomp_annotations
	note.exists
	not note.value in {"runtime/default", "docker/default"}
	not startswith(note.value, "localhost/")
}

baseline contains ["sysctls", concat("", [s.path, ".name"])] if {
	some s in input.sysctls
	not safe_sysctl(s.name)
}

baseline contains ["windowsHostProcess", concat("", [path, ".securityContext.windowsOptions.hostProcess"])] if {
	some [path, context] in contexts
	context.host_process == "true"
}

baseline contains ["hostProbesAndHostLifecycle", p.path] if {
	pod_security.minor >= 34
	some c in input.containers
	some p in c.host_probes
	p.host != ""
}

# overridden are the baseline controls in whose place a restricted one stands.
overridden contains "hostPathVolumes"

overridden contains "seccompProfile_baseline" if pod_security.minor >= 19

overridden contains "capabilities_baseline" if pod_security.minor >= 22

overridden contains "procMount" if pod_security.minor >= 35

# restricted holds [control, path] for what the restricted level refuses.
restricted contains [control, path] if {
	some [control, path] in baseline
	not control in overridden
}

restricted contains ["allowPrivilegeEscalation", concat("", [c.path, ".securityContext.allowPrivilegeEscalation"])] if {
	pod_security.minor >= 8
	not pod_security.exempt_windows
	some c in input.containers
	c.allow_privilege_escalation != "false"
}

restricted contains ["capabilities_restricted", concat("", [c.path, ".securityContext.capabilities.drop"])] if {
	capabilities_count
	some c in input.containers
	not "ALL" in c.capabilities_drop
}

restricted contains ["capabilities_restricted", concat("", [c.path, ".securityContext.capabilities.add"])] if {
	capabilities_count
	some c in input.containers
	some name in c.capabilities_add
	name != "NET_BIND_SERVICE"
}

restricted contains ["procMount_restricted", path] if {
	pod_security.minor >= 35
	some path in proc_mounts
}

restricted contains ["restrictedVolumes", v.path] if {
	some v in input.volumes
	not v.type in volume_types
}

restricted contains ["runAsNonRoot", concat("", [path, ".securityContext.runAsNonRoot"])] if {
	not pod_security.relaxed
	some [path, context] in contexts
	context.run_as_non_root == "false"
}

restricted contains ["runAsNonRoot", concat("", [c.path, ".securityContext.runAsNonRoot"])] if {
	not pod_security.relaxed
	input.security_context.run_as_non_root != "true"
	some c in input.containers
	c.security_context.run_as_non_root == "unset"
}

restricted contains ["runAsUser", concat("", [path, ".securityContext.runAsUser"])] if {
	pod_security.minor >= 23
	not pod_security.relaxed
	some [path, context] in contexts
	context.run_as_user == 0
}

restricted contains ["seccompProfile_restricted", path] if {
	seccomp_counts
	some path in seccomp_off
}

restricted contains ["seccompProfile_restricted", concat("", [c.path, ".securityContext.seccompProfile"])] if {
	seccomp_counts
	not input.security_context.seccomp in {"RuntimeDefault", "Localhost"}
	some c in input.containers
	c.security_context.seccomp == "unset"
}

capabilities_count if {
	pod_security.minor >= 22
	not pod_security.exempt_windows
}

seccomp_counts if {
	pod_security.minor >= 19
	not pod_security.exempt_windows
}

proc_mounts contains concat("", [c.path, ".securityContext.procMount"]) if {
	some c in input.containers
	not c.proc_mount in {"unset", "Default"}
}

seccomp_off contains concat("", [path, ".securityContext.seccompProfile.type"]) if {
	some [path, context] in contexts
	not context.seccomp in profiles
}

safe_sysctl(name) if sysctls[name] <= pod_security.minor

# level is the highest level that the workload meets.
level := "restricted" if count(restricted) == 0

level := "baseline" if {
	count(restricted) > 0
	count(baseline) == 0
}

level := "privileged" if {
	count(restricted) > 0
	count(baseline) > 0
}
