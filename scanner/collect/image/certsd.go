package image

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// certsDirs lists where Docker and Podman keep the certificates of single
// registries, as HOST:PORT/ca.crt, client.cert and client.key; the user's first.
func certsDirs() []string {
	var dirs []string
	if home, err := os.UserConfigDir(); err == nil {
		dirs = append(dirs, filepath.Join(home, "containers", "certs.d"), filepath.Join(home, "docker", "certs.d"))
	}
	return append(dirs, "/etc/containers/certs.d", "/etc/docker/certs.d")
}

// certified speaks to each host with the certificates that are kept for it, beside
// those that hold for all.
type certified struct {
	dirs []string
	base *http.Transport
	log  *slog.Logger
	own  sync.Map // host → *onceValue[*http.Transport]
}

// RoundTrip implements [http.RoundTripper].
func (c *certified) RoundTrip(req *http.Request) (*http.Response, error) {
	slot, _ := c.own.LoadOrStore(req.URL.Host, &onceValue[*http.Transport]{})
	t, err := slot.(*onceValue[*http.Transport]).get(func() (*http.Transport, error) { return c.forHost(req.URL.Host) })
	if err != nil {
		return nil, err
	}
	return t.RoundTrip(req)
}

// forHost returns the transport for one host: the common one where nothing is kept
// for it.
func (c *certified) forHost(host string) (*http.Transport, error) {
	if !filepath.IsLocal(host) { // a redirect may name anything
		return c.base, nil
	}
	for _, dir := range c.dirs {
		entries, err := os.ReadDir(filepath.Join(dir, host))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			c.log.Warn("certificates of a registry are not read, going on without", "registry", host, "reason", err)
			continue
		}
		t := c.base.Clone()
		for _, e := range entries {
			if err := c.add(t.TLSClientConfig, filepath.Join(dir, host, e.Name())); err != nil {
				return nil, err
			}
		}
		return t, nil
	}
	return c.base, nil
}

// add takes one file into the settings. A key that may not be read is told: the
// registry may do without it.
func (c *certified) add(conf *tls.Config, file string) error {
	switch filepath.Ext(file) {
	case ".crt":
		pem, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read the authority of a registry: %w", err)
		}
		pool, err := x509.SystemCertPool()
		switch {
		case conf.RootCAs != nil:
			pool = conf.RootCAs.Clone()
		case err != nil:
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return fmt.Errorf("read the authority of a registry: %q holds no PEM certificate", file)
		}
		conf.RootCAs = pool
	case ".cert":
		pair, err := tls.LoadX509KeyPair(file, strings.TrimSuffix(file, ".cert")+".key")
		if err != nil {
			c.log.Warn("the certificate for a registry is not used", "file", file, "reason", err)
			return nil
		}
		conf.Certificates = append(conf.Certificates, pair)
	}
	return nil
}
