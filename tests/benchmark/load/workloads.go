package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	readsInMixed  = 0.9
	openLoopGrace = 10 * time.Second
	fillWorkers   = 16
	// Below the limits of a request of etcd (1.5 MiB) and of ZooKeeper (1 MiB).
	fillBytesAtOnce = 512 << 10
	// A client that has not heard of a new value after so long never will.
	hearWithin = 30 * time.Second
)

func loopOf(order Order) Loop {
	loop := Loop{
		workers:  order.Clients,
		warmUp:   time.Duration(order.WarmUpMs) * time.Millisecond,
		duration: time.Duration(order.DurationMs) * time.Millisecond,
		grace:    openLoopGrace,
		phase:    sayPhase,
	}
	if order.Rate > 0 {
		loop.interval = time.Duration(float64(time.Second) / order.Rate)
	}
	return loop
}

// Keys are drawn at random by each worker, from its own seed.
func requestOf(order Order, clients []Client) (Request, error) {
	keys := make([]string, order.Keys)
	for n := range keys {
		keys[n] = keyOf(order, n)
	}
	draws := make([]*rand.Rand, len(clients))
	for worker := range draws {
		draws[worker] = rand.New(rand.NewPCG(order.Seed, uint64(worker)))
	}
	value := valueOf(order.ValueBytes, order.Seed)
	draw := func(worker int) string { return keys[draws[worker].IntN(len(keys))] }
	write := func(worker int, _ int64) error { return clients[worker].Put(draw(worker), value) }
	read := func(worker int, _ int64) error { return clients[worker].Get(draw(worker), order.ValueBytes) }
	switch order.Workload {
	case "write":
		return write, nil
	case "read":
		return read, nil
	case "mixed":
		return func(worker int, n int64) error {
			if draws[worker].Float64() < readsInMixed {
				return read(worker, n)
			}
			return write(worker, n)
		}, nil
	case "batch", "batch-cbor":
		if order.BatchSize > len(keys) {
			return nil, fmt.Errorf("a batch of %d needs as many keys, and there are %d", order.BatchSize, len(keys))
		}
		return func(worker int, _ int64) error {
			// No key twice: etcd refuses such a transaction.
			from := draws[worker].IntN(len(keys) - order.BatchSize + 1)
			return clients[worker].PutBatch(keys[from:from+order.BatchSize], value)
		}, nil
	}
	return nil, fmt.Errorf("there is no workload %q", order.Workload)
}

// Writes every key once.
func fill(target Target, order Order) error {
	clients, err := target.Open(fillWorkers)
	if err != nil {
		return err
	}
	if err := target.Prepare(order.KeyPrefix); err != nil {
		return err
	}
	value := valueOf(order.ValueBytes, order.Seed)
	atOnce := max(1, min(order.BatchSize, fillBytesAtOnce/max(1, order.ValueBytes)))
	var next atomic.Int64
	var running sync.WaitGroup
	failures := make([]error, len(clients))
	for worker, client := range clients {
		running.Go(func() {
			for {
				from := int(next.Add(int64(atOnce))) - atOnce
				if from >= order.Keys {
					return
				}
				var keys []string
				for n := from; n < min(from+atOnce, order.Keys); n++ {
					keys = append(keys, keyOf(order, n))
				}
				if failures[worker] = again(func() error { return target.Create(client, keys, value) }); failures[worker] != nil {
					return
				}
			}
		})
	}
	running.Wait()
	return errors.Join(failures...)
}

// A cluster that has just started may refuse for a moment.
func again(attempt func() error) error {
	var err error
	for range 20 {
		if err = attempt(); err == nil {
			return nil
		}
		time.Sleep(250 * time.Millisecond)
	}
	return err
}

// One writer, who puts again when every watcher has heard of the last value. A request is a value at one watcher.
func watch(target Target, order Order) error {
	writers, err := target.Open(1)
	if err != nil {
		return err
	}
	if err := target.Prepare(order.KeyPrefix); err != nil {
		return err
	}
	key := keyOf(order, 0)
	value := valueOf(order.ValueBytes, order.Seed)
	if err := again(func() error { return target.Create(writers[0], []string{key}, value) }); err != nil {
		return err
	}
	heard := make(chan time.Time, order.Clients)
	if err := target.Watch(key, order.Clients, func() { heard <- time.Now() }); err != nil {
		return err
	}
	own := tally{latencies: newHistogram(), lag: newHistogram()}
	round := func(isMeasured bool) error {
		sent := time.Now()
		if err := writers[0].Put(key, value); err != nil {
			return err
		}
		limit := time.After(hearWithin)
		for range order.Clients {
			select {
			case at := <-heard:
				if isMeasured {
					own.count(nil, at.Sub(sent), true, true)
				}
			case <-limit:
				return fmt.Errorf("a watcher has not heard of a value within %v", hearWithin)
			}
		}
		return nil
	}
	for begin := time.Now().Add(time.Duration(order.WarmUpMs) * time.Millisecond); time.Now().Before(begin); {
		if err := round(false); err != nil {
			return err
		}
	}
	begin := time.Now()
	sayPhase("begin")
	for time.Since(begin) < time.Duration(order.DurationMs)*time.Millisecond {
		if err := round(true); err != nil {
			return err
		}
	}
	sayPhase("end")
	say(sum([]tally{own}, time.Since(begin).Seconds()))
	return nil
}
