package inventory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// An ndb file starts with a header of 32 bytes, which counts the pages of slots
// that follow. A slot of 16 bytes is free (package 0) or points to a block: a
// header of 16 bytes with the length, then the package header.
const (
	ndbMagic     = "RpmP"
	ndbSlotMagic = "Slot"
	ndbBlobMagic = "BlbS"
	ndbPage      = 4096
	ndbBlock     = 16
	ndbMaxPages  = 2048 // rpm's files stay far below
)

// readNDB calls each with every package header in an ndb file.
func readNDB(r io.ReaderAt, size int64, each func([]byte) error) error {
	head := make([]byte, 32)
	if err := ndbRead(r, head, 0); err != nil {
		return err
	}
	if v := binary.LittleEndian.Uint32(head[4:]); v != 0 {
		return fmt.Errorf("the database is of version %d of ndb, which is not known here", v)
	}
	pages := int64(binary.LittleEndian.Uint32(head[12:]))
	if pages == 0 || pages > ndbMaxPages || pages*ndbPage > size {
		return fmt.Errorf("the database has %d pages of slots", pages)
	}
	slots := make([]byte, pages*ndbPage-32)
	if err := ndbRead(r, slots, 32); err != nil {
		return err
	}
	for ; len(slots) > 0; slots = slots[16:] {
		if string(slots[:4]) != ndbSlotMagic {
			return errors.New("the database has a broken slot")
		}
		number := binary.LittleEndian.Uint32(slots[4:])
		if number == 0 {
			continue
		}
		at := int64(binary.LittleEndian.Uint32(slots[8:])) * ndbBlock
		if err := ndbRead(r, head[:16], at); err != nil {
			return err
		}
		length := int64(binary.LittleEndian.Uint32(head[12:]))
		if string(head[:4]) != ndbBlobMagic || binary.LittleEndian.Uint32(head[4:]) != number {
			return fmt.Errorf("the database has lost package %d", number)
		}
		if length > rpmMaxHeader || at+16+length > size {
			return fmt.Errorf("the database says that package %d has %d bytes", number, length)
		}
		header := make([]byte, length)
		if err := ndbRead(r, header, at+16); err != nil {
			return err
		}
		if err := each(header); err != nil {
			return err
		}
	}
	return nil
}

func ndbRead(r io.ReaderAt, b []byte, at int64) error {
	_, err := r.ReadAt(b, at)
	switch {
	case err == nil || errors.Is(err, io.EOF) && len(b) == 0:
		return nil
	case errors.Is(err, io.EOF):
		return errors.New("the database is cut off")
	default:
		return readError{err}
	}
}
