package cli

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
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
	mirrors := map[string][]string{}
	for _, m := range f.mirrors {
		host, mirror, ok := strings.Cut(m, "=")
		if !ok || host == "" || mirror == "" {
			return nil, usage(fmt.Errorf("--mirror %s: write it as REGISTRY=MIRROR, as docker.io=127.0.0.1:5000", m))
		}
		mirrors[host] = append(mirrors[host], mirror)
	}
	password, err := a.password(f)
	if err != nil {
		return nil, err
	}
	r, err := image.NewRegistry(image.RegistryOptions{
		Mirrors: mirrors, Insecure: f.insecure, CAFile: f.caFile,
		Username: f.username, Password: password, Log: a.log,
	})
	if errors.Is(err, image.ErrUsage) {
		return nil, usage(err)
	}
	return r, err
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

// fetchURL returns the function that gets a file by HTTP, through the proxies of
// the environment and with the authorities of --ca-file.
func (f *registryFlags) fetchURL() (func(context.Context, string) (io.ReadCloser, error), error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if f.caFile != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		pem, err := os.ReadFile(f.caFile)
		if err != nil {
			return nil, usage(fmt.Errorf("--ca-file %s: %w", f.caFile, errorCause(err)))
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, usage(fmt.Errorf("--ca-file %s: it holds no certificate", f.caFile))
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	client := &http.Client{Transport: transport}
	return func(ctx context.Context, url string) (io.ReadCloser, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK {
			_ = resp.Body.Close() // the status is what went wrong
			return nil, fmt.Errorf("get %s: %s", url, resp.Status)
		}
		return resp.Body, nil
	}, nil
}
