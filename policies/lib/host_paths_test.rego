package postscan.lib.host_paths_test

import data.postscan.lib.host_paths

test_normal_paths if {
	every case in [
		["/var/run/docker.sock", "/run/docker.sock"],
		["/var/run", "/run"],
		["/var/running", "/var/running"],
		["/etc/", "/etc"],
		["/", "/"],
		[`C:\Windows\System32`, "c:/windows/system32"],
		["c:/Windows/", "c:/windows"],
		[`\\.\pipe\docker_engine`, "//./pipe/docker_engine"],
		["//./pipe/docker_engine", "//./pipe/docker_engine"],
	] {
		host_paths.normal(case[0]) == case[1]
	}
}

test_sockets if {
	every path in [
		"/", "/run", "/var/run", "/var", "/run/containerd", "/run/docker.sock", "/var/run/docker.sock", "/run/user/1000/docker.sock",
		"/var/lib/kubelet", "/var/lib/kubelet/device-plugins/kubelet.sock", `\\.\pipe\docker_engine`,
	] {
		host_paths.reaches_socket(path)
	}
	every path in ["/srv", "/run/app", "/var/lib/app", "/var/log", "/etc/docker", `C:\app`] {
		not host_paths.reaches_socket(path)
	}
}

test_sensitive if {
	every path in [
		"/", "/etc", "/etc/kubernetes/pki", "/var", "/var/lib", "/var/log/pods", "/opt", "/dev/sda", "/var/run/x",
		`C:\`, `c:\Windows\x`,
	] {
		host_paths.is_sensitive(path)
	}
	every path in ["/srv", "/data", "/opt/app", "/var/lib/app", "/mnt/disks", "/etcetera", "/var/logs", `D:\data`] {
		not host_paths.is_sensitive(path)
	}
}

test_harmless if {
	every path in ["/etc/localtime", "/usr/share/zoneinfo/UTC", "/run/xtables.lock", "/var/run/xtables.lock", "/dev/null"] {
		host_paths.is_harmless(path)
		host_paths.is_public(path)
	}
	every path in ["/etc", "/etc/ssl", "/dev", "/dev/sda", "/run"] {
		not host_paths.is_harmless(path)
		not host_paths.is_public(path)
	}
}

test_public if {
	every path in ["/etc/ssl/certs", "/etc/pki/ca-trust/extracted", "/lib/modules", "/usr/src/linux", "/etc/hosts", "/etc/passwd"] {
		host_paths.is_public(path)
		not host_paths.is_harmless(path)
	}
	every path in ["/lib", "/etc/shadow", "/etc/kubernetes", "/etc/ssl/private", "/etc/hosts.d", "/etc/pki/tls"] {
		not host_paths.is_public(path)
	}
}

test_devices if {
	every path in ["/dev", "/dev/sda", "/dev/kvm", "/dev/net/tun"] {
		host_paths.is_device(path)
	}
	every path in ["/", "/dev/null", "/dev/shm", "/dev/shm/x", "/dev/hugepages/2M", "/dev/log", "/device"] {
		not host_paths.is_device(path)
	}
}

test_a_sub_path_narrows_the_mount if {
	host_paths.seen("/var/", "lib/app") == "/var/lib/app"
	host_paths.seen("/var/", "") == "/var/"
	host_paths.seen("/var/", "$(POD)") == "/var/"
}
