# METADATA
# scope: package
# title: No verifiable signature or provenance
# description: |
#   No signature of the image's digest verifies with the configured key: none is attached, or none is by that key. Nothing then
#   shows that this content is what the build made; whoever can write to the registry can put other code behind the same name, and
#   the best isolated container runs it. A signed image without an SBOM or provenance attestation is told as information: its
#   origin is proven, but not what is in it or how it was built. Without a configured key the check is not assessed.
# related_resources:
#   - ref: https://docs.sigstore.dev/cosign/signing/signing_with_containers/
#     description: Signing container images with cosign
#   - ref: https://slsa.dev/
#     description: SLSA provenance
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-017
#   severities: [medium, info]
#   needs: [signature.present, signature.verified, signature.sbom, signature.provenance, signature.problem]
#   remediation: |
#     Sign by digest in the pipeline that builds ("cosign sign --key … IMAGE@sha256:…") and attach SBOM and provenance attestations
#     ("cosign attest", or "docker buildx build --sbom=true --provenance=mode=max"). Refuse unsigned images at admission. If a
#     signature is attached but does not verify, find out who made it before you run the image.
#   references:
#     nist-800-190: ["4.1.5"]
#     cis-docker: ["4.5", "4.12"]
#     attack-containers: [T1525]
#     owasp-k8s: [K04]
#     cwe: ["347"]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.image.unsigned

deny contains {
	"message": "no signature is attached",
	"path": "signature.present",
	"value": false,
	"key": "signature",
	"severity": "medium",
} if {
	not input.signature.present
}

deny contains {
	"message": concat("", ["a signature is attached, but none verifies with the configured key", problem]),
	"path": "signature.verified",
	"value": false,
	"key": "signature",
	"severity": "medium",
} if {
	not input.signature.verified
	input.signature.present
}

deny contains {
	"message": "signed, but without an SBOM attestation",
	"path": "signature.sbom",
	"value": false,
	"key": "sbom",
	"severity": "info",
} if {
	input.signature.verified
	not input.signature.sbom
}

deny contains {
	"message": "signed, but without a provenance attestation",
	"path": "signature.provenance",
	"value": false,
	"key": "provenance",
	"severity": "info",
} if {
	input.signature.verified
	not input.signature.provenance
}

default problem := ""

problem := concat("", [": ", input.signature.problem]) if input.signature.problem != ""
