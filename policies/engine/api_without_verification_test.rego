package postscan.engine.api_without_verification_test

import data.postscan.engine.api_without_verification as policy
import data.postscan.engine.fixture_test as fixture

tcp := {
	"purpose": "api", "network": "tcp", "address": "0.0.0.0:2375", "loopback": false, "tls": false,
	"client_verification": false, "source": "daemon.json",
}

with_listener(changes) := fixture.engine({"listeners": [object.union(tcp, changes)]})

test_fails_for_an_open_port if {
	some d in policy.deny with input as with_listener({})
	d.value == "0.0.0.0:2375"
}

test_fails_for_tls_without_client_certificates if {
	count(policy.deny) == 1 with input as with_listener({"tls": true})
}

test_fails_for_an_open_streaming_server if {
	count(policy.deny) == 1 with input as with_listener({"purpose": "stream"})
}

test_passes_where_it_is_closed if {
	every changes in [
		{"loopback": true}, {"tls": true, "client_verification": true}, {"purpose": "metrics"},
		{"network": "unix", "address": "/run/docker.sock"}, {"purpose": "stream", "tls": true},
	] {
		count(policy.deny) == 0 with input as with_listener(changes)
	}
}
