package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/blob"
	"github.com/e6b96b0c/backend/templates/platform/rest"
)

// none says that no row has any file.
func none(context.Context, string) (bool, error) { return false, nil }

func open(t *testing.T, dir string, refers func(context.Context, string) (bool, error)) *blob.Files {
	t.Helper()
	f, err := blob.Open(blob.Options{Dir: dir, Grace: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Start(t.Context(), refers); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close(context.WithoutCancel(t.Context())) })
	return f
}

// receive takes a text in as an upload.
func receive(t *testing.T, f *blob.Files, text string) *blob.Upload {
	t.Helper()
	got, err := f.Receive(t.Context(), `C:\tmp\..\a.txt`, "text/plain", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return blob.Of(got)
}

func content(t *testing.T, f *blob.Files, key string, info blob.Info) (string, error) {
	t.Helper()
	body, err := f.Content(t.Context(), key, info).Open()
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	text, err := io.ReadAll(body)
	return string(text), err
}

// files lists the files in a folder, at any depth.
func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
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

func TestKeep(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, none)
	u := receive(t, f, "hello")
	if u.Name != "a.txt" || u.Size != 5 || u.SHA256 != "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" {
		t.Errorf("upload %+v", u.Info)
	}
	key, info, err := f.Keep(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	u.Discard() // which nobody has any more
	if text, err := content(t, f, key, info); text != "hello" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if left := files(t, filepath.Join(dir, "doubt")); len(left) != 0 {
		t.Errorf("committed, and still in doubt: %v", left)
	}
	// Another process on the same folder finds it.
	again := open(t, dir, none)
	if text, err := content(t, again, key, info); text != "hello" || err != nil {
		t.Errorf("after a restart: %q, %v", text, err)
	}
}

func TestDiscard(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, none)
	receive(t, f, "nobody keeps it").Discard()
	receive(t, f, "nor this, and the process dies")
	if left := files(t, dir); len(left) != 1 {
		t.Errorf("files %v", left)
	}
	open(t, dir, none)
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("after a restart: %v", left)
	}
}

// TestBroken: a body that breaks off leaves nothing.
func TestBroken(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, none)
	broken := errors.New("the line is dead")
	_, err := f.Receive(t.Context(), "", "text/plain", io.MultiReader(strings.NewReader("abc"), failing{broken}))
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("files %v", left)
	}
}

type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestLeave(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, none)
	key, info, err := f.Keep(t.Context(), receive(t, f, "x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Leave(t.Context(), "", key); err != nil {
		t.Fatal(err)
	}
	if text, err := content(t, f, key, info); text != "x" || err != nil {
		t.Errorf("an operation that has read the row reads %q, %v", text, err)
	}
	for end := time.Now().Add(5 * time.Second); len(files(t, dir)) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("files %v", files(t, dir))
		}
	}
	if _, err := content(t, f, key, info); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestCrash: what a dead process left in doubt stays if a row has it, and goes if none does.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, none)
	var keys [2]string
	for i := range keys {
		key, _, err := f.Keep(t.Context(), receive(t, f, "x"))
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = key
		if err := os.WriteFile(filepath.Join(dir, "doubt", key), nil, 0o600); err != nil { // as before the commit
			t.Fatal(err)
		}
	}
	again := open(t, dir, func(_ context.Context, key string) (bool, error) { return key == keys[0], nil })
	if text, err := content(t, again, keys[0], blob.Info{}); text != "x" || err != nil {
		t.Errorf("a row's file: %q, %v", text, err)
	}
	if _, err := content(t, again, keys[1], blob.Info{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file of no row: %v", err)
	}
	if left := files(t, filepath.Join(dir, "doubt")); len(left) != 0 {
		t.Errorf("still in doubt: %v", left)
	}
}

// TestHostileKeys: no key leads out of the folder.
func TestHostileKeys(t *testing.T) {
	dir := t.TempDir()
	s, err := blob.OpenFolder(filepath.Join(dir, "kept"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"../../evil", "/etc/passwd", "a/b", "..", "", "a\x00b", strings.Repeat("x", 5000)} {
		path := filepath.Join(dir, "upload")
		if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), key, path, blob.Info{}); err != nil {
			t.Errorf("%.20q: %v", key, err)
			continue
		}
		body, err := s.Get(t.Context(), key, blob.Info{})
		if err != nil {
			t.Errorf("%.20q: %v", key, err)
			continue
		}
		if text, _ := io.ReadAll(body); string(text) != key {
			t.Errorf("%.20q holds %.20q", key, text)
		}
		_ = body.Close()
	}
	for _, path := range files(t, dir) {
		if !strings.HasPrefix(path, filepath.Join(dir, "kept")) {
			t.Errorf("%s is outside", path)
		}
	}
	if err := errors.Join(s.Delete(t.Context(), ".."), s.Delete(t.Context(), "never there"), s.Ping(t.Context())); err != nil {
		t.Error(err)
	}
}

// TestConcurrent keeps, reads and leaves many files at once.
func TestConcurrent(t *testing.T) {
	f := open(t, t.TempDir(), none)
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			want := strings.Repeat(string(rune('a'+i%26)), 100_000)
			key, info, err := f.Keep(t.Context(), blob.New("n", "text/plain", []byte(want)))
			if err != nil {
				t.Error(err)
				return
			}
			if text, err := content(t, f, key, info); text != want || err != nil {
				t.Errorf("%d bytes, %v", len(text), err)
			}
			if err := f.Leave(t.Context(), key); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// TestTravels: an upload and a content reach another process whole.
func TestTravels(t *testing.T) {
	f := open(t, t.TempDir(), none)
	u := receive(t, f, "hello")
	text, err := u.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var there blob.Upload
	if err := there.UnmarshalJSON(text); err != nil || there.Info != u.Info {
		t.Errorf("%+v, %v", there.Info, err)
	}
	body, err := there.Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(body); !bytes.Equal(got, []byte("hello")) {
		t.Errorf("%q", got)
	}
}

var _ rest.Received = (*blob.Upload)(nil)
