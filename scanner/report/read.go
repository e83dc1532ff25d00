package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// Read reads a report that [JSON] wrote. Writing it again gives the same bytes.
// The error says so where r holds something else, another major version of the
// schema, a report that is cut off, or more than one. Fields that this version
// does not know are dropped. Long lists are decoded on all cores.
func Read(r io.Reader) (*scanner.Report, error) {
	c, rep := newCutter(r), &scanner.Report{}
	err := c.begin()
	if err == nil {
		err = readDocument(c, rep)
	}
	if err == nil {
		err = c.end()
	}
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends too early: write the report again")
		}
		return nil, fmt.Errorf("read report: %w", err)
	}
	if rep.Schema == "" {
		return nil, errors.New("read report: it has no schema; is this a file of -o json?")
	}
	return rep, nil
}

func readDocument(c *cutter, rep *scanner.Report) error {
	if err := c.expect('{'); err != nil {
		return err
	}
	rules, once := map[string]*scanner.Rule{}, newShared()
	for last, err := c.closes('}'); !last; last, err = c.ends('}') {
		if err != nil {
			return err
		}
		var name string
		if err := c.decode(&name); err != nil {
			return err
		}
		if err := c.expect(':'); err != nil {
			return err
		}
		if err := readField(c, name, rep, rules, once); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func readField(c *cutter, name string, rep *scanner.Report, rules map[string]*scanner.Rule, once *shared) (err error) {
	switch name {
	case "schema":
		if err := c.decode(&rep.Schema); err != nil {
			return err
		}
		if rep.Schema != scanner.ReportSchema {
			return fmt.Errorf("it is %q, this version reads %q", rep.Schema, scanner.ReportSchema)
		}
		return nil
	case "run":
		return c.decode(&rep.Run)
	case "sources":
		rep.Sources, err = readList(c, decode[facts.Source], nil)
	case "summary":
		return c.decode(&rep.Summary)
	case "checks":
		rep.Checks, err = readList(c, decode[scanner.CheckCount], nil)
		for i, c := range rep.Checks {
			if c.Rule == nil {
				return fmt.Errorf("item %d: it has no id", i)
			}
			rules[c.ID] = c.Rule
		}
	case "packages":
		rep.Packages, err = readList(c, decode[scanner.PackageEntry], once.packaged)
	case "findings":
		rep.Findings, err = readList(c, findingDecoder(rules), once.finding)
	case "gaps":
		rep.Gaps, err = readList(c, decode[scanner.GapEntry], once.gap)
	case "notices":
		rep.Notices, err = readList(c, decode[scanner.Notice], nil)
	case "baseline":
		return c.decode(&rep.Baseline)
	case "isolation": // one of another version of the model too: its groups say all that is shown of them
		return c.decode(&rep.Isolation)
	case "images":
		rep.Images, err = readList(c, decode[scanner.RunningImage], nil)
	case "compliance":
		rep.Compliance, err = readList(c, decode[scanner.Framework], nil)
	case "outcomes":
		rep.Outcomes, err = readList(c, decode[scanner.OutcomeEntry], once.outcome)
	default: // a newer minor version
		var skip json.RawMessage
		return c.decode(&skip)
	}
	return err
}

// findingDecoder decodes findings, which share the rules of the checks.
func findingDecoder(rules map[string]*scanner.Rule) func(*json.Decoder) (scanner.Finding, error) {
	return func(dec *json.Decoder) (scanner.Finding, error) {
		d, err := decode[scanner.FindingDocument](dec)
		if err != nil {
			return scanner.Finding{}, err
		}
		if d.Check == "" || len(d.Evidence) == 0 {
			return scanner.Finding{}, errors.New("it has no check or no evidence")
		}
		return d.Finding(rules), nil
	}
}

func decode[T any](dec *json.Decoder) (item T, err error) { return item, dec.Decode(&item) }

// chunkBytes is how much of a list is decoded in one go: enough that what it
// costs to hand it over does not count, and little enough to be held for each core.
const chunkBytes = 256 << 10

// chunk is a part of a list that is decoded beside others.
type chunk[T any] struct {
	first int    // the number of its first item
	count int    // of items
	text  []byte // the items, one after the other
	items []T    // what they are, once done has told
	done  chan error
}

func (ch *chunk[T]) decode(item func(*json.Decoder) (T, error)) {
	dec := newDecoder(ch.text)
	ch.items = make([]T, 0, ch.count)
	for i := range ch.count {
		one, err := item(dec)
		if err != nil {
			ch.done <- fmt.Errorf("item %d: %w", ch.first+i, err)
			return
		}
		ch.items = append(ch.items, one)
	}
	ch.text = nil
	ch.done <- wholly(dec)
}

// readList reads a list. item decodes one, beside others; share sees each
// in the list's order, one at a time; nil is for lists that repeat nothing.
func readList[T any](c *cutter, item func(*json.Decoder) (T, error), share func(*T)) ([]T, error) {
	if err := c.expect('['); err != nil {
		return nil, err
	}
	list := []T{}
	var waiting []*chunk[T]
	defer func() {
		for _, ch := range waiting {
			<-ch.done //nolint:errcheck // another error is told already; nothing goes on that nobody waits for
		}
	}()
	// take adds the oldest chunks to the list until no more than most are left.
	take := func(most int) error {
		for len(waiting) > most {
			ch := waiting[0]
			waiting = waiting[1:]
			if err := <-ch.done; err != nil {
				return err
			}
			for i := range ch.items {
				if share != nil {
					share(&ch.items[i])
				}
			}
			list = append(list, ch.items...)
		}
		return nil
	}
	last, err := c.closes(']')
	for number := 0; err == nil && !last; {
		ch := &chunk[T]{first: number, done: make(chan error, 1)}
		for err == nil && !last && len(ch.text) < chunkBytes {
			if ch.text, err = c.value(append(ch.text, '\n')); err == nil {
				last, err = c.ends(']')
				ch.count++
			}
		}
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", ch.first+ch.count, err)
		}
		number += ch.count
		waiting = append(waiting, ch)
		go ch.decode(item)
		err = take(runtime.GOMAXPROCS(0))
	}
	if err == nil {
		err = take(0)
	}
	return list, err
}

// newDecoder keeps numbers as they are written.
func newDecoder(text []byte) *json.Decoder {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return dec
}

// wholly says what is wrong where a decoder has more than was taken from it.
func wholly(dec *json.Decoder) error {
	if dec.More() {
		return errors.New("something stands between two values")
	}
	return nil
}
