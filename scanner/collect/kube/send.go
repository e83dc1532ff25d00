package kube

import (
	"context"
	"sync"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// Send joins the set and sends every resource to the sink, several at a time,
// for the sink judges on the goroutine that sends. The order in which the sink
// sees them is not defined. It returns the first error of the sink, or the
// context's.
func Send(ctx context.Context, s *Set, sink scanner.Sink, parallel int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan *facts.Resource, parallel)
	var wg sync.WaitGroup
	for range max(parallel, 1) {
		wg.Go(func() {
			for r := range queue {
				if ctx.Err() != nil {
					continue // the queue still has to run empty
				}
				if err := sink.Resource(ctx, r); err != nil {
					cancel(err)
				}
			}
		})
	}
	for r := range s.Resources() {
		select {
		case queue <- r:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	wg.Wait()
	return context.Cause(ctx)
}
