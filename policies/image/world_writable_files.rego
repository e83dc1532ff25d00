# METADATA
# scope: package
# title: World-writable file on an executed or trusted path
# description: |
#   Any account inside the container may replace a file that is run, loaded or believed by others: the program of the entrypoint, a
#   directory of PATH, a file below /etc, a library, a module of an interpreter. Code that runs without rights then waits there for
#   root to run it: an exec into the container, an init container with the same image, or a process that keeps root. A directory
#   with the sticky bit is no finding, because there only the owner of a file may replace it.
# related_resources:
#   - ref: https://docs.docker.com/reference/dockerfile/#copy
#     description: COPY with --chown and --chmod
#   - ref: https://man7.org/linux/man-pages/man1/chmod.1.html
#     description: Modes and the sticky bit
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-006
#   severity: medium
#   needs: [writable_files]
#   remediation: |
#     Take the right away in the step that brings the file: "COPY --chown=root:root --chmod=0755", or "chmod o-w FILE" in the same
#     RUN. Give a directory that the program must write to that program's user alone, away from PATH, /etc and libraries, and run
#     with a read-only root file system.
#   references:
#     nist-800-190: ["4.1.2"]
#     attack-containers: [T1574]
#     cwe: ["732"]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.image.world_writable_files

deny contains {
	"message": sprintf("%s is writable by everybody (mode %s) and is %s", [file.path, file.mode, role(file)]),
	"path": sprintf("writable_files[%d]", [index]),
	"value": {"path": file.path, "mode": file.mode, "trusted": file.trusted},
	"key": file.path,
} if {
	some index, file in input.writable_files
	not protected_by_sticky_bit(file)
}

# The bit protects the entries of a directory; on a file it means nothing.
protected_by_sticky_bit(file) if {
	file.directory
	file.sticky
}

roles := {
	"entrypoint": "what the container runs",
	"path": "on the PATH for programs",
	"etc": "part of the configuration in /etc",
	"library": "on the path for libraries",
	"interpreter": "on the path for modules of an interpreter",
}

role(file) := object.get(roles, file.trusted, "trusted by other programs")
