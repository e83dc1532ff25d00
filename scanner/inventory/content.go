package inventory

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"runtime"
)

const (
	// headSize is enough to tell what kind of file it is.
	headSize = 512
	// memorySize is what is kept of a file in memory before it is spooled.
	memorySize = 1 << 20
	// textSize is the longest record file that is parsed as a whole.
	textSize = 32 << 20
)

// errTooLarge says that a file exceeds what may be read of it.
var errTooLarge = errors.New("larger than the limit")

// content reads one file of the stream, no further than it is asked to.
type content struct {
	r    io.Reader
	buf  []byte // what has been read, from the start of the file
	done bool   // buf is the whole file
	sum  hash.Hash
}

// fill reads until buf holds n bytes or the whole file.
func (c *content) fill(n int) error {
	for len(c.buf) < n && !c.done {
		if len(c.buf) == cap(c.buf) {
			grown := make([]byte, len(c.buf), max(2*cap(c.buf), 4096))
			copy(grown, c.buf)
			c.buf = grown
		}
		k, err := c.r.Read(c.buf[len(c.buf):min(cap(c.buf), max(n, len(c.buf)+1))])
		if c.sum != nil {
			_, _ = c.sum.Write(c.buf[len(c.buf) : len(c.buf)+k])
		}
		c.buf = c.buf[:len(c.buf)+k]
		if errors.Is(err, io.EOF) {
			c.done = true
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// whole returns the complete file, or errTooLarge if it is longer than limit.
func (c *content) whole(limit int) ([]byte, error) {
	if err := c.fill(limit + 1); err != nil {
		return nil, readError{err}
	}
	if len(c.buf) > limit {
		return nil, fmt.Errorf("%w of %d bytes for a file of its kind", errTooLarge, limit)
	}
	return c.buf, nil
}

// Read continues behind buf.
func (c *content) Read(p []byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	n, err := c.r.Read(p)
	if c.sum != nil {
		_, _ = c.sum.Write(p[:n])
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = readError{err}
	}
	return n, err
}

// stream returns a reader of the file from its start. It may be used once.
func (c *content) stream() io.Reader {
	return io.MultiReader(bytes.NewReader(c.buf), c)
}

// digest reads the rest of the file and returns its SHA-256.
func (c *content) digest() ([sha256.Size]byte, error) {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return [sha256.Size]byte{}, err
	}
	return [sha256.Size]byte(c.sum.Sum(nil)), nil
}

// readError marks errors of the stream itself and of this machine, which end the
// layer, unlike those of a parser, which concern one file and may be kept.
type readError struct{ err error }

func (e readError) Error() string { return e.err.Error() }
func (e readError) Unwrap() error { return e.err }

// spooled is a file that can be read at random: in memory, or in a temporary file
// that has no name any more.
type spooled struct {
	io.ReaderAt
	size int64
	file *os.File
}

func (s *spooled) Close() {
	if s.file == nil {
		return
	}
	_ = s.file.Close()
	if runtime.GOOS == "windows" {
		_ = os.Remove(s.file.Name())
	}
}

func (s *spooled) section() *io.SectionReader { return io.NewSectionReader(s.ReaderAt, 0, s.size) }

// RandomAccess is content that can be read anywhere, as a file on disk can. Where
// the reader that [LayerScan.Add] gets is one, nothing is copied.
type RandomAccess interface {
	io.ReaderAt
	// Size is the length in bytes.
	Size() int64
}

// spool keeps the whole file for reading at random, in dir where it is longer than
// memorySize. It returns errTooLarge for a file longer than limit.
func (c *content) spool(dir string, limit int64) (*spooled, error) {
	if ra, ok := c.r.(RandomAccess); ok {
		size := ra.Size()
		if size > limit {
			return nil, fmt.Errorf("%w of %d bytes for a single file", errTooLarge, limit)
		}
		return &spooled{ReaderAt: ra, size: size}, nil
	}
	if err := c.fill(int(min(memorySize, limit)) + 1); err != nil {
		return nil, readError{err}
	}
	if c.done && int64(len(c.buf)) <= limit {
		return &spooled{ReaderAt: bytes.NewReader(c.buf), size: int64(len(c.buf))}, nil
	}
	return spoolFile(c.stream(), dir, limit)
}

// spoolWriter marks errors of writing: a full disk says nothing about the file.
type spoolWriter struct{ f *os.File }

func (w spoolWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
		err = readError{fmt.Errorf("write a temporary file: %w", err)}
	}
	return n, err
}

// spoolFile copies r into a temporary file in dir.
func spoolFile(r io.Reader, dir string, limit int64) (*spooled, error) {
	f, err := os.CreateTemp(dir, "postscan-")
	if err != nil {
		return nil, readError{fmt.Errorf("make a temporary file: %w", err)}
	}
	if runtime.GOOS != "windows" {
		// Without a name it cannot be left behind. Windows refuses this.
		if err := os.Remove(f.Name()); err != nil {
			_ = f.Close()
			return nil, readError{fmt.Errorf("unlink the temporary file %s: %w", f.Name(), err)}
		}
	}
	s := &spooled{ReaderAt: f, file: f}
	s.size, err = io.Copy(spoolWriter{f}, io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		s.Close()
		return nil, err
	case s.size > limit:
		s.Close()
		return nil, fmt.Errorf("%w of %d bytes for a single file", errTooLarge, limit)
	}
	return s, nil
}
