package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner/collect/image"
)

// registryFlags say how registries, and other servers, are reached.
type registryFlags struct {
	mirrors       []string // host=mirror
	insecure      []string
	caFile        string
	username      string
	passwordStdin bool
}

func (f *registryFlags) define(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.mirrors, "mirror", nil, "ask a mirror first, as `HOST=MIRROR`, docker.io=127.0.0.1:5000; those of registries.conf hold too")
	fs.StringArrayVar(&f.insecure, "insecure-registry", nil, "`HOST` may speak plain HTTP or have a certificate that does not verify")
	fs.StringVar(&f.caFile, "ca-file", "", "trust the authorities in this PEM `FILE` too, for every connection")
}

func (f *registryFlags) defineLogin(fs *pflag.FlagSet) {
	fs.StringVar(&f.username, "username", "", "user `NAME` at the images' registry (default: Docker's and Podman's logins)")
	fs.BoolVar(&f.passwordStdin, "password-stdin", false, "read the password from stdin; else POSTSCAN_PASSWORD")
}

// registry makes the client for all registries.
func (a *app) registry(f *registryFlags) (*image.Registry, error) {
	o, err := a.registryOptions(f)
	if err != nil {
		return nil, err
	}
	r, err := image.NewRegistry(o)
	if errors.Is(err, image.ErrUsage) {
		return nil, usage(err)
	}
	return r, err
}

// registryOptions turns the flags into the client's options.
func (a *app) registryOptions(f *registryFlags) (image.RegistryOptions, error) {
	mirrors := map[string][]string{}
	for _, m := range f.mirrors {
		host, mirror, ok := strings.Cut(m, "=")
		if !ok || host == "" || mirror == "" {
			return image.RegistryOptions{}, usage(fmt.Errorf("--mirror %s: write it as REGISTRY=MIRROR, as docker.io=127.0.0.1:5000", m))
		}
		mirrors[host] = append(mirrors[host], mirror)
	}
	password, err := a.password(f)
	return image.RegistryOptions{
		Mirrors: mirrors, Insecure: f.insecure, CAFile: f.caFile,
		Username: f.username, Password: password, Log: a.log,
	}, err
}

// password returns the password for --username.
func (a *app) password(f *registryFlags) (string, error) {
	switch {
	case f.username == "" && f.passwordStdin:
		return "", usage(errors.New("--password-stdin needs --username"))
	case f.username == "":
		return "", nil
	case f.passwordStdin:
		line, err := bufio.NewReader(io.LimitReader(a.env.Stdin, 1<<16)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password from stdin: %w", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", usage(errors.New("--password-stdin: stdin is empty"))
		}
		return line, nil
	default:
		password := a.env.Getenv(envPrefix + "PASSWORD")
		if password == "" {
			return "", usageHint(errors.New("--username without a password"), "give it with --password-stdin or in POSTSCAN_PASSWORD")
		}
		return password, nil
	}
}
