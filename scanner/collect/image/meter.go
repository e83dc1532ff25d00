package image

import (
	"io"
	"sync/atomic"
)

// meter counts the bytes of a layer against the limits. stored is counted by the
// goroutine that reads, unpacked by the one that decompresses.
type meter struct {
	lim      Limits
	stored   atomic.Int64
	unpacked int64
}

// add counts unpacked bytes.
func (m *meter) add(n int) error {
	m.unpacked += int64(n)
	if m.unpacked > m.lim.Size {
		return sizeError(m.lim.Size)
	}
	if m.unpacked > ratioFloor && m.unpacked/int64(m.lim.Ratio) > m.stored.Load() {
		return ratioError(m.lim.Ratio)
	}
	return nil
}

// metered shows every byte to tap as it is read.
type metered struct {
	r   io.Reader
	tap func([]byte) error
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if n > 0 {
		if terr := m.tap(p[:n]); terr != nil {
			return 0, terr
		}
	}
	return n, err
}
