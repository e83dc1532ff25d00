# METADATA
# description: |
#   Until when the makers of container engines mend a version. A version that is not listed is not known to be out of support.
package postscan.lib.engine_support

# lines are the days on which support ended, by program and release line: containerd's as its RELEASES.md has them, Docker's
# 20.10 as the day after which its branch got no release.
lines := {
	"containerd": {
		"1.3": "2021-03-04", "1.4": "2022-03-03", "1.5": "2023-02-28", "1.6": "2025-08-23", "2.0": "2025-11-07",
		"2.1": "2026-05-05", "2.2": "2026-11-06",
	},
	"docker": {"20.10": "2023-12-10"},
}

# ended is the day on which support of a version ended, undefined where that is not known.
ended(program, version) := lines[program][line] if {
	parts := regex.find_all_string_submatch_n(`^v?(\d+\.\d+)\.`, version, 1)
	line := parts[0][1]
}
