# METADATA
# scope: package
# title: Mutable image tag
# description: |
#   The workload names an image without a tag or with the tag latest, and without a digest. What runs is then whatever stands
#   under that name when a node pulls: after a restart another program may run than the one that was reviewed, and two pods of
#   one workload may differ.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/
#     description: Image names and pulling
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-035
#   severity: medium
#   needs: [containers, volumes]
#   remediation: |
#     Name a version and pin it by digest, as app:1.4.2@sha256:…; most build pipelines print the digest when they push.
#   references:
#     nist-800-190: ["4.2.2"]
#     attack-containers: [T1525]
#     owasp-k8s: [K04]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.workload.mutable_tag

import data.postscan.lib.workload_images

deny contains {
	"message": sprintf("the image of container %s has %s and no digest: %s", [c.name, tag(c.image), c.image.reference]),
	"path": concat("", [c.path, ".image"]),
	"value": c.image.reference,
	"key": c.name,
} if {
	some c in input.containers
	workload_images.mutable(c.image)
	c.image.repository != ""
}

deny contains {
	"message": sprintf("the image of volume %s has %s and no digest: %s", [v.name, tag(v.image), v.image.reference]),
	"path": workload_images.where(v),
	"value": v.image.reference,
	"key": concat(" ", ["volume", v.name]),
} if {
	some v in input.volumes
	v.type == "image"
	workload_images.mutable(v.image)
	v.image.repository != ""
}

unknown contains workload_images.unreadable("container", c) if some c in input.containers

unknown contains workload_images.unreadable("volume", v) if {
	some v in input.volumes
	v.type == "image"
}

tag(image) := "no tag" if image.tag == ""

tag(image) := "the tag latest" if image.tag == "latest"
