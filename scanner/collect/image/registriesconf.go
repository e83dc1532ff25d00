package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/pelletier/go-toml/v2"
)

// registriesConf is what registries.conf and the options say of
// registries: where they really are, which mirrors they have, which may be
// insecure and which are blocked.
type registriesConf struct {
	entries  []confEntry
	insecure []string // hosts
}

// confEntry is one [[registry]] table.
type confEntry struct {
	Prefix           string       `toml:"prefix"`
	Location         string       `toml:"location"`
	Insecure         bool         `toml:"insecure"`
	Blocked          bool         `toml:"blocked"`
	MirrorDigestOnly bool         `toml:"mirror-by-digest-only"`
	Mirrors          []confMirror `toml:"mirror"`
}

// confMirror is one [[registry.mirror]] table.
type confMirror struct {
	Location string `toml:"location"`
	Insecure bool   `toml:"insecure"`
	Pull     string `toml:"pull-from-mirror"` // all (default), digest-only or tag-only
	given    bool   // by the options: what a file says of its mirrors does not hold
}

// registriesConfFiles lists the usual places, weakest first.
func registriesConfFiles() []string {
	if f := os.Getenv("CONTAINERS_REGISTRIES_CONF"); f != "" {
		return []string{f}
	}
	files := []string{"/etc/containers/registries.conf", "/etc/containers/registries.conf.d"}
	if home, err := os.UserConfigDir(); err == nil {
		own := filepath.Join(home, "containers", "registries.conf")
		if _, err := os.Stat(own); err == nil {
			files[0] = own // the user's file replaces the system's, the folders add up
		}
		files = append(files, own+".d")
	}
	return files
}

// loadRegistriesConf reads files and the *.conf files of folders. What does not
// exist is left out; what cannot be read is an error, since a mirror or a block
// that is not obeyed asks a registry that must not be asked.
func loadRegistriesConf(files []string) (*registriesConf, error) {
	conf := &registriesConf{}
	for _, f := range files {
		st, err := os.Stat(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read registry settings: %w", err)
		}
		list := []string{f}
		if st.IsDir() {
			if list, err = filepath.Glob(filepath.Join(f, "*.conf")); err != nil {
				return nil, fmt.Errorf("read registry settings in %q: %w", f, err)
			}
			slices.Sort(list)
		}
		for _, f := range list {
			raw, err := os.ReadFile(f)
			if err != nil {
				return nil, fmt.Errorf("read registry settings: %w", err)
			}
			entries, err := parseRegistriesConf(raw)
			if err != nil {
				return nil, fmt.Errorf("read registry settings %q: %w", f, err)
			}
			conf.merge(entries)
		}
	}
	return conf, nil
}

// parseRegistriesConf reads one file of version 2, or of the old version 1.
func parseRegistriesConf(raw []byte) ([]confEntry, error) {
	type hosts struct {
		Registries []string `toml:"registries"`
	}
	var doc struct {
		Registry []confEntry `toml:"registry"`
		// Of version 1. Its list for names without a host is not needed: such
		// names are docker.io's.
		Registries struct {
			Insecure hosts `toml:"insecure"`
			Block    hosts `toml:"block"`
		} `toml:"registries"`
	}
	if err := toml.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	old := doc.Registries
	for _, host := range append(slices.Clone(old.Insecure.Registries), old.Block.Registries...) {
		if slices.ContainsFunc(doc.Registry, func(e confEntry) bool { return e.Prefix == host }) {
			continue
		}
		doc.Registry = append(doc.Registry, confEntry{
			Prefix: host, Insecure: slices.Contains(old.Insecure.Registries, host), Blocked: slices.Contains(old.Block.Registries, host),
		})
	}
	for i := range doc.Registry {
		e := &doc.Registry[i]
		wild := strings.HasPrefix(e.Prefix, "*.")
		if e.Prefix == "" {
			e.Prefix = e.Location
		}
		if e.Location == "" && !wild {
			e.Location = e.Prefix
		}
		e.Prefix, e.Location = trimPlace(e.Prefix), trimPlace(e.Location)
		if e.Prefix == "" {
			return nil, errors.New("a [[registry]] has neither prefix nor location")
		}
		for j := range e.Mirrors {
			m := &e.Mirrors[j]
			if m.Location = trimPlace(m.Location); m.Location == "" {
				return nil, fmt.Errorf("a mirror of %q has no location", e.Prefix)
			}
			if !slices.Contains([]string{"", "all", "digest-only", "tag-only"}, m.Pull) {
				return nil, fmt.Errorf("mirror %q: pull-from-mirror is %q; use all, digest-only or tag-only", m.Location, m.Pull)
			}
		}
	}
	return doc.Registry, nil
}

func trimPlace(s string) string { return strings.TrimRight(strings.TrimSpace(s), "/") }

// merge adds entries; one for a known prefix replaces it.
func (c *registriesConf) merge(entries []confEntry) {
	for _, e := range entries {
		if i := slices.IndexFunc(c.entries, func(x confEntry) bool { return x.Prefix == e.Prefix }); i >= 0 {
			c.entries[i] = e
			continue
		}
		c.entries = append(c.entries, e)
	}
}

// add puts the mirrors and insecure hosts of the options before those of files.
func (c *registriesConf) add(mirrors map[string][]string, insecure []string) error {
	for _, h := range insecure {
		c.insecure = append(c.insecure, trimPlace(strings.TrimPrefix(h, "http://")))
	}
	for host, list := range mirrors {
		host = trimPlace(host)
		if host == "" || len(list) == 0 {
			return fmt.Errorf("%w: a mirror is given as REGISTRY=MIRROR", ErrUsage)
		}
		var add []confMirror
		for _, m := range list {
			place, plain := strings.CutPrefix(m, "http://")
			place = trimPlace(strings.TrimPrefix(place, "https://"))
			if place == "" {
				return fmt.Errorf("%w: the mirror of %q is empty", ErrUsage, host)
			}
			add = append(add, confMirror{Location: place, Insecure: plain, given: true})
		}
		found := false
		for i := range c.entries {
			// A mirror of a registry is one of its parts too.
			if e := &c.entries[i]; e.Prefix == host || strings.HasPrefix(e.Prefix, host+"/") {
				rest := strings.TrimPrefix(e.Prefix, host)
				own := slices.Clone(add)
				for j := range own {
					own[j].Location += rest
				}
				e.Mirrors = append(own, e.Mirrors...)
				found = found || e.Prefix == host
			}
		}
		if !found {
			c.entries = append(c.entries, confEntry{Prefix: host, Location: host, Mirrors: add})
		}
	}
	return nil
}

// endpoints lists where the repository can be read, in the order to try.
func (c *registriesConf) endpoints(repo name.Repository, byDigest bool) ([]endpoint, error) {
	full := registryName(repo) + "/" + repo.RepositoryStr()
	e, rest, ok := c.lookup(full)
	if !ok {
		ep, err := c.endpoint(full, false)
		if err != nil {
			return nil, err
		}
		ep.origin = true
		return []endpoint{ep}, nil
	}
	if e.Blocked {
		return nil, fmt.Errorf("%w: registries.conf blocks %q", ErrBlocked, e.Prefix)
	}
	var out []endpoint
	for _, m := range e.Mirrors {
		if byDigest && m.Pull == "tag-only" || !byDigest && (m.Pull == "digest-only" || e.MirrorDigestOnly && !m.given) {
			continue
		}
		ep, err := c.endpoint(m.Location+rest, m.Insecure)
		if err != nil {
			return nil, err
		}
		out = append(out, ep)
	}
	place := full
	if e.Location != "" {
		place = e.Location + rest
	}
	ep, err := c.endpoint(place, e.Insecure)
	if err != nil {
		return nil, err
	}
	ep.origin = true
	return append(out, ep), nil
}

// lookup finds the entry with the longest prefix of the full repository name,
// and what stands behind the prefix.
func (c *registriesConf) lookup(full string) (best confEntry, rest string, ok bool) {
	host, path, _ := strings.Cut(full, "/")
	for _, e := range c.entries {
		var tail string
		if domain, wild := strings.CutPrefix(e.Prefix, "*"); wild {
			if !strings.HasSuffix(host, domain) {
				continue
			}
			tail = "/" + path
		} else {
			t, found := strings.CutPrefix(full, e.Prefix)
			if !found || t != "" && t[0] != '/' {
				continue
			}
			tail = t
		}
		if !ok || len(e.Prefix) > len(best.Prefix) {
			best, rest, ok = e, tail, true
		}
	}
	return best, rest, ok
}

// endpoint makes the endpoint of a full repository name.
func (c *registriesConf) endpoint(full string, insecure bool) (endpoint, error) {
	host, path, _ := strings.Cut(full, "/")
	insecure = insecure || slices.Contains(c.insecure, host)
	opts := []name.Option{name.WeakValidation}
	if insecure {
		opts = append(opts, name.Insecure)
	}
	reg, err := name.NewRegistry(host, opts...)
	if err == nil {
		// A host without a dot ("mirror") would be taken for a name on docker.io,
		// so the path is checked on its own.
		_, err = parseReference("registry.invalid/" + path)
	}
	if err != nil {
		return endpoint{}, fmt.Errorf("registry settings lead to %q, which is no repository: %s", plain(full), plain(err.Error()))
	}
	return endpoint{repo: reg.Repo(path), insecure: insecure}, nil
}

// registryName is the registry as people write it: "docker.io".
func registryName(repo name.Repository) string {
	if h := repo.RegistryStr(); h != name.DefaultRegistry {
		return h
	}
	return "docker.io"
}
