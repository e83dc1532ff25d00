# METADATA
# scope: package
# title: Plain-text API port
# description: |
#   Before Kubernetes 1.20 the API server also listens without TLS, login or authorization on --insecure-port, 8080 by default.
#   Whoever reaches it is an administrator. From 1.20 the flag has no effect and 1.24 removed it. The same holds for an API
#   that is reached over http: something in front of it lends its own rights to everybody. --secure-port=0 stops the server
#   from starting and is reported as information.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/controlling-access/
#     description: Controlling access to the API
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-006
#   severities: [critical, info]
#   needs: [api_servers]
#   optional: [minor, endpoint.plain]
#   remediation: |
#     Set --insecure-port=0 and upgrade. Take away the proxy that offers the API over http, and use https in the kubeconfig.
#   references:
#     nsa-cisa: [NET4]
#     attack-containers: [T1133]
#     owasp-k8s: [K06]
#     cwe: ["319"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.plain_text_port

import data.postscan.lib.components

deny contains components.rated(server, "insecure-port", "listens without TLS and login", "critical") if {
	some server in input.api_servers
	version(server) < 20
	not closed(server)
	not unread(server)
}

deny contains components.rated(server, "secure-port", "does not start: its secure port is 0", "info") if {
	some server in input.api_servers
	components.value(server, "secure-port") == "0"
}

deny contains {
	"message": "the API is reached over http: without TLS, and with the rights of what stands in front of it",
	"path": "endpoint.plain",
	"value": true,
	"key": "endpoint",
	"severity": "critical",
} if {
	input.endpoint.plain
}

closed(server) if components.value(server, "insecure-port") == "0"

version(server) := components.minor(server)

version(server) := input.minor if {
	not components.minor(server)
	input.minor > 0
}

unread(server) if {
	server.config_file
	not components.given(server, "insecure-port")
}
