# METADATA
# description: Runtime handlers that put a pod behind a boundary of its own, not the shared kernel's.
package postscan.lib.sandbox

# handlers are named so by the projects themselves or by a cloud: gVisor, Kata Containers and what
# stands on Kata or Firecracker. A handler can have any name; who has others adds them to sandbox_handlers.
handler(name) if {
	regex.match(`^(?:runsc|gvisor|firecracker|remotehyp|krun|cloud-hypervisor)$|^(?:kata|runsc|gvisor|firecracker)-|^kata[a-z]*$|^io\.containerd\.(?:kata|runsc)`, lower(name))
}

handler(name) if name in data.params.sandbox_handlers

# isolated is true where the workload runs with such a handler, or has a machine to itself by its provider's design.
isolated if handler(input.runtime_class.handler)

isolated if input.nodes.pod_per_machine == "true"
