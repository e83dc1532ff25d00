package web

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// parallelUploads are read at the same time; others wait, for many clusters scan at the
	// same minute of the night.
	parallelUploads = 4
	// uploadPatience is how long they wait.
	uploadPatience = 30 * time.Second
	// elementShare is how many bytes of the limit of an upload one element of a list in it
	// has at least: what takes three bytes as JSON may take a hundred times that as a report.
	elementShare = 64
)

// upload takes the report of a scan that ran elsewhere.
func (s *server) upload(w http.ResponseWriter, r *http.Request) {
	u := s.user(r)
	if name := r.PathValue("name"); u.Audit != name {
		s.fail(w, r, http.StatusForbidden, fmt.Sprintf("this token uploads for the audit %q alone", u.Audit))
		return
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	case <-r.Context().Done():
		return
	case <-time.After(uploadPatience):
		w.Header().Set("Retry-After", "10")
		s.fail(w, r, http.StatusServiceUnavailable, "too many uploads at once; try again in some seconds")
		return
	}
	data, err := s.body(w, r)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	if n := elements(data); n > int(s.MaxUpload/elementShare) {
		s.fail(w, r, http.StatusRequestEntityTooLarge, fmt.Sprintf("the upload lists %d things, more than a report of its size can", n))
		return
	}
	rep, err := s.Decode(data)
	if err != nil {
		s.problem(w, r, bad("the upload is no report of postscan: %s", err))
		return
	}
	run, err := s.Store.Upload(r.Context(), r.PathValue("name"), r.PathValue("id"), rep)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	s.wrote()
	s.write(w, http.StatusOK, run)
}

// body reads an upload, gzip or plain, within the limit.
func (s *server) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var in io.Reader = http.MaxBytesReader(w, r.Body, s.MaxUpload)
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, bad("the upload says that it is gzip, and is not")
		}
		in = io.LimitReader(z, s.MaxUpload+1)
	default:
		return nil, bad("the upload is packed as %q; send it plain or as gzip", encoding)
	}
	data, err := io.ReadAll(in)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large), int64(len(data)) > s.MaxUpload:
		return nil, errTooLarge
	case errors.Is(err, context.Canceled):
		return nil, err
	case err != nil:
		return nil, bad("the upload broke off: %s", err)
	}
	return data, nil
}

// elements counts the elements of all lists in a JSON text. What it says of other
// texts does not matter, for they are refused.
func elements(data []byte) int {
	n, quoted, escaped := 0, false, false
	var lists []bool // of what is open: whether it is a list
	for _, c := range data {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '[', c == '{':
			lists = append(lists, c == '[')
			if c == '[' {
				n++
			}
		case (c == ']' || c == '}') && len(lists) > 0:
			lists = lists[:len(lists)-1]
		case c == ',' && len(lists) > 0 && lists[len(lists)-1]:
			n++
		}
	}
	return n
}
