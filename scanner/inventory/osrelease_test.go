package inventory

import (
	"testing"
)

func TestDistribution(t *testing.T) {
	osRelease := func(id, version, name, pretty string) file {
		return file{path: "etc/os-release", content: "NAME=\"" + name + "\"\nID=\"" + id + "\"\nVERSION_ID=\"" + version + "\"\nPRETTY_NAME=\"" + pretty + "\"\n"}
	}
	for _, tc := range []struct {
		name            string
		files           []file
		family, version string
	}{
		{"nothing", nil, "none", ""},
		{"debian", []file{osRelease("debian", "12", "Debian GNU/Linux", "Debian GNU/Linux 12 (bookworm)"), {path: "etc/debian_version", content: "12.4\n"}}, "debian", "12.4"},
		{"debian without its file", []file{osRelease("debian", "12", "Debian GNU/Linux", "")}, "debian", "12"},
		{"ubuntu", []file{
			osRelease("ubuntu", "22.04", "Ubuntu", "Ubuntu 22.04.3 LTS"), {path: "etc/debian_version", content: "bookworm/sid\n"},
			{path: "etc/lsb-release", content: "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\n"},
		}, "ubuntu", "22.04"},
		{"alpine", []file{osRelease("alpine", "3.18.4", "Alpine Linux", "Alpine Linux v3.18"), {path: "etc/alpine-release", content: "3.18.4\n"}}, "alpine", "3.18.4"},
		{"wolfi", []file{osRelease("wolfi", "20230201", "Wolfi", "Wolfi")}, "wolfi", "20230201"},
		{"chainguard", []file{osRelease("chainguard", "20230214", "Chainguard", "Chainguard")}, "chainguard", "20230214"},
		{"red hat", []file{osRelease("rhel", "9.3", "Red Hat Enterprise Linux", ""), {path: "etc/redhat-release", content: "Red Hat Enterprise Linux release 9.3 (Plow)\n"}}, "redhat", "9.3"},
		{"centos 7", []file{osRelease("centos", "7", "CentOS Linux", ""), {path: "etc/centos-release", content: "CentOS Linux release 7.9.2009 (Core)\n"}, {path: "etc/redhat-release", content: "CentOS Linux release 7.9.2009 (Core)\n"}}, "centos", "7.9.2009"},
		{"centos stream", []file{osRelease("centos", "9", "CentOS Stream", ""), {path: "etc/centos-release", content: "CentOS Stream release 9\n"}, {path: "etc/redhat-release", content: "CentOS Stream release 9\n"}}, "centos-stream", "9"},
		{"rocky", []file{osRelease("rocky", "9.3", "Rocky Linux", ""), {path: "etc/rocky-release", content: "Rocky Linux release 9.3 (Blue Onyx)\n"}, {path: "etc/redhat-release", content: "Rocky Linux release 9.3 (Blue Onyx)\n"}}, "rocky", "9.3"},
		{"alma", []file{osRelease("almalinux", "9.3", "AlmaLinux", ""), {path: "etc/almalinux-release", content: "AlmaLinux release 9.3 (Shamrock Pampas Cat)\n"}}, "alma", "9.3"},
		{"oracle", []file{osRelease("ol", "8.9", "Oracle Linux Server", ""), {path: "etc/oracle-release", content: "Oracle Linux Server release 8.9\n"}, {path: "etc/redhat-release", content: "Red Hat Enterprise Linux release 8.9 (Ootpa)\n"}}, "oracle", "8.9"},
		{"fedora", []file{osRelease("fedora", "40", "Fedora Linux", ""), {path: "usr/lib/fedora-release", content: "Fedora release 40 (Forty)\n"}}, "fedora", "40"},
		{"amazon 1", []file{osRelease("amzn", "2018.03", "Amazon Linux AMI", ""), {path: "etc/system-release", content: "Amazon Linux AMI release 2018.03\n"}}, "amazon", "AMI release 2018.03"},
		{"amazon 2", []file{osRelease("amzn", "2", "Amazon Linux", ""), {path: "etc/system-release", content: "Amazon Linux release 2 (Karoo)\n"}}, "amazon", "2 (Karoo)"},
		{"amazon 2023", []file{osRelease("amzn", "2023", "Amazon Linux", ""), {path: "usr/lib/system-release", content: "Amazon Linux release 2023 (Amazon Linux)\n"}}, "amazon", "2023 (Amazon Linux)"},
		{"photon", []file{osRelease("photon", "5.0", "VMware Photon OS", "")}, "photon", "5.0"},
		{"azure", []file{osRelease("azurelinux", "3.0", "Microsoft Azure Linux", "")}, "azurelinux", "3.0"},
		{"mariner", []file{osRelease("mariner", "2.0.20231130", "CBL-Mariner", "")}, "cbl-mariner", "2.0.20231130"},
		{"leap", []file{osRelease("opensuse-leap", "15.5", "openSUSE Leap", "")}, "opensuse-leap", "15.5"},
		{"tumbleweed", []file{osRelease("opensuse-tumbleweed", "20231101", "openSUSE Tumbleweed", "")}, "opensuse-tumbleweed", "20231101"},
		{"sles", []file{osRelease("sles", "15.5", "SLES", "")}, "sles", "15.5"},
		{"sle micro", []file{osRelease("sl-micro", "6.0", "SL-Micro", "")}, "slem", "6.0"},
		{"unknown", []file{osRelease("gentoo", "2.14", "Gentoo", "Gentoo Linux")}, "gentoo", ""},
		{"only its repositories", []file{{path: "etc/apk/repositories", content: "https://dl-cdn.alpinelinux.org/alpine/v3.19/main\n"}}, "alpine", "3.19"},
		{"through a link", []file{{path: "usr/lib/os.release.d/os-release-container", content: "ID=fedora\nVERSION_ID=39\n"}, {path: "etc/os-release", mode: linkMode, link: "../usr/lib/os.release.d/os-release-container"}}, "fedora", "39"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inv := merge(t, Runtime{}, scan(t, Options{}, tc.files...))
			if d := inv.Distribution; d.Family != tc.family || d.Version != tc.version {
				t.Errorf("distribution %q %q, want %q %q", d.Family, d.Version, tc.family, tc.version)
			}
			if _, gap := inv.Missing["packages"]; gap != (tc.name == "unknown") {
				t.Errorf("missing %+v", inv.Missing)
			}
		})
	}
}

func TestDistributionOfUpperLayerCounts(t *testing.T) {
	lower := scan(t, Options{}, file{path: "etc/alpine-release", content: "3.18.1\n"})
	upper := scan(t, Options{}, file{path: "etc/alpine-release", content: "3.19.0\n"})
	if d := merge(t, Runtime{}, lower, upper).Distribution; d.Version != "3.19.0" {
		t.Errorf("version %q, want that of the upper layer", d.Version)
	}
	gone := scan(t, Options{}, file{path: "etc/.wh.alpine-release"})
	if d := merge(t, Runtime{}, lower, gone).Distribution; d.Family != "alpine" || d.Version != "3.18.1" {
		t.Errorf("distribution %+v, want the one that was deleted", d)
	}
}

func TestUbuntuProAndSupplier(t *testing.T) {
	inv := merge(t, Runtime{}, scan(t, Options{},
		file{path: "etc/lsb-release", content: "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=18.04\n"},
		file{path: "var/lib/ubuntu-advantage/status.json", content: `{"services":[{"name":"esm-infra","status":"enabled"}]}`},
		file{path: "usr/share/rapidfort/curated.json"}))
	if d := inv.Distribution; d.Family != "ubuntu" || d.Version != "18.04" || !d.Extended || d.Supplier != "rapidfort" {
		t.Errorf("distribution %+v", d)
	}
}

func TestRepositoryRelease(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"https://dl-cdn.alpinelinux.org/alpine/v3.15/main\nhttps://dl-cdn.alpinelinux.org/alpine/edge/testing\n", "edge"},
		{"http://mirror.example/alpine/v3.9/main\nhttp://mirror.example/alpine/v3.10/main\n", "3.10"},
		{"https://packages.wolfi.dev/os\n", ""},
		{"# nothing\n", ""},
	} {
		inv := merge(t, Runtime{}, scan(t, Options{}, file{path: "etc/apk/repositories", content: tc.text}, file{path: "etc/alpine-release", content: "3.15.0\n"}))
		if got := inv.Distribution.RepositoryRelease; got != tc.want {
			t.Errorf("%q: release %q, want %q", tc.text, got, tc.want)
		}
	}
}
