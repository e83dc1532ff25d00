package cli

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/image"
	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/facts"
)

// imageSink hands on what is seen of the images of a cluster, and says what to
// ask for next. An image has a content for each platform of the nodes that run
// it, or a single one where its digest is no index. It is read under one of its
// names, and under the next where that fails. Where the image command would fail
// a target, the image is unknown here: nobody asked for it by name, and the
// workloads that run it are judged all the same.
type imageSink struct {
	scanner.Sink
	ctx      context.Context //nolint:containedctx // of the collection; Target has none
	pull     *pullSecrets
	contents []*content // by platform, then by image

	mu      sync.Mutex          // guards what follows, and the contents
	asked   map[string]*content // by the name that was asked for in this round
	single  bool                // this round takes only what is the same for all platforms
	sources map[string]bool
}

// content is what an image holds on one platform.
type content struct {
	image    *kube.RunningImage
	platform string // "" where no node tells
	tried    int    // how many of the image's names were asked for
	read     bool
	// other is a name under which the image is there for another platform only.
	other    string
	failed   facts.Target // the last that failed
	problems []string
	// sent is how the content is called in the report.
	sent facts.Target
}

func newImageSink(ctx context.Context, sink scanner.Sink, pull *pullSecrets, images []kube.RunningImage) *imageSink {
	s := &imageSink{Sink: sink, ctx: ctx, pull: pull, sources: map[string]bool{}}
	for i := range images {
		platforms := images[i].Platforms
		if len(platforms) == 0 {
			platforms = []string{""}
		}
		for _, p := range platforms {
			s.contents = append(s.contents, &content{image: &images[i], platform: p})
		}
	}
	slices.SortStableFunc(s.contents, func(a, b *content) int { return cmp.Compare(a.platform, b.platform) })
	return s
}

// next starts a round: it returns the names to ask for and the platform to ask
// for. No name is the end.
func (s *imageSink) next() (names []string, platform string) {
	s.asked = map[string]*content{}
	for _, c := range s.contents {
		if c.read || c.image.Untold || c.tried == len(c.image.References) || len(names) > 0 && c.platform != platform {
			continue
		}
		name := c.image.References[c.tried].Name
		c.tried++
		s.asked[name], names, platform = c, append(names, name), c.platform
	}
	if len(names) > 0 || s.single {
		return names, platform
	}
	// A runtime may run an image that says it is for another platform. Where its
	// digest names one content, that is what runs.
	s.single = true
	for _, c := range s.contents {
		if !c.read && c.other != "" && s.asked[c.other] == nil {
			s.asked[c.other], names = c, append(names, c.other)
		}
	}
	return names, ""
}

// told learns from the collector's events why an image could not be read.
func (s *imageSink) told(e image.Event) {
	if e.Stage != image.Failed || !errors.Is(e.Err, image.ErrPlatform) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[e.Ref].other = e.Ref
}

// Target implements [scanner.Sink].
func (s *imageSink) Target(t facts.Target) error {
	s.mu.Lock()
	c := s.asked[t.Ref]
	index := t.Properties["index_digest"] != ""
	switch {
	case t.Error != "":
		if !s.single {
			c.problems = append(c.problems, s.problem(c, t))
		}
		c.failed = t
		s.mu.Unlock()
		return nil
	case index && s.single: // of several contents this is one that does not run
		s.mu.Unlock()
		return nil
	case !index:
		for _, same := range s.contents {
			same.read = same.read || same.image == c.image
		}
	case len(c.image.Platforms) > 1:
		t.Ref = kube.OnPlatform(t.Ref, c.platform)
	}
	c.read, c.sent = true, t
	s.mu.Unlock()
	return s.Sink.Target(t)
}

// problem says why an image could not be read under one of its names.
func (s *imageSink) problem(c *content, t facts.Target) string {
	reason := t.Error
	for _, r := range c.image.References {
		if r.Name != t.Ref {
			continue
		}
		if len(c.image.References) > 1 {
			reason = r.Repository + ": " + reason
		}
		for _, name := range r.PullSecrets {
			if p := s.pull.problems[name]; p != "" {
				reason += "; " + p
			}
		}
	}
	return reason
}

// Resource implements [scanner.Sink].
func (s *imageSink) Resource(ctx context.Context, r *facts.Resource) error {
	s.mu.Lock()
	c := s.asked[r.Target]
	read := c.read
	s.mu.Unlock()
	if !read {
		return nil
	}
	r.ID += strings.TrimPrefix(c.sent.Ref, r.Target)
	r.Target = c.sent.Ref
	platforms := c.image.Platforms
	if c.sent.Properties["index_digest"] != "" {
		platforms = []string{c.platform}
	}
	r.Aliases = append(r.Aliases, runsAs(c.image, platforms)...)
	return s.Sink.Resource(ctx, r)
}

// runsAs are the names by which workloads lead to an image on some of its platforms.
func runsAs(im *kube.RunningImage, platforms []string) []facts.Alias {
	var out []facts.Alias
	for _, r := range im.References {
		out = append(out, facts.Alias{Type: scanner.AliasReference, Value: r.Name})
		for _, p := range platforms {
			if p != "" {
				out = append(out, facts.Alias{Type: scanner.AliasReference, Value: kube.OnPlatform(r.Name, p)})
			}
		}
	}
	return out
}

// Source implements [scanner.Sink]. Each round is a collection of its own.
func (s *imageSink) Source(src facts.Source) error {
	s.mu.Lock()
	seen := s.sources[src.Name]
	s.sources[src.Name] = true
	s.mu.Unlock()
	if seen {
		return nil
	}
	return s.Sink.Source(src)
}

// close sends what could not be read, as unknown: an image once where none of its
// platforms was read, else each platform that was not.
func (s *imageSink) close() error {
	told := map[*kube.RunningImage]bool{}
	for _, c := range s.contents {
		told[c.image] = told[c.image] || c.read
	}
	parted := maps.Clone(told)
	for _, c := range s.contents {
		t, platforms := c.failed, c.image.Platforms
		switch {
		case c.read:
			continue
		case c.image.Untold:
			ref := c.image.References[0]
			t = facts.Target{Kind: "image", Ref: ref.Name, Identity: ref.Repository}
			c.problems = []string{"the runtime of its node tells no digest that a registry knows, so which content runs is not known"}
		case parted[c.image]:
			t.Ref, platforms = kube.OnPlatform(t.Ref, c.platform), []string{c.platform}
		}
		if told[c.image] && !parted[c.image] {
			continue
		}
		told[c.image] = true
		reason := strings.Join(c.problems, "; ")
		if !c.image.Untold {
			reason = "the image could not be read: " + reason
		}
		if err := s.unread(t, runsAs(c.image, platforms), reason); err != nil {
			return err
		}
	}
	return nil
}

// unread sends an image of which nothing could be seen.
func (s *imageSink) unread(t facts.Target, aliases []facts.Alias, reason string) error {
	t.Error = ""
	if t.Properties == nil {
		t.Properties = map[string]string{}
	}
	if err := s.Sink.Target(t); err != nil {
		return err
	}
	r := &facts.Resource{Kind: facts.KindImage, ID: t.Ref, Key: "image", Target: t.Ref, Aliases: aliases, Missing: map[string]facts.Missing{}, Facts: &facts.Image{}}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[facts.Image]()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			r.Missing[name] = facts.Missing{Status: facts.Unknown, Reason: reason}
		}
	}
	return s.Sink.Resource(s.ctx, r)
}
