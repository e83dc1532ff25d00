# METADATA
# description: What the build history of an image can and cannot tell.
package postscan.lib.history

# nothing_told is the reason of a check that asks the history and finds none.
nothing_told := "the image has no build history that says how it was made"

# tells_nothing is true where none of the steps says anything, as after squashing an image. That
# there are no steps at all is said by the collector, who knows whether there should be some.
tells_nothing(steps) if {
	count(steps) > 0
	every step in steps {
		step.instruction == ""
		step.arguments == ""
	}
}
