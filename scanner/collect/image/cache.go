package image

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// cache keeps results of layers, and manifests and configurations, in a folder:
//
//	layers/<key>   what a layer yielded, by digest, diff ID and collector version
//	blobs/<hex>    manifests and configurations, by their own SHA-256
//
// Files appear whole or not at all (written beside, then renamed). An entry is
// believed only if its checksum and its key fit; another is removed. A cache that
// cannot be written costs time and nothing else. It is safe for concurrent use,
// also by several processes.
type cache struct {
	dir  string
	most int64 // bytes; older entries make way
	log  *slog.Logger
	full sync.Once // the warning about writing comes once
}

// defaultCacheSize bounds the cache folder.
const defaultCacheSize = 1 << 30

// tempAge is after how long a temporary file is known to be left over.
const tempAge = time.Hour

// openCache makes the folder. Where that fails, the cache is used for nothing.
func openCache(dir string, most int64, log *slog.Logger) *cache {
	if most <= 0 {
		most = defaultCacheSize
	}
	c := &cache{dir: dir, most: most, log: log}
	for _, sub := range []string{"layers", "blobs"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			c.warn(err)
			return nil
		}
	}
	return c
}

// cacheHeader is the first line of a layer's file; the second is the content.
type cacheHeader struct {
	Key    string `json:"key"`    // what it is kept by, in clear
	SHA256 string `json:"sha256"` // of the content
}

// layerKey names a layer's result.
func layerKey(b blob, version string) string {
	return version + " " + b.digest + " " + b.diffID
}

func (c *cache) layerFile(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(c.dir, "layers", hex.EncodeToString(sum[:]))
}

// layer returns a kept result, nil where there is none.
func (c *cache) layer(key string) (res *layerResult, size int64) {
	if c == nil {
		return nil, 0
	}
	file := c.layerFile(key)
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0
	}
	if err == nil {
		res, err = decodeLayer(raw, key)
	}
	if err != nil {
		c.drop(file, err)
		return nil, 0
	}
	c.touch(file)
	return res, int64(len(raw))
}

// decodeLayer verifies and decodes a layer's file.
func decodeLayer(raw []byte, key string) (*layerResult, error) {
	first, content, ok := bytes.Cut(raw, []byte("\n"))
	var head cacheHeader
	if !ok || json.Unmarshal(first, &head) != nil {
		return nil, errors.New("it has no header")
	}
	if head.Key != key {
		return nil, errors.New("it belongs to another layer or version")
	}
	sum := sha256.Sum256(content)
	if hex.EncodeToString(sum[:]) != head.SHA256 {
		return nil, errors.New("its checksum is wrong")
	}
	var res layerResult
	if err := json.Unmarshal(content, &res); err != nil {
		return nil, fmt.Errorf("it cannot be decoded: %w", err)
	}
	if res.Layer == nil {
		return nil, errors.New("it is empty")
	}
	return &res, nil
}

// keepLayer writes a result and returns its size, also where there is no cache.
func (c *cache) keepLayer(key string, res *layerResult) int64 {
	content, err := json.Marshal(res)
	if c == nil {
		return int64(len(content))
	}
	if err != nil {
		c.warn(err)
		return 0
	}
	sum := sha256.Sum256(content)
	head, err := json.Marshal(cacheHeader{Key: key, SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		c.warn(err)
		return 0
	}
	c.write(c.layerFile(key), append(append(head, '\n'), content...))
	return int64(len(content))
}

// blob returns a kept manifest or configuration, nil where there is none.
func (c *cache) blob(h v1.Hash) []byte {
	if c == nil || h.Algorithm != "sha256" {
		return nil
	}
	file := filepath.Join(c.dir, "blobs", h.Hex)
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = verifyBytes(raw, h.String())
	}
	if err != nil {
		c.drop(file, err)
		return nil
	}
	c.touch(file)
	return raw
}

// keepBlob writes a manifest or configuration, which was verified.
func (c *cache) keepBlob(h v1.Hash, raw []byte) {
	if c == nil || h.Algorithm != "sha256" {
		return
	}
	c.write(filepath.Join(c.dir, "blobs", h.Hex), raw)
}

// write puts a file in place in one step.
func (c *cache) write(file string, content []byte) {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".tmp-*")
	if err != nil {
		c.warn(err)
		return
	}
	_, err = tmp.Write(content)
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		c.warn(err)
	}
}

// touch marks an entry as used, for prune.
func (c *cache) touch(file string) {
	now := time.Now()
	_ = os.Chtimes(file, now, now) // a read-only cache serves all the same
}

// drop removes an entry that must not be believed.
func (c *cache) drop(file string, why error) {
	c.log.Warn("cache entry is not used and is removed", "file", file, "reason", why)
	_ = os.Remove(file)
}

// warn says once that the cache cannot be written.
func (c *cache) warn(err error) {
	c.full.Do(func() {
		c.log.Warn("cache cannot be written; the scan goes on without", "folder", c.dir, "reason", err)
	})
}

// prune removes the entries that were not used for longest until the rest fits,
// and temporary files that a killed process left.
func (c *cache) prune(ctx context.Context) {
	if c == nil {
		return
	}
	type entry struct {
		file string
		size int64
		used time.Time
	}
	var list []entry
	var sum int64
	for _, sub := range []string{"layers", "blobs"} {
		files, err := os.ReadDir(filepath.Join(c.dir, sub))
		if err != nil {
			return
		}
		for _, f := range files {
			info, err := f.Info()
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			name := filepath.Join(c.dir, sub, f.Name())
			if strings.HasPrefix(f.Name(), ".tmp-") {
				if time.Since(info.ModTime()) > tempAge {
					_ = os.Remove(name)
				}
				continue
			}
			list = append(list, entry{name, info.Size(), info.ModTime()})
			sum += info.Size()
		}
	}
	if sum <= c.most {
		return
	}
	slices.SortFunc(list, func(a, b entry) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.file, b.file)) })
	for _, e := range list {
		if sum <= c.most || ctx.Err() != nil {
			return
		}
		if os.Remove(e.file) == nil {
			sum -= e.size
		}
	}
}
