# METADATA
# description: Operating systems of nodes, by what the kubelet says of them in osImage.
package postscan.lib.node_systems

# made_for_containers is true for a system that is made to run containers and
# little else.
made_for_containers(image) if {
	some name in made
	contains(lower(image), lower(name))
}

made := [
	"Container-Optimized OS",
	"Bottlerocket",
	"Flatcar",
	"Fedora CoreOS",
	"Red Hat Enterprise Linux CoreOS",
	"Talos",
	"CBL-Mariner",
	"Azure Linux",
	"Photon",
	"MicroOS",
	"SLE Micro",
	"SUSE Linux Micro",
	"Ubuntu Core",
	"Kairos",
	"k3OS",
	"RancherOS",
]

# ended is the day on which the makers' general support of the system ended or
# ends; undefined for systems that this table does not know. Paid extensions do
# not count, because nothing shows whether they are used. Each maker's own page of
# releases is the source.
ended(image) := day if {
	days := {row.ends |
		some row in ends
		regex.match(row.image, image)
	}
	day := max(days)
}

# Of some only the month is published: then it is the month's last day.
ends := [
	{"image": `^Debian GNU/Linux 9\b`, "ends": "2022-06-30"},
	{"image": `^Debian GNU/Linux 10\b`, "ends": "2024-06-30"},
	{"image": `^Debian GNU/Linux 11\b`, "ends": "2026-08-31"},
	{"image": `^Debian GNU/Linux 12\b`, "ends": "2028-06-30"},
	{"image": `^Ubuntu 16\.04`, "ends": "2021-04-30"},
	{"image": `^Ubuntu 18\.04`, "ends": "2023-05-31"},
	{"image": `^Ubuntu 20\.04`, "ends": "2025-05-31"},
	{"image": `^Ubuntu 22\.10`, "ends": "2023-07-20"},
	{"image": `^Ubuntu 23\.04`, "ends": "2024-01-25"},
	{"image": `^Ubuntu 23\.10`, "ends": "2024-07-11"},
	{"image": `^Ubuntu 24\.10`, "ends": "2025-07-10"},
	{"image": `^Ubuntu 25\.04`, "ends": "2026-01-31"},
	{"image": `^Ubuntu 25\.10`, "ends": "2026-07-31"},
	{"image": `^CentOS Linux 7\b`, "ends": "2024-06-30"},
	{"image": `^CentOS Linux 8\b`, "ends": "2021-12-31"},
	{"image": `^CentOS Stream 8\b`, "ends": "2024-05-31"},
	{"image": `^Red Hat Enterprise Linux.* 7\.`, "ends": "2024-06-30"},
	{"image": `^Amazon Linux 2$`, "ends": "2026-06-30"},
	{"image": `^Amazon Linux AMI`, "ends": "2023-12-31"},
]
