# METADATA
# scope: package
# title: Service-account token mounted without need
# description: |
#   The pod gets a token for the Kubernetes API that it has no use for: its service account has no rights beyond those that
#   every account has, or people said of the workload (label or annotation postscan/api-free) that it never talks to the API.
#   The token still proves who the pod is, to the API and to whatever trusts the cluster, and it is the first thing to look for
#   after a break-in. A token volume that the pod spec declares itself is not meant. Manifests show not every binding of a
#   cluster: there only the label counts.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
#     description: Configure service accounts for pods
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-029
#   severity: medium
#   needs: [identity.automount, identity.automount_from, identity.service_account, identity.bound, class.api_free, live, pod_path]
#   remediation: |
#     Set "automountServiceAccountToken: false" in the pod spec, or on the service account for all pods that use it.
#   references:
#     nsa-cisa: [POD5]
#     cis-k8s: ["5.1.6"]
#     attack-containers: [T1528]
#     owasp-k8s: [K03]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.token_not_needed

deny contains {
	"message": sprintf("the token of the service account %s is mounted, and %s", [input.identity.service_account, reason]),
	"path": concat("", [input.pod_path, ".automountServiceAccountToken"]),
	"value": input.identity.automount_from,
} if {
	input.identity.automount
}

reason := "the workload is said to need no API" if {
	input.class.api_free
} else := "the account has no rights to use it for" if {
	input.live
	not input.identity.bound
}
