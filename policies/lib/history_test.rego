package postscan.lib.history_test

import data.postscan.lib.history

test_no_steps_are_not_steps_that_tell_nothing if {
	not history.tells_nothing([])
}

test_empty_steps_tell_nothing if {
	history.tells_nothing([{"instruction": "", "arguments": ""}, {"instruction": "", "arguments": ""}])
}

test_one_word_tells_something if {
	not history.tells_nothing([{"instruction": "", "arguments": ""}, {"instruction": "RUN", "arguments": "make"}])
	not history.tells_nothing([{"instruction": "", "arguments": "bazel build ..."}])
	not history.tells_nothing([{"instruction": "RUN", "arguments": ""}])
}
