# METADATA
# scope: package
# title: No HEALTHCHECK
# description: |
#   The image defines no HEALTHCHECK, or switches off that of its base with NONE. Docker, Podman and Swarm then take a container for
#   well as long as its process exists: one that hangs, is starved or was taken over stays in service unseen. Kubernetes ignores
#   HEALTHCHECK and has probes instead; where images only ever run there, set require_healthcheck to false.
# related_resources:
#   - ref: https://docs.docker.com/reference/dockerfile/#healthcheck
#     description: The HEALTHCHECK instruction
#   - ref: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
#     description: Probes, which Kubernetes uses instead
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-022
#   severity: info
#   needs: [config.healthcheck]
#   params:
#     - name: require_healthcheck
#       type: boolean
#       default: true
#       description: Whether images must define a HEALTHCHECK; false where they only run on Kubernetes, which ignores it
#   remediation: |
#     Add a check that asks the service itself and needs no extra tool, for example
#     "HEALTHCHECK --interval=30s --timeout=3s CMD ["/app/server", "-healthcheck"]". The OCI image format has no place for it: with
#     buildah or podman build use --format docker.
#   references:
#     cis-docker: ["4.6"]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.image.no_healthcheck

applies if data.params.require_healthcheck

deny contains {
	"message": messages[input.config.healthcheck],
	"path": "config.healthcheck",
	"value": input.config.healthcheck,
}

messages := {
	"absent": "no HEALTHCHECK is defined",
	"none": "HEALTHCHECK NONE switches the check of the base image off",
}
