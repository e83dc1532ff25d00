package image

import (
	"container/list"
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/postscan/postscan/scanner/inventory"
)

// layerReader reads layers, each distinct one once: images that share a base wait
// for the same reading, later ones take it from memory or from the cache.
type layerReader struct {
	opts    inventory.Options
	version string
	lim     Limits
	cache   *cache
	log     *slog.Logger
	slots   chan struct{} // bounds how many layers are read at a time

	running sync.WaitGroup
	mu      sync.Mutex
	flights map[string]*flight
	recent  recent
}

// flight is one reading that may have several waiters. It ends early when the last
// of them has gone: of an image that failed, layers that nobody else waits for are not
// read on, and an image that comes later reads them again.
type flight struct {
	done    chan struct{}
	res     *layerResult
	err     error
	waiters int
	cancel  context.CancelFunc
}

func newLayerReader(opts inventory.Options, lim Limits, c *cache, parallel int, log *slog.Logger) *layerReader {
	return &layerReader{
		opts: opts, version: opts.Version(), lim: lim, cache: c, log: log,
		slots: make(chan struct{}, parallel), flights: map[string]*flight{},
		recent: recent{most: recentSize, byKey: map[string]*list.Element{}},
	}
}

// read returns what the layer yields. progress is told of stored bytes as they
// arrive, by the first who asks for the layer.
func (r *layerReader) read(ctx context.Context, b blob, progress func(int64)) (*layerResult, error) {
	key := layerKey(b, r.version)
	for {
		r.mu.Lock()
		if res := r.recent.get(key); res != nil {
			r.mu.Unlock()
			return res, nil
		}
		f, running := r.flights[key]
		if !running {
			f = r.start(ctx, key, b, progress)
		}
		f.waiters++
		r.mu.Unlock()

		select {
		case <-f.done:
			r.leave(f)
			// The reading was another image's, from a place that may be worse than
			// ours, or it was cancelled in the moment we came: try our own.
			if f.err != nil && running && ctx.Err() == nil {
				continue
			}
			return f.res, f.err
		case <-ctx.Done():
			r.leave(f)
			return nil, context.Cause(ctx)
		}
	}
}

// start begins a reading. The lock is held.
func (r *layerReader) start(ctx context.Context, key string, b blob, progress func(int64)) *flight {
	// The reading belongs to all who wait for it, not to the first of them.
	fctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{done: make(chan struct{}), cancel: cancel}
	r.flights[key] = f
	r.running.Go(func() {
		defer cancel()
		var res *layerResult
		var size int64
		err := guard(r.log, func() (err error) {
			res, size, err = r.load(fctx, key, b, progress)
			return err
		})
		r.mu.Lock()
		f.res, f.err = res, err
		delete(r.flights, key)
		if err == nil {
			r.recent.put(key, res, size)
		}
		r.mu.Unlock()
		close(f.done)
	})
	return f
}

// wait waits for readings that nobody waits for any more: they are cancelled, and
// must not write to a cache folder that is being removed.
func (r *layerReader) wait() { r.running.Wait() }

// leave is called by each waiter once; the last one ends the reading.
func (r *layerReader) leave(f *flight) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		f.cancel()
	}
}

// load takes the layer from the cache or reads it.
func (r *layerReader) load(ctx context.Context, key string, b blob, progress func(int64)) (*layerResult, int64, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, 0, context.Cause(ctx)
	}
	if res, size := r.cache.layer(key); res != nil {
		return res, size, nil
	}
	res, err := scanLayer(ctx, b, r.opts, r.lim, progress)
	if err != nil {
		return nil, 0, fmt.Errorf("layer %s: %w", b.digest, err)
	}
	return res, r.cache.keepLayer(key, res), nil
}

// recentSize bounds the results that are kept decoded, by their size in the cache.
const recentSize = 16 << 20

// recent keeps the results that were used last. What falls out is in the cache.
type recent struct {
	most  int64
	sum   int64
	order list.List // of recentEntry, last used first
	byKey map[string]*list.Element
}

type recentEntry struct {
	key  string
	res  *layerResult
	size int64
}

func (r *recent) get(key string) *layerResult {
	e, ok := r.byKey[key]
	if !ok {
		return nil
	}
	r.order.MoveToFront(e)
	return e.Value.(recentEntry).res
}

func (r *recent) put(key string, res *layerResult, size int64) {
	if _, ok := r.byKey[key]; ok || size > r.most {
		return
	}
	r.byKey[key] = r.order.PushFront(recentEntry{key, res, size})
	for r.sum += size; r.sum > r.most; {
		last := r.order.Back()
		old := r.order.Remove(last).(recentEntry)
		delete(r.byKey, old.key)
		r.sum -= old.size
	}
}
