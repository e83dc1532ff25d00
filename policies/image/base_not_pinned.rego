# METADATA
# scope: package
# title: Base image not pinned
# description: |
#   The labels that name the base image (org.opencontainers.image.base.name and .digest) give no digest, or not even a tag other
#   than latest. A tag is moved by whoever may push to it. The next build then stands on other content that nobody reviewed, and
#   nobody can say afterwards which base a running container was built on. Only the labels are judged: an image without them is
#   not assessed, because the finished image does not hold its Dockerfile.
# related_resources:
#   - ref: https://github.com/opencontainers/image-spec/blob/main/annotations.md
#     description: The labels org.opencontainers.image.base.name and .digest
#   - ref: https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
#     description: Pinning base images by digest
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-011
#   severities: [medium, info]
#   needs: [base]
#   remediation: |
#     Write the digest in FROM ("FROM debian:12@sha256:…") and let a bot propose the new digest, so that every change of the base is
#     a reviewed commit. Have the build write both labels, as buildah does by itself or
#     "docker build --label org.opencontainers.image.base.digest=…" does.
#   references:
#     nist-800-190: ["4.1.5", "4.2.2"]
#     attack-containers: [T1195.002]
#     owasp-k8s: [K04]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.image.base_not_pinned

# scratch is the empty image: there is nothing to pin.
applies if input.base.name != "scratch"

deny contains {
	"message": sprintf("the base image %s has no tag and no digest", [input.base.name]),
	"path": "base",
	"value": input.base,
	"severity": "medium",
} if {
	input.base.digest == ""
	input.base.tag == ""
}

deny contains {
	"message": sprintf("the base image %s has the tag latest and no digest", [input.base.name]),
	"path": "base",
	"value": input.base,
	"severity": "medium",
} if {
	input.base.digest == ""
	input.base.tag == "latest"
}

deny contains {
	"message": sprintf("the base image %s has a tag but no digest", [input.base.name]),
	"path": "base",
	"value": input.base,
	"severity": "info",
} if {
	input.base.digest == ""
	not input.base.tag in {"", "latest"}
}
