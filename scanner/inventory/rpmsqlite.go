package inventory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// sqliteMagic starts every SQLite file. Of SQLite this package reads one thing:
// the second column of the table Packages. That needs no SQL and no file with a
// name, only the b-tree of a table, whose pages are either interior (5: numbers
// of child pages) or leaves (13: rows). A long row goes on in overflow pages.
const (
	sqliteMagic    = "SQLite format 3\x00"
	sqliteInterior = 5
	sqliteLeaf     = 13
	sqliteMaxDepth = 32
)

// readRPMSQLite calls each with every package header of rpm's SQLite database.
func readRPMSQLite(r io.ReaderAt, size int64, each func([]byte) error) error {
	head := make([]byte, 100)
	if _, err := r.ReadAt(head, 0); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the database is cut off")
		}
		return readError{err}
	}
	page := int64(binary.BigEndian.Uint16(head[16:]))
	if page == 1 {
		page = 64 << 10
	}
	if page < 512 || page&(page-1) != 0 || int64(head[20]) > page-480 {
		return fmt.Errorf("the database has pages of %d bytes", page)
	}
	if enc := binary.BigEndian.Uint32(head[56:]); enc > 1 {
		return errors.New("the database is not written in UTF-8")
	}
	db := &sqlite{r: r, size: size, page: page, usable: page - int64(head[20])}
	root := int64(0)
	err := db.table(1, 0, map[int64]bool{}, func(row []byte) error {
		cols, err := sqliteRow(row, 4)
		if err != nil {
			return err
		}
		if string(cols[0]) == "table" && string(cols[1]) == "Packages" {
			root = sqliteInt(cols[3])
		}
		return nil
	})
	if err != nil {
		return err
	}
	if root == 0 {
		return errors.New("the database has no table of packages")
	}
	return db.table(root, 0, map[int64]bool{}, func(row []byte) error {
		cols, err := sqliteRow(row, 2)
		if err != nil {
			return err
		}
		return each(cols[1])
	})
}

type sqlite struct {
	r            io.ReaderAt
	size         int64
	page, usable int64
}

func (db *sqlite) read(n int64) ([]byte, error) {
	if n < 1 || n*db.page > db.size {
		return nil, fmt.Errorf("the database has no page %d", n)
	}
	buf := make([]byte, db.page)
	if _, err := db.r.ReadAt(buf, (n-1)*db.page); err != nil && !errors.Is(err, io.EOF) {
		return nil, readError{err}
	}
	return buf, nil
}

// table calls each with every row of the table that starts at page n. seen keeps a
// page from being read twice.
func (db *sqlite) table(n int64, depth int, seen map[int64]bool, each func([]byte) error) error {
	if seen[n] || depth > sqliteMaxDepth {
		return errors.New("the database has a table that contains itself")
	}
	seen[n] = true
	buf, err := db.read(n)
	if err != nil {
		return err
	}
	start := 0
	if n == 1 {
		start = 100 // behind the file's header
	}
	kind, cells := buf[start], int(binary.BigEndian.Uint16(buf[start+3:]))
	header := 8
	if kind == sqliteInterior {
		header = 12
	}
	if kind != sqliteInterior && kind != sqliteLeaf || start+header+2*cells > len(buf) {
		return fmt.Errorf("page %d of the database is no part of a table", n)
	}
	for i := range cells {
		at := int(binary.BigEndian.Uint16(buf[start+header+2*i:]))
		if at+4 > len(buf) {
			return fmt.Errorf("page %d of the database is broken", n)
		}
		if kind == sqliteInterior {
			err = db.table(int64(binary.BigEndian.Uint32(buf[at:])), depth+1, seen, each)
		} else {
			err = db.cell(buf[:db.usable], at, each)
		}
		if err != nil {
			return err
		}
	}
	if kind == sqliteInterior {
		return db.table(int64(binary.BigEndian.Uint32(buf[start+8:])), depth+1, seen, each)
	}
	return nil
}

// cell reads one row: its length, its number, and as much of it as the page holds.
func (db *sqlite) cell(buf []byte, at int, each func([]byte) error) error {
	if at > len(buf) {
		return errors.New("the database has a row outside of its page")
	}
	rest := buf[at:]
	length, n := sqliteVarint(rest)
	_, m := sqliteVarint(rest[n:])
	if n == 0 || m == 0 || length < 0 || length > db.size || length > rpmMaxHeader {
		return errors.New("the database has a row of an impossible length")
	}
	rest = rest[n+m:]
	local := length
	if most := db.usable - 35; length > most {
		least := (db.usable-12)*32/255 - 23
		local = least + (length-least)%(db.usable-4)
		if local > most {
			local = least
		}
	}
	if local > int64(len(rest)) {
		return errors.New("the database has a row that leaves its page")
	}
	if local == length {
		return each(rest[:length])
	}
	if local+4 > int64(len(rest)) {
		return errors.New("the database has a row that leaves its page")
	}
	row := append(make([]byte, 0, length), rest[:local]...)
	next := int64(binary.BigEndian.Uint32(rest[local:]))
	for int64(len(row)) < length {
		page, err := db.read(next)
		if err != nil {
			return err
		}
		next = int64(binary.BigEndian.Uint32(page))
		row = append(row, page[4:min(db.usable, 4+length-int64(len(row)))]...)
	}
	return each(row)
}

// sqliteRow returns the first columns of a row: text, blobs and integers as they
// are stored.
func sqliteRow(row []byte, columns int) ([][]byte, error) {
	headLen, n := sqliteVarint(row)
	if n == 0 || headLen < int64(n) || headLen > int64(len(row)) {
		return nil, errors.New("the database has a broken row")
	}
	head, body := row[n:headLen], row[headLen:]
	out := make([][]byte, 0, columns)
	for len(out) < columns {
		kind, n := sqliteVarint(head)
		if n == 0 {
			return nil, errors.New("the database has a row with too few columns")
		}
		head = head[n:]
		var size int64
		switch {
		case kind >= 12:
			size = (kind - 12) / 2
		case kind >= 1 && kind <= 4:
			size = kind
		case kind == 5:
			size = 6
		case kind == 6 || kind == 7:
			size = 8
		}
		if size > int64(len(body)) {
			return nil, errors.New("the database has a row that is cut off")
		}
		col := body[:size]
		if kind == 9 { // the constant 1 takes no space
			col = []byte{1}
		}
		out = append(out, col)
		body = body[size:]
	}
	return out, nil
}

// sqliteInt reads a big-endian integer of up to eight bytes.
func sqliteInt(b []byte) int64 {
	var v int64
	for _, c := range b {
		v = v<<8 | int64(c)
	}
	return v
}

// sqliteVarint reads an integer of one to nine bytes; n is 0 where there is none.
func sqliteVarint(b []byte) (v int64, n int) {
	for i := 0; i < len(b) && i < 9; i++ {
		if i == 8 {
			return v<<8 | int64(b[i]), 9
		}
		v = v<<7 | int64(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
