package postscan.engine.seccomp_off_by_default_test

import data.postscan.engine.fixture_test as fixture
import data.postscan.engine.seccomp_off_by_default as policy

test_fails_where_it_is_off if {
	every kind in ["unconfined", "unsupported"] {
		"high" in {d.severity | some d in policy.deny} with input as fixture.engine({"seccomp": kind})
	}
}

test_medium_where_the_kubelet_decides if {
	some d in policy.deny with input as fixture.engine({
		"seccomp": "unconfined", "cri": object.union(fixture.engine({}).cri, {"served": true}),
	})
	d.severity == "medium"
}

test_high_where_no_kubelet_helps if {
	some d in policy.deny with input as fixture.engine({
		"name": "cri-o", "seccomp": "unconfined", "cri": object.union(fixture.engine({}).cri, {"served": true}),
	})
	d.severity == "high"
}

test_passes_with_a_profile if {
	every kind in ["default", "/etc/docker/seccomp.json"] {
		count(policy.deny) == 0 with input as fixture.engine({"seccomp": kind})
	}
}
