package postscan.lib.engine_support_test

import data.postscan.lib.engine_support

test_knows_release_lines if {
	engine_support.ended("containerd", "1.6.39") == "2025-08-23"
	engine_support.ended("docker", "20.10.24") == "2023-12-10"
	engine_support.ended("containerd", "v2.0.7") == "2025-11-07"
	engine_support.ended("cri-o", "1.28.4") == "2024-10-28"
}

test_knows_what_is_older_than_its_lists if {
	engine_support.ended("docker", "19.03.15") == "2023-12-10"
	engine_support.ended("docker", "1.13.1") == "2023-12-10"
	engine_support.ended("containerd", "1.2.13") == "2021-03-04"
	engine_support.ended("cri-o", "1.9.0") == "2023-07-28"
}

test_says_nothing_of_what_it_does_not_know if {
	not engine_support.ended("containerd", "9.9.1")
	not engine_support.ended("containerd", "1.7.27")
	not engine_support.ended("crun", "1.8.1")
	not engine_support.ended("docker", "28.2.2")
	not engine_support.ended("docker", "master")
}
