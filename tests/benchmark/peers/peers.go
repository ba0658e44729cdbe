//go:build peers

// Package peers names the program that Ringleader is measured against, so that go.mod pins its version.
package peers

import _ "go.etcd.io/etcd/server/v3"
