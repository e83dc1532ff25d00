package inventory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A Berkeley DB hash file is a row of pages of equal size. The first describes the
// file. Pages of the hash table hold offsets of keys and values in turn; rpm's
// values are long, so the page holds the number of the first of a chain of
// overflow pages that hold the value itself.
const (
	bdbMagic         = 0x00061561
	bdbPageHeader    = 26
	bdbFree          = 0
	bdbHashUnsorted  = 2
	bdbOverflow      = 7
	bdbHashMeta      = 8
	bdbHash          = 13
	bdbValueOffPage  = 3
	bdbOffPageLength = 12
)

// readBDB calls each with every value of a hash file of Berkeley DB. head is its
// start.
func readBDB(r io.ReaderAt, size int64, head []byte, each func([]byte) error) error {
	if len(head) < 72 {
		return errors.New("it is too short for a database of rpm")
	}
	var order binary.ByteOrder = binary.LittleEndian
	if order.Uint32(head[12:]) != bdbMagic {
		order = binary.BigEndian
	}
	if order.Uint32(head[12:]) != bdbMagic || head[25] != bdbHashMeta {
		return errors.New("it is no database of rpm: neither Berkeley DB, ndb nor SQLite")
	}
	if head[24] != 0 {
		return errors.New("the database is encrypted")
	}
	db := &bdb{r: r, size: size, order: order, page: int64(order.Uint32(head[20:]))}
	if db.page < 512 || db.page > 64<<10 || db.page&(db.page-1) != 0 {
		return fmt.Errorf("the database has pages of %d bytes", db.page)
	}
	db.buf = make([]byte, db.page)
	last := int64(order.Uint32(head[32:]))
	for n := int64(1); n <= last; n++ {
		if n*db.page >= size {
			return fmt.Errorf("the database ends before page %d of %d", n, last)
		}
		if err := db.hashPage(n, each); err != nil {
			return err
		}
	}
	return nil
}

type bdb struct {
	r     io.ReaderAt
	size  int64
	order binary.ByteOrder
	page  int64
	buf   []byte
}

func (db *bdb) read(n int64, buf []byte) error {
	if _, err := db.r.ReadAt(buf, n*db.page); err != nil {
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the database ends within page %d", n)
		}
		return readError{err}
	}
	return nil
}

// hashPage reads the values of one page of the hash table.
func (db *bdb) hashPage(n int64, each func([]byte) error) error {
	if err := db.read(n, db.buf); err != nil {
		return err
	}
	switch kind := db.buf[25]; kind {
	case bdbHash, bdbHashUnsorted:
	case bdbFree, bdbOverflow, bdbHashMeta:
		return nil
	default:
		return fmt.Errorf("page %d of the database is of a kind that no database of rpm has", n)
	}
	entries := int(db.order.Uint16(db.buf[20:]))
	if entries%2 != 0 || bdbPageHeader+2*entries > len(db.buf) {
		return fmt.Errorf("page %d of the database has %d entries", n, entries)
	}
	page := append([]byte(nil), db.buf...) // chain reads use buf
	for i := 1; i < entries; i += 2 {
		at := int(db.order.Uint16(page[bdbPageHeader+2*i:]))
		if at >= len(page) || page[at] != bdbValueOffPage {
			continue // a short value: rpm's own counter
		}
		if at+bdbOffPageLength > len(page) {
			return fmt.Errorf("page %d of the database is broken", n)
		}
		first, length := db.order.Uint32(page[at+4:]), db.order.Uint32(page[at+8:])
		value, err := db.chain(int64(first), int64(length))
		if err != nil {
			return err
		}
		if err := each(value); err != nil {
			return err
		}
	}
	return nil
}

// chain reads a value from its overflow pages.
func (db *bdb) chain(n, length int64) ([]byte, error) {
	if length > db.size || length > rpmMaxHeader {
		return nil, fmt.Errorf("the database has a value of %d bytes", length)
	}
	value := make([]byte, 0, length)
	for n != 0 {
		if int64(len(value)) > length || n*db.page >= db.size {
			return nil, errors.New("the database has a chain of pages without an end")
		}
		if err := db.read(n, db.buf); err != nil {
			return nil, err
		}
		if db.buf[25] != bdbOverflow {
			return nil, fmt.Errorf("page %d of the database is not what a value needs", n)
		}
		next := int64(db.order.Uint32(db.buf[16:]))
		used := len(db.buf) - bdbPageHeader
		if next == 0 {
			used = min(used, int(db.order.Uint16(db.buf[22:])))
		}
		if used == 0 {
			return nil, errors.New("the database has a chain of empty pages")
		}
		value = append(value, db.buf[bdbPageHeader:bdbPageHeader+used]...)
		n = next
	}
	return value, nil
}
