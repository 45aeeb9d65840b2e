package acceptance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/testenv"
)

// TestFiles: what clients upload is what they download, whichever shape and database; it
// goes with its row and its parent, and outlives a restart.
func TestFiles(t *testing.T) {
	project := scaffold(t, "files", repository+"/testdata/specs/good/files.yaml", "--set", "database.engine=postgres")
	stubs := map[string]string{}
	for _, s := range project.Stubs {
		stubs[s.Operation] = s.Reason
	}
	if len(stubs) != 2 || stubs["uploadImage"] != "nothing reads what it uploads" || stubs["getReport"] != "nothing uploads what it answers" {
		t.Errorf("stubs: %v", stubs)
	}
	checkProject(t, project.Dir)
	for _, setting := range settings(t) {
		t.Run(setting.name, func(t *testing.T) {
			data := t.TempDir()
			s := run(t, project.Dir, data, setting)
			testAvatar(t, s)
			testDocuments(t, s)
			testThings(t, s)
			kept := testWithParent(t, s, func() []string {
				return slices.DeleteFunc(blobs(t, data), func(path string) bool { return !strings.Contains(path, "/kept/") })
			})
			s.stop()
			if left := blobs(t, data); len(left) != kept {
				t.Errorf("%d files after a stop, want %d: %v", len(left), kept, left)
			}
			s = run(t, project.Dir, data, setting)
			if a := s.want(t, 200, http.MethodGet, "/v1/shelves/a/after%20a%20restart", ""); string(a.Body) != "it is here" {
				t.Errorf("after a restart: %s", a.Body)
			}
			// Every upload waits for the disk, so how fast it is says more of the machine.
			r := loadtest(t, project.Dir, "--rate", "30", "--duration", "3s", "--target", setting.target)
			if r.Total.Requests == 0 || r.Total.Errors != 0 || r.Total.Violations != 0 {
				t.Errorf("load test: %+v", r.Total)
			}
		})
	}
}

// TestFilesInS3: the same with the bytes in a bucket, where a load test leaves none; and
// where no store for a bucket is compiled in, the server says how to add it.
func TestFilesInS3(t *testing.T) {
	document := repository + "/testdata/specs/good/files.yaml"
	bucket, env := testenv.S3(t)
	for name, value := range env {
		t.Setenv(name, value)
	}
	without := scaffold(t, "without", document)
	project := scaffold(t, "files", document, "--set", "files.engine=s3")
	refused := func(dir, url, want string) {
		t.Setenv("BLOB_URL", url)
		out, err := tryCommand(t, dir, backend(t), "run", dir, "--addr", "127.0.0.1:0")
		if code := exitCode(err); code != 3 || !strings.Contains(out, want) {
			t.Errorf("exit %d: %s", code, out)
		}
	}
	refused(without.Dir, bucket, "scaffold update --set files.engine=s3")
	refused(project.Dir, strings.Replace(bucket, "?", "-not?", 1), "there is no bucket")
	t.Setenv("BLOB_URL", strings.Replace(bucket, "?", "/shop/files?", 1))
	stored := func() []string { return testenv.Objects(t, bucket, env) }
	for _, target := range []string{"all", "split"} {
		t.Run(target, func(t *testing.T) {
			data := t.TempDir()
			s := run(t, project.Dir, data, setting{target: target})
			testAvatar(t, s)
			testDocuments(t, s)
			testThings(t, s)
			kept := testWithParent(t, s, stored)
			s.stop()
			left := stored()
			if len(left) != kept || !strings.HasPrefix(left[0], "shop/files/") || len(blobs(t, data)) != 0 {
				t.Errorf("after a stop in the bucket: %v; in the folder: %v", left, blobs(t, data))
			}
			s = run(t, project.Dir, data, setting{target: target})
			if a := s.want(t, 200, http.MethodGet, "/v1/shelves/a/after%20a%20restart", ""); string(a.Body) != "it is here" {
				t.Errorf("after a restart: %s", a.Body)
			}
			r := loadtest(t, project.Dir, "--rate", "20", "--duration", "2s", "--target", target)
			if r.Total.Requests == 0 || r.Total.Errors != 0 || r.Total.Violations != 0 || !slices.Equal(stored(), left) {
				t.Errorf("load test: %+v; in the bucket: %v", r.Total, stored())
			}
			s.want(t, 204, http.MethodDelete, "/v1/shelves/a/after%20a%20restart", "")
			s.stop() // which settles what is in doubt
			if left := stored(); len(left) != 0 {
				t.Errorf("in the bucket: %v", left)
			}
		})
	}
}

// blobs lists the files under DATA_DIR that belong to uploads, of whatever kind.
func blobs(t *testing.T, data string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(data, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func newOwner(t *testing.T, s *server) string {
	t.Helper()
	return s.want(t, 201, http.MethodPost, "/v1/users", `{"name":"Ann"}`).field("id")
}

func testAvatar(t *testing.T, s *server) {
	user := "/v1/users/" + newOwner(t, s)
	s.want(t, 401, http.MethodPut, user+"/avatar", "x", "Content-Type: image/png", "Authorization: ")
	avatar := user + "/avatar"
	picture := strings.Repeat("0123456789abcdef", 5<<16) // 5 MiB
	s.want(t, 404, http.MethodGet, avatar, "")
	s.want(t, 404, http.MethodPut, "/v1/users/00000000-0000-7000-8000-000000000000/avatar", "x", "Content-Type: image/png")
	s.want(t, 201, http.MethodPut, avatar, "small", "Content-Type: image/jpeg")
	s.want(t, 204, http.MethodPut, avatar, picture, "Content-Type: image/png")
	a := s.want(t, 200, http.MethodGet, avatar, "")
	if string(a.Body) != picture || a.Header.Get("Content-Type") != "image/png" {
		t.Errorf("%d bytes of %s", len(a.Body), a.Header.Get("Content-Type"))
	}
	tag := a.Header.Get("ETag")
	s.want(t, 304, http.MethodGet, avatar, "", "If-None-Match: "+tag)
	part := s.want(t, 206, http.MethodGet, avatar, "", "Range: bytes=16-19", "If-Range: "+tag)
	if string(part.Body) != "0123" || part.Header.Get("Content-Range") != fmt.Sprintf("bytes 16-19/%d", len(picture)) {
		t.Errorf("range %q %s", part.Body, part.Header.Get("Content-Range"))
	}
	s.want(t, 416, http.MethodGet, avatar, "", "Range: bytes=99999999-")
	if head := s.want(t, 200, http.MethodHead, avatar, ""); head.Header.Get("Content-Length") != fmt.Sprint(len(picture)) {
		t.Errorf("HEAD %v", head.Header)
	}
	s.want(t, 415, http.MethodPut, avatar, "GIF", "Content-Type: image/gif")
	s.want(t, 413, http.MethodPut, avatar, strings.Repeat("x", 32<<20+1), "Content-Type: image/png")
	s.want(t, 200, http.MethodGet, avatar, "", "If-None-Match: "+`"other"`) // still that of before
	s.want(t, 204, http.MethodDelete, avatar, "")
	s.want(t, 404, http.MethodGet, avatar, "")
	s.want(t, 404, http.MethodDelete, avatar, "")
}

// form is a multipart form with one file, and its Content-Type.
func form(part, name, kind, content string, fields ...string) (body, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1])
	}
	if part != "" {
		p, _ := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, part, name)}, "Content-Type": {kind}})
		_, _ = p.Write([]byte(content))
	}
	_ = w.Close()
	return b.String(), "Content-Type: " + w.FormDataContentType()
}

func testDocuments(t *testing.T, s *server) {
	body, kind := form("file", "../../etc/page.html", "text/html", "<script>", "title", "T", "pages", "3")
	a := s.want(t, 201, http.MethodPost, "/v1/documents", body, kind, "Idempotency-Key: files-1")
	var d struct {
		ID, Title, ContentType, Filename, SHA256 string
		Size, Pages                              int
	}
	if err := json.Unmarshal(a.Body, &d); err != nil || d.Title != "T" || d.Pages != 3 || d.Size != 8 || d.ContentType != "text/html" ||
		d.Filename != "page.html" || d.SHA256 != fmt.Sprintf("%x", sha256.Sum256([]byte("<script>"))) {
		t.Errorf("document %s (%v)", a.Body, err)
	}
	again := s.want(t, 201, http.MethodPost, "/v1/documents", body, kind, "Idempotency-Key: files-1")
	if again.field("id") != d.ID {
		t.Errorf("another document for the same key: %s", again.Body)
	}
	other, otherKind := form("file", "page.html", "text/html", "<script2>", "title", "T", "pages", "3")
	s.want(t, 422, http.MethodPost, "/v1/documents", other, otherKind, "Idempotency-Key: files-1")

	c := s.want(t, 200, http.MethodGet, "/v1/documents/"+d.ID+"/content", "")
	if string(c.Body) != "<script>" || c.Header.Get("Content-Disposition") != `attachment; filename="page.html"` || c.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("content %q %v", c.Body, c.Header)
	}
	for status, fields := range map[int][]string{422: {"title", ""}, 413: {"title", "T", "more", strings.Repeat("x", 1<<20)}} {
		body, kind := form("file", "f", "text/plain", "x", fields...)
		s.want(t, status, http.MethodPost, "/v1/documents", body, kind)
	}
	body, kind = form("", "", "", "", "title", "T")
	s.want(t, 422, http.MethodPost, "/v1/documents", body, kind)
	s.want(t, 415, http.MethodPost, "/v1/documents", `{"title":"T"}`)
	if a := s.want(t, 200, http.MethodGet, "/v1/documents", ""); strings.Count(string(a.Body), `"id"`) != 1 {
		t.Errorf("refused uploads left rows: %s", a.Body)
	}
	s.want(t, 204, http.MethodDelete, "/v1/documents/"+d.ID, "")
	s.want(t, 404, http.MethodGet, "/v1/documents/"+d.ID+"/content", "")

	body, kind = form("picture", "p.png", "image/png", "PNG")
	photo := s.want(t, 201, http.MethodPost, "/v1/photos", body, kind)
	path := photo.Header.Get("Location")
	if c := s.want(t, 200, http.MethodGet, path, ""); string(c.Body) != "PNG" || c.Header.Get("Content-Type") != "image/png" {
		t.Errorf("photo %q %v", c.Body, c.Header)
	}
	body, kind = form("picture", "p.gif", "image/gif", "GIF")
	s.want(t, 415, http.MethodPost, "/v1/photos", body, kind)
	s.want(t, 204, http.MethodDelete, path, "")
}

// testThings puts files under names that clients choose.
func testThings(t *testing.T, s *server) {
	for i, name := range []string{"a/b", "..%2F..%2Fetc%2Fpasswd", "after%20a%20restart", "%00", strings.Repeat("x", 500)} {
		path := "/v1/shelves/a/" + strings.ReplaceAll(name, "a/b", "a%2Fb")
		content := fmt.Sprint("thing ", i)
		if s.send(t, http.MethodPut, path, content, "Content-Type: text/plain").Status != 204 {
			continue // a name that no row can have
		}
		if a := s.want(t, 200, http.MethodGet, path, ""); string(a.Body) != content {
			t.Errorf("%s: %q", name, a.Body)
		}
		if !strings.Contains(name, "restart") {
			s.want(t, 204, http.MethodDelete, path, "")
		}
	}
	s.want(t, 204, http.MethodPut, "/v1/shelves/a/after%20a%20restart", "it is here", "Content-Type: text/plain")
}

// testWithParent deletes a user whose files, and those of whose letters, go along. It
// returns how many files are kept then.
// testWithParent deletes what files belong to, until one file is left of those that stored
// lists, and returns one.
func testWithParent(t *testing.T, s *server, stored func() []string) int {
	id := newOwner(t, s)
	user := "/v1/users/" + id
	s.want(t, 201, http.MethodPut, user+"/avatar", "picture", "Content-Type: image/png")
	letter := s.want(t, 201, http.MethodPost, user+"/letters", `{"subject":"S"}`).field("id")
	scan := user + "/letters/" + letter + "/scan"
	body, kind := form("scan", "s", "image/tiff", "scanned")
	s.want(t, 204, http.MethodPost, scan, body, kind)
	s.want(t, 404, http.MethodPost, "/v1/users/"+newOwner(t, s)+"/letters/"+letter+"/scan", body, kind) // of somebody else
	if a := s.want(t, 200, http.MethodGet, scan, ""); string(a.Body) != "scanned" || a.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("scan %q %v", a.Body, a.Header)
	}
	before := len(stored())
	s.want(t, 204, http.MethodDelete, user, "")
	s.want(t, 404, http.MethodGet, user+"/avatar", "")
	s.want(t, 404, http.MethodGet, scan, "")
	const kept = 1
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		// What was refused after it was stored is looked into later, and at a stop.
		left := stored()
		if len(left) <= kept+1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d files before the deletion, and after it still %v", before, left)
		}
	}
	return kept
}

// TestKilledUploads: whenever the process dies, a row has its file, and no file is left
// without a row.
func TestKilledUploads(t *testing.T) {
	project := scaffold(t, "files", repository+"/testdata/specs/good/files.yaml")
	data := t.TempDir()
	s := run(t, project.Dir, data, setting{target: "split"})
	s.want(t, 404, http.MethodGet, "/v1/shelves/a/b", "") // with a token that all requests share
	pid := s.pid(t, "archive")
	for round := range 4 {
		ctx, stop := context.WithCancel(t.Context())
		var group sync.WaitGroup
		var stored atomic.Int64
		for w := range 4 {
			group.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					path := fmt.Sprintf("/v1/shelves/w%d/%d", w, i%3)
					content := fmt.Sprint(round, w, i)
					if s.send(t, http.MethodPut, path, strings.Repeat(content, 5000), "Content-Type: text/plain").Status == 204 {
						stored.Add(1)
					}
					if i%5 == 4 {
						s.send(t, http.MethodDelete, path, "")
					}
				}
			})
		}
		for end := time.Now().Add(20 * time.Second); stored.Load() < 20 && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		stop()
		group.Wait()
		pid = s.restarted(t, "archive", pid)
		rows := 0
		for w := range 4 {
			for i := range 3 {
				path := fmt.Sprintf("/v1/shelves/w%d/%d", w, i)
				a := s.send(t, http.MethodGet, path, "")
				for end := time.Now().Add(10 * time.Second); a.Status == 503 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
					a = s.send(t, http.MethodGet, path, "")
				}
				switch a.Status {
				case 200:
					rows++
				case 404:
				default:
					t.Errorf("round %d: %s: %d %.100s", round, path, a.Status, a.Body)
				}
			}
		}
		left := slices.DeleteFunc(blobs(t, data), func(path string) bool { return !strings.Contains(path, "/archive/") })
		if len(left) != rows {
			t.Errorf("round %d: %d rows and %d files", round, rows, len(left))
		}
	}
}
