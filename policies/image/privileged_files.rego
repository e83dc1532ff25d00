# METADATA
# scope: package
# title: Set-uid, set-gid or file-capability binaries beyond an allow list
# description: |
#   A program in the image gives its own rights to whoever runs it: by the set-uid or set-gid bit, or by file capabilities. Such a
#   program is the step from an ordinary user inside the container to root inside the container, and from there to whatever root
#   may do to the host. A capability that opens the kernel or other processes by itself (SYS_ADMIN, SYS_PTRACE, SYS_MODULE,
#   DAC_READ_SEARCH, SETUID) is worse than the bit and is reported even for a path on the allow list.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/capabilities.7.html
#     description: Linux capabilities, file capabilities among them
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
#     description: allowPrivilegeEscalation, which makes the bits and capabilities of files count for nothing
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-005
#   severities: [medium, low]
#   needs: [privileged_files]
#   params:
#     - name: allowed_privileged_files
#       type: strings
#       default:
#         - /bin/mount
#         - /bin/ping
#         - /bin/ping6
#         - /bin/su
#         - /bin/umount
#         - /sbin/unix_chkpwd
#         - /usr/bin/bbsuid
#         - /bin/bbsuid
#         - /usr/bin/chage
#         - /usr/bin/chfn
#         - /usr/bin/chsh
#         - /usr/bin/expiry
#         - /usr/bin/gpasswd
#         - /usr/bin/mount
#         - /usr/bin/newgrp
#         - /usr/bin/passwd
#         - /usr/bin/ping
#         - /usr/bin/su
#         - /usr/bin/umount
#         - /usr/sbin/pam_timestamp_check
#         - /usr/sbin/unix_chkpwd
#       description: Paths in the image whose set-uid and set-gid bits and harmless capabilities are accepted
#   remediation: |
#     Drop what the program does not need in the step that installs it: "chmod a-s FILE" or "setcap -r FILE"; for all at once
#     "find / -xdev -perm /6000 -type f -exec chmod a-s {} +". Set allowPrivilegeEscalation: false on the workload, or
#     no-new-privileges on the engine. What must stay goes on the allow list, allowed_privileged_files.
#   references:
#     nist-800-190: ["4.1.2"]
#     cis-docker: ["4.8"]
#     attack-containers: [T1548.001]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.image.privileged_files

import data.postscan.lib.paths

allowed contains paths.clean(path) if some path in data.params.allowed_privileged_files

# Each of these is a way to full root or out of the container by itself.
dangerous_capabilities := {
	"cap_dac_read_search",
	"cap_setuid",
	"cap_sys_admin",
	"cap_sys_module",
	"cap_sys_ptrace",
}

deny contains {
	"message": sprintf("%s gives rights to whoever runs it: %s", [file.path, concat(", ", rights(file))]),
	"path": sprintf("privileged_files[%d]", [index]),
	"value": {"path": file.path, "mode": file.mode, "capabilities": file.capabilities},
	"key": file.path,
	"severity": severity(file),
} if {
	some index, file in input.privileged_files
	not accepted(file)
}

accepted(file) if {
	paths.clean(file.path) in allowed
	not dangerous(file)
}

dangerous(file) if {
	some capability in file.capabilities
	lower(capability) in dangerous_capabilities
}

severity(file) := "medium" if {
	dangerous(file)
} else := "low"

rights(file) := array.concat(
	[right | some right in [set_uid(file), set_gid(file)]; right != ""],
	file.capabilities,
)

set_uid(file) := sprintf("set-uid %d", [file.uid]) if {
	file.setuid
} else := ""

set_gid(file) := sprintf("set-gid %d", [file.gid]) if {
	file.setgid
} else := ""
