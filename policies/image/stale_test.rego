package postscan.image.stale_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.stale as policy

image(created) := fixture.image({"created": created})

test_fails_for_an_old_image if {
	denied := policy.deny with input as image("2025-10-01T12:00:00Z") with data.params as fixture.params
	denied == {{
		"message": "built 151 days ago, 90 are allowed",
		"path": "created",
		"value": "2025-10-01T12:00:00Z",
	}}
}

test_fails_just_after_the_limit if {
	count(policy.deny) == 1 with input as image("2025-12-01T11:59:59.999Z") with data.params as fixture.params
}

test_passes_just_at_the_limit if {
	count(policy.deny) == 0 with input as image("2025-12-01T12:00:00Z") with data.params as fixture.params
}

test_limit_is_a_parameter if {
	strict := object.union(fixture.params, {"max_image_age_days": 5})
	count(policy.deny) == 1 with input as image("2026-02-20T08:00:00Z") with data.params as strict
}

test_fails_for_the_first_moment_that_counts if {
	count(policy.deny) == 1 with input as image("2000-01-01T00:00:00Z") with data.params as fixture.params
	count(policy.unknown) == 0 with input as image("2000-01-01T00:00:00Z") with data.params as fixture.params
}

test_unknown_for_times_that_reproducible_builds_write if {
	every created in [
		"0001-01-01T00:00:00Z",
		"1970-01-01T00:00:00Z",
		"1980-01-01T00:00:01Z",
		"1999-12-31T23:59:59Z",
		"9999-12-31T23:59:59Z",
	] {
		unknown := policy.unknown with input as image(created) with data.params as fixture.params
		count(unknown) == 1
		denied := policy.deny with input as image(created) with data.params as fixture.params
		count(denied) == 0
	}
}

test_unknown_for_a_time_in_the_future if {
	count(policy.unknown) == 1 with input as image("2026-03-03T00:00:00Z") with data.params as fixture.params
	count(policy.deny) == 0 with input as image("2026-03-03T00:00:00Z") with data.params as fixture.params
}

test_passes_where_the_clocks_differ_a_little if {
	count(policy.unknown) == 0 with input as image("2026-03-01T12:05:00Z") with data.params as fixture.params
}

test_passes_for_a_clean_image if {
	count(policy.deny) == 0 with input as fixture.clean with data.params as fixture.params
	count(policy.unknown) == 0 with input as fixture.clean with data.params as fixture.params
}
