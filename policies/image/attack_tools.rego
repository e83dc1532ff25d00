# METADATA
# scope: package
# title: Unneeded attack tooling in a runtime image
# description: |
#   The user that the image runs as can execute programs that a service does not need but an intruder does: compilers, a package
#   manager together with a shell, debuggers, network scanners, clients of container engines and clusters. With them a flaw in the
#   service becomes a workshop: exploits are built in place, other processes are read, the network and the engine's socket are
#   explored. Without them an intruder must bring every tool along, past a read-only file system and the network policy.
# related_resources:
#   - ref: https://docs.docker.com/build/building/multi-stage/
#     description: Multi-stage builds
#   - ref: https://github.com/GoogleContainerTools/distroless
#     description: Images without shell and package manager
#   - ref: https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/#ephemeral-container
#     description: Ephemeral containers, which bring the tools only while somebody debugs
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-008
#   severity: low
#   needs: [tools]
#   params:
#     - name: attack_tool_kinds
#       type: strings
#       default: [compiler, package-manager, debugger, scanner, container-client]
#       description: Kinds of programs that are reported where the runtime user can execute them
#   remediation: |
#     Build in one stage and copy only the result into a minimal last stage (distroless, scratch, or a slim base). Where a package
#     manager must stay for the build, remove the tools in the same RUN that installs them. Debug with an ephemeral container
#     ("kubectl debug") instead of tools in the image.
#   references:
#     nist-800-190: ["4.1.2"]
#     nsa-cisa: [POD3]
#     cis-docker: ["4.3"]
#     attack-containers: [T1609]
#     owasp-k8s: [K01]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.image.attack_tools

kinds contains kind if some kind in data.params.attack_tool_kinds

deny contains {
	"message": sprintf("the runtime user can execute %s (%s, a %s)", [tool.path, tool.name, words(tool.kind)]),
	"path": sprintf("tools[%d]", [index]),
	"value": {"name": tool.name, "kind": tool.kind, "path": tool.path},
	"key": tool.path,
} if {
	some index, tool in input.tools
	tool.reachable
	tool.kind in kinds
	of_use(tool)
}

# A package manager needs a shell to be driven from.
of_use(tool) if tool.kind != "package-manager"

of_use(_) if shell_reachable

shell_reachable if {
	some tool in input.tools
	tool.kind == "shell"
	tool.reachable
}

words(kind) := replace(kind, "-", " ")
