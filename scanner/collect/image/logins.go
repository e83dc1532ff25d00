package image

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// Login is what a registry may be entered with.
type Login struct {
	Username, Password string
	IdentityToken      string
	RegistryToken      string
}

// Logins are the credentials of one Docker configuration, by the registry or the
// part of one that they are for.
type Logins struct{ entries []loginEntry }

type loginEntry struct {
	key   string // "registry.example:5000/team", "*.example.com"
	login Login
}

var errNoDockerConfig = errors.New("it is no Docker configuration in JSON")

// ParseLogins reads the credentials of a Docker configuration, the content of a
// pull Secret of type kubernetes.io/dockerconfigjson: {"auths": {HOST: {…}}}.
// An error never holds any of it.
func ParseLogins(dockerConfig []byte) (Logins, error) {
	var file struct {
		Auths map[string]struct {
			Username      string `json:"username"`
			Password      string `json:"password"`
			Auth          string `json:"auth"`
			IdentityToken string `json:"identitytoken"`
			RegistryToken string `json:"registrytoken"`
		} `json:"auths"`
	}
	if err := json.Unmarshal(dockerConfig, &file); err != nil || file.Auths == nil {
		return Logins{}, errNoDockerConfig
	}
	var out Logins
	for key, a := range file.Auths {
		l := Login{Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken}
		if a.Auth != "" {
			both, err := base64.StdEncoding.DecodeString(strings.TrimRight(a.Auth, "\x00"))
			user, password, ok := strings.Cut(string(both), ":")
			if err != nil || !ok {
				return Logins{}, errors.New("an auth of it is not user and password in base64")
			}
			l.Username, l.Password = user, strings.Trim(password, "\x00")
		}
		if l != (Login{}) {
			out.entries = append(out.entries, loginEntry{loginKey(key), l})
		}
	}
	slices.SortFunc(out.entries, func(a, b loginEntry) int { // the longest, the most special, comes first
		if n := len(b.key) - len(a.key); n != 0 {
			return n
		}
		return strings.Compare(a.key, b.key)
	})
	return out, nil
}

// loginKey brings the key of an entry into the form of a repository:
// "https://index.docker.io/v1/" is "docker.io".
func loginKey(key string) string {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, rest, _ := strings.Cut(strings.TrimRight(key, "/"), "/")
	if rest == "v1" || rest == "v2" {
		rest = ""
	}
	return strings.TrimRight(dockerHost(host)+"/"+rest, "/")
}

// dockerHost gives Docker Hub one name.
func dockerHost(host string) string {
	switch host {
	case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com":
		return "docker.io"
	}
	return host
}

// For lists the credentials for a repository ("registry.example:5000/team/app"),
// those of the narrowest entry first, as the kubelet tries them: a host may have
// wildcards in its parts, and a path stands for all below it.
func (l Logins) For(repository string) []Login {
	host, rest, _ := strings.Cut(repository, "/")
	host = dockerHost(host)
	var out []Login
	for _, e := range l.entries {
		keyHost, keyPath, _ := strings.Cut(e.key, "/")
		if hostMatches(keyHost, host) && (keyPath == "" || rest == keyPath || strings.HasPrefix(rest, keyPath+"/")) {
			out = append(out, e.login)
		}
	}
	return out
}

// hostMatches compares host names part by part; a star stands within one part.
func hostMatches(pattern, host string) bool {
	patterns, parts := strings.Split(pattern, "."), strings.Split(host, ".")
	if len(patterns) != len(parts) {
		return false
	}
	for i := range parts {
		if ok, err := path.Match(patterns[i], parts[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// login is the n-th way to enter a repository: those of Options.Logins, then what
// the keychain has.
func (r *Registry) login(ctx context.Context, repo name.Repository, n int) authn.Authenticator {
	if own := r.logins(repo); n < len(own) {
		l := own[n]
		return authn.FromConfig(authn.AuthConfig{Username: l.Username, Password: l.Password, IdentityToken: l.IdentityToken, RegistryToken: l.RegistryToken})
	}
	return r.resolve(ctx, repo)
}

func (r *Registry) logins(repo name.Repository) []Login {
	if r.opts.Logins == nil {
		return nil
	}
	return r.opts.Logins(strings.Replace(repo.Name(), "index.docker.io/", "docker.io/", 1))
}

// enter tries the ways to enter an endpoint until one is not refused, and keeps
// to it afterwards.
func (r *Registry) enter(ctx context.Context, e endpoint, try func(*session) error) error {
	key := e.repo.Name()
	if n, ok := r.entered.Load(key); ok {
		s, err := r.sessionBy(ctx, e, true, n.(int))
		if err != nil {
			return err
		}
		return try(s)
	}
	last := len(r.logins(e.repo))
	var first error
	for n := 0; ; n++ {
		s, err := r.sessionBy(ctx, e, true, n)
		if err == nil {
			err = try(s)
		}
		err = redact(err)
		if err == nil {
			r.entered.Store(key, n)
			return nil
		}
		if first == nil {
			first = err
		}
		if n == last || ctx.Err() != nil || !errors.Is(err, ErrUnauthorized) && !errors.Is(err, ErrNotFound) {
			if errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrNotFound) {
				return first // what the first credentials were told says more than what nobody was
			}
			return err
		}
	}
}
