# METADATA
# scope: package
# title: Service without a selector leads to a sensitive target
# description: |
#   A Service does not select pods: it is an ExternalName or has endpoints written by hand, and these lead to a metadata service, to
#   loopback, a node, the API server, or into another tenant's namespace. Whatever forwards requests to Services, an ingress
#   controller above all, is then sent where its users must not go, and does it with its own rights. Another namespace is another
#   tenant's unless both say the same postscan/tenant.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors
#     description: Services without selectors
#   - ref: https://kubernetes.io/docs/concepts/services-networking/service/#externalname
#     description: Type ExternalName
# schemas:
#   - input: schema["service"]
# custom:
#   id: PS-NET-012
#   severity: medium
#   needs: [selector, type, api_server, targets]
#   remediation: |
#     Remove the Service or let it select pods. Limit by admission policy who may make ExternalName Services and endpoints, and
#     switch ExternalName off in ingress controllers that have the option.
#   references:
#     owasp-k8s: [K05]
#     cwe: ["441"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.service.sensitive_target

applies if input.type == "ExternalName"

applies if {
	not input.selector
	not input.api_server
}

deny contains {
	"message": sprintf("it leads to %s, %s", [t.value, what]),
	"path": t.path,
	"value": t.value,
	"key": t.value,
} if {
	applies
	some t in input.targets
	what := classes[t.class]
}

deny contains {
	"message": sprintf("it leads to %s, in the namespace %s", [t.value, t.namespace]),
	"path": t.path,
	"value": t.value,
	"key": t.value,
} if {
	applies
	some t in input.targets
	t.class == "pod"
	t.namespace != ""
	not t.same_tenant
}

unknown contains sprintf("%s is an address of a pod; whose is not known", [t.value]) if {
	applies
	some t in input.targets
	t.class == "pod"
	t.namespace == ""
}

classes := {
	"metadata": "a metadata service",
	"loopback": "the loopback of whoever forwards to it",
	"node": "a node",
	"api-server": "the API server",
}
