package postscan.lib.paths_test

import data.postscan.lib.paths

test_clean if {
	paths.clean("/a//b/") == "/a/b"
	paths.clean("a/./b") == "/a/b"
	paths.clean("/") == "/"
	paths.clean("") == "/"
}

test_under if {
	paths.under("/etc/passwd", "/etc")
	paths.under("/etc", "/etc/")
	paths.under("etc/ssl/x", "/etc")
	paths.under("/anything", "/")
	not paths.under("/etcetera", "/etc")
	not paths.under("/", "/etc")
}

test_base if {
	paths.base("/usr/bin/sudo") == "sudo"
	paths.base("sudo") == "sudo"
	paths.base("/") == ""
}
