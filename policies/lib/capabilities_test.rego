package postscan.lib.capabilities_test

import data.postscan.lib.capabilities

test_what_engines_give_by_default_is_no_takeover if {
	every name in ["CHOWN", "MKNOD", "NET_RAW", "SETUID", "SYS_CHROOT"] {
		not name in capabilities.takeover
	}
	"SYS_ADMIN" in capabilities.takeover
}
