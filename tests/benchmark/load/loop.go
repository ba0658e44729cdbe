package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Request performs request number n of a worker.
type Request func(worker int, n int64) error

// Loop says how requests follow each other: closed (each worker sends when it has its last answer) or, with an interval, open:
// request n is due at n intervals after the start, whatever became of those before, and its latency counts from then. A worker
// that is free takes the next one that is due. So a server that stands is charged with all requests that were due meanwhile
// (Tene, "How NOT to measure latency"), also those that no worker was free to send.
type Loop struct {
	workers  int
	warmUp   time.Duration
	duration time.Duration
	interval time.Duration
	// After the end, how long requests that were due before it are still sent and waited for.
	grace time.Duration
	phase func(name string)
}

const (
	lowest  = int64(time.Microsecond)
	highest = int64(10 * time.Minute)
	figures = 3
)

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(lowest, highest, figures) }

// Result is one measurement; src/harness/load.ts reads it.
type Result struct {
	Event    string  `json:"event"`
	Requests int64   `json:"requests"`
	Failures int64   `json:"failures"`
	Failure  string  `json:"failure"` // the first one
	Unsent   int64   `json:"unsent"`  // that were due in an open loop and could not be sent in time
	Seconds  float64 `json:"seconds"`
	// Latencies in milliseconds, by percentile.
	Percentiles map[string]float64 `json:"percentiles"`
	// How late the load itself was when a worker was free, the 99th percentile, in milliseconds.
	LagMs float64 `json:"lagMs"`
}

// As the harness names them; "100" is the greatest.
var percentiles = map[string]float64{"50": 50, "75": 75, "90": 90, "95": 95, "99": 99, "99.5": 99.5, "99.9": 99.9, "99.99": 99.99, "100": 100}

func millisecondsOf(histogram *hdrhistogram.Histogram) map[string]float64 {
	out := map[string]float64{}
	for name, percentile := range percentiles {
		out[name] = float64(histogram.ValueAtPercentile(percentile)) / 1e6
	}
	return out
}

type tally struct {
	latencies, lag             *hdrhistogram.Histogram
	requests, failures, unsent int64
	failure                    string
}

func record(histogram *hdrhistogram.Histogram, value time.Duration) {
	// Beyond the highest value it is the highest.
	_ = histogram.RecordValue(min(max(int64(value), lowest), highest))
}

func runLoop(loop Loop, request Request) Result {
	launch := time.Now()
	begin := launch.Add(loop.warmUp)
	end := begin.Add(loop.duration)
	told := make(chan struct{})
	go func() {
		time.Sleep(time.Until(begin))
		loop.phase("begin")
		time.Sleep(time.Until(end))
		loop.phase("end")
		close(told)
	}()
	tallies := make([]tally, loop.workers)
	var next atomic.Int64
	var running sync.WaitGroup
	for worker := range tallies {
		tallies[worker] = tally{latencies: newHistogram(), lag: newHistogram()}
		running.Go(func() {
			if loop.interval == 0 {
				closed(&tallies[worker], worker, begin, end, request)
			} else {
				loop.open(&tallies[worker], worker, launch, &next, request)
			}
		})
	}
	running.Wait()
	<-told
	return sum(tallies, loop.duration.Seconds())
}

func closed(own *tally, worker int, begin, end time.Time, request Request) {
	for n := int64(0); ; n++ {
		sent := time.Now()
		if !sent.Before(end) {
			return
		}
		err := request(worker, n)
		done := time.Now()
		if done.Before(begin) {
			continue
		}
		// What stands at the end would be seen by nobody if only those counted that end before it.
		own.count(err, done.Sub(sent), !sent.Before(begin), !done.After(end))
	}
}

func (loop Loop) open(own *tally, worker int, launch time.Time, next *atomic.Int64, request Request) {
	begin := launch.Add(loop.warmUp)
	end := begin.Add(loop.duration)
	giveUp := end.Add(loop.grace)
	for {
		n := next.Add(1) - 1
		due := launch.Add(time.Duration(n) * loop.interval)
		if !due.Before(end) {
			return
		}
		isMeasured := !due.Before(begin)
		now := time.Now()
		if now.After(giveUp) {
			if isMeasured {
				own.unsent++
			}
			continue
		}
		isFree := now.Before(due)
		if isFree {
			time.Sleep(due.Sub(now))
		}
		if isMeasured && isFree {
			record(own.lag, time.Since(due))
		}
		err := request(worker, n)
		done := time.Now()
		if isMeasured {
			own.count(err, done.Sub(due), true, !done.After(end))
		} else if err == nil && !done.Before(begin) {
			own.requests++
		}
	}
}

// A request that ended after the end has a latency, but is none of those that were done in the time; one that was sent before
// the beginning is, and has none.
func (own *tally) count(err error, latency time.Duration, sentInTime, inTime bool) {
	if err != nil {
		own.failures++
		if own.failure == "" {
			own.failure = err.Error()
		}
		return
	}
	if sentInTime {
		record(own.latencies, latency)
	}
	if inTime {
		own.requests++
	}
}

func sum(tallies []tally, seconds float64) Result {
	latencies, lag := newHistogram(), newHistogram()
	result := Result{Event: "result", Seconds: seconds}
	for _, own := range tallies {
		latencies.Merge(own.latencies)
		lag.Merge(own.lag)
		result.Requests += own.requests
		result.Failures += own.failures
		result.Unsent += own.unsent
		if result.Failure == "" {
			result.Failure = own.failure
		}
	}
	result.Percentiles = millisecondsOf(latencies)
	result.LagMs = float64(lag.ValueAtPercentile(99)) / 1e6
	return result
}
