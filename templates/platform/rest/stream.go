package rest

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// bodyTime is how much longer an operation may take that receives a file: the server
// bounds the time in which a whole request must have arrived.
const bodyTime = 30 * time.Second

// Received is a file that a request has brought. It lasts until the request is answered,
// unless somebody keeps it.
type Received interface {
	// Digest tells its content and name from any other.
	Digest() string
	// Discard removes it, if nobody has kept it.
	Discard()
}

// Receiver takes a file in while it arrives. Its errors are the server's faults, but for
// those of body.
type Receiver func(ctx context.Context, name, mediaType string, body io.Reader) (Received, error)

// Receiving returns the API with a place for files that requests bring, of at most
// maxFile bytes each.
func (api *API) Receiving(receive Receiver, maxFile int64) *API {
	out := *api
	out.Receive, out.MaxFile = receive, maxFile
	return &out
}

// maxBody bounds the body of the operation's requests.
func (o *operation) maxBody() int64 {
	if o.Upload {
		return o.api.MaxFile + o.api.MaxBody // and what is around the file
	}
	return o.api.MaxBody
}

// timeout bounds the operation, from its request's header on.
func (o *operation) timeout() time.Duration {
	if o.Upload {
		return o.api.Timeout + bodyTime
	}
	return o.api.Timeout
}

// arriving is a body on its way: it is bounded, and notes why it broke off.
type arriving struct {
	body  io.Reader
	left  int64
	empty bool // so far
	fault error
}

// Read implements io.Reader.
func (a *arriving) Read(p []byte) (int, error) {
	if a.fault != nil {
		return 0, a.fault
	}
	n, err := a.body.Read(p)
	a.empty = a.empty && n == 0
	if a.left -= int64(n); a.left < 0 {
		n, err = 0, errTooLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		a.fault = err
	}
	return n, err
}

// stream begins to read the body as it arrives; nil if it is too large.
func (r *Request) stream(limit int64) *arriving {
	r.read = true
	if r.http.ContentLength > limit {
		r.tooLarge()
		return nil
	}
	return &arriving{body: r.http.Body, left: limit, empty: true}
}

// broken tells whether the body did not arrive, and refuses the request if so.
func (r *Request) broken(a *arriving) bool {
	switch {
	case a.fault == nil:
		return false
	case errors.Is(a.fault, errTooLarge):
		r.tooLarge()
	default:
		r.refuse(brokenBody(a.fault))
	}
	return true
}

// File receives the request's body, which must be there, as a file of one of the media
// types. An empty one is none, as with every body.
func (r *Request) File(types ...string) Received {
	mediaType, ok := fileType(r.http.Header.Get("Content-Type"), types)
	switch {
	case r.http.ContentLength == 0:
		r.refuse(problem.BadRequest("a request body is required"))
		return nil
	case !ok:
		r.refuse(wrongType(types))
		return nil
	}
	body := r.stream(r.maxFile)
	if body == nil {
		return nil
	}
	r.accept("", mediaType, body, body)
	if body.empty {
		r.refuse(problem.BadRequest("a request body is required"))
	}
	return r.received
}

// FilePart is the part of a multipart form that is a file.
type FilePart struct {
	Name     string
	Types    []string // media types that it may have
	Required bool
}

// FormFile receives the file of a multipart form, which must be there, and reads its other
// fields; decode may be nil.
func (r *Request) FormFile(file FilePart, fields Fields, decode func(*wire.Decoder)) Received {
	_, parameters, _ := mime.ParseMediaType(r.http.Header.Get("Content-Type"))
	switch {
	case r.http.ContentLength == 0:
		r.refuse(problem.BadRequest("a request body is required"))
		return nil
	case parameters["boundary"] == "":
		r.refuse(problem.BadRequest("the multipart form has no boundary"))
		return nil
	}
	body := r.stream(r.maxFile + r.maxBody)
	if body == nil {
		return nil
	}
	t := newTree(fields, 0)
	reader := multipart.NewReader(body, parameters["boundary"])
	room := r.maxBody // for the fields
	for n := 0; r.fault == nil && r.failed == nil; n++ {
		part, err := reader.NextRawPart()
		switch {
		case errors.Is(err, io.EOF):
			if decode != nil {
				r.formTree(t, []wire.File{}, decode)
			}
			if r.received == nil && file.Required {
				r.errs.Add(problem.FieldError{In: "body", Pointer: wire.Pointer(file.Name), Message: "is required"})
			}
			return r.received
		case r.broken(body):
		case err != nil || n == maxParts || part.FormName() == "":
			r.refuse(problem.BadRequest("the multipart form is malformed, or has too many parts"))
		case part.FormName() == file.Name:
			r.acceptPart(part, file, body)
		default:
			room = r.field(t, part, body, room)
		}
	}
	return r.received
}

// acceptPart receives the part of a form that is the file.
func (r *Request) acceptPart(part *multipart.Part, file FilePart, body *arriving) {
	mediaType, ok := fileType(part.Header.Get("Content-Type"), file.Types)
	switch {
	case !ok:
		r.refuse(wrongType(file.Types))
	case r.received != nil:
		r.errs.Add(problem.FieldError{In: "body", Pointer: wire.Pointer(file.Name), Message: "must be given once"})
	default:
		bounded := &arriving{body: part, left: r.maxFile}
		r.accept(part.FileName(), mediaType, bounded, body)
		if errors.Is(bounded.fault, errTooLarge) {
			r.tooLarge()
		}
	}
}

// field reads a part that is no file, and returns the room that is left for others.
func (r *Request) field(t *tree, part *multipart.Part, body *arriving, room int64) int64 {
	data, err := readAll(part, nil, room)
	media, _, _ := strings.Cut(part.Header.Get("Content-Type"), ";")
	switch {
	case r.broken(body):
	case errors.Is(err, errTooLarge):
		r.tooLarge()
	case err != nil:
		r.refuse(problem.BadRequest("a part of the multipart form is malformed"))
	case !t.add(part.FormName(), string(data), isJSON(strings.ToLower(strings.TrimSpace(media)))):
		r.refuse(problem.BadRequest("the form has too many fields"))
	}
	r.body = append(r.body, part.FormName()+"="...)
	r.body = append(append(r.body, data...), '&')
	return room - int64(len(data))
}

// accept receives a file, which is all or a part of the body.
func (r *Request) accept(name, mediaType string, file io.Reader, body *arriving) {
	received, err := r.receive(r.ctx, name, mediaType, file)
	switch {
	case r.broken(body):
	case err != nil && !errors.Is(err, errTooLarge):
		r.failed = err
	case err == nil:
		r.received = received
		r.body = append(r.body, received.Digest()...) // what an Idempotency-Key stands for
		return
	}
	if received != nil {
		received.Discard()
	}
}

// discard drops the file that the request has brought, unless it was kept.
func (r *Request) discard() {
	if r.received != nil {
		r.received.Discard()
		r.received = nil
	}
}

func wrongType(types []string) *problem.Problem {
	return problem.New(http.StatusUnsupportedMediaType, "the operation takes files of "+list(types)).With("Accept", list(types))
}

// fileType is the media type of a file, and whether it is one of those. A file that does
// not say is of the first type, if that is one.
func fileType(contentType string, types []string) (string, bool) {
	if contentType == "" || contentType == "*/*" {
		contentType = "application/octet-stream"
		if len(types) > 0 && !strings.Contains(types[0], "*") {
			return types[0], true
		}
	}
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || len(contentType) > 255 || !strings.Contains(mediaType, "/") || strings.Contains(mediaType, "*") {
		return "", false
	}
	return mime.FormatMediaType(mediaType, parameters), consumable(mediaType, types)
}

// Stream responds with what body holds, from where it is, to GET and HEAD: with a status
// of 200, 206, 304, 412 or 416, as RFC 9110 has it for the request's ranges and
// conditions. The headers that describe it must be set. Body is closed in the end.
func (w *Writer) Stream(modified time.Time, body io.ReadSeekCloser) {
	w.start(http.StatusOK, w.header.Get("Content-Type"))
	w.stream, w.modified = body, modified
}

// Fail makes the operation fail: the response cannot be written.
func (w *Writer) Fail(err error) { w.err = err }

// close closes what is streamed, if there is something.
func (w *Writer) close() {
	if w.stream != nil {
		_ = w.stream.Close() // it was only read
		w.stream = nil
	}
}

// whole makes a streamed body an ordinary one, for callers that cannot stream.
func (w *Writer) whole() error {
	if w.stream == nil {
		return nil
	}
	defer w.close()
	_, err := io.Copy(&w.body, w.stream)
	return err
}

// sendStream sends a streamed response, or the problem with the ranges or conditions that
// are asked for.
func (x *exchange) sendStream(w http.ResponseWriter) {
	s := &streaming{recorder: recorder{ResponseWriter: w}}
	defer x.writer.close()
	defer func() {
		if s.refused == 0 {
			x.status, x.bytes = s.status, s.bytes
		}
	}()
	http.ServeContent(s, x.request.http, "", x.writer.modified, x.writer.stream)
	if s.refused != 0 {
		for _, name := range []string{"ETag", "Last-Modified", "Content-Disposition", "Accept-Ranges"} {
			w.Header().Del(name)
		}
		x.writer.problem(problem.New(s.refused, "the file cannot be sent as the request's headers ask for it"), x.errors)
		x.send(w)
	}
}

// streaming is the response of a file on its way to the client. It keeps refusals back,
// which package http would send as plain text.
type streaming struct {
	recorder
	refused int // status
}

// WriteHeader implements http.ResponseWriter.
func (s *streaming) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		s.refused = status
		return
	}
	s.recorder.WriteHeader(status)
}

// Write implements io.Writer.
func (s *streaming) Write(b []byte) (int, error) {
	if s.refused != 0 {
		return len(b), nil
	}
	return s.recorder.Write(b)
}
