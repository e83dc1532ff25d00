# METADATA
# scope: package
# title: Host-shared folder or passthrough device in the guest
# description: |
#   A folder of the host is mounted in the guest, a real device is passed through to it, or everybody in it may use /dev/kvm.
#   Each is a way past the wall between guest and host: files of a shared folder are opened by a process of the host, a device
#   may write the host's memory where the IOMMU lets it, and nested virtualisation opens the most delicate part of the
#   hypervisor to the guest.
# related_resources:
#   - ref: https://csrc.nist.gov/pubs/sp/800/125/a/r1/final
#     description: NIST SP 800-125A, device mediation
#   - ref: https://csrc.nist.gov/pubs/sp/800/125/final
#     description: NIST SP 800-125, hypervisor security
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-007
#   severities: [high, medium]
#   needs: [machine.kind, shares, devices, nested.kvm, nested.kvm_mode]
#   remediation: |
#     Unmount shared folders and take them out of /etc/fstab and of the guest's definition; where one must stay, share a single
#     folder read-only. Remove passed-through devices that nothing needs, and have the host use its IOMMU. Switch nested
#     virtualisation off for the guest, or keep /dev/kvm at mode 0660.
#   references:
#     nist-800-125a: [HY-BF2]
#     nist-800-125: ["4.1"]
#     vsphere-8: [vm-8.pci-passthrough, vm-8.remove-unnecessary-devices]
#     attack-containers: [T1080, T1564.006]
#     cwe: ["668"]
#     isolation: [W2]
#   since: "0.1.0"
package postscan.vm.host_share

applies if input.machine.kind != "bare-metal"

deny contains {
	"message": sprintf("%s is a folder of the host (%s)%s", [share.path, share.type, state(share)]),
	"path": sprintf("shares[%d]", [index]),
	"value": {"type": share.type, "read_only": share.read_only, "mounted": share.mounted},
	"key": concat(" ", ["share", share.path]),
	"severity": severity[share.read_only],
} if {
	some index, share in input.shares
}

deny contains {
	"message": sprintf("a real device (%s, %s:%s) is passed through at %s", [device.what, device.vendor, device.id, device.address]),
	"path": sprintf("devices[%d]", [index]),
	"value": {"vendor": device.vendor, "id": device.id, "driver": device.driver},
	"key": concat(" ", ["device", device.vendor, device.id]),
	"severity": "medium",
} if {
	some index, device in input.devices
	device.passthrough
}

deny contains {
	"message": sprintf("/dev/kvm has mode %s: every account and every container that gets the device can run guests of its own", [
		input.nested.kvm_mode,
	]),
	"path": "nested.kvm_mode",
	"value": input.nested.kvm_mode,
	"key": "nested",
	"severity": "medium",
} if {
	input.nested.kvm

	# The last digit is everybody's; 2 in it is the right to write.
	bits.and(to_number(substring(input.nested.kvm_mode, 3, 1)), 2) == 2
}

severity := {true: "medium", false: "high"}

state(share) := ", mounted read-only" if {
	share.mounted
	share.read_only
} else := ", mounted writable" if {
	share.mounted
} else := ", which /etc/fstab mounts"
