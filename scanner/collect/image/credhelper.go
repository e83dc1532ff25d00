package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
)

// stored looks a key of a Docker configuration up: with the credential helper that
// is configured for it, else in the file. No credentials are no error.
func stored(ctx context.Context, conf *configfile.ConfigFile, key string) (types.AuthConfig, error) {
	helper, own := conf.CredentialHelpers[key]
	if !own {
		helper = conf.CredentialsStore
	}
	if helper == "" {
		return conf.GetAuthConfig(key)
	}
	return askHelper(ctx, "docker-credential-"+helper, key)
}

// helperGrace is how long the output of a helper that was killed may stay open: a
// program that it started may hold it.
const helperGrace = time.Second

// askHelper runs a credential helper, which ends with the context. What it prints
// may be a credential, so no error and no log ever holds it.
func askHelper(ctx context.Context, program, server string) (types.AuthConfig, error) {
	cmd := exec.CommandContext(ctx, program, "get") // #nosec G204 G702 -- the program that the user's own configuration names
	cmd.Stdin = strings.NewReader(server)
	cmd.WaitDelay = helperGrace
	out, err := cmd.Output()
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return types.AuthConfig{}, fmt.Errorf("the credential helper %s does not answer", program)
	case errors.As(err, &ended):
		if strings.HasPrefix(string(out), "credentials not found") {
			return types.AuthConfig{}, nil
		}
		return types.AuthConfig{}, fmt.Errorf("the credential helper %s does not succeed: %w; run it by hand to see why", program, ended)
	case err != nil:
		return types.AuthConfig{}, fmt.Errorf("run the credential helper: %w", err)
	}
	var said struct{ Username, Secret string }
	if json.Unmarshal(out, &said) != nil {
		return types.AuthConfig{}, fmt.Errorf("what the credential helper %s prints is no JSON of credentials", program)
	}
	if said.Username == "<token>" {
		return types.AuthConfig{IdentityToken: said.Secret}, nil
	}
	return types.AuthConfig{Username: said.Username, Password: said.Secret}, nil
}
