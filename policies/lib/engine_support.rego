# METADATA
# description: |
#   Until when the makers of container engines mend a version. A version that is not listed is not known to be out of support.
package postscan.lib.engine_support

# lines are the days on which support ended, by program and release line: containerd's as its RELEASES.md has them; CRI-O's are those
# of the Kubernetes release of the same number, which its makers hold to; Docker's 20.10 as the day after which its branch got no
# release, 23.0 as the table of its branches has it.
lines := {
	"containerd": {
		"1.3": "2021-03-04", "1.4": "2022-03-03", "1.5": "2023-02-28", "1.6": "2025-08-23", "2.0": "2025-11-07",
		"2.1": "2026-05-05", "2.2": "2026-11-06",
	},
	"cri-o": {
		"1.24": "2023-07-28", "1.25": "2023-10-28", "1.26": "2024-02-28", "1.27": "2024-07-16", "1.28": "2024-10-28",
		"1.29": "2025-02-28", "1.30": "2025-06-28", "1.31": "2025-10-28", "1.32": "2026-02-28", "1.33": "2026-06-28",
	},
	"docker": {"20.10": "2023-12-10", "23.0": "2025-05-19"},
}

# ended is the day on which support of a version ended, undefined where that is not known. A line older than all that are listed
# ended with the oldest of them at the latest.
ended(program, version) := lines[program][line] if {
	line := sprintf("%d.%d", number(version))
} else := oldest[1] if {
	oldest := min({[number(line), day] | some line, day in lines[program]})
	number(version) < oldest[0]
}

# number is the release line of a version, as numbers that compare.
number(version) := [to_number(parts[0][1]), to_number(parts[0][2])] if {
	parts := regex.find_all_string_submatch_n(`^v?(\d+)\.(\d+)(?:\.|$)`, version, 1)
}
