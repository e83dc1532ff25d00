# METADATA
# scope: package
# title: Unsupported Kubernetes version or skew
# description: |
#   The minor version gets no more fixes from the project (about 14 months after its release), or kubelets are newer than the
#   API server, or more than three minor versions behind it (two before 1.28). Providers keep their own calendars, which end
#   somewhat later. A version that this release of postscan does not know is unknown.
# related_resources:
#   - ref: https://kubernetes.io/releases/version-skew-policy/
#     description: Version skew policy
#   - ref: https://kubernetes.io/releases/patch-releases/
#     description: Patch releases and their end of life
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-029
#   severity: high
#   needs: [minor, support_ends, kubelet_lowest, kubelet_highest]
#   remediation: |
#     Upgrade one minor version at a time, the control plane before the nodes. Take a release channel that upgrades by itself.
#   references:
#     nist-800-190: ["4.4.1"]
#     nsa-cisa: [UPG1]
#     cis-gke: ["5.5.4"]
#     aws-fsbp: [EKS.2]
#     attack-containers: [T1190, T1068]
#     owasp-k8s: [K07]
#     cwe: ["1104"]
#     isolation: [W3, W6]
#   since: "0.1.0"
package postscan.cluster.version_unsupported

deny contains {
	"message": sprintf("Kubernetes 1.%d has got no fixes since %s", [input.minor, input.support_ends]),
	"path": "minor",
	"value": input.minor,
	"key": "support",
} if {
	substring(data.params.now, 0, 10) > input.support_ends
}

deny contains {
	"message": sprintf("kubelets of 1.%d are too far behind the API server's 1.%d: %d minor versions may lie between", [
		input.kubelet_lowest,
		input.minor,
		allowed,
	]),
	"path": "kubelet_lowest",
	"value": input.kubelet_lowest,
	"key": "behind",
} if {
	input.kubelet_lowest > 0
	input.minor - input.kubelet_lowest > allowed
}

deny contains {
	"message": sprintf("kubelets of 1.%d are newer than the API server's 1.%d", [input.kubelet_highest, input.minor]),
	"path": "kubelet_highest",
	"value": input.kubelet_highest,
	"key": "ahead",
} if {
	input.minor > 0
	input.kubelet_highest > input.minor
}

default allowed := 3

allowed := 2 if input.minor < 28
