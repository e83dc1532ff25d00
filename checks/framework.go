package checks

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed frameworks/*.yaml
var frameworkFiles embed.FS

// Framework is a body of guidance that checks refer to. It lists controls alone:
// which check speaks to which control stands in the check's METADATA.
type Framework struct {
	ID          string    `yaml:"id"` // "nist-800-190", also the name of its file
	Title       string    `yaml:"title"`
	Version     string    `yaml:"version"` // the edition whose numbers are meant
	URL         string    `yaml:"url"`
	Description string    `yaml:"description"`
	Controls    []Control `yaml:"controls"` // in the framework's order
}

// Control is one demand of a framework.
type Control struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"` // in our own words; empty where the text is not free
}

// Frameworks returns every framework that postscan knows, by id.
func Frameworks() ([]Framework, error) {
	names, err := fs.Glob(frameworkFiles, "frameworks/*.yaml")
	if err != nil {
		return nil, err
	}
	out := make([]Framework, len(names))
	for i, name := range names {
		b, err := frameworkFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(b, &out[i]); err != nil {
			return nil, fmt.Errorf("read the framework %s: %w", name, err)
		}
		if stem := strings.TrimSuffix(path.Base(name), ".yaml"); out[i].ID != stem {
			return nil, fmt.Errorf("read the framework %s: its id is %q", name, out[i].ID)
		}
	}
	return out, nil
}

// Control returns the control with the id.
func (f *Framework) Control(id string) (Control, bool) {
	i := slices.IndexFunc(f.Controls, func(c Control) bool { return c.ID == id })
	if i < 0 {
		return Control{}, false
	}
	return f.Controls[i], true
}
