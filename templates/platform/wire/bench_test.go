package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

const typical = `{"customer":"` + id + `","note":"leave it at the door","price":129.95,"status":"pending",` +
	`"address":{"street":"12 Main Street","zip":"10115"},"items":[{"product":"` + id + `","quantity":2},` +
	`{"product":"0190a5b2-7c3d-7e4f-8a1b-2c3d4e5f6072","quantity":1},{"product":"0190a5b2-7c3d-7e4f-8a1b-2c3d4e5f6073","quantity":5}]}`

func BenchmarkDecode(b *testing.B) {
	text := []byte(typical)
	b.Run("wire", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var v order
			if list, err := wire.Decode(text, v.DecodeJSON); err != nil || list != nil {
				b.Fatal(list, err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) { // without any validation
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var v order
			if err := json.Unmarshal(text, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
