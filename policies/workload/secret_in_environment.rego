# METADATA
# scope: package
# title: Secret passed as environment variable
# description: |
#   A container gets a Kubernetes Secret as environment variables. They are handed to every child process, and they end in
#   crash dumps, debug pages and logs; they do not change when the Secret does. A mounted file has none of this.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/secrets-good-practices/
#     description: Good practices for Secrets
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-032
#   severity: low
#   needs: [containers]
#   remediation: |
#     Mount the Secret as a file, readable by the program alone, and let the program read it from there.
#   references:
#     nsa-cisa: [NET7]
#     cis-k8s: ["5.4.1"]
#     attack-containers: [T1552.001]
#     owasp-k8s: [K03]
#     cwe: ["526"]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.workload.secret_in_environment

deny contains {
	"message": sprintf("container %s gets the Secret %s as %s", [c.name, secret, what(c, secret)]),
	"path": sort([e.path | some e in c.secret_env; e.secret == secret])[0],
	"value": secret,
	"key": concat(" ", [c.name, secret]),
} if {
	some c in input.containers
	some secret in {e.secret | some e in c.secret_env}
}

what(c, secret) := "environment variables, all keys of it" if {
	some e in c.secret_env
	e.secret == secret
	e.name == ""
} else := sprintf("the environment variable %s", [concat(", ", {e.name | some e in c.secret_env; e.secret == secret})])
