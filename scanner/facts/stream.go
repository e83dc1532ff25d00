package facts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// ErrTruncated says that a stream ends without its trailer: whatever wrote it
// was broken off, so what it does not hold is not known to be absent.
var ErrTruncated = errors.New("facts end without a trailer: the collection was broken off, collect again")

// record is one line of a stream; exactly one field is set.
type record struct {
	Header   *Header   `json:"header,omitempty"`
	Target   *Target   `json:"target,omitempty"`
	Source   *Source   `json:"source,omitempty"`
	Resource *Resource `json:"resource,omitempty"`
	Trailer  *Trailer  `json:"trailer,omitempty"`
}

// A Writer writes a stream as JSON Lines. Nil lists and maps of what it is given
// become empty ones. It is not safe for concurrent use.
type Writer struct {
	enc       *json.Encoder
	resources int
}

// NewWriter writes the header and returns the Writer for the rest.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	h.Schema = Schema
	fw := &Writer{enc: json.NewEncoder(w)}
	fw.enc.SetEscapeHTML(false)
	return fw, fw.write(record{Header: &h})
}

// Target writes a target.
func (w *Writer) Target(t Target) error { return w.write(record{Target: &t}) }

// Source writes a source.
func (w *Writer) Source(s Source) error { return w.write(record{Source: &s}) }

// Resource writes a resource.
func (w *Writer) Resource(r *Resource) error {
	w.resources++
	return w.write(record{Resource: r})
}

func (w *Writer) write(rec record) error {
	normalise(reflect.ValueOf(rec))
	return w.enc.Encode(rec)
}

// Close writes the trailer; broken is the error that ended collection early, or nil.
func (w *Writer) Close(broken error) error {
	t := Trailer{Complete: broken == nil, Resources: w.resources}
	if broken != nil {
		t.Error = broken.Error()
	}
	return w.write(record{Trailer: &t})
}

// A Handler receives a stream in its order. A nil function skips its records.
type Handler struct {
	Target   func(Target) error
	Source   func(Source) error
	Resource func(*Resource) error
}

// Read reads a whole stream from r and hands its records to h. It returns the
// header and trailer, and an error for another schema, an unknown kind, a line
// that is no record, a missing trailer ([ErrTruncated]) or missing resources.
func Read(r io.Reader, h Handler) (Header, Trailer, error) {
	dec := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	head, err := readHeader(dec)
	if err != nil {
		return Header{}, Trailer{}, err
	}
	resources := 0
	for n := 2; ; n++ {
		var rec record
		switch err := dec.Decode(&rec); {
		case errors.Is(err, io.EOF):
			return head, Trailer{}, ErrTruncated
		case errors.Is(err, io.ErrUnexpectedEOF):
			return head, Trailer{}, ErrTruncated
		case err != nil:
			return head, Trailer{}, fmt.Errorf("read facts record %d: %w", n, err)
		}
		var err error
		if rec.Resource != nil {
			resources++
		}
		switch {
		case rec.Trailer != nil && rec.Trailer.Resources != resources:
			return head, *rec.Trailer, fmt.Errorf("read facts: %d resources of %d are there; collect again", resources, rec.Trailer.Resources)
		case rec.Trailer != nil:
			return head, *rec.Trailer, nil
		case rec.Target != nil && h.Target != nil:
			err = h.Target(*rec.Target)
		case rec.Source != nil && h.Source != nil:
			err = h.Source(*rec.Source)
		case rec.Resource != nil && h.Resource != nil:
			err = h.Resource(rec.Resource)
		}
		if err != nil {
			return head, Trailer{}, fmt.Errorf("read facts record %d: %w", n, err)
		}
	}
}

// ReadHeader reads the header alone, for what must be known before the rest. The
// whole stream, header and all, can then be read from the returned reader.
func ReadHeader(r io.Reader) (Header, io.Reader, error) {
	var seen bytes.Buffer
	head, err := readHeader(json.NewDecoder(io.TeeReader(r, &seen)))
	return head, io.MultiReader(&seen, r), err
}

func readHeader(dec *json.Decoder) (Header, error) {
	var rec record
	if err := dec.Decode(&rec); err != nil {
		return Header{}, fmt.Errorf("read facts header: %w; is this a file of --facts-out?", err)
	}
	switch h := rec.Header; {
	case h == nil:
		return Header{}, errors.New("read facts: the first line is no header; is this a file of --facts-out?")
	case h.Schema != Schema:
		return Header{}, fmt.Errorf("read facts: schema is %q, this version reads %q", h.Schema, Schema)
	default:
		return *h, nil
	}
}

// New returns a pointer to an empty facts document of the kind, nil for a kind
// that this version does not know.
func New(k Kind) any {
	switch k {
	case KindImage:
		return new(Image)
	case KindWorkload:
		return new(Workload)
	case KindIdentity:
		return new(Identity)
	case KindRole:
		return new(Role)
	case KindBinding:
		return new(Binding)
	case KindNamespace:
		return new(Namespace)
	case KindNetworkPolicy:
		return new(NetworkPolicy)
	case KindService:
		return new(Service)
	case KindIngress:
		return new(Ingress)
	case KindConfigMap:
		return new(ConfigMap)
	case KindAdmissionPolicy:
		return new(AdmissionPolicy)
	case KindCluster:
		return new(Cluster)
	case KindNode:
		return new(Node)
	case KindEngine:
		return new(Engine)
	case KindContainer:
		return new(EngineContainer)
	case KindVM:
		return new(VM)
	default:
		return nil
	}
}

// Kinds lists every kind that this version knows, in the order of documentation.
func Kinds() []Kind {
	return []Kind{
		KindImage, KindWorkload, KindIdentity, KindRole, KindBinding, KindNamespace, KindNetworkPolicy,
		KindService, KindIngress, KindConfigMap, KindAdmissionPolicy, KindCluster, KindNode, KindVM,
		KindEngine, KindContainer,
	}
}

// UnmarshalJSON decodes Facts into the type of the resource's kind. A field
// that the document lacks (an older minor version wrote it) becomes missing,
// not zero.
func (r *Resource) UnmarshalJSON(b []byte) error {
	type plain Resource // without this method
	var raw struct {
		plain
		Facts json.RawMessage `json:"facts"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*r = Resource(raw.plain)
	doc := New(r.Kind)
	if doc == nil {
		return fmt.Errorf("resource %q is of kind %q, which this version does not know", r.ID, r.Kind)
	}
	if err := json.Unmarshal(raw.Facts, doc); err != nil {
		return fmt.Errorf("facts of %s %q: %w", r.Kind, r.ID, err)
	}
	r.Facts = doc
	absent, err := absentFields(raw.Facts, doc)
	if err != nil {
		return fmt.Errorf("facts of %s %q: %w", r.Kind, r.ID, err)
	}
	for _, path := range absent {
		if _, known := r.Missing[path]; known {
			continue
		}
		if r.Missing == nil {
			r.Missing = map[string]Missing{}
		}
		r.Missing[path] = Missing{Status: Unknown, Reason: "the facts were collected by an older version that did not look"}
	}
	return nil
}

// MissingAt returns the entry that covers the path (its own or a parent's) and
// whether there is one. Of several, the outermost wins.
func (r *Resource) MissingAt(path string) (Missing, bool) {
	if len(r.Missing) == 0 {
		return Missing{}, false
	}
	for i, c := range path {
		if c != '.' && c != '[' {
			continue
		}
		if m, ok := r.Missing[path[:i]]; ok {
			return m, true
		}
		if m, ok := r.Missing[strings.TrimSuffix(path[:i], "[]")]; ok {
			return m, true
		}
	}
	m, ok := r.Missing[path]
	return m, ok
}
