package audit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// lookBack bounds how much of a file is searched for a notification that is sent
// again: far more than what is written in the week for which one is tried.
const lookBack = 64 << 20

// lockPause is how long to wait for a file that another process writes to.
const lockPause = 20 * time.Millisecond

// appendOnce writes the line at the end of the file, unless a whole line with the
// key stands there already: whoever is killed after the line is written and before
// that is booked comes again. Half a line, which a killed writer left, is taken away.
// When it returns, the line is on the disk.
func appendOnce(ctx context.Context, name, key string, body []byte) error {
	line := append(bytes.TrimSpace(body), '\n')
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return appendTo(name, line) // a terminal or a pipe keeps nothing that could be looked at
	}
	lock := flock.New(name, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
	defer func() { _ = lock.Close() }() // the process's end would unlock it too
	for {
		if _, err := lock.TryLockContext(ctx, lockPause); err != nil {
			return fmt.Errorf("lock %s: %w", name, err)
		}
		f, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		locked, err := sameFile(lock, f)
		if err == nil && locked {
			return errors.Join(writeOnce(f, key, line), f.Close())
		}
		// It was moved away while this waited: a new one stands in its place.
		if err := errors.Join(err, f.Close(), lock.Unlock()); err != nil {
			return err
		}
	}
}

// sameFile says whether the file that is locked is the one that is open.
func sameFile(lock *flock.Flock, f *os.File) (bool, error) {
	locked, err := lock.Stat()
	if err != nil {
		return false, err
	}
	opened, err := f.Stat()
	return err == nil && os.SameFile(locked, opened), err
}

func appendTo(name string, line []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(line)
	return errors.Join(err, f.Close())
}

func writeOnce(f *os.File, key string, line []byte) error {
	there, torn, err := lastLines(f, key)
	if err != nil {
		return err
	}
	switch {
	case there:
		return f.Sync() // its writer may not have come to it
	case len(torn) > 0 && isOurs(torn, line):
		end, err := f.Seek(0, io.SeekEnd)
		if err == nil {
			err = f.Truncate(end - int64(len(torn)))
		}
		if err != nil {
			return err
		}
	case len(torn) > 0:
		line = append([]byte("\n"), line...) // somebody else's last line stays
	}
	if _, err := f.Write(line); err != nil {
		return err
	}
	return f.Sync()
}

// lastLines looks through the end of the file for a line with the key. torn is what
// stands behind the last whole line.
func lastLines(f *os.File, key string) (there bool, torn []byte, err error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return false, nil, err
	}
	if _, err := f.Seek(max(0, end-lookBack), io.SeekStart); err != nil {
		return false, nil, err
	}
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF):
			return there, line, nil
		case err != nil:
			return false, nil, err
		}
		there = there || holdsKey(line, []byte(key))
	}
}

// holdsKey says whether the line has the key as a word of its own, not as part of a
// longer one.
func holdsKey(line, key []byte) bool {
	for {
		at := bytes.Index(line, key)
		if at < 0 {
			return false
		}
		rest := line[at+len(key):]
		if (at == 0 || !inKey(line[at-1])) && (len(rest) == 0 || !inKey(rest[0])) {
			return true
		}
		line = rest
	}
}

func inKey(c byte) bool {
	return c == '-' || c == '_' || c == '.' || c == '/' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// isOurs says whether the half of a line was written by postscan: it begins as the
// JSON of a notification does, or as the line that is about to be written.
func isOurs(torn, line []byte) bool {
	const begin = `{"key":"`
	n := min(len(torn), len(begin))
	return string(torn[:n]) == begin[:n] || bytes.HasPrefix(line, torn)
}
