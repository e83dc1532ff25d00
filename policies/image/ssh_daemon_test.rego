package postscan.image.ssh_daemon_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.ssh_daemon as policy

starter(place, path) := {"where": place, "path": path, "layer": 0}

image(starters) := fixture.image({"ssh_starters": starters})

test_fails_for_the_entrypoint if {
	denied := policy.deny with input as image([starter("entrypoint", "")])
	denied == {{
		"message": "the entrypoint starts an SSH daemon",
		"path": "ssh_starters[0]",
		"value": {"where": "entrypoint", "path": ""},
		"key": "entrypoint ",
	}}
}

test_fails_for_the_command if {
	denied := policy.deny with input as image([starter("cmd", "")])
	some finding in denied
	finding.message == "the command starts an SSH daemon"
}

test_fails_for_a_supervisor if {
	denied := policy.deny with input as image([starter("etc/supervisor/conf.d/sshd.conf", "etc/supervisor/conf.d/sshd.conf")])
	some finding in denied
	finding.message == "etc/supervisor/conf.d/sshd.conf starts an SSH daemon"
}

test_fails_for_the_port if {
	denied := policy.deny with input as fixture.config({"exposed_ports": [
		{"number": 443, "protocol": "tcp"},
		{"number": 22, "protocol": "tcp"},
	]})
	denied == {{
		"message": "port 22/tcp, the port of SSH, is exposed",
		"path": "config.exposed_ports[1]",
		"value": "22/tcp",
		"key": "port 22/tcp",
	}}
}

test_passes_for_other_ports if {
	denied := policy.deny with input as fixture.config({"exposed_ports": [
		{"number": 22, "protocol": "udp"},
		{"number": 2222, "protocol": "tcp"},
		{"number": 220, "protocol": "tcp"},
	]})
	count(denied) == 0
}

test_passes_for_a_server_that_nothing_starts if {
	server := {"name": "sshd", "kind": "ssh-server", "path": "usr/sbin/sshd", "reachable": true, "layer": 0}
	denied := policy.deny with input as fixture.image({"tools": [server]})
	count(denied) == 0
}
