package image

import (
	"errors"
	"io"
	"sync"
)

// aheadSize and aheadCount bound what is read in advance: 1 MiB for each stage.
const (
	aheadSize  = 256 << 10
	aheadCount = 4
)

// errStopped ends the goroutine of an ahead that is closed early.
var errStopped = errors.New("reader is closed")

// ahead reads from a source on a goroutine of its own, so that fetching,
// decompressing and looking at files overlap.
type ahead struct {
	full   chan []byte
	free   chan []byte
	stop   chan struct{}
	done   chan struct{}
	cur    []byte
	whole  []byte // the buffer that cur is a part of
	err    error  // of the source; read only after full is closed
	closed sync.Once
}

// readAhead starts reading src. tap sees every byte once, on that goroutine, before
// it is handed on. The source is not closed.
func readAhead(src io.Reader, tap func([]byte) error) *ahead {
	a := &ahead{
		full: make(chan []byte, aheadCount), free: make(chan []byte, aheadCount),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	for range aheadCount {
		a.free <- nil // made on first use: most layers are small
	}
	go a.run(src, tap)
	return a
}

func (a *ahead) run(src io.Reader, tap func([]byte) error) {
	defer close(a.done)
	defer close(a.full)
	size := 16 << 10
	for {
		var buf []byte
		select {
		case buf = <-a.free:
		case <-a.stop:
			a.err = errStopped
			return
		}
		if cap(buf) < size {
			buf = make([]byte, size)
		}
		size = min(2*size, aheadSize)
		n, err := fill(src, buf[:cap(buf)])
		if n > 0 {
			if terr := tap(buf[:n]); terr != nil {
				a.err = terr
				return
			}
			a.full <- buf[:n] // never blocks: there are no more buffers than places
		}
		if err != nil {
			a.err = err
			return
		}
	}
}

// fill reads until the buffer is full or the source ends.
func fill(src io.Reader, buf []byte) (int, error) {
	n, idle := 0, 0
	for n < len(buf) {
		m, err := src.Read(buf[n:])
		n += m
		if err != nil {
			return n, err
		}
		if m == 0 {
			if idle++; idle > 100 {
				return n, io.ErrNoProgress
			}
			continue
		}
		idle = 0
	}
	return n, nil
}

// Read implements [io.Reader].
func (a *ahead) Read(p []byte) (int, error) {
	if len(a.cur) == 0 && !a.next() {
		return 0, a.err
	}
	n := copy(p, a.cur)
	a.cur = a.cur[n:]
	return n, nil
}

// next takes the next full buffer.
func (a *ahead) next() bool {
	if a.whole != nil {
		a.free <- a.whole
		a.whole = nil
	}
	buf, ok := <-a.full
	if !ok {
		return false
	}
	a.cur, a.whole = buf, buf[:cap(buf)]
	return true
}

// WriteTo implements [io.WriterTo], so that skipping a file copies nothing.
func (a *ahead) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for len(a.cur) > 0 || a.next() {
		n, err := w.Write(a.cur)
		total += int64(n)
		a.cur = a.cur[n:]
		if err != nil {
			return total, err
		}
	}
	if errors.Is(a.err, io.EOF) {
		return total, nil
	}
	return total, a.err
}

// failure returns what ended the source, nil where that was its end or nothing did yet.
func (a *ahead) failure() error {
	select {
	case <-a.done:
	default:
		return nil
	}
	if errors.Is(a.err, io.EOF) || errors.Is(a.err, errStopped) {
		return nil
	}
	return a.err
}

// close ends the goroutine and waits for it. The source must not block for ever:
// whoever closes early cancels the source's context first.
func (a *ahead) close() {
	a.closed.Do(func() { close(a.stop) })
	<-a.done
}

// peek returns the first n bytes of the stream without taking them; fewer where
// it is shorter, with the error that ended it. It works before the first Read.
func (a *ahead) peek(n int) (string, error) {
	if len(a.cur) == 0 && !a.next() {
		return "", a.err
	}
	return string(a.cur[:min(n, len(a.cur))]), nil
}
