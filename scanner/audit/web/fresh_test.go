package web

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counting is an answer that takes a second to ask for, and says which it is.
func counting(asked *atomic.Int64) *fresh[int64] {
	return newFresh(func(context.Context) (int64, error) {
		time.Sleep(time.Second)
		return asked.Add(1), nil
	})
}

func TestFreshAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		f := counting(&asked)
		get := func(want int64, most time.Duration) {
			t.Helper()
			began := time.Now()
			got, err := f.get(t.Context())
			if took := time.Since(began); got != want || err != nil || took > most {
				t.Errorf("the answer %d, %v after %s; want %d within %s", got, err, took, want, most)
			}
		}
		var first sync.WaitGroup // many at once wait for the same
		for range 20 {
			first.Go(func() { get(1, time.Second) })
		}
		first.Wait()
		time.Sleep(2 * time.Second)
		get(1, 0) // of this moment
		time.Sleep(3 * time.Second)
		for range 20 {
			get(1, 0) // nobody waits while it is asked for anew
		}
		time.Sleep(time.Second)
		synctest.Wait()
		get(2, 0)
		f.wrote()
		get(3, time.Second) // who wrote sees it
		time.Sleep(time.Hour)
		get(4, time.Second) // too old to be shown
		if n := asked.Load(); n != 4 {
			t.Errorf("it was asked for %d times, want 4", n)
		}
	})
}

// An answer that was asked for before something was written is not shown after it.
func TestFreshAfterAWriteInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		f := counting(&asked)
		go func() { _, _ = f.get(context.Background()) }()
		time.Sleep(time.Second / 2)
		f.wrote()
		began := time.Now()
		if _, err := f.get(t.Context()); err != nil || time.Since(began) != time.Second {
			t.Errorf("the answer came after %s, %v: it began before the write", time.Since(began), err)
		}
		if asked.Load() != 2 {
			t.Errorf("it was asked for %d times", asked.Load())
		}
	})
}

func TestFreshFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("no database")
		var err error
		f := newFresh(func(ctx context.Context) (string, error) { return "here", err })
		if v, err := f.get(t.Context()); v != "here" || err != nil {
			t.Fatal(v, err)
		}
		err = broken
		time.Sleep(2 * time.Second)
		if v, err := f.get(t.Context()); v != "here" || err != nil {
			t.Errorf("what was kept is not shown: %q, %v", v, err)
		}
		time.Sleep(time.Minute)
		if _, err := f.get(t.Context()); !errors.Is(err, broken) {
			t.Errorf("an answer of a minute ago: %v, want the failure", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		slow := newFresh(func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
		if _, err := slow.get(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("who left waits: %v", err)
		}
		time.Sleep(2 * longestAsk) // the question ends by itself
	})
}
