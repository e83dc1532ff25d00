package kube

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// The capabilities that runtimes give by default. containerd and Docker agree.
var (
	capsContainerd = []string{"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
	capsPodman     = []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
	capsCRIO       = []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETPCAP", "SETUID"}
)

// capsAll are the capabilities of Linux 6.x.
var capsAll = []string{
	"AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE",
	"DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN",
	"MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP", "SETGID",
	"SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT",
	"SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
}

// Whose default set a container starts from.
const (
	defaultAssumed = "assumed"
	defaultMixed   = "mixed"
)

// defaultCapabilities returns the set that a node's runtime gives.
func defaultCapabilities(runtime string) []string {
	switch runtime {
	case "cri-o":
		return capsCRIO
	case "podman":
		return capsPodman
	default: // containerd, docker, mixed, assumed
		return capsContainerd
	}
}

// effectiveCapabilities applies add and drop in the order of containerd and
// CRI-O: add ALL, drop ALL, named adds, named drops. base is full, default or
// none; caps is ["ALL"] for the full set.
func effectiveCapabilities(privileged bool, add, drop []string, defaults []string) (caps []string, base string) {
	if privileged {
		return []string{"ALL"}, "full"
	}
	set := map[string]bool{}
	base = "default"
	fill := func(list []string) {
		clear(set)
		for _, c := range list {
			set[c] = true
		}
	}
	fill(defaults)
	if holdsAll(add) {
		base = "full"
		fill(capsAll)
	}
	if holdsAll(drop) {
		base = "none"
		clear(set)
	}
	for _, c := range add {
		if n := capabilityName(c); n != "ALL" {
			set[n] = true
		}
	}
	for _, c := range drop {
		delete(set, capabilityName(c))
	}
	if base == "full" && !slices.ContainsFunc(capsAll, func(c string) bool { return !set[c] }) {
		return []string{"ALL"}, base
	}
	return slices.Sorted(maps.Keys(set)), base
}

func holdsAll(list []string) bool {
	return slices.ContainsFunc(list, func(c string) bool { return capabilityName(c) == "ALL" })
}

// capabilityName is the name as runtimes compare it: upper case, without "CAP_".
func capabilityName(c string) string { return strings.TrimPrefix(strings.ToUpper(c), "CAP_") }

func capabilityStrings(list []corev1.Capability) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = string(c)
	}
	return out
}
