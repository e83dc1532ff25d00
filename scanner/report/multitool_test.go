package report_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/postscan/postscan/scanner/report"
)

var (
	sarifProblem = regexp.MustCompile(`(?m): (error|warning) .*$`)
	sarifScanned = regexp.MustCompile(`Done\. (\d+) files? scanned`)
)

// validateSARIF runs Microsoft's SARIF multitool with GitHub's rules over the
// file. POSTSCAN_SARIF_MULTITOOL names the tool; .ci/run sets it.
func validateSARIF(t *testing.T, file []byte) {
	t.Helper()
	validateSARIFs(t, map[string][]byte{"report": file})
}

// validateSARIFs does so with several files, by name, at once: the tool takes
// seconds to start.
func validateSARIFs(t *testing.T, files map[string][]byte) {
	t.Helper()
	tool := os.Getenv("POSTSCAN_SARIF_MULTITOOL")
	if tool == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("POSTSCAN_SARIF_MULTITOOL is not set: .ci/run installs the SARIF multitool and sets it")
		}
		t.Log("NOT VALIDATED: POSTSCAN_SARIF_MULTITOOL is not set (npm install @microsoft/sarif-multitool)")
		return
	}
	dir := t.TempDir()
	args := []string{"validate"}
	for name, content := range files {
		path := filepath.Join(dir, name+".sarif")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	// The tool's exit status is 0 even with errors: its output tells.
	cmd := exec.CommandContext(t.Context(), tool, append(args, "--rule-kind", "Sarif;Ghas", "--max-file-size-in-kb", "200000")...)
	cmd.Env = append(os.Environ(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("run the SARIF multitool: %v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("Analysis completed successfully")) {
		t.Fatalf("the SARIF multitool did not finish:\n%s", out)
	}
	if m := sarifScanned.FindSubmatch(out); m == nil || string(m[1]) != strconv.Itoa(len(files)) {
		t.Errorf("the SARIF multitool did not look at all of %d files:\n%s", len(files), out)
	}
	problems := sarifProblem.FindAll(out, 5)
	for _, p := range problems {
		t.Errorf("SARIF multitool%s", p)
	}
}

// Every shape of report makes a file that code scanning takes, and so does each
// part of a report that is split by target.
func TestSARIFMultitool(t *testing.T) {
	files := map[string][]byte{}
	for name, rep := range cases() {
		files[strings.ReplaceAll(name, " ", "-")] = write(t, rep, "sarif", report.Options{})
	}
	for _, part := range report.Parts(kindsSample()) {
		files[part.Name] = write(t, part.Report, "sarif", report.Options{})
	}
	validateSARIFs(t, files)
}
