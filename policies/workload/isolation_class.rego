# METADATA
# scope: package
# title: Isolation below the required class
# description: |
#   Every workload has an isolation level: L0 none, L1 shared with the host, L2 a plain container, L3 a hardened one, L4 a second
#   kernel boundary, L5 a virtual machine, L6 an attested one. What it must have depends on its class, which the label or
#   annotation postscan/trust says: untrusted code L4, tenant-shared L3, all others L2. A DaemonSet of the system is held to the
#   default; where it cannot keep it, a waiver accepts it by name. What was not seen counts as if it were bad, and where it
#   could change the verdict there is none: such a workload never passes.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/multi-tenancy/
#     description: Multi-tenancy
# custom:
#   id: PS-PATH-010
#   severity: medium
#   params:
#     - name: isolation_untrusted
#       type: integer
#       default: 4
#       description: Isolation level, 0 to 6, that a workload of class untrusted must have
#     - name: isolation_tenant_shared
#       type: integer
#       default: 3
#       description: Isolation level, 0 to 6, that a workload of class tenant-shared must have
#     - name: isolation_default
#       type: integer
#       default: 2
#       description: Isolation level, 0 to 6, that every other workload must have
#     - name: sandbox_handlers
#       type: strings
#       default: []
#       description: Names of further runtime handlers that are a sandbox or a virtual machine
#   remediation: |
#     Take the cheapest step that the finding names; the isolation part of the report lists more, with what each of them brings.
#     Where a workload needs less than its class asks for, say so in a waiver with a reason.
#   references:
#     nist-800-190: ["4.3.4", "4.5.2"]
#     isolation: [W1, W4]
#   since: "0.1.0"
#   decided_by: the isolation score
package postscan.workload.isolation_class
