# METADATA
# scope: package
# title: Unverified download or disabled package verification in build
# description: |
#   A step of the build takes content from the network without checking what it got: ADD of a URL without a checksum, curl or wget
#   piped into an interpreter, or a switch that turns off the verification of certificates or package signatures. Whoever controls
#   the server, or the network on the way to it, puts code into the image, and every container of it runs that code inside its own
#   walls. The history is what is judged. BuildKit does not write ADD --checksum into it, so a pinned ADD is reported too.
# related_resources:
#   - ref: https://docs.docker.com/reference/dockerfile/#add---checksum
#     description: ADD --checksum
#   - ref: https://slsa.dev/
#     description: SLSA, supply-chain levels for software artifacts
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-012
#   severity: medium
#   needs: [history]
#   remediation: |
#     Download to a file, compare it with a checksum that stands in the Dockerfile ("echo SUM FILE | sha256sum -c") or verify its
#     signature, then use it, all in one RUN; or fetch with "ADD --checksum=sha256:…" in an earlier stage and COPY from there. Install
#     from signed repositories and leave verification on: add a missing certificate authority to the trust store instead of using
#     -k, --no-check-certificate, --allow-untrusted, --nogpgcheck or --trusted-host.
#   references:
#     nist-800-190: ["4.1.5"]
#     cis-docker: ["4.9", "4.11"]
#     attack-containers: [T1195.002]
#     cwe: ["494", "295"]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.image.unverified_download

import data.postscan.lib.history
import data.postscan.lib.shell

downloaders := {"curl", "wget"}

# Switches that turn verification off, and the programs that know them. A switch is matched
# by how the word begins: "--trusted-host=example.org", "--no-check-certificate".
switches := {
	"--insecure": {"curl"},
	"--proxy-insecure": {"curl"},
	"--no-check-cert": {"wget"},
	"--allow-unauthenticated": {"apt", "apt-get", "aptitude"},
	"--allow-insecure-repositories": {"apt", "apt-get", "aptitude"},
	"--force-yes": {"apt", "apt-get", "aptitude"},
	"APT::Get::AllowUnauthenticated=": {"apt", "apt-get", "aptitude"},
	"Acquire::AllowInsecureRepositories=": {"apt", "apt-get", "aptitude"},
	"--allow-untrusted": {"apk"},
	"--nogpgcheck": {"dnf", "microdnf", "tdnf", "yum"},
	"--no-gpg-checks": {"zypper"},
	"--trusted-host": {"pip", "pipenv", "uv"},
	"http.sslVerify=false": {"git"},
}

# Variables that turn verification off for every program that reads them.
variables := {
	"GIT_SSL_NO_VERIFY=1",
	"GIT_SSL_NO_VERIFY=true",
	"NODE_TLS_REJECT_UNAUTHORIZED=0",
	"PYTHONHTTPSVERIFY=0",
}

# The code of an interpreter is the output of a download: sh -c "$(curl …)", eval `wget …`, bash <(curl …).
substituted := concat("|", [
	`(?:\s-[a-z]*c|\beval)\s+["']?(?:\$\(|\x60)\s*(?:curl|wget)\s`,
	`(?:\b(?:ba|da|z|k|a)?sh|\bsource|\bpython[0-9.]*|(?:^|\s)\.)\s+(?:-\S+\s+)*<\(\s*(?:curl|wget)\s`,
])

run_steps contains [index, step.arguments] if {
	some index, step in input.history
	step.instruction == "RUN"
}

deny contains {
	"message": sprintf("ADD fetches %s%s", [url, checksum_told(step)]),
	"path": sprintf("history[%d]", [index]),
	"value": concat(" ", ["ADD", url]),
	"key": concat(" ", ["ADD", url]),
} if {
	some index, step in input.history
	step.instruction == "ADD"
	contains(step.arguments, "://")
	not contains(step.arguments, "--checksum=")
	some word in shell.words(step.arguments)
	regex.match(`(?i)^https?://`, word)
	not pinned_by_commit(word)

	# Without credentials, and without the query, which may hold a token.
	url := regex.replace(shell.without_credentials(word), `[?#].*$`, "")
}

deny contains {
	"message": sprintf("a step of the build pipes %s into an interpreter", [downloader]),
	"path": sprintf("history[%d]", [index]),
	"value": shell.excerpt(pipeline),
	"key": concat(" ", [downloader, "into an interpreter"]),
} if {
	some [index, text] in run_steps
	some downloader in downloaders
	contains(text, downloader)
	some pipeline in shell.pipelines(text)
	contains(pipeline, downloader)
	parts := [shell.words(part) | some part in split(pipeline, "|")]
	some from, part in parts
	shell.calls(part, {downloader})
	some receiver in array.slice(parts, from + 1, count(parts))
	shell.reads_program_from_stdin(receiver)
}

deny contains {
	"message": sprintf("a step of the build runs what %s prints", [downloader]),
	"path": sprintf("history[%d]", [index]),
	"value": shell.excerpt(pipeline),
	"key": concat(" ", [downloader, "into an interpreter"]),
} if {
	some [index, text] in run_steps
	some downloader in downloaders
	contains(text, downloader)
	some pipeline in shell.pipelines(text)
	contains(pipeline, downloader)
	regex.match(substituted, pipeline)
}

deny contains switched_off(index, command, tool, switch) if {
	some [index, text] in run_steps
	some switch, tools in switches
	contains(text, switch)
	some command in shell.commands(text)
	contains(command, switch)
	words := shell.words(command)
	some word in words
	startswith(word, switch)
	some tool in ({shell.tool(word) | some word in words} & tools)
}

# curl takes short options in one word, "-fsSLk". A letter that takes a value ends the
# options: "-okay" is -o with the value "kay".
deny contains switched_off(index, command, "curl", "-k") if {
	some [index, text] in run_steps
	contains(text, "curl")
	some command in shell.commands(text)
	contains(command, "curl")
	words := shell.words(command)
	some position, word in words
	shell.tool(word) == "curl"
	some option in array.slice(words, position + 1, count(words))
	regex.match(`^-[^-AbcCdDeEFhHKmoPQrtTuUwxXyYz]*k`, option)
}

deny contains {
	"message": sprintf("a step of the build sets %s, which turns verification off", [variable]),
	"path": sprintf("history[%d]", [index]),
	"value": variable,
	"key": variable,
} if {
	some index, step in input.history
	step.instruction in {"ARG", "ENV", "RUN"}
	some variable in variables
	contains(step.arguments, variable)
}

unknown contains history.nothing_told if history.tells_nothing(input.history)

# The classic builder knows no checksums. BuildKit does, and leaves them out of the history.
checksum_told(step) := ", and BuildKit's history does not tell whether a checksum was given" if {
	contains(lower(step.comment), "buildkit")
} else := " without a checksum"

# A Git source is what it says when it names the commit.
pinned_by_commit(url) if regex.match(`#[0-9a-f]{40}(?::|$)|[?&](?:commit|checksum)=[0-9a-f]{40}`, url)

switched_off(index, command, tool, switch) := {
	"message": sprintf("a step of the build runs %s with %s, which turns verification off", [tool, trim_right(switch, "=")]),
	"path": sprintf("history[%d]", [index]),
	"value": shell.excerpt(command),
	"key": concat(" ", [tool, switch]),
}
