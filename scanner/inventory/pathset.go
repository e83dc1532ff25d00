package inventory

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
)

// pathSet remembers which paths a layer holds by their 64-bit hashes, so that a
// layer of a million files costs 8 MB and not its names. It is collected with add,
// then sorted once; has needs a sorted set.
type pathSet []uint64

// hashPath is FNV-1a over the path. It is part of what is kept on disk, so it
// must not differ from run to run.
func hashPath(p string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(p) {
		h ^= uint64(p[i])
		h *= 1099511628211
	}
	return h
}

func (s *pathSet) add(p string) { *s = append(*s, hashPath(p)) }

func (s *pathSet) sort() {
	slices.Sort(*s)
	*s = slices.Compact(*s)
}

func (s pathSet) has(p string) bool {
	_, ok := slices.BinarySearch(s, hashPath(p))
	return ok
}

// MarshalJSON writes the hashes as one base64 string.
func (s pathSet) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 8*len(s))
	for _, h := range s {
		b = binary.LittleEndian.AppendUint64(b, h)
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(b))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *pathSet) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("read a set of paths: %w", err)
	}
	if len(raw)%8 != 0 {
		return fmt.Errorf("read a set of paths: %d bytes are no whole number of hashes", len(raw))
	}
	out := make(pathSet, 0, len(raw)/8)
	for i := 0; i < len(raw); i += 8 {
		out = append(out, binary.LittleEndian.Uint64(raw[i:]))
	}
	if !slices.IsSorted(out) {
		return fmt.Errorf("read a set of paths: it is not sorted")
	}
	*s = out
	return nil
}
