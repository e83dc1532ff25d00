package postscan.image.world_writable_files_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.world_writable_files as policy

file(changes) := object.union(
	{
		"path": "usr/local/bin/start.sh",
		"mode": "0777",
		"directory": false,
		"sticky": false,
		"trusted": "entrypoint",
		"layer": 1,
	},
	changes,
)

test_fails_for_a_file if {
	denied := policy.deny with input as fixture.image({"writable_files": [file({})]})
	denied == {{
		"message": "usr/local/bin/start.sh is writable by everybody (mode 0777) and is what the container runs",
		"path": "writable_files[0]",
		"value": {"path": "usr/local/bin/start.sh", "mode": "0777", "trusted": "entrypoint"},
		"key": "usr/local/bin/start.sh",
	}}
}

test_fails_for_a_directory if {
	directory := file({"path": "usr/local/bin", "directory": true, "trusted": "path"})
	denied := policy.deny with input as fixture.image({"writable_files": [directory]})
	count(denied) == 1
}

test_fails_for_a_file_with_the_sticky_bit if {
	denied := policy.deny with input as fixture.image({"writable_files": [file({"mode": "1777", "sticky": true})]})
	count(denied) == 1
}

test_passes_for_a_directory_with_the_sticky_bit if {
	sticky := file({"path": "usr/lib/x/tmp", "mode": "1777", "directory": true, "sticky": true, "trusted": "library"})
	denied := policy.deny with input as fixture.image({"writable_files": [sticky]})
	count(denied) == 0
}

test_fails_for_every_kind_of_trust if {
	every trusted, role in {
		"entrypoint": "what the container runs",
		"path": "on the PATH for programs",
		"etc": "part of the configuration in /etc",
		"library": "on the path for libraries",
		"interpreter": "on the path for modules of an interpreter",
		"something new": "trusted by other programs",
	} {
		denied := policy.deny with input as fixture.image({"writable_files": [file({"trusted": trusted})]})
		[endswith(finding.message, concat("", ["and is ", role])) | some finding in denied] == [true]
	}
}

test_passes_without_such_files if {
	denied := policy.deny with input as fixture.clean
	count(denied) == 0
}
