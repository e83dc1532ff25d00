# METADATA
# scope: package
# title: AppArmor/SELinux confinement off
# description: |
#   The container was started with AppArmor or SELinux switched off for it, or the machine has one of them and the engine
#   does not use it. Then nothing but ownership of files stands between root in the container and the machine's /proc and
#   /sys. Privileged containers are told by PS-ENG-004.
# related_resources:
#   - ref: https://docs.docker.com/engine/security/apparmor/
#     description: AppArmor profiles of Docker
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-010
#   severity: high
#   needs: [apparmor, selinux, privileged]
#   remediation: |
#     Remove --security-opt apparmor=unconfined, label=disable and label=type:spc_t. Mount with :z or :Z where a label is
#     what was missing. Switch selinux-enabled on in the engine, and disable_apparmor off.
#   references:
#     nist-800-190: ["4.4.3"]
#     cis-docker: ["5.2", "5.3"]
#     attack-containers: [T1611]
#     cwe: ["693"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.container.lsm_off

deny contains {
	"message": "AppArmor is switched off for it",
	"path": "apparmor",
	"value": input.apparmor,
	"key": "apparmor",
} if {
	input.apparmor == "Unconfined"
	not input.privileged
}

deny contains {
	"message": sprintf("SELinux does not confine it (%s)", [input.selinux]),
	"path": "selinux",
	"value": input.selinux,
	"key": "selinux",
} if {
	input.selinux in {"disabled", "unconfined"}
	not input.privileged
}
