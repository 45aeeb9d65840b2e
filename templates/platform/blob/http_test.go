package blob_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/blob"
	"github.com/e6b96b0c/backend/templates/platform/rest"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

const most = 1 << 20 // bytes of a file

// shelf serves one file: PUT and POST replace it, GET answers it.
type shelf struct {
	files *blob.Files
	mu    sync.Mutex
	key   string
	info  blob.Info
	title string
}

type upload struct {
	File  *blob.Upload
	Title string
}

type nothing struct{}

func (nothing) Respond(w *rest.Writer) { w.Empty(http.StatusNoContent) }

func (s *shelf) put(ctx context.Context, in upload) (nothing, error) {
	key, info, err := s.files.Keep(ctx, in.File)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key, s.info, s.title = key, info, in.Title
	return nothing{}, err
}

func (s *shelf) get(ctx context.Context, _ struct{}) (*blob.Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files.Content(ctx, s.key, s.info), nil
}

func serve(t *testing.T) (*httptest.Server, *shelf) {
	t.Helper()
	s := &shelf{files: open(t, t.TempDir(), none)}
	router := rest.NewRouter(rest.RouterOptions{Log: slog.New(slog.DiscardHandler)})
	api := rest.NewAPI(router, rest.Options{Service: "shelf", MaxBody: 1000}).Receiving(s.files.Receive, most)
	rest.Handle(api, rest.Operation{ID: "put", Method: http.MethodPut, Path: "/file", Upload: true, Consumes: []string{"image/*", "text/html"}},
		func(r *rest.Request) (in upload) {
			in.File = blob.Of(r.File("image/*", "text/html"))
			return in
		}, s.put)
	rest.Handle(api, rest.Operation{ID: "post", Method: http.MethodPost, Path: "/file", Upload: true, Consumes: []string{"multipart/form-data"}},
		func(r *rest.Request) (in upload) {
			in.File = blob.Of(r.FormFile(rest.FilePart{Name: "file", Types: []string{"image/png"}, Required: true}, rest.Fields{{Name: "title"}}, func(d *wire.Decoder) {
				for name := range d.Object() {
					if name == "title" {
						in.Title = d.String()
					} else {
						d.Skip()
					}
				}
			}))
			return in
		}, s.put)
	rest.Handle(api, rest.Operation{ID: "get", Method: http.MethodGet, Path: "/file"}, nil, s.get)
	server := httptest.NewServer(router)
	t.Cleanup(server.Close)
	return server, s
}

func do(t *testing.T, method, url string, body io.Reader, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	answer.Body = io.NopCloser(bytes.NewReader(text))
	return answer
}

func TestUploads(t *testing.T) {
	server, s := serve(t)
	url := server.URL + "/file"
	for name, c := range map[string]struct {
		body   io.Reader
		kind   string
		status int
	}{
		"taken":            {strings.NewReader("abc"), "image/png", 204},
		"as large as can":  {bytes.NewReader(make([]byte, most)), "image/png", 204},
		"one byte more":    {bytes.NewReader(make([]byte, most+1)), "image/png", 413},
		"of unknown size":  {io.MultiReader(bytes.NewReader(make([]byte, most)), strings.NewReader("x")), "image/png", 413},
		"empty":            {http.NoBody, "image/png", 400},
		"empty, chunked":   {io.MultiReader(), "image/png", 400},
		"none":             {http.NoBody, "", 400},
		"of another type":  {strings.NewReader("abc"), "application/pdf", 415},
		"of no single one": {strings.NewReader("abc"), "image/*", 415},
		"of no type":       {strings.NewReader("abc"), "", 415},
	} {
		headers := []string{}
		if c.kind != "" {
			headers = append(headers, "Content-Type: "+c.kind)
		}
		if a := do(t, http.MethodPut, url, c.body, headers...); a.StatusCode != c.status {
			text, _ := io.ReadAll(a.Body)
			t.Errorf("%s: %d %s", name, a.StatusCode, text)
		}
	}
	_ = s
}

func TestForms(t *testing.T) {
	server, s := serve(t)
	form := func(write func(w *multipart.Writer)) (io.Reader, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		write(w)
		_ = w.Close()
		return &b, "Content-Type: " + w.FormDataContentType()
	}
	file := func(w *multipart.Writer, kind string, data []byte) {
		part, _ := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="../ä.png"`}, "Content-Type": {kind}})
		_, _ = part.Write(data)
	}
	for name, c := range map[string]struct {
		write  func(w *multipart.Writer)
		status int
	}{
		"file first":   {func(w *multipart.Writer) { file(w, "image/png", []byte("abc")); _ = w.WriteField("title", "T") }, 204},
		"file last":    {func(w *multipart.Writer) { _ = w.WriteField("title", "T"); file(w, "image/png", []byte("abc")) }, 204},
		"no file":      {func(w *multipart.Writer) { _ = w.WriteField("title", "T") }, 422},
		"two files":    {func(w *multipart.Writer) { file(w, "image/png", nil); file(w, "image/png", nil) }, 422},
		"another type": {func(w *multipart.Writer) { file(w, "text/html", []byte("abc")) }, 415},
		"too large":    {func(w *multipart.Writer) { file(w, "image/png", make([]byte, most+1)) }, 413},
		"too long fields": {func(w *multipart.Writer) {
			_ = w.WriteField("title", strings.Repeat("T", 1001))
			file(w, "image/png", nil)
		}, 413},
	} {
		body, kind := form(c.write)
		if a := do(t, http.MethodPost, server.URL+"/file", body, kind); a.StatusCode != c.status {
			text, _ := io.ReadAll(a.Body)
			t.Errorf("%s: %d %s", name, a.StatusCode, text)
		}
		if c.status == 204 && (s.title != "T" || s.info.Name != "ä.png" || s.info.Size != 3) {
			t.Errorf("%s: %q %+v", name, s.title, s.info)
		}
	}
	if a := do(t, http.MethodPost, server.URL+"/file", strings.NewReader("--x\r\nrubbish"), "Content-Type: multipart/form-data; boundary=x"); a.StatusCode != 400 {
		t.Errorf("rubbish: %d", a.StatusCode)
	}
}

func TestDownloads(t *testing.T) {
	server, s := serve(t)
	url := server.URL + "/file"
	do(t, http.MethodPut, url, strings.NewReader("0123456789"), "Content-Type: image/png")
	whole := do(t, http.MethodGet, url, nil)
	tag := whole.Header.Get("ETag")
	for name, c := range map[string]struct {
		header string
		status int
		body   string
	}{
		"whole":         {"X-Nothing: 1", 200, "0123456789"},
		"range":         {"Range: bytes=2-4", 206, "234"},
		"last":          {"Range: bytes=-2", 206, "89"},
		"beyond":        {"Range: bytes=20-", 416, ""},
		"known":         {"If-None-Match: " + tag, 304, ""},
		"not this":      {`If-Match: "other"`, 412, ""},
		"range of this": {"If-Range: " + tag, 200, "0123456789"},
	} {
		a := do(t, http.MethodGet, url, nil, c.header)
		text, _ := io.ReadAll(a.Body)
		if a.StatusCode != c.status || a.StatusCode < 300 && string(text) != c.body {
			t.Errorf("%s: %d %q", name, a.StatusCode, text)
		}
		if a.StatusCode >= 400 && a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v", name, a.Header)
		}
		if a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: browsers may guess its type", name)
		}
	}
	if a := do(t, http.MethodHead, url, nil); a.StatusCode != 200 || a.ContentLength != 10 || a.Header.Get("ETag") != tag {
		t.Errorf("HEAD %d %v", a.StatusCode, a.Header)
	}
	if d := whole.Header.Get("Content-Disposition"); d != "" {
		t.Errorf("a picture without a name: %s", d)
	}
	s.info.Name = `ä";x.png`
	if d := do(t, http.MethodGet, url, nil).Header.Get("Content-Disposition"); d != `inline; filename="__;x.png"; filename*=UTF-8''%C3%A4%22%3Bx.png` {
		t.Error(d)
	}
	for _, kind := range []string{"text/html", "image/svg+xml; charset=utf-8", "application/xhtml+xml", "text/xml", "application/octet-stream", "rubbish"} {
		s.info.Type = kind
		if d := do(t, http.MethodGet, url, nil).Header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment") {
			t.Errorf("%s: %q", kind, d)
		}
	}
	s.key = "gone"
	if a := do(t, http.MethodGet, url, nil); a.StatusCode != 500 {
		t.Errorf("a file whose bytes are gone: %d", a.StatusCode)
	}
}

func TestAmong(t *testing.T) {
	f := open(t, t.TempDir(), none)
	for kind, want := range map[string]string{"image/png": "image/png", "Text/Plain; charset=utf-8": "Text/Plain; charset=utf-8", "application/pdf": "application/octet-stream"} {
		if c := f.Content(t.Context(), "k", blob.Info{Type: kind}).Among("image/*", "text/plain"); c.Type != want {
			t.Errorf("%s is answered as %s", kind, c.Type)
		}
	}
}
