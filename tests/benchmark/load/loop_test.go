package main

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

func quiet(string) {}

func TestOpenLoopCountsFromWhenARequestWasDue(t *testing.T) {
	loop := Loop{workers: 2, duration: time.Second, interval: 10 * time.Millisecond, grace: time.Second, phase: quiet}
	began := time.Now()
	// The server stands for the first half second.
	result := runLoop(loop, func(int, int64) error {
		time.Sleep(time.Until(began.Add(500 * time.Millisecond)))
		return nil
	})
	if result.Requests < 99 || result.Requests > 100 || result.Unsent != 0 {
		t.Fatalf("%+v", result)
	}
	// Of 100 requests those of the first half waited, 250 ms in the middle of it; a closed loop would have seen two slow ones.
	if p75 := result.Percentiles["75"]; p75 < 200 || p75 > 320 {
		t.Fatalf("the 75th percentile is %v ms", p75)
	}
	if result.Percentiles["100"] < 480 {
		t.Fatalf("the greatest is %v ms", result.Percentiles["100"])
	}
}

func TestOpenLoopSaysWhatItCouldNotSend(t *testing.T) {
	loop := Loop{workers: 1, duration: 200 * time.Millisecond, interval: time.Millisecond, phase: quiet}
	result := runLoop(loop, func(int, int64) error { time.Sleep(20 * time.Millisecond); return nil })
	if result.Unsent < 150 || result.Requests > 11 {
		t.Fatalf("%+v", result)
	}
}

func TestClosedLoopCountsFailuresApart(t *testing.T) {
	loop := Loop{workers: 3, warmUp: 50 * time.Millisecond, duration: 200 * time.Millisecond, phase: quiet}
	var under, most atomic.Int64
	result := runLoop(loop, func(_ int, n int64) error {
		most.Store(max(most.Load(), under.Add(1)))
		defer under.Add(-1)
		time.Sleep(2 * time.Millisecond)
		if n%2 == 0 {
			return nil
		}
		return errors.New("refused")
	})
	if result.Failure != "refused" || result.Requests < 30 || result.Failures < 30 || most.Load() > 3 {
		t.Fatalf("%+v", result)
	}
	if p50 := result.Percentiles["50"]; p50 < 2 || p50 > 20 {
		t.Fatalf("the median is %v ms", p50)
	}
}

func TestClosedLoopTellsOfAServerThatStandsAtTheEnd(t *testing.T) {
	loop := Loop{workers: 3, duration: 200 * time.Millisecond, phase: quiet}
	began := time.Now()
	result := runLoop(loop, func(worker int, _ int64) error {
		if time.Since(began) < 100*time.Millisecond {
			time.Sleep(2 * time.Millisecond)
			return nil
		}
		time.Sleep(time.Until(began.Add(400 * time.Millisecond)))
		if worker == 0 {
			return errors.New("too late")
		}
		return nil
	})
	if result.Failures != 1 || result.Failure != "too late" || result.Percentiles["100"] < 200 {
		t.Fatalf("%+v", result)
	}
}
