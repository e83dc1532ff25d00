# METADATA
# scope: package
# title: Cached private image usable without credentials
# description: |
#   A container takes an image that its node has already, and nobody asks whether this workload may: the pull policy is not
#   Always, and neither the API server (AlwaysPullImages) nor the kubelet checks again. On a node that workloads of other
#   tenants share, one tenant runs, and reads, the private image of another by its name alone. From Kubernetes 1.35 the kubelet
#   checks by default; there only NeverVerify counts.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/
#     description: Image names and pulling
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#alwayspullimages
#     description: AlwaysPullImages
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-037
#   severity: low
#   needs: [containers, cluster.always_pull_images, nodes.kubelet_minor, nodes.pull_verification, nodes.other_classes]
#   remediation: |
#     Set "imagePullPolicy: Always", switch the admission plugin AlwaysPullImages on, or set
#     imagePullCredentialsVerificationPolicy of the kubelets to AlwaysVerify. Or give each tenant nodes of its own.
#   references:
#     nist-800-190: ["4.2.3"]
#     cis-k8s: ["1.2.11"]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.workload.cached_image_reuse

deny contains {
	"message": sprintf("container %s takes the image from its node without a check of credentials (pull policy %s), beside %s", [
		c.name, c.pull_policy,
		concat(", ", input.nodes.other_classes),
	]),
	"path": concat("", [c.path, ".imagePullPolicy"]),
	"value": c.pull_policy,
	"key": c.name,
} if {
	input.cluster.always_pull_images == "false"
	unchecked
	count(input.nodes.other_classes) > 0
	some c in input.containers
	c.pull_policy != "Always"
}

reusing if {
	count(input.nodes.other_classes) > 0
	some c in input.containers
	c.pull_policy != "Always"
}

unknown contains "whether the API server has the admission plugin AlwaysPullImages on cannot be seen" if {
	not input.cluster.always_pull_images in {"true", "false"}
	unchecked
	reusing
}

unknown contains "whether the kubelets of its nodes check credentials for images that are there already cannot be seen" if {
	input.cluster.always_pull_images != "true"
	not unchecked
	input.nodes.pull_verification in {"unknown", "mixed"}
	reusing
}

# unchecked is true where the kubelet has no check, or has it switched off.
unchecked if {
	input.nodes.kubelet_minor > 0
	input.nodes.kubelet_minor < 35
}

unchecked if input.nodes.pull_verification == "NeverVerify"
