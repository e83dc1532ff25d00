package cli

import (
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/inventory"
)

// detectSecrets finds credentials in the literal values of Kubernetes objects, by
// the rules that hold for files and images.
func detectSecrets(in kube.DetectInput) []kube.Detection {
	found := inventory.ValueSecrets(in.Name, in.Value, in.Where == "file")
	out := make([]kube.Detection, len(found))
	for i, s := range found {
		out[i] = kube.Detection{Rule: s.Rule, Category: s.Category, Title: s.Title, Severity: s.Severity, Line: s.Line, Length: s.Length}
	}
	return out
}
