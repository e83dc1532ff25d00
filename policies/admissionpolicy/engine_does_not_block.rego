# METADATA
# scope: package
# title: Policy engine does not block
# description: |
#   A policy looks at pods, and what it objects to happens all the same: a Kyverno policy or rule in Audit mode, a Gatekeeper
#   constraint that warns or runs dry, a ValidatingAdmissionPolicy without a binding that denies, or a webhook or policy that lets
#   everything through while it cannot be reached (failurePolicy Ignore; Fail is the default). A policy whose selector or exclusions
#   leave out namespaces of users does not hold there. Webhooks of the platform that judge no policy are left out.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#failure-policy
#     description: Failure policy of webhooks
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
#     description: Validating admission policy
#   - ref: https://kyverno.io/docs/policy-types/cluster-policy/validate/
#     description: Kyverno, validate
#   - ref: https://open-policy-agent.github.io/gatekeeper/website/docs/violations/
#     description: Gatekeeper, enforcement actions
# schemas:
#   - input: schema["admissionpolicy"]
# custom:
#   id: PS-NET-022
#   severity: medium
#   needs: [engine, pods, validates, action, blocks, failure_policy, skips_user_namespaces, system, path]
#   remediation: |
#     Once the reports are quiet set Enforce, deny or Deny, and failurePolicy Fail with enough replicas of the engine behind it.
#     Exclude namespaces of the system only.
#   references:
#     nist-800-190: ["4.4.5"]
#     nsa-cisa: [POD4]
#     cis-k8s: ["5.2.1"]
#     owasp-k8s: [K04]
#     cwe: ["636"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.admissionpolicy.engine_does_not_block

applies if {
	input.validates
	input.pods
	not input.system in {"cert-manager", "istio", "linkerd", "eks", "aks", "gke", "openshift", "ingress-nginx"}
}

deny contains {
	"message": sprintf("what it objects to is not refused: its action is %s", [input.action]),
	"path": action_path,
	"value": input.action,
	"key": "action",
} if {
	applies
	input.engine != "validating-webhook"
	not input.blocks
}

deny contains {
	"message": "failurePolicy is Ignore: while it cannot be asked everything is let through",
	"path": concat("", [input.path, ".failurePolicy"]),
	"value": "Ignore",
	"key": "failure-policy",
} if {
	applies
	input.failure_policy == "Ignore"
}

deny contains {
	"message": "its selector or exclusions leave out namespaces of users",
	"path": input.path,
	"value": true,
	"key": "namespaces",
} if {
	applies
	input.skips_user_namespaces
}

default action_path := "spec"

action_path := "spec.validationFailureAction" if input.engine == "kyverno"

action_path := "spec.enforcementAction" if input.engine == "gatekeeper"
