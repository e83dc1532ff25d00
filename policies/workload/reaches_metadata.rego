# METADATA
# scope: package
# title: Pod can reach the cloud's metadata service
# description: |
#   The pod runs on machines of a cloud, its egress lets it talk to the machine's metadata service, and nothing on the nodes keeps
#   it from there. Any program in the pod then gets the node's own cloud identity. The addresses are 169.254.169.254, on AWS also
#   fd00:ec2::254, and on Azure 168.63.129.16, each on TCP port 80. What guards a node is seen where the API tells it (GKE's
#   metadata server); elsewhere, as the hop limit of AWS, it is the cloud's to tell, and the check is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/cloud-native-security/
#     description: Cloud native security
#   - ref: https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
#     description: Restrict access to the instance profile of the worker node
#   - ref: https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity
#     description: GKE metadata server
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-NET-006
#   severity: high
#   needs: [network.metadata_addresses, nodes.provider, nodes.metadata_guard, meta_path]
#   remediation: |
#     Give pods cloud identities of their own (IRSA or EKS Pod Identity, GKE Workload Identity, Azure Workload Identity), close their
#     egress by policy, and guard the nodes: IMDSv2 with a hop limit of 1, GKE's metadata server, AKS's IMDS restriction.
#   references:
#     nist-800-190: ["4.4.2"]
#     nsa-cisa: [NET8]
#     attack-containers: [T1552.005]
#     owasp-k8s: [K08]
#     cwe: ["918"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.reaches_metadata

applies if not input.nodes.provider in {"kind", "vsphere"}

deny contains {
	"message": sprintf("the pod can reach %s, and nothing on its nodes keeps it from there", [concat(", ", reach("allowed"))]),
	"path": concat("", [input.meta_path, ".labels"]),
	"value": reach("allowed"),
} if {
	applies
	weak
	count(reach("allowed")) > 0
}

unknown contains "whether a policy that postscan does not read in full blocks the metadata service is not known" if {
	applies
	weak
	count(reach("allowed")) == 0
	count(reach("unknown")) > 0
}

weak if input.nodes.metadata_guard in {"false", "mixed"}

reach(how) := [a.address |
	some a in input.network.metadata_addresses
	a.reach == how
	relevant(a.address)
]

relevant("169.254.169.254")

relevant("fd00:ec2::254") if input.nodes.provider == "aws"

relevant("168.63.129.16") if input.nodes.provider == "azure"
