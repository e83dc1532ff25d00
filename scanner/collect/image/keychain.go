package image

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// keychain finds credentials where Docker keeps them (with its credential
// helpers), then where Podman, Buildah and Skopeo do.
type keychain struct {
	log *slog.Logger
}

func newKeychain(log *slog.Logger) authn.Keychain { return &keychain{log: log} }

// Resolve implements [authn.Keychain].
func (k *keychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), r) //nolint:forbidigo // the library's interface has no context here
}

// ResolveContext implements [authn.ContextKeychain].
func (k *keychain) ResolveContext(ctx context.Context, r authn.Resource) (authn.Authenticator, error) {
	auth, err := dockerAuth(ctx, r)
	if err == nil && auth != nil {
		return auth, nil
	}
	for _, file := range podmanAuthFiles() {
		found, ferr := podmanAuth(ctx, file, r)
		if ferr != nil {
			k.log.Warn("credentials file cannot be used", "file", file, "reason", plain(ferr.Error()))
			continue
		}
		if found != nil {
			return found, nil
		}
	}
	return authn.Anonymous, err
}

// dockerAuth looks the resource up in Docker's own configuration: the repository
// first, then its registry. It returns nil where there is no entry.
func dockerAuth(ctx context.Context, r authn.Resource) (authn.Authenticator, error) {
	conf, err := config.Load(os.Getenv("DOCKER_CONFIG"))
	if err != nil {
		return nil, err
	}
	for _, key := range []string{r.String(), r.RegistryStr()} {
		if key == name.DefaultRegistry {
			key = authn.DefaultAuthKey
		}
		got, err := stored(ctx, conf, key)
		if err != nil {
			return nil, err
		}
		if auth := authenticator(got); auth != nil {
			return auth, nil
		}
	}
	return nil, nil //nolint:nilnil // no entry
}

// authenticator is nil where there are no credentials.
func authenticator(a types.AuthConfig) authn.Authenticator {
	a.ServerAddress = ""
	if a == (types.AuthConfig{}) {
		return nil
	}
	return authn.FromConfig(authn.AuthConfig{
		Username: a.Username, Password: a.Password, Auth: a.Auth,
		IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken,
	})
}

// podmanAuthFiles lists where Podman keeps credentials, strongest first.
func podmanAuthFiles() []string {
	if f := os.Getenv("REGISTRY_AUTH_FILE"); f != "" {
		return []string{f}
	}
	var files []string
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		files = append(files, filepath.Join(d, "containers", "auth.json"))
	}
	files = append(files, filepath.Join("/run/containers", strconv.Itoa(os.Getuid()), "auth.json"))
	if d, err := os.UserConfigDir(); err == nil {
		files = append(files, filepath.Join(d, "containers", "auth.json"))
	}
	return files
}

// podmanAuth looks the resource up in the file: Podman's keys may name a
// registry, a part of it or one repository, and the longest one wins. It returns
// nil where the file does not exist or has no entry.
func podmanAuth(ctx context.Context, file string, r authn.Resource) (authn.Authenticator, error) {
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return nil, nil //nolint:nilnil // no file is no entry
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	conf, err := config.LoadFromReader(f)
	if err != nil {
		return nil, fmt.Errorf("parse %q: %w", file, err)
	}
	key := strings.Replace(r.String(), "index.docker.io", "docker.io", 1)
	for key != "" {
		if _, listed := conf.AuthConfigs[key]; listed || !strings.Contains(key, "/") {
			got, err := stored(ctx, conf, key)
			if err != nil {
				return nil, fmt.Errorf("credentials for %q: %w", key, err)
			}
			if auth := authenticator(got); auth != nil {
				return auth, nil
			}
		}
		i := strings.LastIndexByte(key, '/')
		if i < 0 {
			break
		}
		key = key[:i]
	}
	return nil, nil //nolint:nilnil // no entry
}
