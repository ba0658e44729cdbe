package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
)

const (
	sessionTimeout = 10 * time.Second
	connectWithin  = 20 * time.Second
)

type silent struct{}

func (silent) Printf(string, ...any) {}

type zooKeeper struct {
	servers  []string
	sessions []*zk.Conn
}

func newZooKeeper(order Order) Target { return &zooKeeper{servers: order.Endpoints} }

func (target *zooKeeper) connect() (*zk.Conn, error) {
	server := target.servers[len(target.sessions)%len(target.servers)]
	session, events, err := zk.Connect([]string{server}, sessionTimeout, zk.WithLogger(silent{}))
	if err != nil {
		return nil, err
	}
	target.sessions = append(target.sessions, session)
	limit := time.After(connectWithin)
	for {
		select {
		case event := <-events:
			if event.State == zk.StateHasSession {
				// Nobody listens any more; the channel drops what it cannot hold.
				return session, nil
			}
		case <-limit:
			return nil, fmt.Errorf("no session at %s within %v", server, connectWithin)
		}
	}
}

// Each client has a session of its own, in turn at each server.
func (target *zooKeeper) Open(clients int) ([]Client, error) {
	all := make([]Client, clients)
	for i := range all {
		session, err := target.connect()
		if err != nil {
			return nil, err
		}
		all[i] = zooKeeperClient{session}
	}
	return all, nil
}

// A key with slashes is a path; all but its last part must exist.
func (target *zooKeeper) Prepare(prefix string) error {
	session := target.sessions[0]
	parts := strings.Split(prefix, "/")
	path := ""
	for _, part := range parts[:len(parts)-1] {
		path += "/" + part
		_, err := session.Create(path, nil, zk.FlagPersistent, zk.WorldACL(zk.PermAll))
		if err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return err
		}
	}
	return nil
}

func (target *zooKeeper) Create(client Client, keys []string, value []byte) error {
	operations := make([]any, len(keys))
	for i, key := range keys {
		operations[i] = &zk.CreateRequest{Path: "/" + key, Data: value, Acl: zk.WorldACL(zk.PermAll)}
	}
	err := client.(zooKeeperClient).multi(operations)
	if errors.Is(err, zk.ErrNodeExists) {
		return client.PutBatch(keys, value)
	}
	return err
}

func (target *zooKeeper) Rest() error { return nil }

// A watch is told once, without the value: it is read, which sets the next watch. Each watcher has a session of its own, because
// a session is told once however many watches it has on a node.
func (target *zooKeeper) Watch(key string, watchers int, heard func()) error {
	for range watchers {
		session, err := target.connect()
		if err != nil {
			return err
		}
		_, _, event, err := session.GetW("/" + key)
		if err != nil {
			return err
		}
		go func() {
			for {
				<-event
				if _, _, event, err = session.GetW("/" + key); err != nil {
					return
				}
				heard()
			}
		}()
	}
	return nil
}

func (target *zooKeeper) Close() {
	for _, session := range target.sessions {
		session.Close()
	}
}

type zooKeeperClient struct{ session *zk.Conn }

func (client zooKeeperClient) Put(key string, value []byte) error {
	_, err := client.session.Set("/"+key, value, -1)
	return err
}

// With the sync before it, without which a read may be answered with an older value.
func (client zooKeeperClient) Get(key string, valueBytes int) error {
	path := "/" + key
	if _, err := client.session.Sync(path); err != nil {
		return err
	}
	value, _, err := client.session.Get(path)
	if err == nil && len(value) != valueBytes {
		return fmt.Errorf("a value of %d bytes in place of %d", len(value), valueBytes)
	}
	return err
}

func (client zooKeeperClient) PutBatch(keys []string, value []byte) error {
	operations := make([]any, len(keys))
	for i, key := range keys {
		operations[i] = &zk.SetDataRequest{Path: "/" + key, Data: value, Version: -1}
	}
	return client.multi(operations)
}

func (client zooKeeperClient) multi(operations []any) error {
	answers, err := client.session.Multi(operations...)
	if err != nil {
		return err
	}
	for _, answer := range answers {
		if answer.Error != nil {
			return answer.Error
		}
	}
	return nil
}
