package postscan.image.volume_on_system_path_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.volume_on_system_path as policy

volumes(paths) := fixture.config({"volumes": paths})

workdir(path) := fixture.config({"working_dir": path})

test_fails_for_a_volume if {
	denied := policy.deny with input as volumes(["/data", "/etc"])
	denied == {{
		"message": "the volume /etc lies on a system path",
		"path": "config.volumes[1]",
		"value": "/etc",
		"key": "volume /etc",
	}}
}

test_fails_for_a_working_directory if {
	denied := policy.deny with input as workdir("/proc")
	denied == {{
		"message": "the working directory /proc is a system path",
		"path": "config.working_dir",
		"value": "/proc",
		"key": "working directory",
	}}
}

test_fails_for_every_system_path if {
	every path in [
		"/",
		"/etc",
		"/proc",
		"/sys",
		"/dev",
		"/boot",
		"/usr",
		"/bin",
		"/sbin",
		"/lib",
		"/lib32",
		"/lib64",
		"/usr/bin",
		"/usr/lib",
		"/usr/lib32",
		"/usr/lib64",
		"/usr/libexec",
		"/usr/local",
		"/usr/local/bin",
		"/usr/local/sbin",
		"/usr/sbin",
		"/var/run",
		"/run",
	] {
		volume := policy.deny with input as volumes([path])
		count(volume) == 1
		directory := policy.deny with input as workdir(path)
		count(directory) == 1
	}
}

test_fails_for_runtime_sockets if {
	every path in [
		"/var/run/docker.sock",
		"/run/docker.sock",
		"/run/containerd/containerd.sock",
		"/var/run/crio/crio.sock",
		"/run/podman/podman.sock",
	] {
		denied := policy.deny with input as volumes([path])
		count(denied) == 1
	}
}

test_fails_below_system_trees if {
	every path in ["/etc/nginx", "/dev/shm", "/sys/fs/cgroup", "/usr/bin/tools", "/usr/lib/x", "/lib/modules", "/bin/x"] {
		denied := policy.deny with input as volumes([path])
		count(denied) == 1
	}
}

test_fails_however_the_path_is_written if {
	every path in ["/etc/", "//etc", "/./etc", "/etc//", "etc"] {
		denied := policy.deny with input as volumes([path])
		{finding.key | some finding in denied} == {"volume /etc"}
	}
}

test_passes_for_application_directories if {
	every path in [
		"/app",
		"/data",
		"/usr/src/app",
		"/usr/share/nginx/html",
		"/usr/local/app",
		"/var/lib/postgresql/data",
		"/var/run/mysqld",
		"/run/php",
		"/srv",
		"/opt/x",
		"/home/app",
		"/etcetera",
		"/library",
		"/usr/library",
		"/tmp",
	] {
		volume := policy.deny with input as volumes([path])
		count(volume) == 0
		directory := policy.deny with input as workdir(path)
		count(directory) == 0
	}
}

test_passes_without_a_working_directory if {
	count(policy.deny) == 0 with input as workdir("")
}

test_fails_once_for_each_volume if {
	denied := policy.deny with input as volumes(["/etc", "/etc/nginx", "/usr/bin"])
	{finding.key | some finding in denied} == {"volume /etc", "volume /etc/nginx", "volume /usr/bin"}
}

test_not_applicable_to_windows if {
	not policy.applies with input as fixture.image({"os": "windows"})
}

test_passes_for_a_clean_image if {
	policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.clean
}
