package postscan.container.writable_root_test

import data.postscan.container.fixture_test as fixture
import data.postscan.container.writable_root as policy

test_fails if count(policy.deny) == 1 with input as fixture.container({"read_only_root": false})

test_passes if count(policy.deny) == 0 with input as fixture.container({})
