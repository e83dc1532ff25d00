# METADATA
# scope: package
# title: Guest agent outdated or gives the host more than needed
# description: |
#   An agent of the hypervisor runs in the guest and lets whoever rules the hypervisor run programs or read and write files in
#   it, or its version has known vulnerabilities. The agent runs as root, and its orders come past the guest's accounts, logins
#   and firewalls. That is how an intruder of the management plane gets into every guest at once.
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1675/
#     description: ESXi administration command
#   - ref: https://csrc.nist.gov/pubs/sp/800/125/final
#     description: NIST SP 800-125, guest OS security
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-006
#   severity: low
#   needs: [agents, vulnerabilities]
#   params:
#     - name: allowed_guest_agents
#       type: strings
#       default: [amazon-ssm-agent, google-guest-agent, walinuxagent]
#       description: "Agents through which the operators of the machine work; those may run programs in it."
#   remediation: |
#     Remove the agent where nothing needs it and update it with the system. For qemu-guest-agent set allow-rpcs, or block-
#     rpcs=guest-exec,guest-file-open,guest-file-read,guest-file-write, in /etc/qemu/qemu-ga.conf. For open-vm-tools set
#     disabled=true below [guestoperations] in /etc/vmware-tools/tools.conf. Where operators work through an agent, name it in
#     allowed_guest_agents.
#   references:
#     nist-800-125: ["4.2"]
#     vsphere-8: [guest-8.tools-updates, guest-8.tools-deactivate-guestoperations]
#     attack-containers: [T1675]
#     isolation: [W2]
#   since: "0.1.0"
package postscan.vm.guest_agent

deny contains {
	"message": sprintf("%s lets the hypervisor %s in the guest", [agent.name, concat(" and ", powers)]),
	"path": sprintf("agents[%d]", [index]),
	"value": {"exec": agent.exec, "files": agent.files},
	"key": agent.name,
} if {
	some index, agent in input.agents
	agent.enabled
	not agent.name in data.params.allowed_guest_agents
	powers := array.concat([power | agent.exec; power := "run programs"], [power | agent.files; power := "read and write files"])
	count(powers) > 0
}

deny contains {
	"message": sprintf("%s %s has known vulnerabilities: %s", [agent.name, agent.version, concat(", ", sort(ids))]),
	"path": sprintf("agents[%d].version", [index]),
	"value": agent.version,
	"key": concat(" ", [agent.name, "vulnerable"]),
} if {
	some index, agent in input.agents
	agent.version != ""
	ids := {vulnerability.id |
		some vulnerability in input.vulnerabilities
		vulnerability["package"] == agent.name
		vulnerability.fixed_version != ""
	}
	count(ids) > 0
}
