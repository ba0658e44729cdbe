package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// What a request had must not go with the next one of the same client: a length without a body breaks the connection.
func TestRestClientSendsEachRequestAsItIs(t *testing.T) {
	var heard []string
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		heard = append(heard, request.Method+" "+request.URL.Path+" "+request.Header.Get("Content-Length")+" "+string(body))
		switch {
		case request.Method == "GET":
			_, _ = answer.Write([]byte("value"))
		case request.Method == "POST" && strings.Contains(string(body), "refused"):
			_, _ = answer.Write([]byte(`{"results":[{"status":200},{"status":503}]}`))
		case request.Method == "POST":
			_, _ = answer.Write([]byte(`{"results":[{"status":201},{"status":200}]}`))
		}
	}))
	defer server.Close()
	target, err := newRest(Order{Endpoints: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	clients, err := target.Open(1)
	if err != nil {
		t.Fatal(err)
	}
	client := clients[0]
	for range 2 {
		if err := client.Put("a/1", []byte("value")); err != nil {
			t.Fatal(err)
		}
		if err := client.Get("a/1", 5); err != nil {
			t.Fatal(err)
		}
		if err := client.PutBatch([]string{"a/1", "a/2"}, []byte("v")); err != nil {
			t.Fatal(err)
		}
	}
	want := "PUT /v1/kv/a/1 5 value,GET /v1/kv/a/1  "
	if got := strings.Join(heard[:2], ","); got != want {
		t.Fatalf("%q in place of %q", got, want)
	}
	if err := client.Get("a/1", 6); err == nil {
		t.Fatal("a value of another length was taken")
	}
	if err := client.PutBatch([]string{"a/1", "refused"}, []byte("v")); err == nil {
		t.Fatal("a batch of which a part was refused was taken")
	}
}

// Both forms are checked by counting, so the counting is.
func TestRestClientSendsBatchesInCbor(t *testing.T) {
	var heard []byte
	var refused bool
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		heard, _ = io.ReadAll(request.Body)
		if request.Header.Get("Content-Type")+request.Header.Get("Accept") != "application/cborapplication/cbor" {
			answer.WriteHeader(http.StatusUnsupportedMediaType)
		}
		second := map[string]any{"status": 201, "revision": 7}
		if refused {
			second = map[string]any{"status": 503, "code": "UNAVAILABLE"}
		}
		body, _ := cbor.Marshal(map[string]any{"results": []any{map[string]any{"status": 200, "revision": 6}, second}})
		_, _ = answer.Write(body)
	}))
	defer server.Close()
	target, err := newRest(Order{Endpoints: []string{server.URL}, Workload: "batch-cbor"})
	if err != nil {
		t.Fatal(err)
	}
	clients, err := target.Open(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := clients[0].PutBatch([]string{"a", "b"}, []byte("v")); err != nil {
		t.Fatal(err)
	}
	var batch struct {
		Operations []cborPut `cbor:"operations"`
	}
	if err := cbor.Unmarshal(heard, &batch); err != nil || len(batch.Operations) != 2 || batch.Operations[1].Key != "b" || string(batch.Operations[1].Value) != "v" {
		t.Fatalf("%v %+v", err, batch)
	}
	refused = true
	if err := clients[0].PutBatch([]string{"a", "b"}, []byte("v")); err == nil {
		t.Fatal("a batch of which a part was refused was taken")
	}
}
