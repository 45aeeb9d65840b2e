package cmd

import (
	"testing"
	"time"

	"github.com/e6b96b0c/backend/cmd/supervisor"
)

func TestPrintReady(t *testing.T) {
	split := []supervisor.Process{
		{Target: "gateway", PID: 12, URL: "http://127.0.0.1:8080", Admin: "http://127.0.0.1:9090"},
		{Target: "order-items", PID: 1234567, URL: "http://127.0.0.1:40001", Admin: "http://127.0.0.1:40003"},
	}
	for _, c := range []struct {
		target, output string
		processes      []supervisor.Process
		want           string
	}{
		{"all", "text", split[:1], "shop serves http://127.0.0.1:8080 (admin http://127.0.0.1:9090), ready after 1.23s. Ctrl-C stops it.\n"},
		{"split", "text", split, `shop serves http://127.0.0.1:8080 (admin http://127.0.0.1:9090), ready after 1.23s. Ctrl-C stops it.
TARGET       URL                     ADMIN                   PID
gateway      http://127.0.0.1:8080   http://127.0.0.1:9090   12
order-items  http://127.0.0.1:40001  http://127.0.0.1:40003  1234567
`},
		{"split", "json", split, `{"ready":true,"url":"http://127.0.0.1:8080","admin":"http://127.0.0.1:9090","pid":12,"seconds":1.234,"target":"split","processes":[` +
			`{"target":"gateway","pid":12,"url":"http://127.0.0.1:8080","admin":"http://127.0.0.1:9090"},` +
			`{"target":"order-items","pid":1234567,"url":"http://127.0.0.1:40001","admin":"http://127.0.0.1:40003"}]}` + "\n"},
	} {
		st, stdout, _, _ := fake()
		if err := printReady(st, &rootOptions{output: c.output}, "shop", c.target, c.processes, 1234*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if got := stdout.String(); got != c.want {
			t.Errorf("--target %s in %s:\n%s\nwant\n%s", c.target, c.output, got, c.want)
		}
	}
}
