# METADATA
# scope: package
# title: Service uses external IPs
# description: |
#   spec.externalIPs makes every node send the traffic for these addresses to the Service's pods, whomever the addresses belong to. Whoever
#   may make Services can so take traffic for others (CVE-2020-8554). The admission plugin DenyServiceExternalIPs refuses new
#   ones; where it is on, what is left is no finding.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/service/#external-ips
#     description: External IPs
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#denyserviceexternalips
#     description: DenyServiceExternalIPs
# schemas:
#   - input: schema["service"]
# custom:
#   id: PS-NET-008
#   severity: medium
#   needs: [external_ips, cluster.deny_external_ips]
#   remediation: |
#     Remove externalIPs, use a LoadBalancer or a Gateway, and turn the admission plugin DenyServiceExternalIPs on.
#   references:
#     cis-k8s: ["1.2.3"]
#     attack-containers: [T1557]
#     owasp-k8s: [K05]
#     cwe: ["300"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.service.external_ips

deny contains {
	"message": sprintf("the Service takes the traffic for %s, and DenyServiceExternalIPs is off", [concat(", ", input.external_ips)]),
	"path": "spec.externalIPs",
	"value": input.external_ips,
} if {
	count(input.external_ips) > 0
	input.cluster.deny_external_ips == "false"
}

unknown contains "whether DenyServiceExternalIPs is on is not known" if {
	count(input.external_ips) > 0
	input.cluster.deny_external_ips == "unknown"
}
