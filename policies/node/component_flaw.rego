# METADATA
# scope: package
# title: Component with a known flaw that leads out of containers
# description: |
#   The version of runc, containerd, CRI-O, the kubelet, the kernel or the NVIDIA container toolkit on the node, or of the API
#   server, is one of which it is known that a container gets out of it, or that a caller takes over the cluster, without any
#   misconfiguration. Through the API the kubelet, the runtime and the kernel are seen; runc and the toolkit need postscan vm
#   on the node. A version with the suffix of a distribution's package is left to the vulnerability database, because a package
#   mends flaws under the same number; a kernel is judged on systems that take the kernel's own stable versions.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/issues-security/official-cve-feed/
#     description: CVE feed of Kubernetes
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-030
#   severity: critical
#   needs: [kubelet_minor, kubelet_patch, runtime, runtime_version, software, os, os_image, kernel]
#   remediation: |
#     Update the component, or replace the node by one of a newer image.
#   references:
#     nist-800-190: ["4.4.1", "4.5.3"]
#     nsa-cisa: [UPG1]
#     attack-containers: [T1611, T1068]
#     owasp-k8s: [K07]
#     cwe: ["1395"]
#     isolation: [W1, W6]
#   since: "0.1.0"
package postscan.node.component_flaw

import data.postscan.lib.component_flaws

deny contains {
	"message": sprintf("%s %s %s: %s", [part.component, part.version, flaw.what, flaw.id]),
	"path": part.path,
	"value": part.version,
	"key": concat("/", [part.component, flaw.id]),
} if {
	some part in parts
	some flaw in component_flaws.affecting(part.component, part.version, input.os)
}

parts contains {"component": "kubelet", "version": version, "path": "kubelet_minor"} if {
	input.kubelet_minor > 0
	version := sprintf("1.%d.%d", [input.kubelet_minor, input.kubelet_patch])
}

parts contains {"component": input.runtime, "version": input.runtime_version, "path": "runtime_version"} if {
	not input.runtime in names # its program tells more
}

parts contains {"component": part.name, "version": part.version, "path": sprintf("software[%d]", [i])} if {
	some i, part in input.software
	part.name != "kubelet"
	not part.packaged
}

parts contains {"component": "kernel", "version": number, "path": "kernel"} if {
	number := regex.find_n(`^\d+\.\d+\.\d+`, input.kernel, 1)[0]
	some system in ["Flatcar", "Talos", "Container-Optimized OS", "Bottlerocket"]
	contains(input.os_image, system)
}

names contains part.name if some part in input.software
