package web

import (
	"context"
	"sync"
	"time"
)

// fresh keeps an answer that takes long to ask for. Who asks gets what is kept; where
// that is not of this moment, it is asked for anew behind their back, by one at a
// time. They wait where there is nothing to show, where it is too old to be shown,
// and where something was written since: who starts a run or uploads a report then
// sees it.
type fresh[T any] struct {
	ask func(context.Context) (T, error)

	mu      sync.Mutex
	value   T
	written int       // how often something was written
	kept    int       // the value of written that the kept answer has seen; -1 for no answer
	at      time.Time // when it was asked for
	until   time.Time // until when it is of this moment
	running *asking[T]
}

// asking is one that is under way.
type asking[T any] struct {
	written int // the value of fresh.written at its beginning
	done    chan struct{}
	value   T
	err     error
}

const (
	// freshness is for how long an answer is of this moment, at least: what takes long
	// to ask for is asked for less often.
	freshness = time.Second
	// stalest is how old an answer may be that is shown while the next is asked for.
	stalest = 10 * time.Second
	// longestAsk bounds one that nobody may be waiting for any more.
	longestAsk = time.Minute
)

func newFresh[T any](ask func(context.Context) (T, error)) *fresh[T] {
	return &fresh[T]{ask: ask, kept: -1}
}

// wrote says that what was kept is not the truth any more.
func (f *fresh[T]) wrote() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written++
}

func (f *fresh[T]) get(ctx context.Context) (T, error) {
	f.mu.Lock()
	now := time.Now()
	value, shown := f.value, f.kept == f.written && now.Before(f.at.Add(stalest))
	if shown && now.Before(f.until) {
		f.mu.Unlock()
		return value, nil
	}
	run := f.running
	if run == nil || run.written != f.written {
		run = &asking[T]{written: f.written, done: make(chan struct{})}
		f.running = run
		go f.refresh(context.WithoutCancel(ctx), run)
	}
	f.mu.Unlock()
	if shown {
		return value, nil
	}
	select {
	case <-run.done:
		return run.value, run.err
	case <-ctx.Done():
		return value, ctx.Err()
	}
}

// refresh asks, and keeps the answer unless one that began later is kept already.
func (f *fresh[T]) refresh(ctx context.Context, run *asking[T]) {
	ctx, cancel := context.WithTimeout(ctx, longestAsk)
	defer cancel()
	began := time.Now()
	run.value, run.err = f.ask(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running == run {
		f.running = nil
	}
	if run.err == nil && run.written >= f.kept {
		took := time.Since(began)
		f.value, f.kept, f.at, f.until = run.value, run.written, began, began.Add(max(freshness, min(6*took, stalest/2)))
	}
	close(run.done)
}
