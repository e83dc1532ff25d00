package cli

import (
	"context"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/filter"
)

// annotated shows the annotations of what a collector sees to their filter.
type annotated struct {
	scanner.Collector
	notes *filter.Annotations
}

// Collect implements [scanner.Collector].
func (c annotated) Collect(ctx context.Context, sink scanner.Sink) error {
	return c.Collector.Collect(ctx, annotatedSink{sink, c.notes})
}

type annotatedSink struct {
	scanner.Sink
	notes *filter.Annotations
}

// Resource implements [scanner.Sink].
func (s annotatedSink) Resource(ctx context.Context, r *facts.Resource) error {
	s.notes.Add(r)
	return s.Sink.Resource(ctx, r)
}
