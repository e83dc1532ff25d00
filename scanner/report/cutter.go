package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// cutter cuts a JSON text into its values by their brackets and quotes alone, so
// that others can decode them at the same time. What is wrong within a value is
// found when it is decoded. A text that is cut off is io.ErrUnexpectedEOF.
type cutter struct{ r *bufio.Reader }

func newCutter(r io.Reader) *cutter { return &cutter{bufio.NewReaderSize(r, 1<<16)} }

// peek returns the next byte that is no white space, and leaves it there.
func (c *cutter) peek() (byte, error) {
	for {
		b, err := c.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		case !isSpace(b):
			return b, c.r.UnreadByte()
		}
	}
}

// begin says what a text is that begins like no object.
func (c *cutter) begin() error {
	b, err := c.peek()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it is empty")
	case err != nil:
		return err
	case b == 0xff || b == 0xfe:
		return errors.New("it is UTF-16, as some shells write what they redirect: let postscan write it, with -o json=FILE")
	case b == 0xef:
		return errors.New("it begins with bytes that are no JSON: write it in UTF-8, without a byte order mark")
	case b != '{':
		return fmt.Errorf("it begins with %q and not with '{': is this a file of -o json?", b)
	}
	return nil
}

// end returns an error where something follows.
func (c *cutter) end() error {
	b, err := c.peek()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil
	case err != nil:
		return err
	default:
		return fmt.Errorf("%q follows its end: give one report", b)
	}
}

// expect reads one byte that must be there.
func (c *cutter) expect(want byte) error {
	b, err := c.peek()
	if err != nil {
		return err
	}
	if b != want {
		return fmt.Errorf("found %q where %q was expected", b, want)
	}
	_, err = c.r.Discard(1)
	return err
}

// closes reads the closing bracket of a list or an object that holds nothing, and
// says whether it was there.
func (c *cutter) closes(bracket byte) (bool, error) {
	b, err := c.peek()
	if err != nil || b != bracket {
		return false, err
	}
	_, err = c.r.Discard(1)
	return true, err
}

// ends reads what follows an item: a comma, or the closing bracket, for which it
// returns true.
func (c *cutter) ends(bracket byte) (bool, error) {
	last, err := c.closes(bracket)
	if err == nil && !last {
		err = c.expect(',')
	}
	return last, err
}

// decode decodes the next value.
func (c *cutter) decode(into any) error {
	text, err := c.value(nil)
	if err != nil {
		return err
	}
	dec := newDecoder(text)
	if err := dec.Decode(into); err != nil {
		return err
	}
	return wholly(dec)
}

// value appends the text of the next value.
func (c *cutter) value(text []byte) ([]byte, error) {
	if _, err := c.peek(); err != nil {
		return text, err
	}
	for s := (nesting{}); ; {
		if _, err := c.r.Peek(1); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return text, err
		}
		window, err := c.r.Peek(c.r.Buffered())
		if err != nil {
			return text, err
		}
		n, done := s.scan(window)
		text = append(text, window[:n]...)
		if _, err := c.r.Discard(n); err != nil || done {
			return text, err
		}
	}
}

// nesting is where in a value a cutter is.
type nesting struct {
	depth   int  // of brackets
	quoted  bool // within a text
	escaped bool // after a backslash in a text
	plain   bool // within a number or a word that no bracket holds
}

// scan goes through the next bytes of a value and returns how many of them are
// the value's, and whether it ends there.
func (s *nesting) scan(window []byte) (n int, done bool) {
	for i, b := range window {
		switch {
		case s.escaped:
			s.escaped = false
		case s.quoted:
			s.escaped = b == '\\'
			if b == '"' {
				s.quoted = false
				if s.depth == 0 {
					return i + 1, true
				}
			}
		case s.plain && (isSpace(b) || b == ',' || b == ']' || b == '}'):
			return i, true
		case b == '"' && !s.plain:
			s.quoted = true
		case (b == '{' || b == '[') && !s.plain:
			s.depth++
		case b == '}' || b == ']':
			if s.depth--; s.depth <= 0 {
				return i + 1, true
			}
		case s.depth == 0:
			s.plain = true
		}
	}
	return len(window), false
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }
