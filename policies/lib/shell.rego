# METADATA
# description: |
#   Reads the shell text of a build step well enough to tell which program is called with
#   which words. It is no shell: quotes, brackets and substitutions only separate words, so
#   that what stands inside them ("sh -c 'curl -k …'") is seen too.
package postscan.lib.shell

# pipelines splits the text at "&&", "||", ";", a lone "&" and line ends. Continued lines
# are joined first; comments are left out.
pipelines(text) := [pipeline |
	whole := replace(regex.replace(text, `\s*\\\r?\n\s*`, " "), "|&", "|")
	some part in regex.split(`&&|\|\||[;\n]|\s&\s`, regex.replace(whole, `\|\s*\n\s*`, "| "))
	pipeline := trim_space(part)
	pipeline != ""
	not startswith(pipeline, "#")
]

# commands splits the text into single commands: the pipelines and the parts of each.
commands(text) := [command |
	some pipeline in pipelines(text)
	some part in split(pipeline, "|")
	command := trim_space(part)
]

# words of a command, without quotes and brackets.
words(command) := [word |
	some word in regex.split(`(?:\$?\(|[\s"'\x60)])+`, command)
	word != ""
]

# word_set are the same words without order.
word_set(command) := {word |
	some word in regex.split(`(?:\$?\(|[\s"'\x60)])+`, command)
} - {""}

# tool is the name that a word has as a program: the last part of the path, without a
# version at its end. "/usr/bin/python3.11" is "python".
tool(word) := trim_right(word, "0123456789.") if {
	not contains(word, "/")
} else := trim_right(regex.replace(word, `^.*/`, ""), "0123456789.")

# calls is true where one of the words is one of the tools.
calls(some_words, tools) if {
	some word in some_words
	tool(word) in tools
}

# leading are the words of a command up to the program that it runs: assignments, shell
# keywords, wrappers such as sudo with their options, and the program itself.
leading(some_words) := array.slice(some_words, 0, program_index(some_words) + 1) if {
	program_index(some_words)
} else := some_words

# program_index is where the program stands. It is looked for among the first words only;
# a command without one has none.
program_index(some_words) := min({index |
	some index, word in array.slice(some_words, 0, 12)
	not _before_program(some_words, index, word)
})

# reads_program_from_stdin is true where the command is an interpreter that runs what it
# gets on standard input: "sh", "sudo -E bash -s -- --yes", "python3 -". It is false where
# the program is an argument or a file: "python3 -c …", "sh build.sh".
reads_program_from_stdin(some_words) if {
	index := program_index(some_words)
	letters := interpreters[tool(some_words[index])]
	arguments := array.slice(some_words, index + 1, count(some_words))
	operand := _first_operand(arguments)
	options := array.slice(arguments, 0, operand)
	not _code_in_options(options, letters)
	_operand_is_stdin(array.slice(arguments, operand, operand + 1), options, letters)
}

# interpreters maps each to the option letters that say: the program is in the arguments.
interpreters := {
	"ash": _shell_letters,
	"bash": _shell_letters,
	"dash": _shell_letters,
	"ksh": _shell_letters,
	"node": {"e", "p"},
	"perl": {"e", "E", "n", "p"},
	"php": {"r", "f", "B", "F", "R"},
	"python": {"c", "m"},
	"ruby": {"e", "n", "p"},
	"sh": _shell_letters,
	"zsh": _shell_letters,
}

_shell_letters := {"c"}

# excerpt is the beginning of a text, short enough for a finding, without the user and
# password of URLs. Credentials that a rule knows are masked in the facts already.
excerpt(text) := _beginning(without_credentials(text))

_beginning(text) := text if {
	count(text) <= 200
} else := concat("", [substring(text, 0, 199), "…"])

# without_credentials drops "user:password@" of every URL in the text.
without_credentials(text) := regex.replace(text, `://[^/@\s"']+@`, "://")

_wrappers := {
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
}

_before_program(_, _, word) if tool(word) in _wrappers

_before_program(_, _, word) if regex.match(`^(?:-.*|[A-Za-z_][A-Za-z0-9_]*=.*|[0-9]+[smhd]?)$`, word)

_before_program(some_words, index, _) if some_words[index - 1] in {"-u", "-g", "--user", "--group"}

# _first_operand is the index of the first argument that is neither an option, nor the
# value of one, nor a redirection.
_first_operand(arguments) := min({index |
	some index, argument in arguments
	not regex.match(`^(?:[-+].+|.*[<>].*)$`, argument)
	not _value_of_option(arguments, index)
} | {count(arguments)})

_value_of_option(arguments, index) if regex.match(`^(?:[-+]o|.*[<>])$`, arguments[index - 1])

_code_in_options(options, letters) if {
	some option in options
	regex.match(`^-[^-]`, option)
	some letter in letters
	contains(option, letter)
}

_code_in_options(options, _) if {
	some option in options
	option in {"--eval", "--print"}
}

_operand_is_stdin([], _, _)

_operand_is_stdin(["-"], _, _)

_operand_is_stdin(["/dev/stdin"], _, _)

# "sh -s one two" reads its program from standard input; the operands are its parameters.
_operand_is_stdin(_, options, letters) if {
	letters == _shell_letters
	some option in options
	regex.match(`^-[a-z]*s[a-z]*$`, option)
}
