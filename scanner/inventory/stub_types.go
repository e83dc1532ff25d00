package inventory

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
)

type build struct{ Path string }
type archive struct{ Path string }
type secretFile struct{ Path string }
type privileged struct{ Path string }
type writable struct{ Path string }
type restricted struct{ Path string }
type accounts struct{ Path string }
type sudoFile struct{ Path string }
type program struct{ Path string }
type sshFile struct{ Path string }
type malware struct{ Path string }
type secretScanner struct{}

func newSecretScanner() *secretScanner                                            { return nil }
func (s *LayerScan) scanSecrets(ctx context.Context, p string, r io.Reader) error { return nil }
func (s *LayerScan) addDirectory(e Entry)                                         {}
func (s *LayerScan) addSymlink(e Entry)                                           {}
func (s *LayerScan) addFileMode(e Entry)                                          {}
func (s *LayerScan) addDigest(p string, sum [sha256.Size]byte)                    {}
func shortDigest(lines []string) string {
	h := sha256.New()
	for _, l := range lines {
		_, _ = io.WriteString(h, l)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}
