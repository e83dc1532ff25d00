# METADATA
# description: Blocks of addresses.
package postscan.lib.addresses

# everything is true where the blocks together are all of IPv4 or of IPv6: 0.0.0.0/1 with 128.0.0.0/1 is as open as 0.0.0.0/0.
everything(blocks) if {
	valid := [trim_space(b) | some b in blocks; net.cidr_is_valid(trim_space(b))]
	some merged in net.cidr_merge(valid)
	merged in {"0.0.0.0/0", "::/0"}
}
