package image

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/context/docker"
	contexts "github.com/docker/cli/cli/context/store"
	"github.com/moby/moby/client"
)

// dockerContext names the context that the docker command would use; empty for the
// default one, which is the local socket. Desktop and rootless engines make one.
func dockerContext() string {
	name := os.Getenv("DOCKER_CONTEXT")
	if name == "" {
		conf, err := config.Load(os.Getenv("DOCKER_CONFIG"))
		if err != nil {
			return "" // the keychain says what is wrong with the file
		}
		name = conf.CurrentContext
	}
	if name == "default" {
		return ""
	}
	return name
}

// contextOptions say how the engine of a context is reached: its address, and its
// certificates where it has some.
func contextOptions(name string) ([]client.Opt, error) {
	dir := filepath.Join(cmp.Or(os.Getenv("DOCKER_CONFIG"), config.Dir()), "contexts")
	kept := contexts.New(dir, contexts.NewConfig(
		func() any { return &map[string]any{} },
		contexts.EndpointTypeGetter(docker.DockerEndpoint, func() any { return &docker.EndpointMeta{} }),
	))
	meta, err := kept.GetMetadata(name)
	if err != nil {
		return nil, fmt.Errorf("%w: Docker's context %q: %s", errNoEngine, plain(name), plain(err.Error()))
	}
	endpoint, err := docker.EndpointFromContext(meta)
	if err != nil {
		return nil, fmt.Errorf("%w: Docker's context %q: %s", errNoEngine, plain(name), plain(err.Error()))
	}
	whole, err := docker.WithTLSData(kept, name, endpoint)
	if err != nil {
		return nil, fmt.Errorf("certificates of Docker's context %q: %w", name, err)
	}
	return whole.ClientOpts()
}
