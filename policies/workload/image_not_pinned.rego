# METADATA
# scope: package
# title: Image not pinned by digest
# description: |
#   The workload names an image by tag alone. A tag can be moved to another image by whoever may push to the repository, and no
#   one sees it here. Names without a tag or with latest are told by PS-K8S-035.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/
#     description: Image names and pulling
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-036
#   severity: info
#   needs: [containers, volumes]
#   remediation: |
#     Add the digest to the name, as app:1.4.2@sha256:…, by hand, by the build pipeline or by a mutating admission webhook.
#   references:
#     nist-800-190: ["4.2.2", "4.1.5"]
#     owasp-k8s: [K04]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.workload.image_not_pinned

import data.postscan.lib.workload_images

deny contains {
	"message": sprintf("the image of container %s is named by the tag %s alone", [c.name, c.image.tag]),
	"path": concat("", [c.path, ".image"]),
	"value": c.image.reference,
	"key": c.name,
} if {
	some c in input.containers
	by_tag(c.image)
}

deny contains {
	"message": sprintf("the image of volume %s is named by the tag %s alone", [v.name, v.image.tag]),
	"path": workload_images.where(v),
	"value": v.image.reference,
	"key": concat(" ", ["volume", v.name]),
} if {
	some v in input.volumes
	v.type == "image"
	by_tag(v.image)
}

by_tag(image) if {
	image.digest == ""
	image.repository != ""
	not image.tag in {"", "latest"}
}

unknown contains workload_images.unreadable("container", c) if some c in input.containers

unknown contains workload_images.unreadable("volume", v) if {
	some v in input.volumes
	v.type == "image"
}
