# METADATA
# scope: package
# title: Volume type outside the restricted list
# description: |
#   The pod uses a kind of volume that the restricted level does not allow. Such volumes let whoever writes the pod spec choose
#   what the node mounts, often with the node's own network access and credentials. A gitRepo volume even makes an old kubelet
#   run code from the repository; it is off since Kubernetes 1.33.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/concepts/storage/volumes/
#     description: Kinds of volumes
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-020
#   severities: [low, high]
#   needs: [volumes]
#   optional: [nodes.kubelet_minor, cluster.minor]
#   remediation: |
#     Use a PersistentVolumeClaim, so that an administrator's StorageClass decides what is mounted, or one of configMap, csi,
#     downwardAPI, emptyDir, ephemeral, image, projected and secret. Replace gitRepo by an init container that clones.
#   references:
#     pss-restricted: [restrictedVolumes]
#     nist-800-190: ["4.4.3"]
#     owasp-k8s: [K01]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.volume_type

import data.postscan.lib.pod_security_controls

deny contains {
	"message": sprintf("volume %s is of the kind %s", [v.name, v.type]),
	"path": v.path,
	"value": v.type,
	"key": v.name,
	"severity": severity(v.type),
} if {
	some v in input.volumes
	not v.type in pod_security_controls.volume_types
}

default severity(_) := "low"

severity("gitRepo") := "high" if not off

# The kubelet's driver for it is off from 1.33 on.
off if input.nodes.kubelet_minor >= 33

# Kubelets may be three versions behind the API server, not more.
off if input.cluster.minor >= 36
