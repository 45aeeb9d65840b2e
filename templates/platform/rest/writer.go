package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/store"
)

// maxKept bounds the buffers that are kept for the next request, in bytes.
const maxKept = 64 << 10

// Writer takes the response of an operation. Nothing is sent before the
// operation's unit of work is committed.
type Writer struct {
	header http.Header
	status int
	body   bytes.Buffer
	json   *json.Encoder
	err    error

	stream   io.ReadSeekCloser // sent instead of body
	modified time.Time         // when it was
}

func newWriter() *Writer {
	w := &Writer{header: http.Header{}}
	w.json = json.NewEncoder(&w.body)
	w.json.SetEscapeHTML(false)
	return w
}

func (w *Writer) reset() {
	clear(w.header)
	w.status, w.err = 0, nil
	w.close()
	w.body.Reset()
	if w.body.Cap() > maxKept {
		w.body = bytes.Buffer{}
	}
}

// Header returns the response's headers, to be set before the body.
func (w *Writer) Header() http.Header { return w.header }

// JSON responds with v as application/json.
func (w *Writer) JSON(status int, v any) { w.JSONAs(status, "application/json", v) }

// JSONAs responds with v as JSON under another media type.
func (w *Writer) JSONAs(status int, mediaType string, v any) {
	w.start(status, mediaType)
	if err := w.json.Encode(v); err != nil {
		w.err = fmt.Errorf("encode the response: %w", err)
		return
	}
	w.body.Truncate(w.body.Len() - 1) // the encoder's newline
}

// Bytes responds with b as it is.
func (w *Writer) Bytes(status int, contentType string, b []byte) {
	w.start(status, contentType)
	w.body.Write(b)
}

// Empty responds without a body.
func (w *Writer) Empty(status int) { w.start(status, "") }

func (w *Writer) start(status int, contentType string) {
	w.status, w.err = status, nil
	w.close()
	w.body.Reset()
	if contentType == "" {
		delete(w.header, "Content-Type")
		return
	}
	w.header["Content-Type"] = []string{contentType}
}

// render lets a response write itself.
func (w *Writer) render(out Response) error {
	if out == nil {
		return errors.New("the operation returned no response and no error")
	}
	out.Respond(w)
	if w.err == nil && w.status == 0 {
		return fmt.Errorf("the response %T wrote nothing", out)
	}
	return w.err
}

// problem replaces the response by a problem, in the operation's own shape if
// it has one.
func (w *Writer) problem(p *problem.Problem, shape func(*problem.Problem) (string, any)) {
	w.reset()
	maps.Copy(w.header, p.Header)
	mediaType, body := problem.MediaType, any(p)
	if shape != nil {
		if m, b := shape(p); b != nil {
			mediaType, body = m, b
		}
	}
	w.JSONAs(p.Status, mediaType, body)
	if w.err != nil {
		w.JSONAs(p.Status, problem.MediaType, p) // strings only: cannot fail
	}
}

// record returns the response, to be sent again for the same idempotency key.
func (w *Writer) record() store.Replay {
	header := make(map[string][]string, len(w.header))
	maps.Copy(header, w.header)
	return store.Replay{Status: w.status, Header: header, Body: bytes.Clone(w.body.Bytes())}
}

// replay repeats a response.
func (w *Writer) replay(r *store.Replay) {
	w.reset()
	w.status = r.Status
	maps.Copy(w.header, r.Header)
	w.header.Set(replayHeader, "true")
	w.body.Write(r.Body)
}
