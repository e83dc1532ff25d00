package postscan.image.end_of_life_test

import data.postscan.image.end_of_life as policy
import data.postscan.image.fixture_test as fixture

image(changes) := fixture.image({"distribution": changes})

test_fails_after_the_end_of_support if {
	denied := policy.deny with input as image({"version": "9.13", "name": "Debian GNU/Linux 9 (stretch)", "end_of_life": true})
	denied == {{
		"message": "Debian GNU/Linux 9 (stretch) is out of its vendor's support",
		"path": "distribution",
		"value": {"family": "debian", "version": "9.13"},
	}}
}

test_fails_for_a_release_without_a_pretty_name if {
	denied := policy.deny with input as image({"family": "alpine", "version": "3.12.1", "name": "", "end_of_life": true})
	{finding.message | some finding in denied} == {"alpine 3.12.1 is out of its vendor's support"}
}

test_passes_for_a_supported_release if {
	policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.clean
}

test_not_applicable_without_a_distribution if {
	not policy.applies with input as image({"family": "none", "version": "", "name": ""})
}
