# METADATA
# scope: package
# title: Untrusted workload on the shared kernel
# description: |
#   The workload runs code that is not to be trusted, and it runs on the kernel of its node beside others. One flaw in that
#   kernel is then enough for the node. Untrusted is what the label or annotation postscan/trust calls so, and runners of build
#   pipelines and notebooks, known by their images, which run what others write. Whether a reachable image has known
#   vulnerabilities is judged by the attack paths, not here. A runtime class that is not among the files of a scan of manifests
#   leaves the check undecided: its name proves nothing.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/runtime-class/
#     description: Runtime class
#   - ref: https://gvisor.dev/docs/
#     description: gVisor
#   - ref: https://katacontainers.io/
#     description: Kata Containers
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-042
#   severity: medium
#   needs: [class.trust, containers, runtime_class.name, runtime_class.handler, runtime_class.exists, pod_path]
#   optional: [nodes.pod_per_machine]
#   params:
#     - name: sandbox_handlers
#       type: strings
#       default: []
#       description: Names of further runtime handlers that are a sandbox or a virtual machine
#   remediation: |
#     Run it with a RuntimeClass of gVisor or Kata Containers, on nodes of its own. Where it is to be trusted say so with the
#     label postscan/trust. A sandbox whose handler has another name goes into sandbox_handlers.
#   references:
#     nist-800-190: ["4.4.3", "4.5.2"]
#     cis-gke: ["5.10.3"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     isolation: [W1, W4]
#   since: "0.1.0"
package postscan.workload.untrusted_shared_kernel

import data.postscan.lib.sandbox

applies if count(untrusted) > 0

deny contains {
	"message": sprintf("%s, and it runs on the kernel of its node (%s)", [min(untrusted), runtime]),
	"path": concat("", [input.pod_path, ".runtimeClassName"]),
	"value": input.runtime_class.name,
} if {
	count(untrusted) > 0
	not unseen
	not sandbox.isolated
}

# The name of a class says nothing of its handler. Whether the class was seen is a fact that the check needs, so it does not pass.
unseen if {
	input.runtime_class.name != ""
	input.runtime_class.exists == "unknown"
}

untrusted contains "it is labelled untrusted" if lower(input.class.trust) == "untrusted"

# Who labels it otherwise knows better than a name.
untrusted contains sprintf("container %s runs what others write (%s)", [c.name, c.image.repository]) if {
	input.class.trust == ""
	some c in input.containers
	regex.match(runners, c.image.repository)
}

# runners are repositories of programs that run jobs or notebooks, whatever registry they were copied to. It is one pattern, for
# it is asked about every image.
runners := concat("", [
	"(?:^|/)(?:", concat("|", [
		`actions-runner`,
		`gitlab-runner(?:-helper)?`,
		`jenkins/(?:inbound-agent|agent|jnlp-slave|ssh-agent)`,
		`buildkite/agent`,
		`drone-runner-[a-z]+`,
		`woodpecker-agent`,
		`circleci/(?:runner-agent|container-agent)`,
		`forgejo/runner`,
		`gitea/act_runner`,
		`(?:jupyter|jupyterhub|quay\.io/jupyter)/[a-z0-9-]*(?:notebook|singleuser)[a-z0-9-]*`,
	]),
	")$",
])

default runtime := "no runtime class"

runtime := sprintf("the handler %s is no sandbox that is known", [input.runtime_class.handler]) if input.runtime_class.name != ""
