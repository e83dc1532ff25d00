package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/docker/cli/cli/connhelper"
	"github.com/moby/moby/client"
)

// open finds out which engine answers and returns its API.
func (s *session) open(ctx context.Context) (api, error) {
	if s.place.kind == containerd || s.place.kind == crio {
		return s.openCRI(ctx)
	}
	e, err := s.openHTTP(ctx)
	if err == nil || s.place.kind != "" || s.place.path == "" || !errors.Is(err, errNotHTTP) {
		return e, err
	}
	return s.openCRI(ctx)
}

// errNotHTTP: something answers, but not in HTTP.
var errNotHTTP = errors.New("it does not speak Docker's API")

// openHTTP opens an engine that speaks Docker's API: Docker, or Podman beside its own.
func (s *session) openHTTP(ctx context.Context) (api, error) {
	if s.place.path != "" {
		// The error of a plain connection says best what is wrong with a socket.
		d := net.Dialer{Timeout: s.opts.CallTimeout}
		c, err := d.DialContext(ctx, "unix", s.place.path)
		if err != nil {
			return nil, fmt.Errorf("open the socket: %w", err)
		}
		_ = c.Close()
	}
	opts := []client.Opt{client.WithUserAgent("postscan")}
	switch {
	case strings.HasPrefix(s.place.ref, "ssh://"):
		helper, err := connhelper.GetConnectionHelper(s.place.ref)
		if err != nil {
			return nil, fmt.Errorf("prepare ssh: %w", err)
		}
		transport := &http.Transport{DialContext: helper.Dialer, MaxIdleConnsPerHost: s.opts.Parallel, IdleConnTimeout: 30 * time.Second}
		opts = append(opts, client.WithHTTPClient(&http.Client{Transport: transport}), client.WithHost(helper.Host), client.WithDialContext(helper.Dialer))
	case s.place.path != "":
		opts = append(opts, client.WithHost(s.place.ref))
	default:
		opts = append(opts, client.WithHost(s.place.ref))
		if dir := s.opts.Getenv("DOCKER_CERT_PATH"); dir != "" {
			opts = append(opts, client.WithTLSClientConfig(dir+"/ca.pem", dir+"/cert.pem", dir+"/key.pem"))
		}
	}
	cli, err := client.New(opts...)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection: %w", err)
	}
	server := ""
	err = s.call(ctx, "speak to the engine", func(ctx context.Context) error {
		var err error
		if server, err = serverHeader(ctx, cli); err != nil {
			return err
		}
		_, err = cli.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
		return err
	})
	if err != nil {
		_ = cli.Close()
		return nil, err
	}
	d := &dockerAPI{cli: cli, http: plainHTTP(cli)}
	if strings.HasPrefix(server, "Libpod/") {
		return &podmanAPI{dockerAPI: d}, nil
	}
	return d, nil
}

// plainHTTP speaks to the same engine what the client does not know.
func plainHTTP(cli *client.Client) *http.Client {
	dial := cli.Dialer()
	return &http.Client{Transport: &http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DialTLSContext:      func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second,
	}}
}

// serverHeader asks for the name of the program that answers: "Docker/20.10 (linux)", "Libpod/4.3.1 (linux)".
func serverHeader(ctx context.Context, cli *client.Client) (string, error) {
	c := plainHTTP(cli)
	defer c.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/_ping", nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		if strings.Contains(err.Error(), "malformed HTTP") || strings.Contains(err.Error(), "EOF") {
			return "", fmt.Errorf("%w: %w", errNotHTTP, err)
		}
		return "", err
	}
	_ = resp.Body.Close()
	return resp.Header.Get("Server"), nil
}
