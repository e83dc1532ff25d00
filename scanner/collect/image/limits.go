package image

import (
	"fmt"
	"time"
)

// Limits bound what one image may cost. A zero field has its default. An image
// that passes a limit is not scanned by half: its target fails, and the error
// names the limit.
type Limits struct {
	Size         int64         // uncompressed bytes of all layers; default 32 GiB
	Files        int           // entries of all layers; default 2,000,000
	File         int64         // bytes of a single file that is read; default 512 MiB, see inventory.Options.MaxFile
	ArchiveDepth int           // archives in archives; default 8
	Ratio        int           // uncompressed to compressed bytes of a layer, once it is above 256 MiB; default 300
	Time         time.Duration // for one image; default 1 hour
	Spool        int64         // bytes on disk for an image from an engine or a compressed archive; default 32 GiB
}

// ratioFloor is the uncompressed size below which the compression ratio is not
// looked at: a small file of zeros is no attack.
const ratioFloor = 256 << 20

func (l Limits) withDefaults() Limits {
	if l.Size <= 0 {
		l.Size = 32 << 30
	}
	if l.Files <= 0 {
		l.Files = 2_000_000
	}
	if l.File <= 0 {
		l.File = 512 << 20
	}
	if l.ArchiveDepth <= 0 {
		l.ArchiveDepth = 8
	}
	if l.Ratio <= 0 {
		l.Ratio = 300
	}
	if l.Time <= 0 {
		l.Time = time.Hour
	}
	if l.Spool <= 0 {
		l.Spool = 32 << 30
	}
	return l
}

func sizeError(most int64) error {
	return fmt.Errorf("%w: the layers unpack to more than %d bytes; if that is as it should be, raise --max-size", ErrLimit, most)
}

func filesError(most int) error {
	return fmt.Errorf("%w: the layers hold more than %d files; if that is as it should be, raise --max-files", ErrLimit, most)
}

func ratioError(most int) error {
	return fmt.Errorf("%w: the layer unpacks to more than %d times its size, like a decompression bomb; if that is as it should be, raise --max-ratio", ErrLimit, most)
}

func spoolError(most int64) error {
	return fmt.Errorf("%w: the image takes more than %d bytes on disk; if that is as it should be, raise --max-spool", ErrLimit, most)
}

func timeError(most time.Duration) error {
	return fmt.Errorf("%w: not done after %s; if that is as it should be, raise --image-timeout", ErrLimit, most)
}
