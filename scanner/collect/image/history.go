package image

import (
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// instructions are those of a Dockerfile.
var instructions = []string{
	"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
	"ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
}

// shellPrefix is how builders write the shell before a command: "/bin/sh -c",
// "/bin/bash -eo pipefail -c", "cmd /S /C", "powershell -Command".
var shellPrefix = regexp.MustCompile(`^(?:(?:/[\w./-]*/)?(?:ba|a|da|z|k)?sh(?:\s+[-+]\w+|\s+(?:pipefail|errexit|nounset|xtrace))*\s+-\w*c|` +
	`(?i:cmd)(?:\.exe)?\s+/(?i:s)\s+/(?i:c)|(?i:powershell|pwsh)(?:\.exe)?(?:\s+-\w+(?:\s+(?i:bypass|restricted|unrestricted))?)*?\s+-(?i:command))(?:\s+|$)`)

// shellInside finds the same behind the build arguments of "|1 NAME=value /bin/sh -c …".
var shellInside = regexp.MustCompile(`\s((?:/[\w./-]*/)?(?:ba|a|da|z|k)?sh(?:\s+[-+]\w+|\s+(?:pipefail|errexit|nounset|xtrace))*\s+-\w*c)\s`)

// parseStep tells the instruction and its arguments from what a builder noted. The
// instruction is empty where it cannot be told: the text is then the argument.
//
// Known are the classic builder (`/bin/sh -c #(nop)  CMD ["x"]`, `/bin/sh -c make`,
// `|1 A=b /bin/sh -c make`), BuildKit (`RUN |1 A=b /bin/sh -c make # buildkit`),
// Buildah and Kaniko, which write one or the other.
func parseStep(createdBy string) (instruction, arguments string) {
	text := strings.TrimSpace(createdBy)
	text = strings.TrimSpace(strings.TrimSuffix(text, "# buildkit"))
	if text == "" {
		return "", ""
	}
	if rest, ok := cutShell(text); ok {
		if nop, ok := strings.CutPrefix(rest, "#(nop)"); ok {
			return cutInstruction(strings.TrimSpace(nop))
		}
		return "RUN", rest
	}
	if strings.HasPrefix(text, "|") {
		return "RUN", cutArgs(text)
	}
	instruction, arguments = cutInstruction(text)
	if instruction == "RUN" {
		if strings.HasPrefix(arguments, "|") {
			arguments = cutArgs(arguments)
		}
		if rest, ok := cutShell(arguments); ok {
			arguments = rest
		}
	}
	return instruction, arguments
}

// cutShell removes the shell before a command.
func cutShell(text string) (string, bool) {
	at := shellPrefix.FindStringIndex(text)
	if at == nil {
		return text, false
	}
	return strings.TrimSpace(text[at[1]:]), true
}

// cutArgs removes "|2 NAME=value NAME=value" and the shell behind it. Values may
// hold spaces, so the shell is what ends them; without one the text stays.
func cutArgs(text string) string {
	if at := shellInside.FindStringIndex(text); at != nil {
		return strings.TrimSpace(text[at[1]:])
	}
	return text
}

// cutInstruction splits off the first word where it is an instruction.
func cutInstruction(text string) (string, string) {
	word, rest, _ := strings.Cut(text, " ")
	for _, in := range instructions {
		if strings.EqualFold(word, in) && (word == in || word == strings.ToLower(in)) {
			return in, strings.TrimSpace(rest)
		}
	}
	return "", text
}

// steps describes the history and says which step made which layer. told is false
// where the history does not fit the layers, so that no step can be named.
func steps(history []v1.History, layers int) (out []facts.HistoryStep, told bool) {
	filled := 0
	for _, h := range history {
		if !h.EmptyLayer {
			filled++
		}
	}
	told = filled == layers
	out = make([]facts.HistoryStep, 0, len(history))
	next := 0
	for _, h := range history {
		in, args := parseStep(h.CreatedBy)
		s := facts.HistoryStep{Instruction: in, Arguments: args, Comment: h.Comment, Empty: h.EmptyLayer, Layer: -1}
		if told && !h.EmptyLayer {
			s.Layer = next
			next++
		}
		out = append(out, s)
	}
	return out, told
}
