package kube

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// The detector sees an option together with its value, and the finding points at the value.
func TestOptionsAreDetectedWithTheirValues(t *testing.T) {
	var seen []string
	s := New(Options{Detect: func(in DetectInput) []Detection {
		seen = append(seen, in.Value)
		if in.Value == "--password value" {
			return []Detection{{Rule: "found"}}
		}
		return nil
	}})
	var out facts.Container
	s.environment(&out, &corev1.Container{Command: []string{"app"}, Args: []string{"--level=2", "--password", "value", "end"}}, "spec.containers[0]")
	if want := []string{"app", "--level=2", "--password", "--password value", "end"}; !slices.Equal(seen, want) {
		t.Errorf("looked at %q, want %q", seen, want)
	}
	if len(out.LiteralSecrets) != 1 || out.LiteralSecrets[0].Path != "spec.containers[0].args[2]" {
		t.Errorf("found %+v, want one at args[2]", out.LiteralSecrets)
	}
}
