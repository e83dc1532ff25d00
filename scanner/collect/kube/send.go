package kube

import (
	"context"
	"sync"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// Sender sends resources to a sink on several goroutines, for the sink judges
// on the goroutine that sends. The order in which the sink sees them is not
// defined.
type Sender struct {
	ctx    context.Context //nolint:containedctx // it lives as long as the goroutines do
	cancel context.CancelCauseFunc
	queue  chan *facts.Resource
	wg     sync.WaitGroup
}

// NewSender starts the goroutines. The returned context ends when the sink
// refuses a resource; [Sender.Close] has to be called.
func NewSender(ctx context.Context, sink scanner.Sink, parallel int) (*Sender, context.Context) {
	s := &Sender{queue: make(chan *facts.Resource, parallel)}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	for range max(parallel, 1) {
		s.wg.Go(func() {
			for r := range s.queue {
				if s.ctx.Err() != nil {
					continue // the queue still has to run empty
				}
				if err := sink.Resource(s.ctx, r); err != nil {
					s.cancel(err)
				}
			}
		})
	}
	return s, s.ctx
}

// Send gives a resource away, and waits where all goroutines are busy. It
// reports false once the sink has refused one or the context has ended.
func (s *Sender) Send(r *facts.Resource) bool {
	select {
	case s.queue <- r:
		return s.ctx.Err() == nil
	case <-s.ctx.Done():
		return false
	}
}

// Close waits for what was sent and returns the first error of the sink, or the
// context's.
func (s *Sender) Close() error {
	close(s.queue)
	s.wg.Wait()
	err := context.Cause(s.ctx)
	s.cancel(nil)
	return err
}

// Send joins the set and sends every resource.
func Send(ctx context.Context, set *Set, sink scanner.Sink, parallel int) error {
	s, _ := NewSender(ctx, sink, parallel)
	for r := range set.Resources() {
		if !s.Send(r) {
			break
		}
	}
	return s.Close()
}
