package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/e6b96b0c/backend/templates/platform/rest"
)

// Content is a kept file on its way to a client.
type Content struct {
	Info
	open func() (io.ReadSeekCloser, error)
}

// Content returns the file that a row has under the key. Its bytes are read when the
// response is sent.
func (f *Files) Content(ctx context.Context, key string, info Info) *Content {
	return &Content{Info: info, open: func() (io.ReadSeekCloser, error) {
		body, err := f.store.Get(ctx, key, info)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the bytes of file %s are gone from the store: %w", key, err)
		}
		return body, unavailable("open", err)
	}}
}

// Open returns the bytes.
func (c *Content) Open() (io.ReadSeekCloser, error) { return c.open() }

// FromAnswer returns the content that another process has answered.
func FromAnswer(header http.Header, body []byte) *Content {
	u := New("", header.Get("Content-Type"), body)
	return &Content{Info: u.Info, open: u.Open}
}

// Respond writes the file as the response: the whole, or the ranges that are asked for.
func (c *Content) Respond(w *rest.Writer) {
	body, err := c.open()
	if err != nil {
		w.Fail(err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", c.Type)
	header.Set("ETag", c.ETag())
	if disposition := c.disposition(); disposition != "" {
		header.Set("Content-Disposition", disposition)
	}
	w.Stream(c.Stored, body)
}

// disposition says how a browser should take the file, RFC 6266: what can run scripts is
// saved, never shown, for it would run as a page of this server.
func (c *Content) disposition() string {
	kind := "attachment"
	if harmless(c.Type) {
		kind = "inline"
	}
	if c.Name == "" {
		if kind == "inline" {
			return ""
		}
		return kind
	}
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, c.Name)
	text := kind + `; filename="` + ascii + `"`
	if ascii != c.Name {
		text += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(c.Name), "+", "%20") // RFC 8187
	}
	return text
}

// harmless reports whether a browser can show the type without running what it holds.
func harmless(mediaType string) bool {
	t, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	switch t = strings.TrimSpace(t); t {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "text/plain", "text/csv", "application/pdf":
		return true
	}
	return strings.HasPrefix(t, "audio/") || strings.HasPrefix(t, "video/")
}

// Among returns the content as one of the media types, image/* standing for all images:
// a file of another type is answered as bytes of no type.
func (c *Content) Among(types ...string) *Content {
	have, _, _ := strings.Cut(strings.ToLower(c.Type), ";")
	for _, t := range types {
		main, all := strings.CutSuffix(t, "*")
		if t == have || t == "*/*" || all && strings.HasPrefix(have, main) {
			return c
		}
	}
	out := *c
	out.Type = "application/octet-stream"
	return &out
}
