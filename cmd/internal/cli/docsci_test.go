package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/postscan/postscan/scanner/report"
)

const actionFile = "../../../.github/actions/postscan/action.yml"

// understands says what is wrong with the arguments of postscan: an unknown
// command, flag, format or number of targets. Variables stand for a text.
func understands(args []string) error {
	root := Tree()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return fmt.Errorf("%s: %w", cmd.CommandPath(), err)
	}
	if !cmd.Runnable() || cmd.HasSubCommands() {
		return fmt.Errorf("%s is no whole command", cmd.CommandPath())
	}
	if cmd.Args != nil {
		if err := cmd.Args(cmd, cmd.Flags().Args()); err != nil {
			return err
		}
	}
	return formatsExist(cmd.Flags().Lookup("output"))
}

// formatsExist looks the formats of -o up.
func formatsExist(f *pflag.Flag) error {
	if f == nil {
		return nil
	}
	list, ok := f.Value.(pflag.SliceValue)
	if !ok {
		return nil
	}
	for _, spec := range list.GetSlice() {
		name, _, _ := strings.Cut(spec, "=")
		if _, err := report.Lookup(name); err != nil {
			return err
		}
	}
	return nil
}

// postscanCommand matches a command line of postscan, with what a shell line
// continues.
var postscanCommand = regexp.MustCompile(`(?m)(?:^|[\s'"(;&|])postscan ((?:image|manifests|cluster|vm|engine|eval|report|checks|db|waivers|demo|audit)\b(?:[^\n\\]|\\\n)*)`)

// commandsIn finds the commands in a text, as words of a shell.
func commandsIn(text string) [][]string {
	var out [][]string
	for _, m := range postscanCommand.FindAllStringSubmatch(text, -1) {
		out = append(out, shellWords(m[1]))
	}
	return out
}

// shellWords splits a simple command: quotes hold together, an operator or an
// unmatched quote ends it.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	open := false
	flush := func() {
		if open {
			words = append(words, word.String())
		}
		word.Reset()
		open = false
	}
	for i, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"', r == '\'':
			if !strings.ContainsRune(line[i+1:], r) { // it closes what stands around the command
				flush()
				return words
			}
			quote, open = r, true
		case strings.ContainsRune("|;&>`", r):
			flush()
			return words
		case r == ' ', r == '\n', r == '\\':
			flush()
		default:
			word.WriteRune(r)
			open = true
		}
	}
	flush()
	return words
}

// Every command in the examples for CI systems is one that this version takes.
func TestDocsCICommands(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "docs", "ci")
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, file := range files {
		text := read(t, file)
		if strings.HasSuffix(file, ".yml") {
			var doc map[string]any
			if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			// Folded lines are one command for the shell.
			text = strings.Join(yamlTexts(doc), "\n")
		}
		for _, args := range commandsIn(text) {
			kinds[filepath.Base(file)+" "+args[0]]++
			if err := understands(args); err != nil {
				t.Errorf("%s: postscan %s: %v", file, strings.Join(args, " "), err)
			}
		}
	}
	for _, want := range []string{
		"README.md image", "README.md manifests", "README.md cluster", "gitlab.yml image", "gitlab.yml manifests", "gitlab.yml cluster",
		"Jenkinsfile image", "Jenkinsfile manifests", "Jenkinsfile cluster",
	} {
		if kinds[want] == 0 {
			t.Errorf("no command found for %s: this test would see nothing (%v)", want, kinds)
		}
	}
	for _, wrong := range []string{"image", "image x --no-such-flag", "manifests", "cluster x", "imag x", "image x --fail-on awful", "image x -o xml", "report"} {
		if understands(strings.Fields(wrong)) == nil {
			t.Errorf("%q is understood", wrong)
		}
	}
}

// yamlTexts are all texts of a YAML document.
func yamlTexts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, yamlTexts(e)...)
		}
		return out
	case map[string]any:
		var out []string
		for _, e := range v {
			out = append(out, yamlTexts(e)...)
		}
		return out
	default:
		return nil
	}
}

// action is what the tests read of the action.
type action struct {
	Inputs map[string]struct {
		Default  string `yaml:"default"`
		Required bool   `yaml:"required"`
	} `yaml:"inputs"`
	Runs struct {
		Using string `yaml:"using"`
		Steps []struct {
			ID   string            `yaml:"id"`
			Uses string            `yaml:"uses"`
			Run  string            `yaml:"run"`
			Env  map[string]string `yaml:"env"`
			With map[string]string `yaml:"with"`
		} `yaml:"steps"`
	} `yaml:"runs"`
}

func readAction(t *testing.T) action {
	t.Helper()
	var a action
	if err := yaml.Unmarshal([]byte(read(t, actionFile)), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// The action pins what it uses, and no input becomes part of a script.
func TestActionIsSafe(t *testing.T) {
	a := readAction(t)
	if a.Runs.Using != "composite" || len(a.Runs.Steps) != 3 {
		t.Fatalf("the action is %q with %d steps", a.Runs.Using, len(a.Runs.Steps))
	}
	pinned := regexp.MustCompile(`@[0-9a-f]{40}$`)
	for _, s := range a.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("a script holds an expression:\n%s", s.Run)
		}
		if s.Uses != "" && !pinned.MatchString(s.Uses) {
			t.Errorf("%s is not pinned by commit", s.Uses)
		}
	}
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string            `yaml:"uses"`
				With map[string]string `yaml:"with"`
			} `yaml:"steps"`
		} `yaml:"jobs"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "../../../docs/ci/github.yml")), &workflow); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, job := range workflow.Jobs {
		for _, s := range job.Steps {
			if !strings.Contains(s.Uses, "actions/postscan@") {
				continue
			}
			seen++
			for input := range s.With {
				if _, ok := a.Inputs[input]; !ok {
					t.Errorf("job %s: the action has no input %q", name, input)
				}
			}
			if err := understands(strings.Fields(s.With["args"])); err != nil {
				t.Errorf("job %s: %v", name, err)
			}
		}
	}
	if seen != 3 {
		t.Errorf("%d jobs use the action, want one for images, manifests and clusters", seen)
	}
}

// runAction runs the action's script as a runner does. The binary notes its
// arguments, writes the report and exits with code.
func runAction(t *testing.T, inputs map[string]string, code int) (args []string, output, outputs string, exit int) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no bash, which GitHub's runners have")
		}
		t.Skip("there is no bash")
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "postscan")
	script := fmt.Sprintf("#!/bin/sh\nfor a in \"$@\"; do echo \"$a\" >>%[1]s/args; case $a in sarif=*) echo '{}' >\"${a#sarif=}\";; esac; done\nexit %[2]d\n", dir, code)
	if err := os.WriteFile(binary, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(script))
	a := readAction(t)
	step := a.Runs.Steps[0]
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GITHUB_OUTPUT=" + filepath.Join(dir, "outputs")}
	expression := regexp.MustCompile(`\$\{\{ inputs\.([a-z0-9-]+) \}\}`)
	for name, value := range step.Env {
		value = expression.ReplaceAllStringFunc(value, func(e string) string {
			input := expression.FindStringSubmatch(e)[1]
			if v, ok := inputs[input]; ok {
				return strings.NewReplacer("BINARY", binary, "SUM", hex.EncodeToString(sum[:])).Replace(v)
			}
			return a.Inputs[input].Default
		})
		env = append(env, name+"="+value)
	}
	cmd := exec.CommandContext(t.Context(), bash, "-c", step.Run)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		exit = cmd.ProcessState.ExitCode()
	}
	if b, err := os.ReadFile(filepath.Join(dir, "args")); err == nil {
		args = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	}
	if b, err := os.ReadFile(filepath.Join(dir, "outputs")); err == nil {
		outputs = string(b)
	}
	return args, string(out), outputs, exit
}

func TestActionRuns(t *testing.T) {
	args, out, outputs, exit := runAction(t, map[string]string{
		"args": "image\nregistry.example/a b:1; touch pwned\n\n--severity=high\n", "fail-on": "high", "binary": "BINARY", "binary-sha256": "SUM",
	}, 3)
	want := "image|registry.example/a b:1; touch pwned|--severity=high|--output|sarif=postscan.sarif|--output|json=postscan.json|--output|github|--fail-on|high"
	if got := strings.Join(args, "|"); got != want || exit != 0 || !strings.Contains(outputs, "exit-code=3") {
		t.Errorf("ran %q, want %q; exit code %d, outputs %q:\n%s", got, want, exit, outputs, out)
	}
	if err := understands(args); err != nil {
		t.Errorf("postscan does not take what the action gives it: %v", err)
	}
	for name, c := range map[string]struct {
		inputs map[string]string
		want   string
	}{
		"another binary": {map[string]string{"args": "demo", "binary": "BINARY", "binary-sha256": strings.Repeat("0", 64)}, "not the one of binary-sha256"},
		"no digest":      {map[string]string{"args": "demo", "image": "registry.example/postscan:latest"}, "give image with a digest"},
		"neither":        {map[string]string{"args": "demo"}, "give image with a digest"},
	} {
		args, out, _, exit := runAction(t, c.inputs, 0)
		if exit != 2 || !strings.Contains(out, c.want) || len(args) > 0 {
			t.Errorf("%s: exit code %d, ran %q:\n%s", name, exit, args, out)
		}
	}
}
