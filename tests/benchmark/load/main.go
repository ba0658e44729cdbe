// The load of the benchmark: one measurement of one target, asked for as JSON on standard input and told as lines of JSON on
// standard output. In Go, so that etcd and ZooKeeper are asked through their own Go clients, and so that the load itself costs
// little beside what it measures. Ringleader's REST is asked from here too: all targets pay the same load.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// Order is what the harness asks for (src/harness/load.ts has the same fields).
type Order struct {
	Kind       string   `json:"kind"`       // rest, etcd or zookeeper
	Endpoints  []string `json:"endpoints"`  // as the kind's client takes them
	Action     string   `json:"action"`     // load, watch, fill or rest
	Workload   string   `json:"workload"`   // write, read, mixed, batch or batch-cbor
	Clients    int      `json:"clients"`    // requests under way at most; watchers
	ValueBytes int      `json:"valueBytes"` //
	KeyPrefix  string   `json:"keyPrefix"`  //
	Keys       int      `json:"keys"`       //
	BatchSize  int      `json:"batchSize"`  // keys in a request of the workload batch
	WarmUpMs   int      `json:"warmUpMs"`   //
	DurationMs int      `json:"durationMs"` //
	Rate       float64  `json:"rate"`       // requests a second, by the clock; 0: a closed loop
	Seed       uint64   `json:"seed"`
}

// Client carries one request at a time.
type Client interface {
	Put(key string, value []byte) error
	Get(key string, valueBytes int) error
	PutBatch(keys []string, value []byte) error
}

// Target is a cluster under load.
type Target interface {
	// Open gives so many clients, connected.
	Open(clients int) ([]Client, error)
	// Prepare is done once, before keys of the prefix are written for the first time.
	Prepare(prefix string) error
	// Create puts keys that may not be there yet.
	Create(client Client, keys []string, value []byte) error
	// Rest frees what earlier writes left behind, between measurements.
	Rest() error
	// Watch calls heard whenever the key has a new value, for each of so many watchers. Done once all of them watch.
	Watch(key string, watchers int, heard func()) error
	Close()
}

func targetOf(order Order) (Target, error) {
	switch order.Kind {
	case "rest":
		return newRest(order)
	case "etcd":
		return newEtcd(order)
	case "zookeeper":
		return newZooKeeper(order), nil
	}
	return nil, fmt.Errorf("there is no kind of target %q", order.Kind)
}

func say(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(append(line, '\n'))
}

// With the CPU time that the load itself has taken so far.
func sayPhase(name string) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	milliseconds := func(time syscall.Timeval) float64 { return float64(time.Nano()) / 1e6 }
	say(map[string]any{"event": name, "cpuMs": milliseconds(usage.Utime) + milliseconds(usage.Stime)})
}

func perform(order Order) error {
	target, err := targetOf(order)
	if err != nil {
		return err
	}
	defer target.Close()
	switch order.Action {
	case "fill":
		return fill(target, order)
	case "rest":
		return target.Rest()
	case "watch":
		return watch(target, order)
	case "load":
		clients, err := target.Open(order.Clients)
		if err != nil {
			return err
		}
		request, err := requestOf(order, clients)
		if err != nil {
			return err
		}
		say(runLoop(loopOf(order), request))
		return nil
	}
	return fmt.Errorf("there is no action %q", order.Action)
}

func keyOf(order Order, n int) string { return order.KeyPrefix + strconv.Itoa(n) }

// Letters and digits at random: nothing that a database could compress, and text that needs no escaping in JSON.
func valueOf(bytes int, seed uint64) []byte {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	value := make([]byte, bytes)
	state := seed*2 + 1
	for i := range value {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		value[i] = letters[state&63]
	}
	return value
}

func main() {
	// What lives is small and allocation is constant: collecting seldom costs little memory and saves CPU.
	debug.SetGCPercent(400)
	var order Order
	if err := json.NewDecoder(os.Stdin).Decode(&order); err != nil {
		fmt.Fprintln(os.Stderr, "the order is no JSON:", err)
		os.Exit(2)
	}
	if err := perform(order); err != nil {
		fmt.Fprintln(os.Stderr, strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
}
