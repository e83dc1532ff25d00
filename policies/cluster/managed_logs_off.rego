# METADATA
# scope: package
# title: Logs of the managed control plane are off
# description: |
#   The provider keeps the logs of a managed control plane only where it is told to. Without the audit log nobody can say
#   afterwards who read or changed what. Only the cloud's API tells; without it a managed cluster is not assessed, and one that
#   you run yourself is not concerned.
# related_resources:
#   - ref: https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
#     description: Control plane logs of EKS
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-034
#   severity: medium
#   needs: [managed, distribution, cloud.logs]
#   remediation: |
#     Turn on api, audit and authenticator (EKS), a diagnostic setting with kube-audit (AKS), or the log of the API server
#     (GKE).
#   references:
#     nsa-cisa: [LOG1]
#     cis-eks: ["2.1.1"]
#     cis-aks: ["2.1.1"]
#     cis-gke: ["5.7.1"]
#     aws-fsbp: [EKS.8]
#     owasp-k8s: [K10]
#     cwe: ["778"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.managed_logs_off

applies if input.managed

deny contains {
	"message": sprintf("the control plane does not log %s", [concat(" or ", sort(kinds))]),
	"path": "cloud.logs",
	"value": input.cloud.logs,
	"key": concat("|", sort(kinds)),
} if {
	applies
	some kinds in wanted[input.distribution]
	every kind in kinds {
		not kind in input.cloud.logs
	}
}

# Of each set one is enough.
wanted := {
	"eks": [{"api"}, {"audit"}, {"authenticator"}],
	"aks": [{"kube-audit", "kube-audit-admin"}],
	"gke": [{"APISERVER"}],
}
