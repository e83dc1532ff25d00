# METADATA
# description: What the build history of an image can and cannot tell.
package postscan.lib.history

# nothing_told is the reason of a check that asks the history and finds none.
nothing_told := "the image has no build history that says how it was made"

# tells_nothing is true where there are no steps or none of them says anything, as after
# squashing an image or with builders that write none.
tells_nothing(steps) if {
	every step in steps {
		step.instruction == ""
		step.arguments == ""
	}
}
