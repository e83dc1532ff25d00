package postscan.image.user_is_a_name_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.user_is_a_name as policy

test_fails_for_a_name if {
	denied := policy.deny with input as fixture.config({"user": "app"})
	denied == {{
		"message": "USER app is a name, so Kubernetes cannot prove runAsNonRoot",
		"path": "config.user",
		"value": "app",
	}}
}

test_fails_for_names_with_digits_or_group if {
	every name in ["app:1000", "app:app", "root", "root:root", "app1", "1app", "+1000", "-1"] {
		denied := policy.deny with input as fixture.config({"user": name})
		count(denied) == 1
	}
}

test_passes_for_numbers if {
	every name in ["10001", "10001:app", "10001:10001", "0", "0:0", "00100"] {
		image := fixture.config({"user": name})
		denied := policy.deny with input as image
		count(denied) == 0
		policy.applies with input as image
	}
}

test_passes_without_a_user_part if {
	denied := policy.deny with input as fixture.config({"user": ":1000"})
	count(denied) == 0
}

test_not_applicable_without_user if {
	not policy.applies with input as fixture.config({"user": ""})
}

test_not_applicable_to_windows if {
	not policy.applies with input as fixture.image({"os": "windows", "config": {"user": "ContainerUser"}})
}
