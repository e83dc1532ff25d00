package postscan.image.unverified_download_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.unverified_download as policy

add(arguments) := fixture.built([["ADD", arguments]])

test_fails_for_add_of_a_url if {
	denied := policy.deny with input as add("https://example.org/tool.tgz /opt/")
	denied == {{
		"message": "ADD fetches https://example.org/tool.tgz, and BuildKit's history does not tell whether a checksum was given",
		"path": "history[0]",
		"value": "ADD https://example.org/tool.tgz",
		"key": "ADD https://example.org/tool.tgz",
	}}
}

test_says_what_the_history_of_the_classic_builder_tells if {
	step := {"instruction": "ADD", "arguments": "http://example.org/a /a", "comment": "", "empty": false, "layer": 0}
	denied := policy.deny with input as fixture.image({"history": [step]})
	{finding.message | some finding in denied} == {"ADD fetches http://example.org/a without a checksum"}
}

test_fails_for_each_url_of_an_add if {
	denied := policy.deny with input as add("--chown=1:1 http://example.org/a HTTPS://example.org/b /opt/")
	{finding.key | some finding in denied} == {"ADD http://example.org/a", "ADD HTTPS://example.org/b"}
}

test_credentials_and_query_of_a_url_are_not_shown if {
	denied := policy.deny with input as add("https://user:pw@example.org/a?token=x#y /opt/")
	{finding.value | some finding in denied} == {"ADD https://example.org/a"}
}

test_fails_for_a_git_source_on_a_branch if {
	denied := policy.deny with input as add("https://example.org/a.git#main /src")
	count(denied) == 1
}

test_passes_for_add_with_a_checksum if {
	count(policy.deny) == 0 with input as add("--checksum=sha256:00 https://example.org/tool.tgz /opt/")
}

test_passes_for_a_git_source_at_a_commit if {
	commit := "0123456789abcdef0123456789abcdef01234567"
	count(policy.deny) == 0 with input as add(concat("", ["https://example.org/a.git#", commit, " /src"]))
	count(policy.deny) == 0 with input as add(concat("", ["https://example.org/a.git#", commit, ":sub /src"]))
}

test_passes_for_local_sources if {
	every arguments in ["file:0123abcd in /", "rootfs.tar.gz /", "a https.txt /"] {
		count(policy.deny) == 0 with input as add(arguments)
	}
}

test_passes_for_other_instructions_with_urls if {
	image := fixture.built([
		["LABEL", "url=https://example.org/"],
		["ENV", "URL=https://example.org/a"],
		["COPY", "https:/x /y"],
	])
	count(policy.deny) == 0 with input as image
}

test_fails_for_a_pipe_into_a_shell if {
	denied := policy.deny with input as fixture.run("apt-get update && curl -fsSL https://example.org/i.sh | bash -s -- --yes")
	denied == {{
		"message": "a step of the build pipes curl into an interpreter",
		"path": "history[0]",
		"value": "curl -fsSL https://example.org/i.sh | bash -s -- --yes",
		"key": "curl into an interpreter",
	}}
}

test_fails_for_every_way_to_pipe if {
	every command in [
		"curl x | sh",
		"curl x|sh",
		"wget -qO- x | sudo -E bash -",
		"curl x | env A=1 sh",
		"curl x | VERSION=1 sh -",
		"curl x | python3 -",
		"curl x | HOME_DIR=/opt python3 - --version 1",
		"curl x | perl - App::cpanminus",
		"curl x | gunzip | /bin/sh",
		"curl x |& sh",
		"curl x | \\\n  sh",
		"curl x |\n sh",
		"/usr/bin/curl x | sh",
		"busybox wget -O- x | sh",
		"echo \"$(curl x)\" | sh",
		"(curl x | sh)",
		"true; curl x | sh; true",
		"false || curl x | sh",
		"sh -c 'curl x | sh'",
	] {
		denied := policy.deny with input as fixture.run(command)
		[endswith(finding.key, "into an interpreter") | some finding in denied] == [true]
	}
}

test_fails_for_every_way_to_substitute if {
	every command in [
		`sh -c "$(curl -fsSL x)"`,
		`bash -c "$(wget -qO- x)"`,
		`bash -lc "$(curl x)"`,
		"bash -c $(curl x)",
		"eval \"$(curl x)\"",
		"eval `curl x`",
		"bash <(curl -s x)",
		"bash -e <( wget -O- x)",
		". <(curl x)",
		"source <(curl x)",
		"python3 <(curl x)",
	] {
		denied := policy.deny with input as fixture.run(command)
		{finding.message | some finding in denied} in {
			{"a step of the build runs what curl prints"},
			{"a step of the build runs what wget prints"},
		}
	}
}

test_finding_of_a_substitution if {
	denied := policy.deny with input as fixture.run(`wget a && bash -c "$(curl -s x)"`)
	denied == {{
		"message": "a step of the build runs what curl prints",
		"path": "history[0]",
		"value": `bash -c "$(curl -s x)"`,
		"key": "curl into an interpreter",
	}}
}

test_finding_names_the_program_that_is_piped if {
	denied := policy.deny with input as fixture.run("wget -q a && curl x | sh")
	{finding.key | some finding in denied} == {"curl into an interpreter"}
}

test_passes_where_the_download_is_data if {
	every command in [
		"curl x | tar xz -C /opt/python",
		"curl x | tee /usr/bin/sh",
		"curl x | gpg --dearmor > /usr/share/keyrings/x.gpg",
		"curl x | python3 -c 'import json, sys; print(json.load(sys.stdin))'",
		"curl x | python3 -m json.tool",
		"curl x | perl -pe 's/a/b/'",
		"curl x | sh verify.sh",
		"curl x | jq -r .tag || sh fallback.sh",
		"curl -o x https://example.org/x && echo 'sum x' | sha256sum -c && sh x",
		"VERSION=$(curl -s x) && echo $VERSION",
		"sh -c \"VERSION=$(curl -s x)\"",
		"cat x | sh",
		"cat curl.sh | sh",
		"sh <(cat curl.sh)",
		"apt-get install -y curl | sh -c 'cat'",
		"# curl x | sh\ntrue",
	] {
		denied := policy.deny with input as fixture.run(command)
		count(denied) == 0
	}
}

test_fails_for_every_switch if {
	every command, key in {
		"curl --insecure -o x https://example.org": "curl --insecure",
		"curl --proxy-insecure https://example.org": "curl --proxy-insecure",
		"wget --no-check-certificate https://example.org": "wget --no-check-cert",
		"busybox wget --no-check-certificate x": "wget --no-check-cert",
		"apt-get install -y --allow-unauthenticated x": "apt-get --allow-unauthenticated",
		"apt --allow-unauthenticated install x": "apt --allow-unauthenticated",
		"apt-get update --allow-insecure-repositories": "apt-get --allow-insecure-repositories",
		"apt-get install --force-yes x": "apt-get --force-yes",
		"apt-get -o APT::Get::AllowUnauthenticated=true install x": "apt-get APT::Get::AllowUnauthenticated=",
		"apt-get -o Acquire::AllowInsecureRepositories=true update": "apt-get Acquire::AllowInsecureRepositories=",
		"apk add --no-cache --allow-untrusted x.apk": "apk --allow-untrusted",
		"yum install -y --nogpgcheck x": "yum --nogpgcheck",
		"dnf -y --nogpgcheck install x": "dnf --nogpgcheck",
		"zypper --no-gpg-checks install x": "zypper --no-gpg-checks",
		"pip install --trusted-host pypi.org x": "pip --trusted-host",
		"pip3 install --trusted-host=pypi.org x": "pip --trusted-host",
		"python3.11 -m pip install --trusted-host pypi.org x": "pip --trusted-host",
		"git -c http.sslVerify=false clone x": "git http.sslVerify=false",
		"sh -c 'wget --no-check-certificate x'": "wget --no-check-cert",
		"true && sudo wget --no-check-certificate x": "wget --no-check-cert",
	} {
		denied := policy.deny with input as fixture.run(command)
		{finding.key | some finding in denied} == {key}
	}
}

test_finding_of_a_switch if {
	denied := policy.deny with input as fixture.run("true && wget --no-check-certificate x -O /y")
	denied == {{
		"message": "a step of the build runs wget with --no-check-cert, which turns verification off",
		"path": "history[0]",
		"value": "wget --no-check-certificate x -O /y",
		"key": "wget --no-check-cert",
	}}
}

test_fails_for_every_way_to_write_curl_k if {
	every command in [
		"curl -k https://example.org",
		"curl -fsSLk https://example.org",
		"curl -kfsSL https://example.org",
		"curl -sk -o x https://example.org",
		"curl https://example.org -k",
		"curl -H 'A: b' -k https://example.org",
		"A=$(curl -sk https://example.org)",
		"if ! curl -k x; then false; fi",
	] {
		denied := policy.deny with input as fixture.run(command)
		{finding.key | some finding in denied} == {"curl -k"}
	}
}

test_passes_for_letters_that_look_like_k if {
	every command in [
		"curl -K curl.conf https://example.org",
		"curl -fsSLK curl.conf",
		"curl -o kernel https://example.org",
		"curl -okay https://example.org",
		"curl -fsSLokay https://example.org",
		"curl -Hkey:value https://example.org",
		"curl --keepalive-time 2 https://example.org",
		"curl --key client.pem https://example.org",
		"curl https://example.org && tar -k x",
		"make -k",
		"ls -k curl",
	] {
		denied := policy.deny with input as fixture.run(command)
		count(denied) == 0
	}
}

test_passes_where_the_switch_belongs_to_no_such_program if {
	every command in [
		"./configure --allow-untrusted",
		"echo --no-check-certificate",
		"apt-get install -y wget && x --no-check-certificate",
		"mytool --insecure",
		"wget https://example.org/--no-check-certificate",
	] {
		denied := policy.deny with input as fixture.run(command)
		count(denied) == 0
	}
}

test_passes_for_instructions_that_run_nothing_in_the_build if {
	image := fixture.built([
		["CMD", "curl -k x | sh"],
		["HEALTHCHECK", "curl -k https://localhost/ --insecure"],
		["ENTRYPOINT", "wget --no-check-certificate x"],
		["LABEL", "note=NODE_TLS_REJECT_UNAUTHORIZED=0"],
	])
	count(policy.deny) == 0 with input as image
}

test_finding_of_a_variable if {
	denied := policy.deny with input as fixture.built([["ENV", "A=1 NODE_TLS_REJECT_UNAUTHORIZED=0"]])
	denied == {{
		"message": "a step of the build sets NODE_TLS_REJECT_UNAUTHORIZED=0, which turns verification off",
		"path": "history[0]",
		"value": "NODE_TLS_REJECT_UNAUTHORIZED=0",
		"key": "NODE_TLS_REJECT_UNAUTHORIZED=0",
	}}
}

test_fails_for_variables if {
	every pair in [
		["ENV", "NODE_TLS_REJECT_UNAUTHORIZED=0"],
		["ARG", "GIT_SSL_NO_VERIFY=true"],
		["RUN", "GIT_SSL_NO_VERIFY=1 git clone x"],
		["RUN", "export PYTHONHTTPSVERIFY=0; ./x"],
	] {
		denied := policy.deny with input as fixture.built([pair])
		count(denied) == 1
	}
}

test_passes_for_variables_that_leave_verification_on if {
	image := fixture.built([["ENV", "NODE_TLS_REJECT_UNAUTHORIZED=1"], ["ENV", "GIT_SSL_NO_VERIFY=false"]])
	count(policy.deny) == 0 with input as image
}

test_fails_once_for_each_step_and_keys_hold_no_index if {
	denied := policy.deny with input as fixture.built([["RUN", "curl -k a"], ["RUN", "true"], ["RUN", "curl -k b"]])
	{finding.path | some finding in denied} == {"history[0]", "history[2]"}
	{finding.key | some finding in denied} == {"curl -k"}
}

test_long_commands_are_cut if {
	denied := policy.deny with input as fixture.run(sprintf("curl -k https://example.org/%s", [concat("", [x |
		some _ in numbers.range(1, 500)
		x := "a"
	])]))
	some finding in denied
	count(finding.value) == 200
}

test_unknown_without_history if {
	count(policy.unknown) == 1 with input as fixture.image({"history": [fixture.blank_step]})
	count(policy.unknown) == 1 with input as fixture.built([["", ""]])
}

test_passes_for_a_clean_image if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.unknown) == 0 with input as fixture.clean
}
