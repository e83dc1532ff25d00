package report_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var sarifProblem = regexp.MustCompile(`(?m): (error|warning) .*$`)

// validateSARIF runs Microsoft's SARIF multitool with GitHub's rules over the
// file. POSTSCAN_SARIF_MULTITOOL names the tool; .ci/run sets it.
func validateSARIF(t *testing.T, file []byte) {
	t.Helper()
	tool := os.Getenv("POSTSCAN_SARIF_MULTITOOL")
	if tool == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("POSTSCAN_SARIF_MULTITOOL is not set: .ci/run installs the SARIF multitool and sets it")
		}
		t.Log("NOT VALIDATED: POSTSCAN_SARIF_MULTITOOL is not set (npm install @microsoft/sarif-multitool)")
		return
	}
	path := filepath.Join(t.TempDir(), "report.sarif")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	// The tool's exit status is 0 even with errors: its output tells.
	cmd := exec.CommandContext(t.Context(), tool, "validate", path, "--rule-kind", "Sarif;Ghas", "--max-file-size-in-kb", "200000")
	cmd.Env = append(os.Environ(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("run the SARIF multitool: %v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("Analysis completed successfully")) {
		t.Fatalf("the SARIF multitool did not finish:\n%s", out)
	}
	problems := sarifProblem.FindAll(out, 5)
	for _, p := range problems {
		t.Errorf("SARIF multitool%s", p)
	}
}
