package audit

import (
	"errors"
	"testing"
	"time"
)

// Direct runs of one audit take turns in the order in which they began.
func TestTurns(t *testing.T) { onBoth(t, testTurns) }

func testTurns(t *testing.T, s *Store, _ *clock) {
	if err := s.Configure(t.Context(), []Audit{{Name: "web", Target: TargetSpec{VM: &VMSpec{}}}, {Name: "other", Target: TargetSpec{VM: &VMSpec{}}}}); err != nil {
		t.Fatal(err)
	}
	var runs []*Run
	for _, name := range []string{"other", "web", "web", "web"} {
		time.Sleep(2 * time.Millisecond) // ids order runs by the millisecond
		run, err := s.Begin(t.Context(), name, CauseDirect)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, run)
	}
	first, second, third := runs[1], runs[2], runs[3]
	if err := s.Turn(t.Context(), first, func() { t.Error("the first run of an audit waits") }); err != nil {
		t.Fatal(err)
	}
	waits, came := make(chan struct{}), make(chan error)
	go func() { came <- s.Turn(t.Context(), third, func() { close(waits) }) }()
	<-waits
	if err := s.Record(t.Context(), first.ID, report("a")); err != nil {
		t.Fatal(err)
	}
	if err := s.Turn(t.Context(), second, func() { t.Error("the second run waits, and none is before it") }); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-came:
		t.Fatalf("the third run did not wait for the second: %v", err)
	default:
	}
	if err := s.Fail(t.Context(), second.ID, errors.New("it was broken off")); err != nil {
		t.Fatal(err)
	}
	if err := <-came; err != nil {
		t.Fatal(err)
	}
}
