# METADATA
# scope: package
# title: USER is a name, not a number
# description: |
#   The image names its user by a name. The kubelet compares numbers: with runAsNonRoot it cannot prove that a name is not root and
#   refuses to start the container. What follows in practice is that runAsNonRoot is dropped from the workload, and with it the
#   guarantee that no container of it ever runs as root. A name also means whatever /etc/passwd of a later layer says.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
#     description: Kubernetes security context, runAsNonRoot
#   - ref: https://docs.docker.com/reference/dockerfile/#user
#     description: The USER instruction
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-002
#   severity: low
#   needs: [os, config.user]
#   remediation: |
#     Write the number: "USER 10001" or "USER 10001:10001" instead of "USER app". Keep the name in /etc/passwd for programs that look
#     it up. A group may stay a name ("USER 10001:app"), though a number is surer there too.
#   references:
#     nist-800-190: ["4.1.2"]
#     nsa-cisa: [POD1]
#     owasp-k8s: [K01]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.image.user_is_a_name

# An image without a USER has no name to judge, and Windows knows accounts by name only.
applies if {
	input.os == "linux"
	input.config.user != ""
}

deny contains {
	"message": sprintf("USER %s is a name, so Kubernetes cannot prove runAsNonRoot", [input.config.user]),
	"path": "config.user",
	"value": input.config.user,
} if {
	user := split(input.config.user, ":")[0]
	user != ""
	not regex.match(`^[0-9]+$`, user)
}
