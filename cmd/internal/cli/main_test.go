package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clipperhouse/displaywidth"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// result is what one run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

// run runs the program in process, at a fixed time.
func run(t *testing.T, environ []string, args ...string) result {
	t.Helper()
	return runContext(t.Context(), t, environ, args...)
}

func runContext(ctx context.Context, t *testing.T, environ []string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Main(ctx, Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Environ: environ,
		Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }, Version: "v0.0.0-test",
	})
	return result{code, stdout.String(), stderr.String()}
}

// Wrong arguments exit 2, say what is wrong, and touch nothing.
func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"":                                       "a command is missing",
		"imag":                                   `unknown command "imag"`,
		"checks":                                 "a command is missing",
		"checks lst":                             "did you mean: postscan checks list",
		"image":                                  "write it as: postscan ",
		"image x --no-such-flag":                 "unknown flag: --no-such-flag",
		"image x -o xml":                         `format "xml": use one of table, json`,
		"image x -o table -o json":               "stdout has the table report already",
		"image x -o json=":                       "the file name is missing",
		"image x -o json=a -o table=a":           "two reports cannot share one file",
		"image x --fail-on awful":                `severity "awful"`,
		"image x --fail-on unknown":              "use critical, high, medium, low or info",
		"image x --severity 7":                   `severity "7"`,
		"image x --checks PS-NONE-*":             `no check matches "PS-NONE-*"`,
		"image x --param nonsense=1":             "no check takes such a parameter",
		"image x --param nonsense":               "NAME=VALUE",
		"image x --require PS-IMG-999":           "this scan does not judge such a check",
		"image x --policy /no/such/folder":       "no such file",
		"image x --platform a/b --all-platforms": "one platform or all of them",
		"image x --source moon":                  `source "moon"`,
		"image x --mirror docker.io":             "REGISTRY=MIRROR",
		"image x --password-stdin":               "needs --username",
		"image x --username me":                  "POSTSCAN_PASSWORD",
		"image x --max-size many":                "512MiB",
		"image x --timeout soon":                 "invalid duration",
		"image x --malware-hashes /no/such":      "no such file",
		"image x --verify-key /no/such":          "no such file",
		"image x --quiet --verbose":              "do not go together",
		"image x --log-format xml":               "use text or json",
		"image x --config /no/such":              "no such file",
		"eval":                                   "write it as: postscan ",
		"report convert":                         "write it as: postscan ",
		"checks explain":                         "write it as: postscan ",
		"checks explain PS-IMG-999":              `there is no check "PS-IMG-999"`,
		"checks list --framework nonsense":       "there is no such framework",
		"checks list -o xml":                     "use text or json",
		"db update nonsense":                     `there is no part "nonsense"`,
		"db update --offline":                    "do not go together",
		"version x":                              "write it as: postscan version",
	} {
		t.Run(args, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			r := run(t, nil, strings.Fields(args)...)
			if r.code != exitUsage || !strings.Contains(r.stderr, want) || r.stdout != "" {
				t.Errorf("exit code %d, want 2; stderr, want one with %q:\n%s\nstdout:\n%s", r.code, want, r.stderr, r.stdout)
			}
			if left := names(t, dir); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestCouldNotRun(t *testing.T) {
	notFacts := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notFacts, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"eval /no/such.facts":                  "no such file",
		"eval " + notFacts:                     "read facts header",
		"report convert /no/such.json":         "no such file",
		"report convert " + notFacts:           "read report",
		"image x --offline -o json=/no/such/x": "there is no folder /no/such; make it first",
	} {
		r := run(t, nil, strings.Fields(args)...)
		if r.code != exitFailed || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: exit code %d, want 1; stderr, want one with %q:\n%s", args, r.code, want, r.stderr)
		}
	}
}

// Every command has a help page that fits into 80 columns and says what each
// flag does.
func TestHelp(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		args := strings.Fields(c.CommandPath() + " --help")[1:]
		r := run(t, nil, args...)
		if r.code != exitDone || r.stderr != "" || !strings.Contains(r.stdout, "Usage:\n  "+c.CommandPath()) {
			t.Errorf("%v: exit code %d, stderr %q, stdout:\n%s", args, r.code, r.stderr, r.stdout)
		}
		for line := range strings.Lines(r.stdout) {
			if n := displaywidth.String(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%v: a line has %d columns: %s", args, n, line)
			}
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || f.Name != "help" && len(f.Annotations[groupKey]) == 0 {
				t.Errorf("%s --%s has no text or no heading", c.CommandPath(), f.Name)
			}
		})
	}
	walk(Tree())
}

func TestVersion(t *testing.T) {
	if r := run(t, nil, "--version"); r.code != exitDone || r.stdout != "postscan v0.0.0-test\n" {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	if r := run(t, nil, "help", "image"); r.code != exitDone || !strings.Contains(r.stdout, "postscan image REFERENCE...") {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	r := run(t, nil, "version", "-o", "json")
	if r.code != exitDone || !strings.Contains(r.stdout, `"version": "v0.0.0-test"`) || !strings.Contains(r.stdout, `"policy_digest": "sha256:`) {
		t.Errorf("exit code %d:\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// A flag wins over a variable, a variable over the settings file.
func TestSettings(t *testing.T) {
	sample, err := filepath.Abs(filepath.Join("..", "..", "..", "testdata", "reports", "sample.json"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(defaultConfig, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string, environ []string, args ...string) {
		t.Helper()
		r := run(t, environ, append([]string{"report", "convert", sample}, args...)...)
		if r.code != exitDone || !strings.Contains(r.stdout, want) {
			t.Errorf("%v %v: exit code %d, want output with %q:\n%s%s", environ, args, r.code, want, r.stdout, r.stderr)
		}
	}
	write("severity: high\n")
	expect("below high not shown", nil)
	expect("below medium not shown", []string{"POSTSCAN_SEVERITY=medium"})
	expect("below critical not shown", []string{"POSTSCAN_SEVERITY=medium"}, "--severity", "critical")
	write("output: json\nmirror:\n  docker.io: 127.0.0.1:5000\nchecks: [PS-IMG-001, PS-IMG-002]\n") // also of other commands
	expect(`"schema": "postscan.report/v1"`, nil)
	expect("Summary:", []string{"POSTSCAN_OUTPUT=table,json=copy.json"})
	if got := read(t, "copy.json"); got != read(t, sample) {
		t.Error("the copy differs from the report")
	}
	if r := run(t, nil, "version"); r.code != exitDone || !strings.HasPrefix(r.stdout, "postscan v") {
		t.Errorf("settings of scans change a command that looks something up: %d %s%s", r.code, r.stdout, r.stderr)
	}

	for text, want := range map[string]string{
		"fail-om: high\n":                           `postscan.yaml:1: "fail-om" is no setting`,
		"severity: awful\n":                         `value "awful"`,
		"severity: high\nseverity: low":             "postscan.yaml:2",
		"- high\n":                                  "flag: value",
		"severity: [high\n":                         "postscan.yaml",
		"checks: [[a]]\n":                           "plain values",
		"---\nseverity: high\n---\nfail-on: high\n": "something follows the end",
		"password-stdin: true\n":                    "is no setting",
		"frameworks: true\n":                        "is no setting",
	} {
		write(text)
		if r := run(t, nil, "report", "convert", sample); r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("settings %q: exit code %d, stderr, want one with %q:\n%s", text, r.code, want, r.stderr)
		}
	}
	write("")
	if r := run(t, []string{"POSTSCAN_FAILON=high", "POSTSCAN_PASSWORD=x"}, "report", "convert", sample); r.code != exitDone || !strings.Contains(r.stderr, "POSTSCAN_FAILON") || strings.Contains(r.stderr, "PASSWORD") {
		t.Errorf("exit code %d, stderr:\n%s", r.code, r.stderr)
	}
	if r := run(t, []string{"POSTSCAN_SEVERITY=awful"}, "report", "convert", sample); r.code != exitUsage || !strings.Contains(r.stderr, "variable POSTSCAN_SEVERITY") {
		t.Errorf("exit code %d, stderr:\n%s", r.code, r.stderr)
	}
}
