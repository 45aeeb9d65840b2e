package rest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/rest"
)

// What a response writer of a test cannot show: the answer over a connection.
func TestOverAConnection(t *testing.T) {
	s := newServer(t)
	rest.Handle(s.api, rest.Operation{ID: "raw", Method: "PUT", Path: "/raw"},
		func(r *rest.Request) []byte { return r.Bytes() },
		func(_ context.Context, in []byte) (rest.Response, error) {
			return answer(func(w *rest.Writer) { w.Bytes(200, "application/octet-stream", in) }), nil
		})
	server := httptest.NewServer(s.router)
	defer server.Close()
	send := func(method, path string, body io.Reader) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, body)
		must(t, err)
		response, err := http.DefaultClient.Do(r)
		must(t, err)
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		must(t, err)
		return response, string(text)
	}
	response, text := send("PUT", "/raw", struct{ io.Reader }{strings.NewReader("chunked\x00")}) // of unknown length
	if response.StatusCode != 200 || text != "chunked\x00" || response.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("got %d %q %v", response.StatusCode, text, response.Header)
	}
	if response, text = send("POST", "/notes", strings.NewReader(strings.Repeat("x", 1<<20))); response.StatusCode != 413 {
		t.Errorf("a large body got %d %s", response.StatusCode, text)
	}
	response, text = send("HEAD", "/notes/unknown", nil)
	if response.StatusCode != 404 || text != "" || response.ContentLength <= 0 {
		t.Errorf("HEAD got %d %q, length %d", response.StatusCode, text, response.ContentLength)
	}
	if response, _ = send("OPTIONS", "/notes", nil); response.StatusCode != 204 || response.Header.Get("Allow") != "OPTIONS, POST" || response.ContentLength > 0 {
		t.Errorf("OPTIONS got %d %v", response.StatusCode, response.Header)
	}
}
