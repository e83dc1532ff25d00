package postscan.cluster.openshift_scc_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.openshift_scc as policy

plain := {
	"name": "x",
	"privileged": false,
	"host_dir": false,
	"host_network": false,
	"host_pid": false,
	"host_ipc": false,
	"run_as_any": false,
	"users": [],
	"path": "openshift.sccs[0]",
}

granted(changes) := fixture.cluster({"openshift": {"present": true, "sccs": [object.union(plain, changes)]}})

found(denied) := {[d.key, d.severity] | some d in denied}

test_fails if {
	case_1 := granted({"privileged": true, "users": ["ServiceAccount/shop/web"]})
	found(policy.deny) == {["x ServiceAccount/shop/web", "high"]} with input as case_1
	case_2 := granted({"run_as_any": true, "users": ["Group/system:authenticated"]})
	found(policy.deny) == {["x Group/system:authenticated", "critical"]} with input as case_2
}

test_tells_what_it_allows if {
	denied := policy.deny with input as granted({"host_pid": true, "host_dir": true, "users": ["User/bob"]})
	{d.message | some d in denied} == {"User/bob may use the SCC x, which allows folders of the host, the host's processes"}
}

test_not_applicable_elsewhere if {
	not policy.applies with input as fixture.clean
}

test_passes if {
	found(policy.deny) == set() with input as granted({"users": ["Group/system:authenticated"]})
	found(policy.deny) == set() with input as granted({"privileged": true})
	count(policy.deny) == 0 with input as fixture.clean
}
