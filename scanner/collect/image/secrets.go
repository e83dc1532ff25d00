package image

import (
	"cmp"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
)

// maskConfig finds credentials in the configuration, and returns the configuration
// without them: what facts hold is made of that alone.
func maskConfig(c *v1.ConfigFile) (*v1.ConfigFile, []facts.ConfigSecret) {
	text := inventory.ConfigText{
		Env: c.Config.Env, Labels: c.Config.Labels, Entrypoint: c.Config.Entrypoint, Cmd: c.Config.Cmd,
	}
	// A comment may tell a secret as well as a command; both are looked at, and
	// the comments come behind all commands, so that an index is that of its step.
	steps := len(c.History)
	for _, h := range c.History {
		text.History = append(text.History, h.CreatedBy)
	}
	for _, h := range c.History {
		text.History = append(text.History, h.Comment)
	}
	found, masked := inventory.ConfigSecrets(text)
	for i := range found {
		if found[i].Where == "history" && found[i].Index >= steps {
			found[i].Index -= steps
		}
	}
	slices.SortStableFunc(found, func(a, b facts.ConfigSecret) int {
		return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Rule, b.Rule))
	})
	out := c.DeepCopy()
	out.Config.Env, out.Config.Labels = masked.Env, masked.Labels
	out.Config.Entrypoint, out.Config.Cmd = masked.Entrypoint, masked.Cmd
	for i := range out.History {
		out.History[i].CreatedBy, out.History[i].Comment = masked.History[i], masked.History[steps+i]
	}
	return out, found
}
