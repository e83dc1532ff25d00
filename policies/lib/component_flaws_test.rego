package postscan.lib.component_flaws_test

import data.postscan.lib.component_flaws as flaws

ids(component, version, os) := {f.id | some f in flaws.affecting(component, version, os)}

test_the_ends_of_ranges if {
	ids("runc", "1.1.11", "linux") == {"CVE-2024-21626", "CVE-2025-31133"}
	ids("runc", "1.1.12", "linux") == {"CVE-2025-31133"}
	ids("runc", "1.2.7", "linux") == {"CVE-2025-31133"}
	ids("runc", "1.2.8", "linux") == set()
	ids("runc", "1.3.0", "linux") == {"CVE-2025-31133"}
	ids("runc", "1.3.3", "linux") == set()
	ids("kubelet", "1.28.11", "linux") == {"CVE-2024-10220"}
	ids("kubelet", "1.28.12", "linux") == set()
	ids("kubelet", "1.31.0", "linux") == set()
}

test_the_system_matters if {
	ids("kubelet", "1.28.3", "windows") == {"CVE-2023-5528"}
	ids("kubelet", "1.28.3", "linux") == {"CVE-2024-10220"}
}

test_packages_of_distributions_are_not_judged_by_number if {
	not flaws.plain("1.6.20~ds1")
	not flaws.plain("1.5.9-0ubuntu1~20.04.4")
	not flaws.plain("")
	flaws.plain("v1.30.2-k3s1") == "1.30.2"
	flaws.plain("1.7.23") == "1.7.23"
	ids("containerd", "1.5.9-0ubuntu1~20.04.4", "linux") == set()
	ids("containerd", "1.5.9", "linux") == {"CVE-2022-23648"}
}

test_every_row_is_whole if {
	every flaw in flaws.flaws {
		startswith(flaw.id, "CVE-")
		every range in flaw.ranges {
			semver.compare(range[0], range[1]) < 0
		}
	}
}
