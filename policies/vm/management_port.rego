# METADATA
# scope: package
# title: Management port of an engine, kubelet or etcd open to the network
# description: |
#   A port through which containers, the cluster or guests are ruled listens on an address that other machines reach, in a form
#   that asks for no credential or that only the control plane should reach: the engine without TLS, the kubelet's read-only
#   port, etcd, libvirt. Whoever connects to the engine is root on the machine.
# related_resources:
#   - ref: https://docs.docker.com/engine/security/protect-access/
#     description: Protect the Docker daemon's socket
#   - ref: https://csrc.nist.gov/pubs/sp/800/190/final
#     description: NIST SP 800-190, improper user access rights
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-012
#   severities: [critical, high, medium]
#   needs: [ports]
#   remediation: |
#     Let the engine listen on its Unix socket only, and reach it by ssh. Set the kubelet's readOnlyPort to 0. Bind etcd to the
#     address of the control plane and let a firewall give it to the API servers alone. Whether the etcd and the kubelet ask for
#     certificates is judged by the checks of the node.
#   references:
#     nist-800-190: ["4.5.4"]
#     attack-containers: [T1133, T1610]
#     cwe: ["306"]
#     isolation: [W1, W3]
#   since: "0.1.0"
package postscan.vm.management_port

deny contains {
	"message": sprintf("%s listens on %s, port %d%s", [known.name, port.address, port.port, holder(port)]),
	"path": sprintf("ports[%d]", [index]),
	"value": {"address": port.address, "port": port.port},
	"key": sprintf("%s %d", [port.service, port.port]),
	"severity": known.severity,
} if {
	some index, port in input.ports
	port.reach != "loopback"
	known := ruling[port.service]
}

ruling := {
	"docker": {"name": "the Docker engine without TLS", "severity": "critical"},
	"podman": {"name": "the Podman engine without TLS", "severity": "critical"},
	"kubelet-readonly": {"name": "the kubelet's port without credentials", "severity": "high"},
	"etcd": {"name": "etcd", "severity": "medium"},
	"etcd-peer": {"name": "etcd's port for its peers", "severity": "medium"},
	"libvirt": {"name": "libvirt", "severity": "high"},
	"containerd-stream": {"name": "the streaming server of containerd", "severity": "medium"},
	"crio-stream": {"name": "the streaming server of CRI-O", "severity": "medium"},
}

holder(port) := sprintf(" (%s)", [port.process]) if {
	port.process != ""
} else := ""
