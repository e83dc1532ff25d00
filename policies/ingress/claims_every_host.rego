# METADATA
# scope: package
# title: Ingress that claims every host
# description: |
#   A rule without a host, with a host of *., or an Ingress-level default backend takes requests for hosts that nobody else has claimed, and
#   on a shared controller those that were meant for another tenant. So does a route of the Gateway API without hostnames on a
#   listener that has none either and takes routes of other namespaces. Low; medium where Ingresses of several namespaces use
#   the same class.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards
#     description: Ingress, wildcards of hosts
#   - ref: https://gateway-api.sigs.k8s.io/concepts/security-model/
#     description: Gateway API, security model
# schemas:
#   - input: schema["ingress"]
# custom:
#   id: PS-NET-025
#   severities: [medium, low]
#   needs: [kind, hosts, default_backend, default_backend_path, shared_controller]
#   remediation: |
#     Name exact hosts, and keep the catch-all for the platform. On a Gateway give each listener a hostname, and limit by
#     allowedRoutes which namespaces may attach.
#   references:
#     attack-containers: [T1557]
#     owasp-k8s: [K05]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.ingress.claims_every_host

applies if input.kind != "Gateway"

deny contains {
	"message": sprintf("%s claims every host%s", [what, of(h.host)]),
	"path": h.path,
	"value": h.host,
	"key": trim_space(concat(" ", ["host", h.host])),
	"severity": severity,
} if {
	input.kind in {"Ingress", "Route"}
	some h in input.hosts
	h.wildcard
}

deny contains {
	"message": "a default backend takes every request that no rule is for",
	"path": input.default_backend_path,
	"value": true,
	"key": "default-backend",
	"severity": severity,
} if {
	input.kind == "Ingress"
	input.default_backend
}

deny contains {
	"message": "the route names no host, on a listener that names none either and takes routes of other namespaces",
	"path": h.path,
	"value": "",
	"key": "host",
	"severity": severity,
} if {
	not input.kind in {"Ingress", "Route", "Gateway"}
	some h in input.hosts
	h.open_listener
}

default severity := "low"

severity := "medium" if input.shared_controller == "true"

default what := "a rule"

what := "the route" if input.kind == "Route"

of("") := ""

of(host) := sprintf(" of %s", [host]) if host != ""
