// Package testdata holds documents that both the tests and `backend demo` use.
package testdata

import _ "embed"

// Shop is the OpenAPI document behind `backend demo`.
//
//go:embed specs/good/shop.yaml
var Shop []byte

// CancelOrder is the override that `backend demo` writes into the shop: what a
// user would add by hand.
//
//go:embed demo/cancel.go.txt
var CancelOrder []byte
