package gateway_test

import (
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// TestTheSameAnswers sends the same requests to one process and through a gateway to
// services.
func TestTheSameAnswers(t *testing.T) {
	b := newBackend(t)
	one, split := b.one(), b.split()
	seen := map[int]bool{}
	for _, request := range requests(b) {
		want, wantBody := exchange(t, one, request)
		got, gotBody := exchange(t, split, request)
		line, _, _ := strings.Cut(request, "\r\n")
		if got.StatusCode != want.StatusCode || gotBody != wantBody {
			t.Errorf("%s: split %d %s, one process %d %s", line, got.StatusCode, gotBody, want.StatusCode, wantBody)
		}
		if ids := got.Header["X-Request-Id"]; len(ids) != 1 || ids[0] == "" {
			t.Errorf("%s: request ids %q", line, ids)
		}
		if g, w := compared(got), compared(want); !reflect.DeepEqual(g, w) {
			t.Errorf("%s: split %v, one process %v", line, g, w)
		}
		seen[want.StatusCode] = true
	}
	for _, status := range []int{200, 201, 204, 304, 400, 401, 403, 404, 405, 406, 410, 412, 413, 415, 422, 500, 501, 503, 504} {
		if !seen[status] {
			t.Errorf("no request had the status %d", status)
		}
	}
}

// compared is the header less what belongs to one exchange or one connection.
func compared(r *http.Response) http.Header {
	h := maps.Clone(r.Header)
	h.Del("Date")
	h.Del("X-Request-Id")
	h.Del("Connection")
	return h
}

func requests(b *backend) []string {
	const json = "Content-Type: application/json\r\n"
	ann := "Authorization: Bearer " + b.bearer + "\r\n"
	weak := "Authorization: Bearer " + b.reader + "\r\n"
	build := func(line, header, body string) string {
		if body != "" {
			header += "Content-Length: " + strconv.Itoa(len(body)) + "\r\n"
		}
		return line + " HTTP/1.1\r\nHost: shop.example\r\n" + header + "\r\n" + body
	}
	long := strings.Repeat("x", 5000)
	return []string{
		build("GET /notes?limit=3&x=%20a", "", ""),
		build("HEAD /notes", "", ""),
		build("GET /notes", "If-None-Match: \"7\"\r\n", ""),
		build("GET /notes?limit=%zz", "", ""), // a query that cannot be read
		build("GET /notes?limit=1;2", "", ""),
		build("GET /notes?limit=x&limit=5", "", ""),
		build("GET /notes?", "", ""),
		build("GET /notes?sort=a", "", ""),
		build("GET /notes", "Accept: text/html\r\n", ""),
		build("GET http://other.example/notes", "", ""),
		build("GET /notes/a%2Fb%20c%C3%A9", "", ""),
		build("GET /notes/export", "", ""),
		build("GET //notes", "", ""),
		build("GET /notes/../notes", "", ""),
		build("GET /notes/missing", "", ""),
		build("GET /notes/busy", "", ""),
		build("GET /notes/broken", "", ""),
		build("GET /notes/panic", "", ""),
		build("GET /notes/gone", "", ""),
		build("GET /notes/slow", "", ""),
		build("DELETE /notes/slow", "", ""),
		build("DELETE /notes/missing", "", ""),
		build("DELETE /notes/1", "If-Match: \"9\"\r\n", ""),
		build("GET /elsewhere", "", ""),
		build("GET /-/calls/ping", "", ""),
		build("POST /-/calls/ping", "Service-Authorization: Bearer "+token+"\r\nService-Name: notes\r\n", "null"),
		build("PUT /notes", "", ""),
		build("OPTIONS /notes", "", ""),
		build("POST /notes", json, `{"text":"a"}`),
		build("POST /notes", json+weak, `{"text":"a"}`),
		build("POST /notes", json+"Authorization: Bearer x\r\n", `{"text":"a"}`),
		build("POST /notes", json+ann, `{"text":"a&b"}`),
		build("POST /notes", json+ann+"Expect: 100-continue\r\n", `{"text":"a"}`),
		build("POST /notes", json+ann, `{"text":"12345678901"}`),
		build("POST /notes", json+ann, `{"text":`),
		build("POST /notes", json+ann, ""),
		build("POST /notes", json+ann, long),
		build("POST /notes", json+ann+"Expect: 100-continue\r\n", long),
		build("POST /notes", json+ann+"Transfer-Encoding: chunked\r\n", "") + "5\r\n{\"tex\r\n7\r\nt\":\"a\"}\r\n0\r\n\r\n",
		build("POST /notes", json+ann+"Transfer-Encoding: chunked\r\n", "") + "1388\r\n" + long + "\r\n0\r\n\r\n",
		build("POST /notes", json+ann+"Transfer-Encoding: chunked\r\n", "") + "oops\r\n",
		build("POST /notes", json+ann+"Content-Length: 99\r\nX: hang up\r\n", "") + `{"text"`,
		build("POST /notes", json+ann+"Content-Length: 5000\r\n", "") + "the rest does not come",
		build("POST /notes", "Content-Type: text/plain\r\n"+ann, long), // 415 comes first
		build("PUT /files/a", "Connection: X-Request-Id, Keep-Alive\r\nX-Request-Id: one\r\n", "\x00\xff"),
		build("PUT /files/a", "Upgrade: websocket\r\nConnection: Upgrade\r\n", "up"),
		build("DELETE /files/a", "", long), // nothing reads that body
	}
}
