package postscan.lib.shell_test

import data.postscan.lib.shell

test_pipelines_split_at_every_separator if {
	shell.pipelines("a && b || c; d & e\nf") == ["a", "b", "c", "d", "e", "f"]
}

test_pipelines_keep_redirections_whole if {
	shell.pipelines("make 2>&1 | tee log &>/dev/null") == ["make 2>&1 | tee log &>/dev/null"]
}

test_pipelines_join_continued_lines_and_open_pipes if {
	shell.pipelines("curl a \\\n  b |\n  sh\ndone") == ["curl a b | sh", "done"]
}

test_pipelines_leave_comments_out if {
	shell.pipelines("# curl x | sh\nmake;") == ["make"]
	shell.pipelines("") == []
}

test_commands if {
	shell.commands("a | b && c") == ["a", "b", "c"]
	shell.commands("a |& b") == ["a", "b"]
}

test_words_see_through_quotes_and_substitutions if {
	shell.words(`sh -c "curl -k 'x'"`) == ["sh", "-c", "curl", "-k", "x"]
	shell.words("V=$(curl -k x)") == ["V=", "curl", "-k", "x"]
	shell.words("V=`wget x`") == ["V=", "wget", "x"]
}

test_word_set if {
	shell.word_set("a \"b\"  $(a c)") == {"a", "b", "c"}
	shell.word_set("") == set()
}

test_tool_drops_path_and_version if {
	shell.tool("/usr/bin/python3.11") == "python"
	shell.tool("pip3") == "pip"
	shell.tool("apt-get") == "apt-get"
}

test_leading_stops_at_the_program if {
	shell.leading(["apt-get", "install", "sudo"]) == ["apt-get"]
	shell.leading(["A=1", "sudo", "-E", "-u", "app", "make", "all"]) == ["A=1", "sudo", "-E", "-u", "app", "make"]
	shell.leading(["if", "!", "timeout", "-k", "5s", "30", "curl"]) == ["if", "!", "timeout", "-k", "5s", "30", "curl"]
}

test_leading_passes_over_keywords_and_wrappers if {
	every word in [
		"!",
		"builtin",
		"busybox",
		"command",
		"do",
		"doas",
		"elif",
		"else",
		"env",
		"exec",
		"if",
		"nice",
		"nohup",
		"stdbuf",
		"sudo",
		"then",
		"time",
		"timeout",
		"until",
		"while",
		"{",
	] {
		shell.leading([word, "make", "all"]) == [word, "make"]
	}
}

test_leading_without_a_program_is_all if {
	shell.leading(["sudo", "-s"]) == ["sudo", "-s"]
	shell.leading([]) == []
}

test_every_shell_reads_its_program_from_stdin if {
	every name in ["ash", "bash", "dash", "ksh", "sh", "zsh"] {
		shell.reads_program_from_stdin([name])
	}
}

test_reads_program_from_stdin if {
	every command in [
		"sh",
		"/bin/sh",
		"bash -",
		"bash -ex",
		"bash -s",
		"bash -s stable",
		"sh -s -- --yes --to /usr/local/bin",
		"bash -o pipefail -s",
		"sudo bash",
		"sudo -E bash -",
		"sudo -u app sh",
		"env A=1 B=2 sh",
		"VERSION=1.2 sh -x",
		"sh 2>&1",
		"sh > /dev/null",
		"sh /dev/stdin --flag",
		"python",
		"python3 -",
		"HOME_DIR=/opt/x python3.11 - --version 1.1",
		"perl",
		"perl - App::cpanminus",
		"node",
		"php",
		"ruby",
	] {
		shell.reads_program_from_stdin(shell.words(command))
	}
}

test_reads_data_from_stdin if {
	every command in [
		"python3 -c 'import json'",
		"python -m json.tool",
		"python -mjson.tool",
		"perl -pes/a/b/",
		"python3 -Im json.tool",
		"python3 parse.py",
		"sh -c 'cat > /x'",
		"bash -ec 'cat'",
		"sh install.sh",
		"perl -ne 'print'",
		"perl -pe 's/a/b/'",
		"node -e 'x'",
		"node --eval 'x'",
		"php -r 'x'",
		"ruby -e 'x'",
		"tar xz -C /opt/python",
		"tee /usr/bin/sh",
		"grep sh",
		"sha256sum -c",
		"jq -r .bash",
		"gpg --dearmor",
		"",
	] {
		not shell.reads_program_from_stdin(shell.words(command))
	}
}

test_excerpt_has_no_credentials if {
	shell.excerpt("curl -k https://app:pw@example.org/a@b 'http://x@h'") == "curl -k https://example.org/a@b 'http://h'"
}

test_excerpt if {
	shell.excerpt("short") == "short"
	long := concat("", [x | some _ in numbers.range(1, 300); x := "é"])
	count(shell.excerpt(long)) == 200
	endswith(shell.excerpt(long), "…")
}
