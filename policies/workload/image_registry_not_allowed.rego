# METADATA
# scope: package
# title: Workload image from a registry outside the allow list
# description: |
#   A container or an image volume takes its image from a registry or repository that the organisation has not approved.
#   Content from elsewhere has not passed its review, scanning and signing. The name counts as it is written, docker.io where
#   it has no registry; a mirror that a node is set to is not seen. Without an allow list the check is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/
#     description: Image names and pulling
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-038
#   severity: medium
#   needs: [containers, volumes]
#   params:
#     - name: allowed_registries
#       type: strings
#       default: []
#       description: Registries ("registry.example.com:5000") or repository prefixes ("ghcr.io/acme") that images may come from
#   requires_params: [allowed_registries]
#   remediation: |
#     Copy the image, after review, into an approved registry and name it there, or add its publisher to allowed_registries.
#     Enforce the same list at admission.
#   references:
#     nist-800-190: ["4.1.5", "4.4.5"]
#     nsa-cisa: [POD4]
#     attack-containers: [T1204.003]
#     owasp-k8s: [K04]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.workload.image_registry_not_allowed

import data.postscan.lib.registries
import data.postscan.lib.workload_images

deny contains {
	"message": sprintf("the image of container %s is outside the allowed registries: %s", [c.name, name(c.image)]),
	"path": concat("", [c.path, ".image"]),
	"value": name(c.image),
	"key": c.name,
} if {
	some c in input.containers
	c.image.repository != ""
	not registries.allowed(name(c.image))
}

deny contains {
	"message": sprintf("the image of volume %s is outside the allowed registries: %s", [v.name, name(v.image)]),
	"path": workload_images.where(v),
	"value": name(v.image),
	"key": concat(" ", ["volume", v.name]),
} if {
	some v in input.volumes
	v.type == "image"
	v.image.repository != ""
	not registries.allowed(name(v.image))
}

unknown contains workload_images.unreadable("container", c) if some c in input.containers

unknown contains workload_images.unreadable("volume", v) if {
	some v in input.volumes
	v.type == "image"
}

name(image) := registries.canonical(concat("/", [image.registry, image.repository]))
