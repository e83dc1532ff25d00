# METADATA
# description: Capabilities of Linux, by what they open. Names are without "CAP_".
package postscan.lib.capabilities

# takeover are those with which root takes the machine: mounting its disks, loading kernel modules, reading any file,
# tracing any process, changing its network. ALL is the full set.
takeover := {
	"ALL", "BPF", "DAC_READ_SEARCH", "MAC_ADMIN", "NET_ADMIN", "PERFMON", "SYS_ADMIN",
	"SYS_BOOT", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO",
}
