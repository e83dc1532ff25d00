# METADATA
# scope: package
# title: No image verification at admission
# description: |
#   Nothing at admission verifies signatures of images or limits the registries that they come from, so any image runs. Kyverno's
#   verifyImages and registry policies, Gatekeeper's, ValidatingAdmissionPolicies over images, Sigstore's policy controller, Ratify,
#   Connaisseur, Portieris, OpenShift's image policies and allowed registries, and the API server's ImagePolicyWebhook count
#   where they refuse. One that only warns does not.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#imagepolicywebhook
#     description: ImagePolicyWebhook
#   - ref: https://kyverno.io/docs/policy-types/cluster-policy/verify-images/
#     description: Kyverno, verify images
#   - ref: https://docs.sigstore.dev/policy-controller/overview/
#     description: Sigstore policy controller
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-NET-023
#   severity: medium
#   needs: [verifiers]
#   optional: [api_servers, openshift.allowed_registries]
#   remediation: |
#     Verify images at admission by digest and by the identity that signed them, and allow only your own registries. Begin in
#     warning mode, then enforce.
#   references:
#     nist-800-190: ["4.1.5", "4.4.5"]
#     cis-k8s: ["5.5.1"]
#     cis-gke: ["5.1.4"]
#     attack-containers: [T1610, T1204.003]
#     owasp-k8s: [K04]
#     cwe: ["347"]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.cluster.no_image_verification

deny contains {
	"message": sprintf("nothing at admission verifies images or limits their registries%s", [advice]),
	"path": "verifiers",
	"value": [v.name | some v in input.verifiers],
} if {
	not verified
}

verified if {
	some v in input.verifiers
	v.enforces
}

verified if {
	some server in input.api_servers
	some flag in server.flags
	flag.name in {"enable-admission-plugins", "admission-control"}
	"ImagePolicyWebhook" in split(flag.value, ",")
}

verified if input.openshift.allowed_registries

default advice := ""

advice := sprintf("; %s only warns", [concat(", ", {v.name | some v in input.verifiers})]) if count(input.verifiers) > 0
