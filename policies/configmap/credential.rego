# METADATA
# scope: package
# title: Credential in a ConfigMap
# description: |
#   A value of the ConfigMap looks like a credential. ConfigMaps are not encrypted at rest where Secrets are, more people and programs
#   may read them, and they are copied into charts, logs and backups without a thought. data and binaryData are looked at with the
#   rules that image scans use; the finding says the rule and the line, never the value.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/configmap/
#     description: ConfigMaps
#   - ref: https://kubernetes.io/docs/concepts/security/secrets-good-practices/
#     description: Good practices for Secrets
# schemas:
#   - input: schema["configmap"]
# custom:
#   id: PS-NET-020
#   severity: high
#   needs: [secrets]
#   remediation: |
#     Change the credential, for it was readable. Then keep it in an external store or a Secret that is encrypted at rest, and mount
#     it as a file.
#   references:
#     nist-800-190: ["4.1.4"]
#     nsa-cisa: [NET7]
#     attack-containers: [T1552.007]
#     owasp-k8s: [K03]
#     cwe: ["312"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.configmap.credential

deny contains {
	"message": sprintf("the key %s holds what looks like a credential: %s", [s.key, s.title]),
	"path": s.path,
	"value": {"rule": s.rule, "line": s.line, "length": s.length},
	"key": concat(" ", [s.key, s.rule]),
} if {
	some s in input.secrets
}
