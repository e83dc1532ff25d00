# METADATA
# scope: package
# title: Edge node without resistance to tampering
# description: |
#   A node that stands where others can take it along: its disk is not encrypted, it starts what anybody puts on the disk, or a
#   join token or an administrator's kubeconfig lies on it. With the machine goes a way into the cluster. Which nodes are edge
#   ones is told by their labels and by the distribution; disk, boot and files need postscan vm on the node. Of the agents of
#   tunnels to the edge, which are workloads, the rights in the whole cluster are judged.
# related_resources:
#   - ref: https://docs.k3s.io/security/hardening-guide
#     description: Hardening guide of k3s
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-040
#   severity: high
#   needs: [edge, disk_encrypted, secure_boot, tpm]
#   optional: [files]
#   remediation: |
#     Encrypt the disk and seal its key to the TPM, turn secure boot on, give each node a credential of its own with
#     NodeRestriction, and remove join tokens and administrators' kubeconfigs after joining.
#   references:
#     nist-800-190: ["4.5.5", "4.6"]
#     attack-containers: [T1552.001, T1200]
#     owasp-k8s: [K09]
#     isolation: [W8]
#   since: "0.1.0"
package postscan.node.edge_tamper

applies if input.edge

deny contains {"message": message, "path": field, "value": "false", "key": field} if {
	applies
	some field, message in {
		"disk_encrypted": "the disk of this edge node is not encrypted",
		"secure_boot": "this edge node starts whatever stands on its disk",
		"tpm": "this edge node has no TPM to seal keys to",
	}
	seen[field] == "false"
}

deny contains {
	"message": sprintf("%s lies on this edge node: %s", [what, file.path]),
	"path": sprintf("files[%d]", [i]),
	"value": file.path,
	"key": file.path,
} if {
	applies
	some i, file in input.files
	what := {
		"join-token": "a join token",
		"bootstrap-kubeconfig": "a join token",
		"admin-kubeconfig": "an administrator's kubeconfig",
	}[file.role]
}

seen := {"disk_encrypted": input.disk_encrypted, "secure_boot": input.secure_boot, "tpm": input.tpm}
