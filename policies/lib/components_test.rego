package postscan.lib.components_test

import data.postscan.lib.components

server := {
	"name": "kube-apiserver", "where": "cp-1", "version": "1.31.2", "config_file": false, "path": "api_servers[0]",
	"flags": [
		{"name": "anonymous-auth", "value": "false", "path": "spec.containers[0].command[1]"},
		{"name": "authorization-mode", "value": "Node, RBAC", "path": "spec.containers[0].command[2]"},
		{"name": "profiling", "value": "true", "path": "spec.containers[0].command[3]"},
	],
}

test_switches if {
	components.off(server, "anonymous-auth")
	components.default_on(server, "profiling")
	components.default_on(server, "service-account-lookup")
	not components.default_on(server, "anonymous-auth")
	components.default_off(server, "auto-tls")
	not components.default_off(server, "profiling")
}

test_a_file_may_set_what_flags_do_not if {
	dark := object.union(server, {"config_file": true})
	not components.absent(dark, "token-auth-file")
	not components.default_on(dark, "service-account-lookup")
	components.default_on(dark, "profiling")
}

test_lists if {
	components.items(server, "authorization-mode") == {"Node", "RBAC"}
	components.items(server, "enable-admission-plugins") == set()
}

test_finding if {
	components.finding(server, "profiling", "answers") == {
		"message": "kube-apiserver on cp-1 answers", "path": "api_servers[0].flags[2]", "value": "true", "key": "cp-1/kube-apiserver/profiling",
	}
	unset := components.finding(server, "token-auth-file", "has none")
	unset.path == "api_servers[0]"
	unset.value == "not set"
	components.label(object.union(server, {"where": ""})) == "kube-apiserver"
}

test_versions if {
	components.minor(server) == 31
	components.minor({"version": "v1.9.11-eks-1"}) == 9
	not components.minor({"version": "latest"})
}

test_addresses if {
	every a in ["https://127.0.0.1:2379", "http://[::1]:2379", "localhost:10257", "127.0.0.1", "::1"] {
		components.loopback(a)
	}
	not components.loopback("https://10.0.0.1:2379")
	not components.loopback("0.0.0.0")
	not components.loopback("[::]:2379")
	components.plain("http://10.0.0.1:2379")
	not components.plain("http://127.0.0.1:2379")
	not components.plain("https://10.0.0.1:2379")
	components.socket("unix:///run/kine.sock")
}
