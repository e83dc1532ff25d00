# METADATA
# scope: package
# title: Files of the cluster are open to others on the node
# description: |
#   Manifests of static pods, keys, kubeconfigs, the data of etcd, configurations of the kubelet, of the network and of the
#   runtime: whoever writes one of them is an administrator of the node or of the cluster, and whoever reads a key or a
#   kubeconfig acts in its name. What others may write, a secret that others may read, and a file that somebody else than root
#   owns are high; a file without secrets that others may read is low. A kubelet that fetches static pods over http runs what
#   anybody on the way sends. The files are read by postscan vm on the node.
# related_resources:
#   - ref: https://kubernetes.io/docs/setup/best-practices/certificates/
#     description: PKI certificates and requirements
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-028
#   severities: [high, low]
#   needs: [files, kubelet.static_pod_url]
#   remediation: |
#     chown root:root; chmod 600 for keys, kubeconfigs, manifests and configurations, 644 for certificates, 700 for the folder
#     of etcd. Drop staticPodURL or use https.
#   references:
#     nist-800-190: ["4.5.5"]
#     nsa-cisa: [NET4]
#     cis-k8s:
#       - "1.1.1"
#       - "1.1.2"
#       - "1.1.3"
#       - "1.1.4"
#       - "1.1.5"
#       - "1.1.6"
#       - "1.1.7"
#       - "1.1.8"
#       - "1.1.9"
#       - "1.1.10"
#       - "1.1.11"
#       - "1.1.12"
#       - "1.1.13"
#       - "1.1.14"
#       - "1.1.15"
#       - "1.1.16"
#       - "1.1.17"
#       - "1.1.18"
#       - "1.1.19"
#       - "1.1.20"
#       - "1.1.21"
#       - "4.1.1"
#       - "4.1.2"
#       - "4.1.3"
#       - "4.1.4"
#       - "4.1.5"
#       - "4.1.6"
#       - "4.1.7"
#       - "4.1.8"
#       - "4.1.9"
#       - "4.1.10"
#     attack-containers: [T1552.004, T1543.005]
#     owasp-k8s: [K07]
#     cwe: ["732"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.node.cluster_files

deny contains {
	"message": sprintf("%s may be changed by others than its owner: mode %04o", [file.path, file.mode]),
	"path": sprintf("files[%d]", [i]),
	"value": sprintf("%04o", [file.mode]),
	"key": concat(" ", [file.path, "write"]),
	"severity": "high",
} if {
	some i, file in input.files
	not file.role in apart
	bits.and(file.mode, 18) != 0 # 0o022
}

deny contains {
	"message": sprintf("%s may be read by others than its owner: mode %04o", [file.path, file.mode]),
	"path": sprintf("files[%d]", [i]),
	"value": sprintf("%04o", [file.mode]),
	"key": concat(" ", [file.path, "read"]),
	"severity": severity(file),
} if {
	some i, file in input.files
	file.role in (private | plain)
	bits.and(file.mode, 36) != 0 # 0o044
}

deny contains {
	"message": sprintf("%s belongs to %s:%s", [file.path, file.owner, file.group]),
	"path": sprintf("files[%d]", [i]),
	"value": sprintf("%s:%s", [file.owner, file.group]),
	"key": concat(" ", [file.path, "owner"]),
	"severity": "high",
} if {
	some i, file in input.files
	not file.role in apart
	not file.owner in owners(file)
}

deny contains {
	"message": sprintf("%s, the socket of the container runtime, is open to everybody: mode %04o", [file.path, file.mode]),
	"path": sprintf("files[%d]", [i]),
	"value": sprintf("%04o", [file.mode]),
	"key": concat(" ", [file.path, "socket"]),
	"severity": "high",
} if {
	some i, file in input.files
	file.role == "runtime-socket"
	bits.and(file.mode, 6) != 0 # 0o006
}

deny contains {
	"message": sprintf("the kubelet fetches static pods from %s", [input.kubelet.static_pod_url]),
	"path": "kubelet.static_pod_url",
	"value": input.kubelet.static_pod_url,
	"key": "static-pod-url",
	"severity": "high",
} if {
	startswith(input.kubelet.static_pod_url, "http://")
}

severity(file) := "high" if file.role in private

severity(file) := "low" if file.role in plain

# etcd may run as its own user, and own its data.
owners(file) := {"root", "etcd"} if file.role == "etcd-data"

owners(file) := {"root"} if file.role != "etcd-data"

# private hold secrets.
private := {
	"private-key",
	"admin-kubeconfig",
	"kubeconfig",
	"kubelet-kubeconfig",
	"bootstrap-kubeconfig",
	"proxy-kubeconfig",
	"etcd-data",
	"encryption-config",
	"token-file",
	"join-token",
	"k3s-config",
}

# plain hold no secrets, and a benchmark asks for 600 all the same.
plain := {"manifest", "kubelet-config", "kubelet-unit", "cni-config"}

# apart are judged by another rule or check.
apart := {"runtime-socket", "etcd-snapshot"}
