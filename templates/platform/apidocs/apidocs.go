// Package apidocs serves the API's document, and a page to read it and to try its
// operations, which needs nothing from elsewhere: the page is Swagger UI, embedded.
//
// The page is on the admin address, what it tries on the public one. So that no
// browser has to be allowed to call the API from another origin, the page sends its
// requests to /try/ on its own address, and they are served by the API's handler in
// this process. Only that page can, and only on this machine; see guard.
package apidocs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// Swagger UI is there as its authors publish it, compressed: `make apidocs` fetches
// it. Its licences are in the same folder.
//
//go:embed assets
var assets embed.FS

// policy is what the page may do: show what this address serves, and ask it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Options say what is shown.
type Options struct {
	// Document is the OpenAPI document, as JSON.
	Document []byte
	// API serves the operations.
	API http.Handler
	// URL is where others reach API, http://127.0.0.1:8080: what the page shows.
	URL string
	// Local says that only this machine reaches the page: then it can try operations.
	Local bool
	// Tokens says that POST /dev/token is served beside the page.
	Tokens bool
}

// Pages serves GET /openapi.json, the page at /docs, and what it needs.
type Pages struct {
	mux *http.ServeMux
}

// New makes the pages of one API.
func New(o Options) *Pages {
	p := &Pages{mux: http.NewServeMux()}
	p.serve("/openapi.json", "application/json", o.Document)
	settings, err := json.Marshal(map[string]any{"url": o.URL, "try": o.Local, "tokens": o.Local && o.Tokens})
	if err != nil {
		panic(err) // texts and booleans always are JSON
	}
	p.serve("/docs/settings.json", "application/json", settings)
	entries, err := assets.ReadDir("assets")
	if err != nil {
		panic(err) // it is embedded
	}
	for _, e := range entries {
		data, err := assets.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		name, compressed := strings.CutSuffix(e.Name(), ".gz")
		target := "/docs/" + name
		if name == "page.html" {
			target = "/docs"
		}
		if compressed {
			p.serveCompressed(target, mediaType(name), data)
		} else {
			p.serve(target, mediaType(name), data)
		}
	}
	p.mux.Handle("GET /docs/{$}", http.RedirectHandler("/docs", http.StatusFound))
	p.mux.Handle("GET /{$}", http.RedirectHandler("/docs", http.StatusFound))
	if o.Local {
		p.mux.Handle("/try/", guard(o.URL, o.API))
	}
	return p
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	p.mux.ServeHTTP(w, r)
}

// serve serves bytes; a client that has them already is told so.
func (p *Pages) serve(target, mediaType string, data []byte) {
	tag := tagOf(data)
	p.mux.HandleFunc("GET "+target, func(w http.ResponseWriter, r *http.Request) {
		send(w, r, mediaType, tag, data)
	})
}

// serveCompressed serves bytes that are embedded compressed, as they are to clients
// that take them so.
func (p *Pages) serveCompressed(target, mediaType string, data []byte) {
	tag := tagOf(data)
	p.mux.HandleFunc("GET "+target, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Encoding")
		if takesGzip(r.Header.Get("Accept-Encoding")) {
			w.Header().Set("Content-Encoding", "gzip")
			send(w, r, mediaType, tag, data)
			return
		}
		plain, err := expand(data)
		if err != nil {
			http.Error(w, "the file is damaged", http.StatusInternalServerError)
			return
		}
		send(w, r, mediaType, strings.TrimSuffix(tag, `"`)+`-plain"`, plain)
	})
}

// send answers with bytes that stay the same until the server is another one.
func send(w http.ResponseWriter, r *http.Request, mediaType, tag string, data []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-cache") // keep it, and ask whether it is still the same
	h.Set("ETag", tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func tagOf(data []byte) string {
	sum := sha256.Sum256(data)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

func takesGzip(accept string) bool {
	for item := range strings.SplitSeq(accept, ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(item), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}

func expand(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// mediaType does without the machine's own table, which may say otherwise.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".txt", "":
		return "text/plain; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name))
}
