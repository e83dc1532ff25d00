# METADATA
# scope: package
# title: Mandatory access control or lockdown off
# description: |
#   Neither AppArmor nor SELinux is in force, or SELinux only writes down what it would forbid, or the kernel is not locked down
#   although the machine started with Secure Boot. Mandatory access control is the wall that holds when a container's process
#   gets out of its namespaces. Without lockdown root can change the running kernel, so that Secure Boot protects no more than
#   the start.
# related_resources:
#   - ref: https://csrc.nist.gov/pubs/sp/800/190/final
#     description: NIST SP 800-190, runtime configuration
#   - ref: https://man7.org/linux/man-pages/man7/kernel_lockdown.7.html
#     description: Kernel lockdown
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-004
#   severity: medium
#   needs: [protection.lsms, protection.apparmor, protection.selinux, protection.lockdown, boot.secure_boot]
#   remediation: |
#     Switch on the distribution's own: AppArmor on Debian, Ubuntu and SUSE, SELinux in enforcing mode on Fedora, Red Hat and
#     their relatives; bring denials to rest in permissive mode first, then enforce. Start the kernel with lockdown=integrity
#     where the machine uses Secure Boot.
#   references:
#     nist-800-190: ["4.5.1", "4.4.3"]
#     nsa-cisa: [POD6]
#     attack-containers: [T1562.001]
#     cwe: ["693"]
#     isolation: [W1, W5]
#   since: "0.1.0"
package postscan.vm.no_access_control

off := {"disabled", "absent"}

deny contains {
	"message": sprintf("neither AppArmor (%s) nor SELinux (%s) is in force", [input.protection.apparmor, input.protection.selinux]),
	"path": "protection.lsms",
	"value": {"apparmor": input.protection.apparmor, "selinux": input.protection.selinux},
	"key": "none",
} if {
	input.protection.apparmor in off
	input.protection.selinux in off
	not other
}

deny contains {
	"message": "SELinux is permissive: it reports what it would forbid, and lets it happen",
	"path": "protection.selinux",
	"value": input.protection.selinux,
	"key": "permissive",
} if {
	input.protection.selinux == "permissive"
}

deny contains {
	"message": "the machine started with Secure Boot, but the kernel is not locked down: root may change it while it runs",
	"path": "protection.lockdown",
	"value": input.protection.lockdown,
	"key": "lockdown",
} if {
	input.boot.secure_boot == "enabled"
	input.protection.lockdown in {"none", "absent"}
}

# Less common, but mandatory access control as well.
other if {
	some lsm in input.protection.lsms
	lsm in {"smack", "tomoyo"}
}
