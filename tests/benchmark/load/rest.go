package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/valyala/fasthttp"
)

// Shorter than the time after which a Node server closes a connection that is idle: no request meets its end.
const idleConnection = 3 * time.Second

type rest struct {
	hosts []string
	cbor  bool
}

func newRest(order Order) (Target, error) {
	hosts := make([]string, len(order.Endpoints))
	for i, endpoint := range order.Endpoints {
		at, err := url.Parse(endpoint)
		if err != nil {
			return nil, err
		}
		hosts[i] = at.Host
	}
	return rest{hosts, order.Workload == "batch-cbor"}, nil
}

// Each client has a connection of its own, in turn to each gateway.
func (target rest) Open(clients int) ([]Client, error) {
	all := make([]Client, clients)
	for i := range all {
		host := target.hosts[i%len(target.hosts)]
		all[i] = &restClient{
			http: &fasthttp.HostClient{
				Addr:                      host,
				MaxConns:                  1,
				MaxIdleConnDuration:       idleConnection,
				MaxIdemponentCallAttempts: 1,
				NoDefaultUserAgentHeader:  true,
			},
			base: "http://" + host + "/v1/kv",
			cbor: target.cbor,
		}
	}
	return all, nil
}

func (target rest) Prepare(string) error { return nil }
func (target rest) Rest() error          { return nil }
func (target rest) Close()               {}

func (target rest) Create(client Client, keys []string, value []byte) error {
	return client.PutBatch(keys, value)
}

func (target rest) Watch(string, int, func()) error {
	return errors.New("keys cannot be watched by REST")
}

type restClient struct {
	http     *fasthttp.HostClient
	base     string
	cbor     bool
	request  fasthttp.Request
	response fasthttp.Response
}

func (client *restClient) send(method, path, contentType string, body []byte) error {
	// All of it: the length of an earlier body would go with a request that has none.
	client.request.Reset()
	client.request.SetRequestURI(client.base + path)
	client.request.Header.SetMethod(method)
	if body != nil {
		client.request.SetBodyRaw(body)
		client.request.Header.SetContentType(contentType)
		if client.cbor {
			client.request.Header.Set("Accept", contentType)
		}
	}
	if err := client.http.Do(&client.request, &client.response); err != nil {
		return err
	}
	if status := client.response.StatusCode(); status >= 300 {
		return fmt.Errorf("HTTP %d: %s", status, client.response.Body())
	}
	return nil
}

func (client *restClient) Put(key string, value []byte) error {
	return client.send("PUT", "/"+key, "text/plain", value)
}

func (client *restClient) Get(key string, valueBytes int) error {
	if err := client.send("GET", "/"+key, "", nil); err != nil {
		return err
	}
	if got := len(client.response.Body()); got != valueBytes {
		return fmt.Errorf("a value of %d bytes in place of %d", got, valueBytes)
	}
	return nil
}

func (client *restClient) PutBatch(keys []string, value []byte) error {
	if client.cbor {
		return client.putBatchInCbor(keys, value)
	}
	body := make([]byte, 0, len(keys)*(len(value)+64))
	body = append(body, `{"operations":[`...)
	for i, key := range keys {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"op":"put","key":"`...)
		body = append(body, key...)
		body = append(body, `","value":"`...)
		body = append(body, value...)
		body = append(body, `"}`...)
	}
	body = append(body, `]}`...)
	if err := client.send("POST", ":batch", "application/json", body); err != nil {
		return err
	}
	return client.expect(len(keys), `"status":200`, `"status":201`)
}

type cborPut struct {
	Op    string `cbor:"op"`
	Key   string `cbor:"key"`
	Value []byte `cbor:"value"`
}

func (client *restClient) putBatchInCbor(keys []string, value []byte) error {
	operations := make([]cborPut, len(keys))
	for i, key := range keys {
		operations[i] = cborPut{"put", key, value}
	}
	body, err := cbor.Marshal(map[string]any{"operations": operations})
	if err != nil {
		return err
	}
	if err := client.send("POST", ":batch", "application/cbor", body); err != nil {
		return err
	}
	// The text "status", and an integer in one byte behind the head.
	return client.expect(len(keys), "\x66status\x18\xc8", "\x66status\x18\xc9")
}

// Each result has one of them; to decode all results would cost the load more than the rest of the request.
func (client *restClient) expect(results int, either, or string) error {
	answer := client.response.Body()
	if done := bytes.Count(answer, []byte(either)) + bytes.Count(answer, []byte(or)); done != results {
		return fmt.Errorf("%d of %d operations were done: %.200q", done, results, answer)
	}
	return nil
}
