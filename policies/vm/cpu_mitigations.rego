# METADATA
# scope: package
# title: CPU side-channel mitigations missing in the guest
# description: |
#   The kernel says that the processor has a flaw which it does not mitigate, or mitigations are switched off. Through such side
#   channels a process reads what other processes, other containers or the kernel hold in memory, and no namespace or capability
#   stands in the way. Some mitigations need microcode or flags that only the hypervisor can give.
# related_resources:
#   - ref: https://docs.kernel.org/admin-guide/hw-vuln/index.html
#     description: Hardware vulnerabilities, in the kernel's documentation
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-003
#   severity: medium
#   needs: [mitigations, smt, kernel.parameters, role.container_host]
#   remediation: |
#     Remove mitigations=off and its single switches from the kernel's command line. Update kernel and microcode; have the
#     operator of the hypervisor do the same and show the guest the processor's flags that mitigations need. Where untrusted
#     containers share the machine, switch SMT off (nosmt) or schedule by core.
#   references:
#     nist-800-125a: [HY-BF1]
#     cwe: ["1300"]
#     isolation: [W1, W2]
#   since: "0.1.0"
package postscan.vm.cpu_mitigations

deny contains {
	"message": sprintf("%s: %s", [flaw.name, flaw.status]),
	"path": sprintf("mitigations[%d]", [index]),
	"value": flaw.status,
	"key": flaw.name,
} if {
	some index, flaw in input.mitigations
	flaw.vulnerable
}

deny contains {
	"message": "the kernel's command line switches all mitigations off",
	"path": sprintf("kernel.parameters[%d]", [index]),
	"value": "mitigations=off",
	"key": "mitigations=off",
} if {
	some index, parameter in input.kernel.parameters
	parameter.name == "mitigations"
	parameter.value == "off"
}

deny contains {
	"message": sprintf("SMT is on, and with it the machine stays open to %s across its containers", [concat(", ", sort(exposed))]),
	"path": "smt",
	"value": input.smt,
	"key": "smt",
} if {
	input.smt == "on"
	input.role.container_host
	count(exposed) > 0
}

exposed contains flaw.name if {
	some flaw in input.mitigations
	flaw.smt
}
