# METADATA
# scope: package
# title: Literal secret in environment or arguments
# description: |
#   A credential stands in the pod spec as plain text: in the value of a variable, in a command or in its arguments. Whoever
#   may read the workload, its history or the repository of the manifest has it, and so has every tool that shows processes.
#   The value itself is never reported.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/secret/
#     description: Kubernetes Secrets
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-031
#   severity: high
#   needs: [containers, "containers[].literal_secrets"]
#   remediation: |
#     Revoke the credential and issue a new one: it must be taken for known. Put the new one into a Secret or an external store
#     and mount it as a file.
#   references:
#     nist-800-190: ["4.1.4"]
#     nsa-cisa: [NET7]
#     cis-k8s: ["5.4.1"]
#     attack-containers: [T1552.001, T1552.007]
#     owasp-k8s: [K03]
#     cwe: ["312"]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.workload.literal_secret

deny contains {
	"message": sprintf("%s of container %s holds a credential: %s", [place(s), c.name, kind(s)]),
	"path": s.path,
	"value": {"where": s.where, "name": s.name, "rule": s.rule},
	"key": concat(" ", [c.name, s.where, s.name, s.rule]),
} if {
	some c in input.containers
	some s in c.literal_secrets
}

place(s) := concat(" ", ["the variable", s.name]) if {
	s.name != ""
} else := object.get({"command": "the command", "args": "an argument"}, s.where, s.where)

kind(s) := s.title if {
	s.title != ""
} else := s.rule
