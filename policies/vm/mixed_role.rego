# METADATA
# scope: package
# title: Container host role not separated
# description: |
#   A machine that runs containers also starts services that have nothing to do with them, untrusted containers run on bare
#   metal with no VM around them, or nobody would see what happens on it: no audit, no forwarding of logs, no synchronised
#   clock. Each service beside the containers is one more way to the kernel that they all share, and out of a container on bare
#   metal there is no second wall.
# related_resources:
#   - ref: https://csrc.nist.gov/pubs/sp/800/190/final
#     description: NIST SP 800-190, host attack surface and mixed workloads
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-010
#   severity: low
#   needs: [role, machine.kind]
#   params:
#     - name: allowed_services
#       type: strings
#       default: []
#       description: "Services that may run beside containers, by the names that the finding shows."
#     - name: untrusted_containers
#       type: boolean
#       default: false
#       description: "Containers of these machines are not trusted: other tenants or unreviewed code."
#   remediation: |
#     Give containers machines of their own, made from an image for that purpose, and move other services elsewhere. Run
#     containers that you do not trust in VMs or a sandbox. Switch on auditd and a time service, and send logs to another
#     machine. Set allowed_services for what belongs on your hosts.
#   references:
#     nist-800-190: ["4.5.1", "4.3.4"]
#     nist-800-125: ["4.2"]
#     isolation: [W4]
#   since: "0.1.0"
package postscan.vm.mixed_role

applies if input.role.container_host

deny contains {
	"message": sprintf("the %s service %s starts on a machine that runs containers", [service.kind, service.name]),
	"path": sprintf("role.services[%d]", [index]),
	"value": service.name,
	"key": service.name,
} if {
	some index, service in input.role.services
	not service.name in data.params.allowed_services
}

deny contains {
	"message": "untrusted containers run on bare metal: no VM stands between them and the machine",
	"path": "machine.kind",
	"value": input.machine.kind,
	"key": "bare metal",
} if {
	input.machine.kind == "bare-metal"
	data.params.untrusted_containers
}

deny contains {
	"message": sprintf("nothing here %s", [meaning]),
	"path": sprintf("role.%s", [name]),
	"value": false,
	"key": name,
} if {
	some name, meaning in wanted
	present[name] == false
}

wanted := {
	"audit": "records what happens on the machine (auditd)",
	"log_forwarding": "sends logs to another machine",
	"time_sync": "keeps the clock right",
}

present := {
	"audit": input.role.audit,
	"log_forwarding": input.role.log_forwarding,
	"time_sync": input.role.time_sync,
}
