# METADATA
# scope: package
# title: Image from a registry outside the allow list
# description: |
#   The image's registry or repository is not among those that the organisation has approved. Content from elsewhere has not passed
#   its review, scanning and signing, and a container of it brings whatever its publisher put in. Judged is the name of the image
#   with mirrors undone, docker.io where the name has no registry. Without an allow list the check is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/
#     description: Image names and registries
#   - ref: https://csrc.nist.gov/pubs/sp/800/190/final
#     description: NIST SP 800-190, use of untrusted images
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-018
#   severity: medium
#   needs: [registry, repository]
#   params:
#     - name: allowed_registries
#       type: strings
#       default: []
#       description: Registries ("registry.example.com:5000") or repository prefixes ("ghcr.io/acme") that images may come from
#   requires_params: [allowed_registries]
#   remediation: |
#     Copy the image, after review, into an approved registry by digest ("crane copy", "skopeo copy") and use it from there, or add
#     the publisher to allowed_registries. Enforce the same list at admission.
#   references:
#     nist-800-190: ["4.1.5"]
#     cis-docker: ["4.2"]
#     attack-containers: [T1204.003]
#     owasp-k8s: [K04]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.image.registry_not_allowed

import data.postscan.lib.registries

name := registries.canonical(concat("/", [input.registry, input.repository]))

deny contains {
	"message": sprintf("%s is outside the allowed registries", [name]),
	"path": "registry",
	"value": input.registry,
} if {
	input.registry != ""
	not registries.allowed(name)
}

unknown contains "the image was read without a registry in its name, so where it comes from cannot be told" if {
	input.registry == ""
}
