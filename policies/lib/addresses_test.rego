package postscan.lib.addresses_test

import data.postscan.lib.addresses

test_everything if {
	addresses.everything(["0.0.0.0/0"])
	addresses.everything(["10.0.0.0/8", "::/0"])
	addresses.everything(["0.0.0.0/1", " 128.0.0.0/1 "])
	addresses.everything(["::/1", "8000::/1", "192.0.2.0/24"])
}

test_not_everything if {
	not addresses.everything([])
	not addresses.everything(["0.0.0.0/1"])
	not addresses.everything(["everything", "10.0.0.0/8"])
	not addresses.everything(["0.0.0.0/1", "192.0.0.0/2"])
}
