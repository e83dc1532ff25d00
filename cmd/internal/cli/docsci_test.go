package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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

// needTool finds a command of the machine, which CI must have.
func needTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("there is no %s", name)
		}
		t.Skipf("NOT LOOKED AT: there is no %s", name)
	}
	return path
}

// The scripts in the examples are ones that shellcheck finds nothing in.
func TestScriptsOfExamplesAreClean(t *testing.T) {
	shellcheck := needTool(t, "shellcheck")
	scripts := map[string]string{}
	for i, s := range readAction(t).Runs.Steps {
		if s.Run != "" {
			scripts[fmt.Sprintf("action, step %d", i)] = s.Run
		}
	}
	for name, job := range gitlabJobs(t) {
		scripts["gitlab.yml, "+name] = strings.Join(job.Script, "\n")
	}
	for i, script := range jenkinsScripts(t) {
		scripts[fmt.Sprintf("Jenkinsfile, %d", i)] = script
	}
	if len(scripts) < 8 {
		t.Fatalf("only %d scripts were found", len(scripts))
	}
	for name, script := range scripts {
		cmd := exec.CommandContext(t.Context(), shellcheck, "--shell=bash", "-")
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// gitlabJob is what the tests read of a job of GitLab's template.
type gitlabJob struct {
	Variables map[string]string `yaml:"variables"`
	Script    []string          `yaml:"script"`
	Artifacts struct {
		Paths   []string          `yaml:"paths"`
		Reports map[string]string `yaml:"reports"`
	} `yaml:"artifacts"`
}

// gitlabJobs are the jobs of the template that run something, with the variables
// of the one that all extend.
func gitlabJobs(t *testing.T) map[string]gitlabJob {
	t.Helper()
	var jobs map[string]yaml.Node
	if err := yaml.Unmarshal([]byte(read(t, "../../../docs/ci/gitlab.yml")), &jobs); err != nil {
		t.Fatal(err)
	}
	out := map[string]gitlabJob{}
	var base gitlabJob
	for name, node := range jobs {
		var job gitlabJob
		if !strings.HasPrefix(name, ".") {
			continue
		}
		if err := node.Decode(&job); err != nil {
			t.Fatal(err)
		}
		if name == ".postscan" {
			base = job
			continue
		}
		out[name] = job
	}
	for name, job := range out {
		variables := maps.Clone(base.Variables)
		maps.Copy(variables, job.Variables)
		job.Variables = variables
		out[name] = job
	}
	return out
}

// jenkinsScripts are the texts of sh in the Jenkinsfile.
func jenkinsScripts(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^\s*sh '([^']*)'$`).FindAllStringSubmatch(read(t, "../../../docs/ci/Jenkinsfile"), -1) {
		out = append(out, m[1])
	}
	return out
}

const careless = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - {name: web, image: nginx, securityContext: {privileged: true}}\n"

// workspace is a folder as a pipeline has it after the checkout, and an image in a
// registry. It becomes the working folder.
func workspace(t *testing.T) (image string) {
	t.Helper()
	image = startRegistry(t) + "/team/careless:1"
	t.Chdir(t.TempDir())
	if err := os.Mkdir("deploy", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("deploy/web.yaml", []byte(careless), 0o600); err != nil {
		t.Fatal(err)
	}
	return image
}

// The jobs of GitLab and Jenkins run as they are written, fail for what is found,
// and leave every report that they promise.
func TestExamplesRun(t *testing.T) {
	bash := needTool(t, "bash")
	gitlab, jenkins := gitlabJobs(t), jenkinsScripts(t)
	image := workspace(t)
	shell := func(script string, variables map[string]string) int {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), bash, "-ec", script)
		cmd.Env = append(os.Environ(), "NO_PROXY=*", "HOME="+t.TempDir(), "POSTSCAN_NO_VULNERABILITIES=true", "POSTSCAN_NO_SIGNATURES=true", "POSTSCAN_PLATFORM=linux/amd64", "IMAGE="+image)
		known := map[string]string{"CI_REGISTRY_IMAGE": strings.TrimSuffix(image, ":1"), "CI_COMMIT_SHA": "1"}
		for name, value := range variables {
			cmd.Env = append(cmd.Env, name+"="+os.Expand(value, func(v string) string { return known[v] }))
		}
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); err != nil && code != exitFindings {
			t.Errorf("%s: exit code %d:\n%s", script, code, out)
		}
		return cmd.ProcessState.ExitCode()
	}
	for _, name := range []string{".postscan-image", ".postscan-manifests"} {
		job := gitlab[name]
		if code := shell(strings.Join(job.Script, "\n"), job.Variables); code != exitFindings {
			t.Errorf("%s: exit code %d, and what it scans has findings", name, code)
		}
		for _, file := range slices.Concat(job.Artifacts.Paths, slices.Collect(maps.Values(job.Artifacts.Reports))) {
			if info, err := os.Stat(file); err != nil || info.Size() == 0 {
				t.Errorf("%s leaves no %s: %v", name, file, err)
			}
		}
	}
	for i, want := range [][]string{{"image.json", "image.xml", "image.html"}, {"manifests.json", "manifests.xml"}} {
		if code := shell(jenkins[i], nil); code != exitFindings {
			t.Errorf("%s: exit code %d, and what it scans has findings", jenkins[i], code)
		}
		for _, file := range want {
			if info, err := os.Stat(file); err != nil || info.Size() == 0 {
				t.Errorf("%s leaves no %s: %v", jenkins[i], file, err)
			}
		}
	}
}

// runStep runs a step of the action as a runner does. env has what GitHub sets
// beside the inputs; steps are the outputs of earlier steps.
func (a action) runStep(t *testing.T, number int, inputs map[string]string, steps string, env ...string) (output string, exit int) {
	t.Helper()
	bash := needTool(t, "bash")
	step := a.Runs.Steps[number]
	env = append([]string{"PATH=" + os.Getenv("PATH"), "NO_PROXY=*"}, env...)
	expression := regexp.MustCompile(`\$\{\{ (inputs|steps\.scan\.outputs)\.([a-z0-9-]+) \}\}`)
	for name, value := range step.Env {
		value = expression.ReplaceAllStringFunc(value, func(e string) string {
			from, key := expression.FindStringSubmatch(e)[1], expression.FindStringSubmatch(e)[2]
			if from != "inputs" {
				return strings.TrimSpace(strings.TrimPrefix(steps, key+"="))
			}
			if v, ok := inputs[key]; ok {
				return v
			}
			return a.Inputs[key].Default
		})
		env = append(env, name+"="+value)
	}
	cmd := exec.CommandContext(t.Context(), bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		exit = cmd.ProcessState.ExitCode()
	}
	return string(out), exit
}

// The action runs the real postscan, as a binary and as an image, and its last
// step ends as postscan ended.
func TestActionRunsPostscan(t *testing.T) {
	needTool(t, "bash")
	binary := needTool(t, "postscan")
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	a := readAction(t)
	for name, inputs := range map[string]map[string]string{
		"binary": {"binary": binary, "binary-sha256": hex.EncodeToString(sum[:])},
		"image":  {"image": "registry.example/postscan@sha256:" + strings.Repeat("0", 64)},
	} {
		t.Run(name, func(t *testing.T) {
			workspace(t)
			dir, err := os.Getwd()
			if err != nil {
				t.Fatal(err)
			}
			// Stands for Docker: it must be given the workspace and nothing of the
			// runner beside it, and runs what the image would.
			docker := "#!/bin/bash\nprintf '%s\\n' \"$@\" >docker.args\nwhile [[ $1 != registry.example/* ]]; do shift; done\nshift\nexec " + binary + " \"$@\"\n"
			if err := os.WriteFile("docker", []byte(docker), 0o700); err != nil {
				t.Fatal(err)
			}
			inputs["args"], inputs["fail-on"] = "manifests\ndeploy/\n--config=/dev/null\n--profile=/dev/null\n--waivers=/dev/null\n", "high"
			outputs := filepath.Join(dir, "outputs")
			env := []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "RUNNER_TEMP=" + filepath.Join(dir, "temp"), "GITHUB_OUTPUT=" + outputs, "GITHUB_WORKSPACE=" + dir, "GITHUB_ACTIONS=true", "CI=true"}
			out, exit := a.runStep(t, 0, inputs, "", env...)
			if exit != 0 || !strings.Contains(out, "::error file=deploy/web.yaml,line=") || strings.TrimSpace(read(t, outputs)) != "exit-code=3" {
				t.Fatalf("exit code %d, outputs %q:\n%s", exit, read(t, outputs), out)
			}
			if sarif := read(t, "postscan.sarif"); !strings.Contains(sarif, `"uri":"deploy/web.yaml"`) {
				t.Errorf("the SARIF report does not name the file:\n%.2000s", sarif)
			}
			if _, err := report.Read(strings.NewReader(read(t, "postscan.json"))); err != nil {
				t.Error(err)
			}
			if _, exit := a.runStep(t, 2, inputs, read(t, outputs), env...); exit != exitFindings {
				t.Errorf("the last step ends with %d, want postscan's code", exit)
			}
			if name != "image" {
				return
			}
			given := read(t, "docker.args")
			for _, want := range []string{"--read-only\n", "--cap-drop\nALL\n", "no-new-privileges\n", dir + ":/workspace\n"} {
				if !strings.Contains(given, want) {
					t.Errorf("docker is not given %q:\n%s", want, given)
				}
			}
			if n := strings.Count(given, "--volume\n"); n != 2 {
				t.Errorf("the image sees %d places of the runner, want its cache and the workspace:\n%s", n, given)
			}
		})
	}
}

// runAction runs the action's script with a binary that notes its arguments,
// writes a report and exits with code.
func (a action) runAction(t *testing.T, inputs map[string]string, code int) (args []string, output, outputs string, exit int) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	script := fmt.Sprintf("#!/bin/sh\nfor a in \"$@\"; do echo \"$a\" >>args; case $a in sarif=*) echo '{}' >\"${a#sarif=}\";; esac; done\nexit %d\n", code)
	if err := os.WriteFile("postscan", []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(script))
	given := map[string]string{}
	for name, value := range inputs {
		given[name] = strings.NewReplacer("BINARY", filepath.Join(dir, "postscan"), "SUM", hex.EncodeToString(sum[:])).Replace(value)
	}
	output, exit = a.runStep(t, 0, given, "", "HOME="+dir, "GITHUB_OUTPUT="+filepath.Join(dir, "outputs"))
	if b, err := os.ReadFile("args"); err == nil {
		args = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	}
	if b, err := os.ReadFile("outputs"); err == nil {
		outputs = string(b)
	}
	return args, output, outputs, exit
}

func TestActionRuns(t *testing.T) {
	a := readAction(t)
	args, out, outputs, exit := a.runAction(t, map[string]string{
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
		args, out, _, exit := a.runAction(t, c.inputs, 0)
		if exit != 2 || !strings.Contains(out, c.want) || len(args) > 0 {
			t.Errorf("%s: exit code %d, ran %q:\n%s", name, exit, args, out)
		}
	}
}
