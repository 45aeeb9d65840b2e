package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// maxBody is the largest body that is buffered; larger ones are streamed by
// net/http.
const maxBody = 64 << 10

// fast reports whether a request can be served here. What net/http would refuse
// is passed on as well, so that its error is the one seen.
func (t *Transport) fast(req *http.Request) bool {
	u := req.URL
	if u == nil || u.Scheme != "http" || u.Host == "" || u.Opaque != "" || req.Header == nil ||
		len(req.Trailer) > 0 || len(req.TransferEncoding) > 0 {
		return false
	}
	if req.Body != nil && req.Body != http.NoBody && (req.ContentLength <= 0 || req.ContentLength > maxBody) {
		return false
	}
	if (req.Body == nil || req.Body == http.NoBody) && req.ContentLength > 0 {
		return false
	}
	if req.Method == http.MethodConnect || !validToken(req.Method) && req.Method != "" {
		return false
	}
	if !plainHost(u.Host) || !plainHost(req.Host) || !printable(u.RawQuery) {
		return false
	}
	if t.o.Proxy != nil {
		if p, err := t.o.Proxy(req); p != nil || err != nil {
			return false
		}
	}
	return plainHeader(req.Header)
}

// plainHost excludes what needs IDNA, zones, or an error.
func plainHost(h string) bool {
	for i := range len(h) {
		switch b := h[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9',
			b == '.', b == '-', b == ':', b == '_', b == '[', b == ']':
		default:
			return false
		}
	}
	return true
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

func plainHeader(h http.Header) bool {
	for name, values := range h {
		switch name {
		case "Expect", "Upgrade", "Trailer", "Te":
			return false
		}
		if !validToken(name) {
			return false
		}
		for _, v := range values {
			if !validValue(v) {
				return false
			}
		}
	}
	return true
}

// validToken follows RFC 9110, 5.6.2.
func validToken(s string) bool {
	for i := range len(s) {
		b := s[i]
		if b <= ' ' || b >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, b) >= 0 {
			return false
		}
	}
	return s != ""
}

// validValue refuses what could end a header line (RFC 9110, 5.5).
func validValue(s string) bool {
	for i := range len(s) {
		if b := s[i]; (b < ' ' && b != '\t') || b == 0x7f {
			return false
		}
	}
	return true
}

// message is a request in its wire form. It is kept until the exchange is over,
// so that it can be sent again.
type message struct {
	b    []byte
	pool *sync.Pool
}

// free gives the message's memory back.
func (m *message) free() {
	if cap(m.b) <= 2*maxBody {
		m.pool.Put(m)
	}
}

// encode renders the request and reads its body, which it closes.
func (t *Transport) encode(req *http.Request) (*message, error) {
	m, ok := t.messages.Get().(*message)
	if !ok {
		m = &message{b: make([]byte, 0, 1024), pool: &t.messages}
	}
	b := m.b[:0]
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	b = append(append(b, method...), ' ')
	if p := req.URL.EscapedPath(); p != "" {
		b = append(b, p...)
	} else {
		b = append(b, '/')
	}
	if req.URL.RawQuery != "" || req.URL.ForceQuery {
		b = append(append(b, '?'), req.URL.RawQuery...)
	}
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	b = append(append(append(b, " HTTP/1.1\r\nHost: "...), host...), "\r\n"...)
	b = appendHeaders(b, req, method)
	var err error
	if req.Body != nil && req.Body != http.NoBody {
		b, err = readBody(b, req)
	}
	m.b = b
	if err != nil {
		m.free()
		return nil, err
	}
	return m, nil
}

func appendHeaders(b []byte, req *http.Request, method string) []byte {
	agent := false
	closing := req.Close
	for name, values := range req.Header {
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding":
			continue // ours to say
		case "User-Agent":
			agent = true
			if len(values) == 0 || values[0] == "" {
				continue // an empty value asks for none
			}
			values = values[:1]
		case "Connection":
			if closing {
				continue
			}
		}
		for _, v := range values {
			b = append(append(append(append(b, name...), ": "...), strings.Trim(v, " \t")...), "\r\n"...)
		}
	}
	if !agent {
		b = append(b, "User-Agent: Go-http-client/1.1\r\n"...)
	}
	if closing {
		b = append(b, "Connection: close\r\n"...)
	}
	switch {
	case req.ContentLength > 0:
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), req.ContentLength, 10), "\r\n"...)
	case method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch:
		b = append(b, "Content-Length: 0\r\n"...)
	}
	return append(b, "\r\n"...)
}

// readBody appends exactly ContentLength bytes of the body.
func readBody(b []byte, req *http.Request) ([]byte, error) {
	defer closeBody(req)
	if req.GetBody == nil {
		// A body that arrives from elsewhere may never come: closing it ends the read.
		stop := context.AfterFunc(req.Context(), func() { closeBody(req) })
		defer stop()
	}
	at := len(b)
	size := int(req.ContentLength)
	if need := at + size + 1; cap(b) < need {
		b = append(make([]byte, 0, need), b...)
	}
	n, err := io.ReadFull(req.Body, b[at:at+size])
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return b, fmt.Errorf("http: ContentLength=%d with Body length %d", size, n)
	}
	if err != nil {
		return b, err
	}
	if extra, _ := req.Body.Read(b[at+size : at+size+1]); extra > 0 {
		return b, fmt.Errorf("http: ContentLength=%d with Body length more", size)
	}
	return b[:at+size], nil
}

// wantsClose reports whether the request asks for the connection to be closed.
func wantsClose(req *http.Request) bool {
	if req.Close {
		return true
	}
	for _, v := range req.Header["Connection"] {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "close") {
				return true
			}
		}
	}
	return false
}

// replayable reports whether sending the request twice does what sending it
// once does.
func replayable(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	_, key := req.Header["Idempotency-Key"]
	return key
}
