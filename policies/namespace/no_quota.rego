# METADATA
# scope: package
# title: No quota or no defaults for limits
# description: |
#   Nothing bounds what the namespace may use: no ResourceQuota for CPU and memory, none for the number of objects, or no LimitRange
#   that gives containers limits they do not set. One tenant can then use up nodes, addresses or the API server's store for
#   all. Namespaces of the system are left out.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/policy/resource-quotas/
#     description: Resource quotas
#   - ref: https://kubernetes.io/docs/concepts/policy/limit-range/
#     description: Limit ranges
# schemas:
#   - input: schema["namespace"]
# custom:
#   id: PS-NET-017
#   severity: low
#   needs: [system, quota, quota_objects, limit_range]
#   remediation: |
#     Add a ResourceQuota with requests and limits of CPU and memory and with counts (pods, services, secrets, configmaps), and a
#     LimitRange with default requests and limits for containers.
#   references:
#     nsa-cisa: [NET3]
#     attack-containers: [T1499, T1496]
#     cwe: ["770"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.namespace.no_quota

applies if not input.system

deny contains {"message": message, "path": "metadata.name", "value": false, "key": key} if {
	applies
	some [key, message] in lacking
}

lacking contains ["compute", "no ResourceQuota bounds the CPU or memory of the namespace"] if not input.quota

lacking contains ["objects", "no ResourceQuota bounds the number of objects in the namespace"] if not input.quota_objects

lacking contains ["limits", "no LimitRange gives the namespace's containers limits"] if not input.limit_range
