# METADATA
# scope: package
# title: Long-lived or broad token in the pod
# description: |
#   The pod mounts a service-account token that outlives it: a Secret of the type kubernetes.io/service-account-token never
#   ends, and a projected token lives as long as it was asked for. Once stolen it works until then. Where expected_audiences is
#   given, a token for another audience is told as well: it opens a service that nobody meant.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
#     description: Projected service account tokens
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-044
#   severity: medium
#   needs: [volumes]
#   params:
#     - name: expected_audiences
#       type: strings
#       default: []
#       description: Audiences that projected tokens may have; empty is any
#   remediation: |
#     Use the projected token that Kubernetes mounts by itself, or a projected volume with "expirationSeconds: 3600" and the
#     audience of the service that reads it. Delete the Secret.
#   references:
#     nsa-cisa: [POD5]
#     attack-containers: [T1528]
#     owasp-k8s: [K09]
#     cwe: ["613"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.long_lived_token

deny contains {
	"message": sprintf("volume %s holds a service-account token that never expires", [v.name]),
	"path": v.path,
	"value": v.type,
	"key": concat(" ", [v.name, "secret"]),
} if {
	some v in input.volumes
	count(v.mounts) > 0
	v.token_secret
}

deny contains {
	"message": sprintf("the token for %s in volume %s lives for %d hours", [audience(t), v.name, floor(t.expiration_seconds / 3600)]),
	"path": concat("", [t.path, ".expirationSeconds"]),
	"value": t.expiration_seconds,
	"key": concat(" ", [v.name, audience(t), "expiration"]),
} if {
	some v in input.volumes
	count(v.mounts) > 0
	some t in v.tokens
	t.expiration_seconds > 86400
}

deny contains {
	"message": sprintf("the token in volume %s is for %s, which is not expected", [v.name, audience(t)]),
	"path": concat("", [t.path, ".audience"]),
	"value": t.audience,
	"key": concat(" ", [v.name, audience(t), "audience"]),
} if {
	count(data.params.expected_audiences) > 0
	some v in input.volumes
	count(v.mounts) > 0
	some t in v.tokens
	t.audience != ""
	not t.audience in data.params.expected_audiences
}

audience(t) := "the API server" if {
	t.audience == ""
} else := t.audience
