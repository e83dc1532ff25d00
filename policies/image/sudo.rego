# METADATA
# scope: package
# title: sudo present or used
# description: |
#   sudo or doas is installed with a rule that lets the runtime user become another user without a password, or a step of the build
#   calls sudo. With such a rule a USER other than root is a name only: the first command of an intruder is sudo. A build that
#   calls sudo shows that the image was made to be used that way.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man5/sudoers.5.html
#     description: sudoers and NOPASSWD
#   - ref: https://docs.docker.com/build/building/best-practices/#user
#     description: Docker on sudo in a Dockerfile
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-010
#   severity: medium
#   needs: [sudo_rules, tools, privileged_files, history]
#   remediation: |
#     Do what needs root before the last USER of the Dockerfile, where no sudo is needed, and leave sudo and doas out of the last
#     stage. If a single command must run as root, solve it by ownership of files, a capability, or an init container instead.
#     Set allowPrivilegeEscalation: false on the workload, which stops sudo.
#   references:
#     nist-800-190: ["4.1.2"]
#     attack-containers: [T1548.003]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.image.sudo

import data.postscan.lib.history
import data.postscan.lib.paths
import data.postscan.lib.shell

programs := {"sudo", "doas"}

deny contains {
	"message": sprintf("%s lets %s become another user without a password", [rule.path, rule.subject]),
	"path": sprintf("sudo_rules[%d]", [index]),
	"value": {"path": rule.path, "subject": rule.subject},
	"key": concat(" ", [rule.path, rule.subject]),
} if {
	installed
	some index, rule in input.sudo_rules
	rule.no_password
	rule.runtime
}

deny contains {
	"message": sprintf("a step of the build calls %s", [program]),
	"path": sprintf("history[%d]", [index]),
	"value": shell.excerpt(command),
	"key": concat(" ", ["build calls", program]),
} if {
	some index, step in input.history
	step.instruction == "RUN"
	some program in programs
	contains(step.arguments, program)
	some command in shell.commands(step.arguments)
	some word in shell.leading(shell.words(command))
	shell.tool(word) == program
}

unknown contains history.nothing_told if history.tells_nothing(input.history)

# A rule without the program is dead text. The program works only with the set-uid bit, so it
# is also found among the privileged files when it lies off the PATH.
installed if {
	some tool in input.tools
	tool.kind == "sudo"
}

installed if {
	some file in input.privileged_files
	paths.base(file.path) in programs
}
