package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/e6b96b0c/backend/templates/platform/blob"
	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/testenv"
)

// setenv sets the credentials, and keeps those of the machine out.
func setenv(t *testing.T, env map[string]string) {
	t.Helper()
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_ACCESS_KEY": "", "AWS_SECRET_KEY": "",
		"AWS_REGION": "", "AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_CONFIG_FILE": nowhere, "AWS_WEB_IDENTITY_TOKEN_FILE": "",
		// Nobody is to be asked for roles.
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
	} {
		t.Setenv(name, value)
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
}

func TestMain(m *testing.M) {
	minio.DefaultRetryUnit = time.Millisecond
	os.Exit(m.Run())
}

func must(t *testing.T, rawURL string) *Store {
	t.Helper()
	s, err := Open(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bucket returns a store in a bucket of a real server.
func bucket(t *testing.T) *Store {
	t.Helper()
	rawURL, env := testenv.S3(t)
	setenv(t, env)
	return must(t, strings.Replace(rawURL, "?", "/some/files?", 1))
}

// fake returns a store on a server that answers as handle does.
func fake(t *testing.T, handle http.HandlerFunc) *Store {
	t.Helper()
	setenv(t, nil)
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return must(t, "s3://bucket?endpoint="+url.QueryEscape(server.URL))
}

// write makes a file, and describes it.
func write(t *testing.T, data []byte) (path string, info blob.Info) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return path, blob.Info{Type: "text/plain; charset=utf-8", Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
}

func put(t *testing.T, s *Store, key string, data []byte) blob.Info {
	t.Helper()
	path, info := write(t, data)
	if err := s.Put(t.Context(), key, path, info); err != nil {
		t.Fatal(err)
	}
	return info
}

func read(ctx context.Context, s *Store, key string, info blob.Info) ([]byte, error) {
	body, err := s.Get(ctx, key, info)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	return io.ReadAll(body)
}

func noise(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.Read(data)
	return data
}

func TestRoundTrip(t *testing.T) {
	s := bucket(t)
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 70_000, 12 << 20} {
		data, key := noise(size), fmt.Sprint(size)
		if _, err := read(t.Context(), s, key, blob.Info{}); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%d bytes: before they are put: %v", size, err)
		}
		info := put(t, s, key, data)
		for _, info := range []blob.Info{info, {}} { // also without a known size
			if got, err := read(t.Context(), s, key, info); !bytes.Equal(got, data) || err != nil {
				t.Errorf("%d bytes: got %d, %v", size, len(got), err)
			}
		}
		o, err := s.client.StatObject(t.Context(), s.bucket, s.name(key), minio.StatObjectOptions{})
		if err != nil || o.ContentType != info.Type || !strings.HasPrefix(o.Key, "some/files/") {
			t.Errorf("object %q of type %q: %v", o.Key, o.ContentType, err)
		}
		for range 2 {
			if err := s.Delete(t.Context(), key); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.Get(t.Context(), key, info); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%d bytes: after they are removed: %v", size, err)
		}
	}
}

// TestOtherBytes: what is not what it should be is not stored, and not read.
func TestOtherBytes(t *testing.T) {
	s := bucket(t)
	path, info := write(t, []byte("hello"))
	wrong := info
	wrong.SHA256 = strings.Repeat("0", 64)
	if err := s.Put(t.Context(), "a", path, wrong); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("another hash: %v", err)
	}
	if _, err := s.Get(t.Context(), "a", info); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stored nevertheless: %v", err)
	}
	if err := s.Put(t.Context(), "a", path, blob.Info{}); err != nil {
		t.Errorf("an unknown hash: %v", err)
	}
	info.Size = 4
	if _, err := s.Get(t.Context(), "a", info); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another size: %v", err)
	}
	if err := s.Put(t.Context(), "a", path+"-not", info); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// counting returns a store on the same server, behind a proxy that counts the requests
// and the connections.
func counting(t *testing.T, s *Store) (behind *Store, requests, connections *atomic.Int64) {
	t.Helper()
	requests, connections = new(atomic.Int64), new(atomic.Int64)
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(s.client.EndpointURL())
			r.Out.Host = r.In.Host // which is signed
			requests.Add(1)
		},
		ErrorLog: log.New(io.Discard, "", 0), // of what the client has had enough of
	})
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return must(t, "s3://"+s.bucket+"/"+s.prefix+"?endpoint="+url.QueryEscape(server.URL)), requests, connections
}

// TestServeContent: what http.ServeContent does with a reader costs one request for the
// whole, and one more for a range that does not begin with it.
func TestServeContent(t *testing.T) {
	s, requests, connections := counting(t, bucket(t))
	data := noise(3 << 20)
	info := put(t, s, "key", data)
	for _, c := range []struct {
		method, header string
		status         int
		want           []byte
		requests       int64
	}{
		{http.MethodGet, "", http.StatusOK, data, 1},
		{http.MethodHead, "", http.StatusOK, nil, 1},
		{http.MethodGet, "bytes=5-9", http.StatusPartialContent, data[5:10], 2},
		{http.MethodGet, "bytes=0-9", http.StatusPartialContent, data[:10], 1},
		{http.MethodGet, "bytes=-100", http.StatusPartialContent, data[len(data)-100:], 2},
		{http.MethodGet, "bytes=1000000-", http.StatusPartialContent, data[1_000_000:], 2},
		{http.MethodGet, fmt.Sprintf("bytes=%d-", len(data)), http.StatusRequestedRangeNotSatisfiable, nil, 1},
	} {
		t.Run(c.method+" "+c.header, func(t *testing.T) {
			requests.Store(0)
			body, err := s.Get(t.Context(), "key", info)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(c.method, "/", nil)
			r.Header.Set("Range", c.header)
			w := httptest.NewRecorder()
			w.Header().Set("Content-Type", info.Type) // else it would look into the file
			http.ServeContent(w, r, "", time.Time{}, body)
			if err := body.Close(); err != nil {
				t.Error(err)
			}
			if w.Code != c.status || w.Code < 300 && !bytes.Equal(w.Body.Bytes(), c.want) {
				t.Errorf("%d with %d bytes", w.Code, w.Body.Len())
			}
			if n := requests.Load(); n != c.requests {
				t.Errorf("%d requests, want %d", n, c.requests)
			}
			if _, err := body.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("read what is closed: %v", err)
			}
		})
	}
	connections.Store(0)
	for range 20 {
		if got, err := read(t.Context(), s, "key", info); !bytes.Equal(got, data) || err != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	if n := connections.Load(); n > 1 { // the last answer of the table was not read to its end
		t.Errorf("%d connections for whole files", n)
	}
}

func TestSeek(t *testing.T) {
	s := bucket(t)
	data := noise(100_000)
	body, err := s.Get(t.Context(), "key", put(t, s, "key", data))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	for _, c := range []struct {
		offset int64
		whence int
		n      int
	}{{10, io.SeekStart, 10}, {0, io.SeekCurrent, 10}, {-5, io.SeekCurrent, 20}, {-10, io.SeekEnd, 10}, {0, io.SeekStart, 100_000}} {
		at, err := body.Seek(c.offset, c.whence)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, c.n)
		if _, err := io.ReadFull(body, got); err != nil || !bytes.Equal(got, data[at:at+int64(c.n)]) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	if at, err := body.Seek(5, io.SeekEnd); at != 100_005 || err != nil {
		t.Errorf("beyond the end: %d, %v", at, err)
	}
	if _, err := body.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("read beyond the end: %v", err)
	}
	if _, err := body.Seek(-1, io.SeekStart); err == nil {
		t.Error("before the beginning")
	}
}

// TestHostileKeys: no key leads out of the prefix.
func TestHostileKeys(t *testing.T) {
	s := bucket(t)
	keys := []string{"../../evil", "/etc/passwd", "a/b", "..", "", "a\x00b", strings.Repeat("x", 5000), "?versionId=1"}
	for _, key := range keys {
		info := put(t, s, key, []byte(key))
		if got, err := read(t.Context(), s, key, info); string(got) != key || err != nil {
			t.Errorf("%.20q holds %.20q, %v", key, got, err)
		}
	}
	n := 0
	for o := range s.client.Client.ListObjects(t.Context(), s.bucket, minio.ListObjectsOptions{Recursive: true}) {
		if n++; o.Err != nil || !strings.HasPrefix(o.Key, "some/files/") {
			t.Errorf("object %q, %v", o.Key, o.Err)
		}
	}
	if n != len(keys) {
		t.Errorf("%d objects for %d keys", n, len(keys))
	}
}

// each calls every method of a store, and returns what they return.
func each(ctx context.Context, t *testing.T, s *Store) map[string]error {
	t.Helper()
	path, info := write(t, noise(12<<20))
	_, getting := s.Get(ctx, "key", info)
	return map[string]error{"put": s.Put(ctx, "key", path, info), "get": getting, "delete": s.Delete(ctx, "key"), "ping": s.Ping(ctx)}
}

// TestFaults: faults of the configuration are told plainly, and are none that pass.
func TestFaults(t *testing.T) {
	const wrong = "a-very-secret-word"
	rawURL, env := testenv.S3(t)
	_, query, _ := strings.Cut(rawURL, "?")
	for _, c := range []struct {
		name, url string
		env       map[string]string
		want      string
	}{
		{"wrong secret", rawURL, map[string]string{"AWS_SECRET_ACCESS_KEY": wrong}, "check the credentials"},
		{"no credentials", rawURL, map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "set AWS_ACCESS_KEY_ID"},
		{"half of them", rawURL, map[string]string{"AWS_SECRET_ACCESS_KEY": ""}, "set AWS_ACCESS_KEY_ID"},
		{"no bucket", "s3://not-there?" + query, nil, "make"},
		{"no TLS", strings.Replace(rawURL, "endpoint=http", "endpoint=https", 1), nil, "HTTPS client"},
	} {
		t.Run(c.name, func(t *testing.T) {
			setenv(t, env)
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			s := must(t, c.url)
			for method, err := range each(t.Context(), t, s) {
				if err == nil || errors.Is(err, store.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s: %v", method, err)
				} else if text := err.Error(); !strings.Contains(text, c.want) || !strings.Contains(text, s.bucket) || strings.Contains(text, wrong) {
					t.Errorf("%s: %s", method, text)
				}
			}
		})
	}
}

// TestStopped: a server that is gone is soon store.ErrUnavailable, also for who reads.
func TestStopped(t *testing.T) {
	server := testenv.NewS3(t)
	rawURL, env := server.Bucket(t)
	setenv(t, env)
	s := must(t, rawURL)
	body, err := s.Get(t.Context(), "key", put(t, s, "key", noise(12<<20)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	server.Stop()
	if _, err := io.Copy(io.Discard, body); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("read: %v", err)
	}
	began := time.Now()
	for method, err := range each(t.Context(), t, s) {
		if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), s.bucket) {
			t.Errorf("%s: %v", method, err)
		}
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestOutlives: a response is sent when the operation is over, and its ctx with it.
func TestOutlives(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	s := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		_, _ = w.Write([]byte("hello"))
		_ = http.NewResponseController(w).Flush()
		close(arrived)
		<-release
		_, _ = w.Write([]byte("there"))
	})
	ctx, cancel := context.WithCancel(t.Context())
	body, err := s.Get(ctx, "key", blob.Info{Size: 10})
	if err != nil {
		t.Fatal(err)
	}
	<-arrived
	cancel()
	close(release)
	if text, err := io.ReadAll(body); string(text) != "hellothere" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
}

// TestCancelled: every call ends with its ctx.
func TestCancelled(t *testing.T) {
	arrived, release := make(chan struct{}, 4), make(chan struct{})
	s := fake(t, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	t.Cleanup(func() { close(release) })
	path, info := write(t, []byte("hello"))
	for name, call := range map[string]func(ctx context.Context) error{
		"put":    func(ctx context.Context) error { return s.Put(ctx, "key", path, info) },
		"delete": func(ctx context.Context) error { return s.Delete(ctx, "key") },
		"ping":   s.Ping,
		"get": func(ctx context.Context) error {
			_, err := s.Get(ctx, "key", blob.Info{Size: 10})
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		began := time.Now()
		if err := call(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable) || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %s", name, err, time.Since(began))
		}
	}
}

// TestStalled: a server that neither ends nor goes on is given up, in both directions.
func TestStalled(t *testing.T) {
	release := make(chan struct{})
	s := fake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Length", "10")
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			_, _ = w.Write([]byte("hello"))
			_ = http.NewResponseController(w).Flush()
		}
		<-release // without reading what comes
	})
	t.Cleanup(func() { close(release) })
	hasty, err := parse("s3://bucket?endpoint=" + url.QueryEscape(s.client.EndpointURL().String()))
	if err != nil {
		t.Fatal(err)
	}
	hasty.stall = 50 * time.Millisecond
	if s, err = hasty.open(); err != nil {
		t.Fatal(err)
	}
	if text, err := read(t.Context(), s, "key", blob.Info{}); string(text) != "hello" || !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, errStalled) {
		t.Errorf("read %q, %v", text, err)
	}
	path, info := write(t, noise(32<<20)) // more than sockets hold
	if err := s.Put(t.Context(), "key", path, info); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("put: %v", err)
	}
}

// TestAnswers: what a server may answer, and what is made of it.
func TestAnswers(t *testing.T) {
	const unavailable, fault = true, false
	for _, c := range []struct {
		status     int
		code       string
		is         bool
		want       string
		requests   int64
		regionSays string
	}{
		{500, "InternalError", unavailable, "InternalError", attempts, ""},
		{503, "SlowDown", unavailable, "SlowDown", attempts, ""},
		{429, "TooManyRequests", unavailable, "TooManyRequests", attempts, ""},
		{400, "RequestTimeout", unavailable, "RequestTimeout", attempts, ""},
		{400, "IncompleteBody", unavailable, "IncompleteBody", 1, ""},
		{502, "", unavailable, "502", attempts, ""},
		{501, "NotImplemented", fault, "NotImplemented", 1, ""},
		{403, "AccessDenied", fault, "check the credentials", 1, ""},
		{301, "PermanentRedirect", fault, "set the region in the URL to that of the bucket eu-west-3", 1, "eu-west-3"},
		{400, "AuthorizationHeaderMalformed", fault, "set the region", 1, ""},
		{400, "EntityTooLarge", fault, "EntityTooLarge", 1, ""},
	} {
		var requests atomic.Int64
		s := fake(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			requests.Add(1)
			w.Header().Set("X-Amz-Bucket-Region", c.regionSays)
			w.WriteHeader(c.status)
			if c.code != "" {
				_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>so it is</Message></Error>", c.code)
			}
		})
		path, info := write(t, []byte("hello"))
		err := s.Put(t.Context(), "key", path, info)
		if err == nil || errors.Is(err, store.ErrUnavailable) != c.is || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "the bucket bucket") {
			t.Errorf("%d %s: %v", c.status, c.code, err)
		}
		if n := requests.Load(); n != c.requests {
			t.Errorf("%d %s: %d requests", c.status, c.code, n)
		}
	}
}

// TestCertificate: a certificate that nobody knows does not pass by itself.
func TestCertificate(t *testing.T) {
	setenv(t, nil)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	err := must(t, "s3://bucket?endpoint="+url.QueryEscape(server.URL)).Ping(t.Context())
	if err == nil || errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
}

// TestRangeNotHeeded: a server that answers with the whole instead is not believed.
func TestRangeNotHeeded(t *testing.T) {
	s := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		_, _ = w.Write([]byte("hello"))
	})
	body, err := s.Get(t.Context(), "key", blob.Info{Size: 5})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := body.Seek(2, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(body); err == nil {
		t.Errorf("read %q", text)
	}
}

// TestRoles: roles are asked for when the environment has no credentials, and only then.
func TestRoles(t *testing.T) {
	asked, authorization := 0, ""
	roles := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = fmt.Fprintf(w, `{"AccessKeyId": "role", "SecretAccessKey": "x", "Token": "y", "Expiration": %q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(roles.Close)
	s := fake(t, func(_ http.ResponseWriter, r *http.Request) { authorization = r.Header.Get("Authorization") })
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", roles.URL)
	if err := s.Ping(t.Context()); err != nil || asked != 0 || !strings.Contains(authorization, "Credential=key/") {
		t.Errorf("asked %d times: %v %s", asked, err, authorization)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	s = must(t, "s3://bucket?endpoint="+url.QueryEscape(s.client.EndpointURL().String()))
	for range 3 {
		if err := s.Ping(t.Context()); err != nil || asked != 1 || !strings.Contains(authorization, "Credential=role/") {
			t.Errorf("asked %d times: %v %s", asked, err, authorization)
		}
	}
}

func TestURLs(t *testing.T) {
	setenv(t, nil)
	const secret = "hunter2"
	for rawURL, want := range map[string]string{
		"":                       "must look like s3://",
		"bucket":                 "must look like s3://",
		"http://bucket":          "must look like s3://",
		"s3:bucket":              "must look like s3://",
		"s3://":                  "no valid bucket",
		"s3:///prefix":           "no valid bucket",
		"s3://A":                 "no valid bucket",
		"s3://bucket:9000":       "no valid bucket",
		"s3://../x":              "no valid bucket",
		"s3://10.0.0.1/x":        "no valid bucket",
		"s3://bucket/a#b":        "percent-encoded",
		"s3://bucket/a%zz":       "percent-encoded",
		"s3://bucket/../a":       "prefix",
		"s3://bucket/a/..":       "prefix",
		"s3://bucket/a//b":       "prefix",
		"s3://bucket/./a":        "prefix",
		"s3://bucket/a%00b":      "prefix",
		"s3://bucket/a%2F..%2Fb": "prefix",
		"s3://bucket/a%0Ab":      "prefix",
		"s3://bucket/%FF":        "prefix",
		"s3://bucket/" + strings.Repeat("x", 1000):       "too long",
		"s3://key:" + secret + "@bucket":                 "set AWS_ACCESS_KEY_ID",
		"s3://key:" + secret + "/x@bucket":               "percent-encoded",
		"s3://bucket?secret=" + secret:                   "credentials belong in",
		"s3://bucket?" + secret:                          "and nothing else",
		"s3://bucket?region=a&region=b":                  "each once",
		"s3://bucket?region=%zz" + secret:                "query",
		"s3://bucket?path_style=" + secret:               "true or false",
		"s3://bucket?path_style=":                        "true or false",
		"s3://bucket?endpoint=":                          "endpoint",
		"s3://bucket?endpoint=127.0.0.1:9000":            "endpoint",
		"s3://bucket?endpoint=localhost":                 "endpoint",
		"s3://bucket?endpoint=ftp://localhost":           "endpoint",
		"s3://bucket?endpoint=http://:9000":              "endpoint",
		"s3://bucket?endpoint=http://localhost/path":     "endpoint",
		"s3://bucket?endpoint=http://localhost%3Fa=b":    "endpoint",
		"s3://bucket?endpoint=http://k:" + secret + "@h": "endpoint",
		"s3://bucket?endpoint=http://a b":                "endpoint",
	} {
		_, err := Open(rawURL)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%.60s: %v", rawURL, err)
		}
	}
	for rawURL, want := range map[string]settings{
		"s3://bucket":             {bucket: "bucket", host: aws, region: "us-east-1", secure: true},
		"s3://my.bucket/a/b%20c/": {bucket: "my.bucket", prefix: "a/b c/", host: aws, region: "us-east-1", secure: true},
		"s3://bucket?region=eu-west-3&path_style=true":                 {bucket: "bucket", host: aws, region: "eu-west-3", secure: true, lookup: minio.BucketLookupPath},
		"s3://bucket//a?endpoint=http://127.0.0.1:9000/":               {bucket: "bucket", prefix: "a/", host: "127.0.0.1:9000", region: "us-east-1", lookup: minio.BucketLookupPath},
		"s3://bucket?endpoint=https://s3.example.com&path_style=false": {bucket: "bucket", host: "s3.example.com", region: "us-east-1", secure: true, lookup: minio.BucketLookupDNS},
		"s3://bucket?endpoint=http://[::1]:9000":                       {bucket: "bucket", host: "[::1]:9000", region: "us-east-1", lookup: minio.BucketLookupPath},
	} {
		want.stall = stallTimeout
		if got, err := parse(rawURL); err != nil || *got != want {
			t.Errorf("%s: %+v, %v", rawURL, got, err)
		}
		if _, err := Open(rawURL); err != nil {
			t.Errorf("%s: %v", rawURL, err)
		}
	}
	t.Setenv("AWS_REGION", "eu-north-1")
	if s, err := parse("s3://bucket?region="); err != nil || s.region != "eu-north-1" {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestConcurrent stores, reads and removes many files at once.
func TestConcurrent(t *testing.T) {
	s := bucket(t)
	put(t, s, "stays", nil) // versitygw drops the folder of an empty prefix even as files are put there
	var group sync.WaitGroup
	for i := range 40 {
		data, key := noise(50_000+i), fmt.Sprint(i)
		path, info := write(t, data)
		group.Go(func() {
			if err := s.Put(t.Context(), key, path, info); err != nil {
				t.Error(err)
			}
			if got, err := read(t.Context(), s, key, info); !bytes.Equal(got, data) || err != nil {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if err := s.Delete(t.Context(), key); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// TestFiles: the files of a service are in the bucket, and go from it.
func TestFiles(t *testing.T) {
	s, dir := bucket(t), t.TempDir()
	files, err := blob.Open(blob.Options{Dir: dir, Store: s, Grace: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Start(t.Context(), func(context.Context, string) (bool, error) { return false, nil }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close(context.WithoutCancel(t.Context())) })
	received, err := files.Receive(t.Context(), "a.txt", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	key, info, err := files.Keep(t.Context(), blob.Of(received))
	if err != nil {
		t.Fatal(err)
	}
	received.Discard()
	content := func() (string, error) {
		body, err := files.Content(t.Context(), key, info).Open()
		if err != nil {
			return "", err
		}
		defer func() { _ = body.Close() }()
		text, err := io.ReadAll(body)
		return string(text), err
	}
	if text, err := content(); text != "hello" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if err := files.Leave(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, err := content()
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("still there: %v", err)
		}
	}
	for _, folder := range []string{"arriving", "kept"} {
		if left, _ := os.ReadDir(filepath.Join(dir, folder)); len(left) > 0 {
			t.Errorf("%s: %v", folder, left)
		}
	}
}
