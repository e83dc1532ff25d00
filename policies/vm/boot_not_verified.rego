# METADATA
# scope: package
# title: Guest boots without Secure Boot or measured boot
# description: |
#   Nothing verifies what the machine starts: its firmware runs whatever boot loader and kernel it finds, or there is no TPM
#   that would measure them. Whoever becomes root once can then change the kernel for good, below every scanner and every
#   container, and nobody who asks the machine for a proof of its state gets one. A confidential guest (SEV-SNP, TDX) is
#   measured by the processor when it is started, which counts as measured boot.
# related_resources:
#   - ref: https://csrc.nist.gov/pubs/sp/800/125/final
#     description: NIST SP 800-125, guest OS security
#   - ref: https://csrc.nist.gov/pubs/sp/800/190/final
#     description: NIST SP 800-190, hardware root of trust
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-001
#   severity: medium
#   needs: [boot, confidential.technology, machine.container]
#   remediation: |
#     Make the guest of a kind that starts by UEFI, with Secure Boot and a virtual TPM: in the cloud choose trusted launch or a
#     shielded VM, on VMware and KVM select EFI firmware with secure boot and add a vTPM. Enrol the vendor's keys so that the
#     firmware leaves setup mode. Where a microVM's monitor loads the kernel, verify the kernel there.
#   references:
#     nist-800-125: ["4.2"]
#     nist-800-190: ["4.6"]
#     vsphere-8: [guest-8.secure-boot]
#     vsphere-9: [vm-9.secure-boot]
#     attack-containers: [T1542.003]
#     isolation: [W2]
#   since: "0.1.0"
package postscan.vm.boot_not_verified

# A container does not start its machine.
applies if input.machine.container == ""

deny contains {
	"message": not_verified[input.boot.firmware],
	"path": "boot.secure_boot",
	"value": {"firmware": input.boot.firmware, "secure_boot": input.boot.secure_boot},
	"key": "secure boot",
} if {
	input.boot.secure_boot in {"disabled", "absent"}
	not measured_by_processor
}

deny contains {
	"message": "the firmware is in setup mode: its keys can be replaced by whoever runs code as root",
	"path": "boot.setup_mode",
	"value": true,
	"key": "setup mode",
} if {
	input.boot.setup_mode
}

deny contains {
	"message": "there is no TPM, so what was started is measured nowhere",
	"path": "boot.tpm",
	"value": input.boot.tpm,
	"key": "tpm",
} if {
	input.boot.tpm == "none"
	not input.boot.measured_boot
	not measured_by_processor
}

not_verified := {
	"efi": "Secure Boot is off: the firmware starts what nobody signed",
	"bios": "the machine starts by BIOS, which verifies nothing",
	"direct": "the hypervisor loads the kernel without firmware, and nothing in the guest verifies it",
}

measured_by_processor if input.confidential.technology in {"sev-snp", "tdx"}
