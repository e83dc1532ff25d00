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

name := concat("/", [canonical(input.registry), input.repository])

deny contains {
	"message": sprintf("%s is outside the allowed registries", [name]),
	"path": "registry",
	"value": input.registry,
} if {
	input.registry != ""
	not allowed
}

unknown contains "the image was read without a registry in its name, so where it comes from cannot be told" if {
	input.registry == ""
}

# A prefix ends at a slash: "ghcr.io/acme" allows "ghcr.io/acme/app", not "ghcr.io/acme-two/app".
allowed if {
	some entry in data.params.allowed_registries
	startswith(concat("", [name, "/"]), concat("", [prefix(entry), "/"]))
}

# An entry is read as an image name is: without a host it is on docker.io. "/", "/*" and "/**"
# at its end add nothing; an entry that is empty then allows nothing.
prefix(entry) := canonical(trimmed) if {
	trimmed := trimmed_end(entry)
	has_host(trimmed)
} else := concat("/", ["docker.io", trimmed_end(entry)])

trimmed_end(entry) := regex.replace(entry, `(?:/+\**)+$`, "")

has_host(entry) if {
	host := split(entry, "/")[0]
	regex.match(`[.:]|^localhost$`, host)
}

# Docker Hub has several names.
canonical(text) := regex.replace(text, `^(?:index\.docker\.io|registry-1\.docker\.io|registry\.hub\.docker\.com)(/|$)`, "docker.io$1")
