# METADATA
# scope: package
# title: Privileged port declared
# description: |
#   A container declares a port below 1024. By the kernel's own rule a program needs root or the capability NET_BIND_SERVICE to
#   listen there, and so images stay with root. Newer runtimes lift the rule within pods, and the sysctl
#   net.ipv4.ip_unprivileged_port_start does so too; a port that the sysctl of the pod frees is left out.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
#     description: Sysctls in Kubernetes
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-046
#   severity: info
#   needs: [containers, sysctls, os]
#   remediation: |
#     Let the program listen above 1023, as 8080, and map the port in the Service.
#   references:
#     nist-800-190: ["4.4.3"]
#     cis-docker: ["5.8"]
#     owasp-k8s: [K01]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.privileged_port

applies if input.os != "windows"

deny contains {
	"message": sprintf("container %s declares the port %d", [c.name, number]),
	"path": concat("", [p.path, ".", field]),
	"value": number,
	"key": sprintf("%s %s %d/%s", [c.name, field, number, p.protocol]),
} if {
	some c in input.containers
	some p in c.ports
	some [field, number] in [["containerPort", p.port], ["hostPort", p.host_port]]
	number > 0
	number < first_free
}

default first_free := 1024

first_free := min({1024, to_number(s.value)}) if {
	some s in input.sysctls
	s.name == "net.ipv4.ip_unprivileged_port_start"
	regex.match(`^[0-9]{1,5}$`, s.value)
}
