# METADATA
# scope: package
# title: Ingress or gateway without TLS
# description: |
#   Requests, and with them cookies and passwords, go through in plain text: a host of an Ingress that none of its certificates is for,
#   an HTTP listener of a Gateway whose routes do not all redirect to HTTPS, an OpenShift Route without TLS or one that lets
#   plain HTTP through beside it. A controller's annotations count: those that redirect, those that give it a certificate, and those
#   that switch its redirect off. Routes of the Gateway API are judged by their listeners.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
#     description: Ingress, TLS
#   - ref: https://gateway-api.sigs.k8s.io/guides/user-guides/http-redirect-rewrite/
#     description: Gateway API, HTTP redirects
#   - ref: https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/ingress_and_load_balancing/routes
#     description: OpenShift, secured routes
# schemas:
#   - input: schema["ingress"]
# custom:
#   id: PS-NET-009
#   severity: medium
#   needs: [kind, hosts, redirects, redirect_off, default_backend, default_backend_path, default_backend_tls]
#   remediation: |
#     Add a certificate for every host (cert-manager renews them by itself) and redirect plain HTTP. On a Gateway let one HTTPRoute
#     with a RequestRedirect filter answer the HTTP listener.
#   references:
#     nsa-cisa: [NET6]
#     cis-eks: ["5.4.5"]
#     attack-containers: [T1040, T1557]
#     owasp-k8s: [K06]
#     cwe: ["319"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.ingress.no_tls

applies if input.kind in {"Ingress", "Gateway", "Route"}

deny contains {
	"message": sprintf("%s has no TLS", [named(h.host)]),
	"path": h.path,
	"value": h.host,
	"key": cell(h),
} if {
	input.kind in {"Ingress", "Route"}
	not input.redirects
	some h in input.hosts
	h.tls == "none"
}

deny contains {
	"message": "the default backend has no TLS",
	"path": input.default_backend_path,
	"value": "none",
	"key": "default-backend",
} if {
	input.default_backend
	input.default_backend_tls == "none"
	not input.redirects
}

deny contains {
	"message": sprintf("%s is served in plain HTTP beside TLS: an annotation switches the redirect off", [named(h.host)]),
	"path": h.path,
	"value": h.host,
	"key": cell(h),
} if {
	input.redirect_off
	some h in input.hosts
	h.tls == "terminate"
}

deny contains {
	"message": sprintf("the HTTP listener for %s does not redirect to HTTPS", [named(h.host)]),
	"path": h.path,
	"value": h.host,
	"key": cell(h),
} if {
	input.kind == "Gateway"
	some h in input.hosts
	h.protocol == "HTTP"
	not h.redirects
}

deny contains {
	"message": sprintf("%s lets plain HTTP through (insecureEdgeTerminationPolicy Allow)", [named(h.host)]),
	"path": concat("", [h.path, ".tls.insecureEdgeTerminationPolicy"]),
	"value": "Allow",
	"key": cell(h),
} if {
	input.kind == "Route"
	some h in input.hosts
	h.tls != "none"
	h.insecure
}

named("") := "every host"

named(host) := sprintf("the host %s", [host]) if host != ""

cell(h) := trim_space(concat(" ", ["host", h.host])) if input.kind != "Gateway"

cell(h) := trim_space(concat(" ", [h.protocol, h.host])) if input.kind == "Gateway"
