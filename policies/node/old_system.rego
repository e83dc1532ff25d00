# METADATA
# scope: package
# title: General-purpose or old operating system on the node
# description: |
#   A system that is made for containers brings less to attack, is replaced as a whole and often cannot be written; a
#   general-purpose one is told as information. A system whose general support has ended gets no more fixes, and a reboot that
#   is due for more than seven days leaves the fixes of the kernel unused. Only systems of a short list are judged by age; a
#   paid extension of support does not show.
# related_resources:
#   - ref: https://kubernetes.io/docs/setup/production-environment/
#     description: Production environment
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-031
#   severities: [medium, info]
#   needs: [os, os_image, reboot_due, reboot_due_days]
#   remediation: |
#     Use a container-optimised system such as Bottlerocket, Flatcar, Talos, Container-Optimized OS or CoreOS. Replace nodes of
#     a system that has ended. Reboot nodes after updates of the kernel, by kured for example.
#   references:
#     nist-800-190: ["4.5.1", "4.5.3"]
#     cis-gke: ["5.5.1"]
#     owasp-k8s: [K07]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.node.old_system

import data.postscan.lib.node_systems

deny contains {
	"message": sprintf("%s is a general-purpose system", [input.os_image]),
	"path": "os_image",
	"value": input.os_image,
	"key": "general-purpose",
	"severity": "info",
} if {
	input.os == "linux"
	input.os_image != ""
	not node_systems.made_for_containers(input.os_image)
}

deny contains {
	"message": sprintf("%s has got no fixes since %s", [input.os_image, day]),
	"path": "os_image",
	"value": input.os_image,
	"key": "ended",
	"severity": "medium",
} if {
	day := node_systems.ended(input.os_image)
	substring(data.params.now, 0, 10) > day
}

deny contains {
	"message": sprintf("a reboot is due for %d days", [input.reboot_due_days]),
	"path": "reboot_due",
	"value": input.reboot_due_days,
	"key": "reboot",
	"severity": "medium",
} if {
	input.reboot_due
	input.reboot_due_days > 7
}

unknown contains "a reboot is due, but nothing tells for how long" if {
	input.reboot_due
	input.reboot_due_days < 0
}
