# METADATA
# scope: package
# title: k3s or RKE2 keeps weak defaults
# description: |
#   The server writes its administrator's kubeconfig readable for others; Secrets are not encrypted (k3s has it off by default,
#   RKE2 on); agents join with the server's own token, so whoever reads it on an agent can add a server; kernel parameters are
#   not protected; or the bundled controller for network policies is off. The flags are those that k3s and RKE2 record on their
#   nodes, or those of their configuration file.
# related_resources:
#   - ref: https://docs.k3s.io/security/hardening-guide
#     description: Hardening guide of k3s
#   - ref: https://docs.rke2.io/security/hardening_guide
#     description: Hardening guide of RKE2
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-039
#   severities: [high, medium, low]
#   needs: [k3s]
#   optional: [provider, cluster.distribution]
#   remediation: |
#     Set write-kubeconfig-mode: "0600", secrets-encryption: true, an agent-token of its own and protect-kernel-defaults: true
#     in /etc/rancher/k3s/config.yaml, and remove disable-network-policy or run another engine.
#   references:
#     nsa-cisa: [NET4, NET7]
#     attack-containers: [T1552.001]
#     owasp-k8s: [K03, K07]
#     cwe: ["732"]
#     isolation: [W3, W8]
#   since: "0.1.0"
package postscan.node.k3s_defaults

applies if flags.server

deny contains {
	"message": sprintf("the administrator's kubeconfig is written with mode %s", [flags["write-kubeconfig-mode"]]),
	"path": path("write-kubeconfig-mode"),
	"value": flags["write-kubeconfig-mode"],
	"key": "write-kubeconfig-mode",
	"severity": "high",
} if {
	applies
	not regex.match(`^0*[0-7]?00$`, flags["write-kubeconfig-mode"])
}

deny contains {
	"message": "agents join with the server's own token",
	"path": "k3s",
	"value": "agent-token is not set",
	"key": "agent-token",
	"severity": "high",
} if {
	applies
	not flags["agent-token"]
	not flags["agent-token-file"]
}

deny contains {
	"message": "Secrets are stored without encryption",
	"path": path("secrets-encryption"),
	"value": object.get(flags, "secrets-encryption", "not set"),
	"key": "secrets-encryption",
	"severity": "medium",
} if {
	applies
	not encrypted
}

deny contains {
	"message": "kernel parameters are not protected",
	"path": path("protect-kernel-defaults"),
	"value": object.get(flags, "protect-kernel-defaults", "not set"),
	"key": "protect-kernel-defaults",
	"severity": "low",
} if {
	applies
	not protected
}

deny contains {
	"message": "the bundled controller for network policies is off",
	"path": path("disable-network-policy"),
	"value": flags["disable-network-policy"],
	"key": "disable-network-policy",
	"severity": "medium",
} if {
	applies
	flags["disable-network-policy"] != "false"
}

flags[flag.name] := flag.value if some flag in input.k3s

encrypted if {
	flags["secrets-encryption"] != "false"
}

encrypted if {
	not flags["secrets-encryption"]
	rke2
}

rke2 if input.cluster.distribution == "rke2"

rke2 if input.provider == "rke2"

rke2 if contains(input.k3s[0].path, "rke2")

protected if flags["protect-kernel-defaults"] == "true"

protected if contains(flags["kubelet-arg"], "protect-kernel-defaults=true")

# The profile cis of RKE2 stands for it.
protected if startswith(flags.profile, "cis")

path(name) := sprintf("k3s[%d]", [i]) if {
	some i, flag in input.k3s
	flag.name == name
} else := "k3s"
