package postscan.lib.node_systems_test

import data.postscan.lib.node_systems

test_made_for_containers if {
	node_systems.made_for_containers("Container-Optimized OS from Google")
	node_systems.made_for_containers("Bottlerocket OS 1.20.0 (aws-k8s-1.30)")
	not node_systems.made_for_containers("Ubuntu 22.04.5 LTS")
}

test_ends if {
	node_systems.ended("Debian GNU/Linux 10 (buster)") == "2024-06-30"
	node_systems.ended("Ubuntu 20.04.6 LTS") == "2025-05-31"
	node_systems.ended("Ubuntu 25.04") == "2026-01-31"
	not node_systems.ended("Ubuntu 24.04.3 LTS")
	node_systems.ended("Amazon Linux 2") == "2026-06-30"
	not node_systems.ended("Amazon Linux 2023.5.20240916")
	not node_systems.ended("Something else")
}
