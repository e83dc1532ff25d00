package inventory

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
)

const (
	// zipMaxDirectory bounds an archive's list of members in bytes, which is held
	// in memory. The largest real ones have some 16 MiB.
	zipMaxDirectory = 32 << 20
	zipMaxMembers   = 300_000
)

// openZip opens an archive after a look at how long its list of members is.
func openZip(f *spooled) (*zip.Reader, error) {
	if err := checkZipDirectory(f); err != nil {
		return nil, err
	}
	zr, err := zip.NewReader(f, f.size)
	if err != nil {
		return nil, err
	}
	zr.RegisterDecompressor(zip.Deflate, flate.NewReader)
	if len(zr.File) > zipMaxMembers {
		return nil, fmt.Errorf("it has %d members, more than the limit of %d", len(zr.File), zipMaxMembers)
	}
	return zr, nil
}

// checkZipDirectory finds the end record, as archive/zip does, and refuses a list
// of members that is too long.
func checkZipDirectory(f *spooled) error {
	tail := make([]byte, min(f.size, 65*1024))
	if _, err := f.ReadAt(tail, f.size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return readError{err}
	}
	const record = 22
	for i := len(tail) - record; i >= 0; i-- {
		if !bytes.HasPrefix(tail[i:], []byte("PK\x05\x06")) {
			continue
		}
		size := uint64(binary.LittleEndian.Uint32(tail[i+12:]))
		if size == 0xffffffff {
			// The zip64 record stands before its locator, which stands before this.
			if i < 20 || !bytes.HasPrefix(tail[i-20:], []byte("PK\x06\x07")) {
				return zip.ErrFormat
			}
			at := binary.LittleEndian.Uint64(tail[i-12:])
			rec := make([]byte, 56)
			if at > uint64(f.size) { //nolint:gosec // a size is not negative
				return zip.ErrFormat
			}
			if _, err := f.ReadAt(rec, int64(at)); err != nil { //nolint:gosec // bounded above
				return zip.ErrFormat
			}
			size = binary.LittleEndian.Uint64(rec[40:])
		}
		if size > zipMaxDirectory {
			return fmt.Errorf("its list of members has %d bytes, more than the limit of %d", size, zipMaxDirectory)
		}
		return nil
	}
	return zip.ErrFormat
}
