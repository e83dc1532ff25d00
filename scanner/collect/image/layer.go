package image

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/postscan/postscan/scanner/inventory"
)

// layerResult is what one layer yields.
type layerResult struct {
	Layer  *inventory.Layer `json:"layer"`
	Digest string           `json:"digest"` // of the stored bytes
	Bytes  int64            `json:"bytes"`  // uncompressed
	Files  int              `json:"files"`  // entries
}

// scanLayer streams a layer once: stored bytes → digest → decompression → diff ID
// → tar → inventory. Each arrow that costs time has a goroutine of its own.
// progress is called with the number of stored bytes that arrived.
func scanLayer(ctx context.Context, b blob, opts inventory.Options, lim Limits, progress func(int64)) (*layerResult, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close() //nolint:errcheck // read only

	digest := &hasher{Hash: sha256.New(), alg: "sha256"}
	if b.digest != "" {
		if digest, err = newHasher(b.digest); err != nil {
			return nil, err
		}
	}
	diffID, err := newHasher(b.diffID)
	if err != nil {
		return nil, err
	}
	// A layer that is stored as it is has one digest, and is hashed once.
	same := b.digest == b.diffID
	meter := &meter{lim: lim}
	stored := readAhead(&cancelled{ctx, body}, func(p []byte) error {
		_, _ = digest.Write(p)
		meter.stored.Add(int64(len(p)))
		progress(int64(len(p)))
		return nil
	})
	defer stored.close()
	plainTar, closeTar, err := decompress(stored)
	if err != nil {
		return nil, err
	}
	defer closeTar()
	var unpacked io.Reader
	if plainTar != io.Reader(stored) {
		a := readAhead(plainTar, func(p []byte) error {
			_, _ = diffID.Write(p)
			return meter.add(len(p))
		})
		// Runs before closeTar: nothing may read from a decompressor that is closed.
		defer a.close()
		defer cancel()
		unpacked = a
	} else {
		unpacked = &metered{r: stored, tap: func(p []byte) error {
			if !same {
				_, _ = diffID.Write(p)
			}
			return meter.add(len(p))
		}}
	}

	scan := inventory.NewLayer(opts)
	files, err := walkTar(ctx, unpacked, scan, lim)
	if err == nil {
		// What stands behind the end of the archive belongs to the digests.
		_, err = io.Copy(io.Discard, unpacked)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, stored)
	}
	if err != nil {
		// A connection that broke is the cause, not the archive that ends for it.
		if below := stored.failure(); below != nil {
			err = below
		}
		return nil, layerError(ctx, err)
	}
	if b.size > 0 && meter.stored.Load() != b.size {
		return nil, fmt.Errorf("%w: the manifest says %d bytes, there are %d", ErrTruncated, b.size, meter.stored.Load())
	}
	if b.digest != "" {
		if err := digest.check(); err != nil {
			return nil, err
		}
	}
	if !same {
		if err := diffID.check(); err != nil {
			return nil, fmt.Errorf("unpacked: %w", err)
		}
	}
	layer, err := scan.Finish(ctx)
	if err != nil {
		return nil, err
	}
	return &layerResult{Layer: layer, Digest: digest.sum(), Bytes: meter.unpacked, Files: files}, nil
}

// layerError gives an error of decoding its type.
func layerError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, ErrLimit), errors.Is(err, ErrTruncated), errors.Is(err, ErrCorrupt):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the layer ends in the middle of a file", ErrTruncated)
	case errors.Is(err, tar.ErrHeader), errors.Is(err, tar.ErrFieldTooLong), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return fmt.Errorf("%w: the layer is no archive of files: %s", ErrCorrupt, plain(err.Error()))
	default:
		return redact(err)
	}
}

// The first bytes of what we can decompress.
const (
	magicGzip = "\x1f\x8b"
	magicZstd = "\x28\xb5\x2f\xfd"
	// zstd:chunked and others may begin with a skippable frame: 0x184D2A50 to 5F.
	magicSkip = "\x2a\x4d\x18"
)

// zstdWindow bounds the memory of one zstd stream. The format's recommendation is
// 8 MiB; long modes of some builders use up to 128 MiB.
const zstdWindow = 128 << 20

// compression tells how content is compressed by its first four bytes: gzip, zstd
// or "" for not at all.
func compression(head string) string {
	switch {
	case strings.HasPrefix(head, magicGzip):
		return "gzip"
	case strings.HasPrefix(head, magicZstd), len(head) >= 4 && head[0]&0xf0 == 0x50 && head[1:4] == magicSkip:
		return "zstd"
	default:
		return ""
	}
}

// decompress looks at the first bytes and returns the plain stream; where the
// content is not compressed that is the reader itself.
func decompress(a *ahead) (io.Reader, func(), error) {
	head, err := a.peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, redact(err)
	}
	switch compression(head) {
	case "gzip":
		// The gzip reader takes single bytes; without a buffer of its own it would make one.
		zr, err := gzip.NewReader(bufio.NewReaderSize(a, 64<<10))
		if err != nil {
			return nil, nil, fmt.Errorf("%w: gzip: %s", ErrCorrupt, plain(err.Error()))
		}
		return &decoding{r: zr, format: "gzip"}, func() { _ = zr.Close() }, nil
	case "zstd":
		zr, err := zstd.NewReader(a, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, nil, fmt.Errorf("%w: zstd: %s", ErrCorrupt, plain(err.Error()))
		}
		return &decoding{r: zr, format: "zstd"}, zr.Close, nil
	default:
		return a, func() {}, nil
	}
}

// decoding marks errors of a decompressor as faults of the content. Those that come
// from below are told apart by ahead.failure.
type decoding struct {
	r      io.Reader
	format string
}

func (d *decoding) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return n, fmt.Errorf("%w: the %s stream ends too early", ErrTruncated, d.format)
	}
	return n, fmt.Errorf("%w: %s: %w", ErrCorrupt, d.format, err)
}

// walkTar hands every entry of the archive to the scan and returns how many there were.
func walkTar(ctx context.Context, r io.Reader, scan layerScan, lim Limits) (int, error) {
	tr := tar.NewReader(r)
	files := 0
	for {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return files, err
		}
		if files++; files > lim.Files {
			return files, filesError(lim.Files)
		}
		if files%256 == 0 && ctx.Err() != nil {
			return files, context.Cause(ctx)
		}
		e, ok := entry(hdr)
		if !ok {
			continue
		}
		if err := scan.Add(ctx, e, tr); err != nil {
			return files, err
		}
	}
}

// layerScan is what walkTar feeds.
type layerScan interface {
	Add(ctx context.Context, e inventory.Entry, content io.Reader) error
}

// entry turns a tar header into an entry of a file tree. Entries that are no
// files (PAX global headers) and the root itself give false.
func entry(hdr *tar.Header) (inventory.Entry, bool) {
	e := inventory.Entry{
		Path: cleanPath(hdr.Name), UID: hdr.Uid, GID: hdr.Gid,
		Mode: hdr.FileInfo().Mode(),
	}
	if e.Path == "" {
		return e, false
	}
	switch hdr.Typeflag {
	case tar.TypeReg, tar.TypeRegA, tar.TypeGNUSparse, tar.TypeCont: //nolint:staticcheck // old archives have TypeRegA
		e.Size = hdr.Size
		e.Mode &^= fs.ModeType
	case tar.TypeLink:
		e.HardLink, e.Link = true, cleanPath(hdr.Linkname)
		e.Mode &^= fs.ModeType
	case tar.TypeSymlink:
		e.Link = hdr.Linkname
	case tar.TypeDir, tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
	default:
		return e, false
	}
	if c := hdr.PAXRecords["SCHILY.xattr.security.capability"]; c != "" {
		e.Capability = []byte(c)
	}
	return e, true
}

// cleanPath makes a name of an archive a path below the root: "/etc/passwd",
// "./etc/passwd" and "../etc/passwd" all are "etc/passwd", as a runtime would put
// them. The root itself is "".
func cleanPath(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}
