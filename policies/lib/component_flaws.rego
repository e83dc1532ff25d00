# METADATA
# description: |
#   Versions of node and control-plane components with a flaw that leads out of a container or takes over the cluster. Each row is from the
#   advisory of the project that its id names; a version is affected from the first and below the second of a pair. Only flaws whose
#   versions are certain stand here: it is no replacement for a vulnerability database.
package postscan.lib.component_flaws

# affecting are the rows that a version of a component falls into.
affecting(component, version, os) := {flaw |
	number := plain(version)
	some flaw in flaws
	flaw.component == component
	flaw.os in {"", os}
	some range in flaw.ranges
	semver.compare(number, range[0]) >= 0
	semver.compare(number, range[1]) < 0
}

# plain is the number of a version as the project itself writes it. The package
# of a distribution mends flaws under the same number, so its version
# ("1.6.20~ds1", "1.5.9-0ubuntu1") has none.
plain(version) := regex.find_all_string_submatch_n(`^v?(\d+\.\d+\.\d+)(?:$|[-+](?:k3s|rke2|eks|gke|rc|unknown|flatcar|talos).*$)`, version, 1)[0][1]

# flaws, each component's newest first.
flaws := [
	{
		"id": "CVE-2025-31133",
		"component": "runc",
		"os": "",
		"what": "leaves the container by masked paths and mounts (with CVE-2025-52565 and CVE-2025-52881)",
		"ranges": [["0.0.0", "1.2.8"], ["1.3.0", "1.3.3"]], # github.com/opencontainers/runc, GHSA-9493-h29p-rfm2
	},
	{
		"id": "CVE-2024-21626",
		"component": "runc",
		"os": "",
		"what": "leaves the container by a file descriptor that runc leaks",
		"ranges": [["1.0.0", "1.1.12"]], # github.com/opencontainers/runc, GHSA-xr7r-f8xq-vfvv
	},
	{
		"id": "CVE-2022-23648",
		"component": "containerd",
		"os": "",
		"what": "reads files of the node by volumes that an image names",
		"ranges": [["0.0.0", "1.4.13"], ["1.5.0", "1.5.10"], ["1.6.0", "1.6.1"]], # github.com/containerd/containerd, GHSA-crp2-qrr5-8pq7
	},
	{
		"id": "CVE-2020-15257",
		"component": "containerd",
		"os": "",
		"what": "leaves a container on the host's network by the shim's socket",
		"ranges": [["0.0.0", "1.3.9"], ["1.4.0", "1.4.3"]], # github.com/containerd/containerd, GHSA-36xw-fx78-c5r4
	},
	{
		"id": "CVE-2022-0811",
		"component": "cri-o",
		"os": "",
		"what": "leaves the container by a sysctl that a pod sets",
		"ranges": [
			["1.19.0", "1.19.6"],
			["1.20.0", "1.20.7"],
			["1.21.0", "1.21.6"],
			["1.22.0", "1.22.3"],
			["1.23.0", "1.23.2"],
		], # github.com/cri-o/cri-o, GHSA-6x2m-w449-qwx7
	},
	{
		"id": "CVE-2025-23266",
		"component": "nvidia-container-toolkit",
		"os": "",
		"what": "leaves the container by a library that an image brings to a hook",
		"ranges": [["0.0.0", "1.17.8"]], # NVIDIA's bulletin of July 2025
	},
	{
		"id": "CVE-2024-10220",
		"component": "kubelet",
		"os": "linux",
		"what": "runs commands on the node by a gitRepo volume",
		"ranges": [["0.0.0", "1.28.12"], ["1.29.0", "1.29.7"], ["1.30.0", "1.30.3"]], # kubernetes/kubernetes issue 128885
	},
	{
		"id": "CVE-2021-25741",
		"component": "kubelet",
		"os": "linux",
		"what": "reaches files of the node by a subPath that is changed meanwhile",
		"ranges": [["0.0.0", "1.19.15"], ["1.20.0", "1.20.11"], ["1.21.0", "1.21.5"], ["1.22.0", "1.22.2"]], # kubernetes/kubernetes issue 104980
	},
	{
		"id": "CVE-2023-5528",
		"component": "kubelet",
		"os": "windows",
		"what": "becomes administrator of a Windows node by a persistent volume",
		"ranges": [["0.0.0", "1.25.16"], ["1.26.0", "1.26.11"], ["1.27.0", "1.27.8"], ["1.28.0", "1.28.4"]], # kubernetes/kubernetes issue 121879
	},
	{
		"id": "CVE-2023-3676",
		"component": "kubelet",
		"os": "windows",
		"what": "runs commands on a Windows node by a subPath",
		"ranges": [
			["0.0.0", "1.24.17"],
			["1.25.0", "1.25.13"],
			["1.26.0", "1.26.8"],
			["1.27.0", "1.27.5"],
			["1.28.0", "1.28.1"],
		], # kubernetes/kubernetes issue 119339
	},
	{
		"id": "CVE-2018-1002105",
		"component": "kube-apiserver",
		"os": "",
		"what": "lets any caller talk to kubelets as the API server",
		"ranges": [["0.0.0", "1.10.11"], ["1.11.0", "1.11.5"], ["1.12.0", "1.12.3"]], # kubernetes/kubernetes issue 71411
	},
	{
		"id": "CVE-2022-0847",
		"component": "kernel",
		"os": "linux",
		"what": "writes files that it may only read, those of images and the host among them",
		"ranges": [["5.8.0", "5.10.102"], ["5.11.0", "5.15.25"], ["5.16.0", "5.16.11"]], # the kernel's commit 9d2231c5d74e
	},
]
