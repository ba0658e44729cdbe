package main

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// Requests of so many clients share a connection to each node: fewer connections cost etcd less.
const etcdClientsPerConnection = 32

type etcd struct {
	endpoints   []string
	connections []*clientv3.Client
}

func newEtcd(order Order) (Target, error) { return &etcd{endpoints: order.Endpoints}, nil }

func (target *etcd) connect() (*clientv3.Client, error) {
	// Its balancer asks the nodes in turn.
	connection, err := clientv3.New(clientv3.Config{Endpoints: target.endpoints, Logger: zap.NewNop()})
	if err != nil {
		return nil, err
	}
	target.connections = append(target.connections, connection)
	return connection, nil
}

func (target *etcd) Open(clients int) ([]Client, error) {
	all := make([]Client, clients)
	var connection *clientv3.Client
	for i := range all {
		if i%etcdClientsPerConnection == 0 {
			var err error
			if connection, err = target.connect(); err != nil {
				return nil, err
			}
		}
		all[i] = etcdClient{connection}
	}
	return all, nil
}

func (target *etcd) Prepare(string) error { return nil }

func (target *etcd) Create(client Client, keys []string, value []byte) error {
	return client.PutBatch(keys, value)
}

// Every version of every key is kept until it is compacted.
func (target *etcd) Rest() error {
	connection, err := target.connect()
	if err != nil {
		return err
	}
	answer, err := connection.Get(context.Background(), "now")
	if err != nil {
		return err
	}
	_, err = connection.Compact(context.Background(), answer.Header.Revision)
	if errors.Is(err, rpctypes.ErrCompacted) {
		// Nothing was written since.
		return nil
	}
	return err
}

// All watchers of a connection share one stream, as the client has it.
func (target *etcd) Watch(key string, watchers int, heard func()) error {
	var connection *clientv3.Client
	for i := range watchers {
		if i%etcdClientsPerConnection == 0 {
			var err error
			if connection, err = target.connect(); err != nil {
				return err
			}
		}
		events := connection.Watch(context.Background(), key, clientv3.WithCreatedNotify())
		if created, open := <-events; !open || !created.Created {
			return fmt.Errorf("a watch could not be created: %v", created.Err())
		}
		go func() {
			for response := range events {
				for range response.Events {
					heard()
				}
			}
		}()
	}
	return nil
}

func (target *etcd) Close() {
	for _, connection := range target.connections {
		_ = connection.Close()
	}
}

type etcdClient struct{ connection *clientv3.Client }

func (client etcdClient) Put(key string, value []byte) error {
	_, err := client.connection.Put(context.Background(), key, string(value))
	return err
}

func (client etcdClient) Get(key string, valueBytes int) error {
	answer, err := client.connection.Get(context.Background(), key)
	if err != nil {
		return err
	}
	if len(answer.Kvs) != 1 || len(answer.Kvs[0].Value) != valueBytes {
		return fmt.Errorf("no value of %d bytes", valueBytes)
	}
	return nil
}

func (client etcdClient) PutBatch(keys []string, value []byte) error {
	operations := make([]clientv3.Op, len(keys))
	text := string(value)
	for i, key := range keys {
		operations[i] = clientv3.OpPut(key, text)
	}
	_, err := client.connection.Txn(context.Background()).Then(operations...).Commit()
	return err
}
