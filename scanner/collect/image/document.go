package image

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
)

// image reads one image and builds its resource. ID and Target are left to the caller.
func (r *run) image(ctx context.Context, ref string, f *found, p *picture) (*facts.Resource, error) {
	// Signatures are asked for while the layers come.
	type answer struct {
		sig     facts.Signature
		missing map[string]facts.Missing
	}
	signed := make(chan answer, 1)
	asking, stop := context.WithCancel(ctx)
	var ask sync.WaitGroup
	defer func() { stop(); ask.Wait() }()
	ask.Go(func() {
		var a answer
		if err := guard(r.log, func() error { a.sig, a.missing = r.signature(asking, f, p); return nil }); err != nil {
			a.missing = map[string]facts.Missing{"signature": {Status: facts.Unknown, Reason: err.Error()}}
		}
		signed <- a
	})
	layers, gaps, err := r.readLayers(ctx, ref, p)
	if err != nil {
		return nil, err
	}
	doc := &facts.Image{
		Registry: f.registry, Repository: f.repository, Source: f.source,
		OS: p.platform.OS, Architecture: p.platform.Architecture, Variant: p.platform.Variant,
	}
	missing := map[string]facts.Missing{}
	r.fillConfig(doc, p, missing)
	doc.Layers = layerFacts(p, layers, doc.History)

	runtime := inventory.Runtime{
		User: doc.Config.User, Path: doc.Config.Path, WorkingDir: doc.Config.WorkingDir,
		Entrypoint: doc.Config.Entrypoint, Cmd: doc.Config.Cmd, Windows: doc.OS == "windows",
	}
	trees, err := r.inventoryLayers(ctx, layers)
	if err != nil {
		return nil, err
	}
	inv, err := inventory.Merge(ctx, trees, runtime, r.opts.Jars)
	if err != nil {
		return nil, fmt.Errorf("merge layers: %w", err)
	}
	fillInventory(doc, inv, missing)
	r.fillEndOfLife(doc, missing)
	hideLayers(doc, gaps, len(p.layers), missing)
	r.opts.Progress(Event{Ref: ref, Stage: Matching})
	if err := r.fillVulnerabilities(ctx, doc, missing); err != nil {
		return nil, err
	}
	got := <-signed
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	doc.Signature = got.sig
	addMissing(missing, got.missing)
	return &facts.Resource{
		Kind: facts.KindImage, Key: "image", Facts: doc, Missing: missing,
		Aliases: append(p.aliases(), f.aliases...),
	}, nil
}

// aliases are the other names of the image.
func (p *picture) aliases() []facts.Alias {
	var out []facts.Alias
	if p.digest.Hex != "" {
		out = append(out, facts.Alias{Type: "digest", Value: p.digest.String()})
	}
	if p.index.Hex != "" {
		out = append(out, facts.Alias{Type: "index-digest", Value: p.index.String()})
	}
	if p.configID.Hex != "" {
		out = append(out, facts.Alias{Type: "image-id", Value: p.configID.String()})
	}
	return out
}

// readLayers reads the layers of an image, several at a time. A layer that nobody
// here can read is left empty in the list, and gaps says why, by its index.
func (r *run) readLayers(ctx context.Context, ref string, p *picture) ([]*layerResult, map[int]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := make([]*layerResult, len(p.layers))
	gaps := map[int]string{}
	var mu sync.Mutex
	var total, done atomic.Int64
	for _, b := range p.layers {
		total.Add(b.size)
	}
	tell := func(n int64) {
		r.opts.Progress(Event{Ref: ref, Stage: Reading, Done: done.Add(n), Total: total.Load(), Layers: len(p.layers)})
	}
	tell(0)
	var bytes int64
	var files int
	var wg sync.WaitGroup
	for i, b := range p.layers {
		if b.hidden != "" {
			gaps[i] = b.hidden
			continue
		}
		wg.Go(func() {
			var counted atomic.Int64
			res, err := r.layers.read(ctx, b, func(n int64) { counted.Add(n); tell(n) })
			mu.Lock()
			defer mu.Unlock()
			if err != nil && b.foreign && ctx.Err() == nil && errors.Is(err, ErrNotFound) {
				gaps[i] = "it may not be distributed, and the registry does not have it"
				return
			}
			if err == nil {
				out[i] = res
				bytes += res.Bytes
				files += res.Files
				switch lim := r.opts.Limits; {
				case bytes > lim.Size:
					err = sizeError(lim.Size)
				case files > lim.Files:
					err = filesError(lim.Files)
				}
				// What came from the cache or another image is done as well.
				if rest := b.size - counted.Load(); rest > 0 {
					tell(rest)
				}
			}
			if err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	return out, gaps, nil
}

// inventoryLayers puts an empty layer where one could not be read, so that the
// indices of the others stay right.
func (r *run) inventoryLayers(ctx context.Context, layers []*layerResult) ([]*inventory.Layer, error) {
	out := make([]*inventory.Layer, len(layers))
	for i, l := range layers {
		if l != nil {
			out[i] = l.Layer
			continue
		}
		empty, err := inventory.NewLayer(r.opts.Inventory).Finish(ctx)
		if err != nil {
			return nil, err
		}
		out[i] = empty
	}
	return out, nil
}

// layerFacts describes the layers.
func layerFacts(p *picture, read []*layerResult, history []facts.HistoryStep) []facts.Layer {
	out := make([]facts.Layer, 0, len(p.layers))
	for i, b := range p.layers {
		l := facts.Layer{Digest: b.digest, DiffID: b.diffID, Size: b.size, MediaType: b.mediaType, Step: -1}
		if l.Digest == "" && read[i] != nil {
			l.Digest = read[i].Digest
		}
		out = append(out, l)
	}
	for i, s := range history {
		if s.Layer >= 0 {
			out[s.Layer].Step = i
		}
	}
	return out
}

// fillConfig describes configuration, history and base image.
func (r *run) fillConfig(doc *facts.Image, p *picture, missing map[string]facts.Missing) {
	file, secrets := maskConfig(p.config)
	doc.ConfigSecrets = secrets
	c := &file.Config
	var badPorts []string
	doc.Config, badPorts = configFacts(c, doc.OS == "windows")
	if len(badPorts) > 0 {
		missing["config.exposed_ports"] = facts.Missing{
			Status: facts.Unknown, Partial: true,
			Reason: fmt.Sprintf("the image exposes what is no port: %s", strings.Join(badPorts[:min(3, len(badPorts))], ", ")),
		}
	}
	if t := file.Created.Time; !t.IsZero() {
		doc.Created = t.UTC().Format(time.RFC3339)
	} else {
		missing["created"] = facts.Missing{Status: facts.Unknown, Reason: "the image does not say when it was made"}
	}
	var ok bool
	if doc.Base, ok = baseFacts(c.Labels); !ok {
		missing["base"] = facts.Missing{Status: facts.NotAssessed, Reason: "the image has no labels org.opencontainers.image.base.name and .digest; builders such as BuildKit and Buildah can write them"}
	}
	var told bool
	doc.History, told = steps(file.History, len(p.layers))
	switch {
	case len(doc.History) == 0 && len(p.layers) > 0:
		missing["history"] = facts.Missing{Status: facts.Unknown, Partial: true, Reason: "the image keeps no history of its build"}
	case !told:
		missing["history"] = facts.Missing{Status: facts.NotAssessed, Partial: true, Reason: "the history does not list every layer, so steps of the build may be left out"}
	}
}

// fillInventory takes over what the files say.
func fillInventory(doc *facts.Image, inv *inventory.Inventory, missing map[string]facts.Missing) {
	doc.Distribution = inv.Distribution
	doc.Packages = inv.Packages
	doc.Secrets = inv.Secrets
	doc.PrivilegedFiles = inv.PrivilegedFiles
	doc.WritableFiles = inv.WritableFiles
	doc.Users = inv.Users
	doc.Groups = inv.Groups
	doc.SudoRules = inv.SudoRules
	doc.Tools = inv.Tools
	doc.SSHStarters = inv.SSHStarters
	doc.Malware = inv.Malware
	doc.Config.UserUID = inv.UserUID
	addMissing(missing, inv.Missing)
	if _, known := missing["config.user_uid"]; doc.OS == "windows" {
		doc.Config.UserUID = -1 // accounts have no numbers there, and the check goes by the name
	} else if !inv.UserKnown && !known {
		missing["config.user_uid"] = facts.Missing{Status: facts.Unknown, Reason: fmt.Sprintf("/etc/passwd of the image has no user %q", plain(doc.Config.User))}
	}
}

// fillEndOfLife asks whether the distribution is still supported.
func (r *run) fillEndOfLife(doc *facts.Image, missing map[string]facts.Missing) {
	d := &doc.Distribution
	if _, gone := missing["distribution"]; gone || d.Family == "none" {
		return // nothing to support, or nothing known of it
	}
	if r.opts.EndOfLife == nil {
		missing["distribution.end_of_life"] = facts.Missing{Status: facts.NotAssessed, Reason: "no table of support periods is configured"}
		return
	}
	ended, known := r.opts.EndOfLife(*d, r.opts.Now)
	d.EndOfLife = ended
	if !known {
		missing["distribution.end_of_life"] = facts.Missing{Status: facts.Unknown, Reason: fmt.Sprintf("no table of support periods has %s %s", plain(d.Family), plain(d.Version))}
	}
}

// fromFiles are the facts that a layer can hold something of.
var fromFiles = []string{
	"packages", "vulnerabilities", "secrets", "privileged_files", "writable_files", "users", "groups",
	"sudo_rules", "tools", "ssh_starters", "malware",
}

// hideLayers marks as incomplete what may stand in layers that could not be read.
func hideLayers(doc *facts.Image, gaps map[int]string, layers int, missing map[string]facts.Missing) {
	if len(gaps) == 0 {
		return
	}
	first := -1
	for i := range gaps {
		if first < 0 || i < first {
			first = i
		}
	}
	reason := fmt.Sprintf("%d of %d layers could not be read; layer %d: %s", len(gaps), layers, first+1, gaps[first])
	all := len(gaps) == layers
	hidden := map[string]facts.Missing{}
	for _, path := range fromFiles {
		hidden[path] = facts.Missing{Status: facts.Unknown, Reason: reason, Partial: !all}
	}
	// A user's number is one thing, and a later layer may give it another.
	if u := userPart(doc.Config.User); u != "" && !isNumber(u) && doc.OS != "windows" {
		hidden["config.user_uid"] = facts.Missing{Status: facts.Unknown, Reason: reason}
	}
	if doc.Distribution.Family == "none" {
		hidden["distribution"] = facts.Missing{Status: facts.Unknown, Reason: reason}
	}
	addMissing(missing, hidden)
}

func userPart(user string) string {
	u, _, _ := strings.Cut(user, ":")
	return u
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// fillVulnerabilities asks the database.
func (r *run) fillVulnerabilities(ctx context.Context, doc *facts.Image, missing map[string]facts.Missing) error {
	if r.opts.Matcher == nil {
		addMissing(missing, map[string]facts.Missing{"vulnerabilities": {Status: facts.Unknown, Reason: r.opts.NoMatcher}})
		return nil
	}
	found, err := r.opts.Matcher.Match(ctx, doc.Distribution, doc.Packages)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var incomplete interface{ Missing() facts.Missing }
	switch {
	case err == nil:
	case errors.As(err, &incomplete):
		addMissing(missing, map[string]facts.Missing{"vulnerabilities": incomplete.Missing()})
	default:
		addMissing(missing, map[string]facts.Missing{"vulnerabilities": {Status: facts.Unknown, Reason: "matching against the vulnerability database broke off: " + plain(err.Error())}})
		return nil
	}
	doc.Vulnerabilities = found
	addMissing(missing, r.opts.Matcher.Missing())
	return nil
}

// addMissing joins entries: of two for one path, the reasons are put together and
// the worse of both counts. What nobody was meant to look at is not half seen.
func addMissing(into, more map[string]facts.Missing) {
	for path, m := range maps.All(more) {
		old, ok := into[path]
		if !ok {
			into[path] = m
			continue
		}
		if whole(old) && m.Partial {
			continue
		}
		if whole(m) && old.Partial {
			into[path] = m
			continue
		}
		if m.Reason != old.Reason {
			m.Reason = old.Reason + "; " + m.Reason
		}
		if old.Status == facts.Unknown {
			m.Status = facts.Unknown
		}
		m.Partial = m.Partial && old.Partial
		into[path] = m
	}
}

// whole says that nothing was meant to look at the fact at all.
func whole(m facts.Missing) bool { return m.Status == facts.NotAssessed && !m.Partial }
