# METADATA
# scope: package
# title: Weak kernel settings on a container host
# description: |
#   Kernel settings of the machine make a flaw in the kernel easier to use: addresses of the kernel and its log are shown to
#   everybody, any user may load BPF programs or trace other processes, another kernel can be started without a signature, core
#   dumps are given to a program that others than root may replace. Containers share this kernel, so whoever is in one profits.
# related_resources:
#   - ref: https://docs.kernel.org/admin-guide/sysctl/kernel.html
#     description: Kernel settings
#   - ref: https://csrc.nist.gov/pubs/sp/800/190/final
#     description: NIST SP 800-190, host attack surface
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-005
#   severity: low
#   needs:
#     - sysctls.kptr_restrict
#     - sysctls.dmesg_restrict
#     - sysctls.unprivileged_bpf_disabled
#     - sysctls.ptrace_scope
#     - sysctls.kexec_load_disabled
#     - sysctls.user_namespaces
#     - sysctls.core_pattern
#     - sysctls.core_program_writable
#     - protection.lockdown
#     - role.container_host
#   params:
#     - name: allow_user_namespaces
#       type: boolean
#       default: false
#       description: "Every user of a container host may make user namespaces, as rootless engines and sandboxed browsers need it."
#   remediation: |
#     Write a file below /etc/sysctl.d: kernel.kptr_restrict=1, kernel.dmesg_restrict=1, kernel.unprivileged_bpf_disabled=1,
#     kernel.yama.ptrace_scope=1, kernel.kexec_load_disabled=1. Restrict user namespaces to those who need them (Ubuntu:
#     apparmor_restrict_unprivileged_userns, Debian: unprivileged_userns_clone) unless rootless engines run here. Let
#     core_pattern name a program below a folder of root's only.
#   references:
#     nist-800-190: ["4.5.1"]
#     attack-containers: [T1068]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.vm.weak_kernel_settings

applies if input.role.container_host

# Each value is the one that weakens; a setting that could not be read is -1.
weak := {
	"kptr_restrict": "addresses of the kernel are shown to everybody",
	"dmesg_restrict": "everybody reads the kernel's log",
	"unprivileged_bpf_disabled": "every user may load BPF programs",
	"ptrace_scope": "a process may trace every other of its user",
}

deny contains {
	"message": sprintf("%s is 0: %s", [name, meaning]),
	"path": sprintf("sysctls.%s", [name]),
	"value": 0,
	"key": name,
} if {
	some name, meaning in weak
	setting[name] == 0
}

deny contains {
	"message": "kexec_load_disabled is 0 and the kernel is not locked down: root may start another kernel without a signature",
	"path": "sysctls.kexec_load_disabled",
	"value": 0,
	"key": "kexec_load_disabled",
} if {
	input.sysctls.kexec_load_disabled == 0
	input.protection.lockdown in {"none", "absent"}
}

deny contains {
	"message": "every user may make a user namespace and reach with it parts of the kernel that are root's elsewhere",
	"path": "sysctls.user_namespaces",
	"value": input.sysctls.user_namespaces,
	"key": "user_namespaces",
} if {
	input.sysctls.user_namespaces == "open"
	not data.params.allow_user_namespaces
}

deny contains {
	"message": sprintf("core dumps go to %s, which others than root may replace: it runs as root outside of every container", [
		input.sysctls.core_pattern,
	]),
	"path": "sysctls.core_pattern",
	"value": input.sysctls.core_pattern,
	"key": "core_pattern",
} if {
	input.sysctls.core_program_writable
}

setting := {
	"kptr_restrict": input.sysctls.kptr_restrict,
	"dmesg_restrict": input.sysctls.dmesg_restrict,
	"unprivileged_bpf_disabled": input.sysctls.unprivileged_bpf_disabled,
	"ptrace_scope": input.sysctls.ptrace_scope,
}
