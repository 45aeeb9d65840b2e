package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/templates/platform/rest"
)

// maxName bounds the name of a file, in bytes, as most file systems do.
const maxName = 255

// Upload is a file that has arrived, and lasts until the request is answered.
type Upload struct {
	Info
	path string // where it is until somebody keeps it
	data []byte // what it holds, where it has no path
}

// New returns an upload of bytes that are at hand.
func New(name, mediaType string, data []byte) *Upload {
	sum := sha256.Sum256(data)
	return &Upload{Info: Info{Type: mediaType, Name: plainName(name), Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}, data: data}
}

// Of returns what a request has brought, nil for nothing.
func Of(received rest.Received) *Upload {
	u, _ := received.(*Upload)
	return u
}

// Open returns the content.
func (u *Upload) Open() (io.ReadSeekCloser, error) {
	if u.path == "" {
		return nopCloser{bytes.NewReader(u.data)}, nil
	}
	return os.Open(u.path)
}

type nopCloser struct{ io.ReadSeeker }

// Close implements io.Closer.
func (nopCloser) Close() error { return nil }

// Digest implements rest.Received.
func (u *Upload) Digest() string { return u.SHA256 + " " + u.Type + " " + u.Name }

// Discard implements rest.Received.
func (u *Upload) Discard() {
	if u.path != "" {
		_ = os.Remove(u.path) // if it was kept it is elsewhere; else the next start removes it
	}
}

// travelling is an upload on its way to another process.
type travelling struct {
	Info
	Data []byte `json:"data"`
}

// MarshalJSON carries the content along, in memory: calls between services are for small
// files.
func (u *Upload) MarshalJSON() ([]byte, error) {
	f, err := u.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return json.Marshal(travelling{u.Info, data})
}

// UnmarshalJSON implements json.Unmarshaler.
func (u *Upload) UnmarshalJSON(text []byte) error {
	var t travelling
	if err := json.Unmarshal(text, &t); err != nil {
		return err
	}
	*u = *New(t.Name, t.Type, t.Data)
	return nil
}

// Receive takes a file in as it arrives: into a file of its own, never whole into memory.
// What bounds it is the body.
func (f *Files) Receive(_ context.Context, name, mediaType string, body io.Reader) (rest.Received, error) {
	u := &Upload{Info: Info{Type: mediaType, Name: plainName(name)}}
	if err := f.spool(u, body); err != nil {
		u.Discard()
		return nil, unavailable("receive", err)
	}
	return u, nil
}

// spool writes an upload to a file of its own, and to the disk.
func (f *Files) spool(u *Upload, body io.Reader) error {
	u.path = filepath.Join(f.arriving, newKey())
	out, err := os.OpenFile(u.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	hash := sha256.New()
	u.Size, err = io.Copy(io.MultiWriter(out, hash), body)
	if err == nil {
		err = out.Sync()
	}
	if closing := out.Close(); err == nil {
		err = closing
	}
	u.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return err
}

// plainName is a file's name without folders and control characters.
func plainName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name)
	for len(name) > maxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return strings.TrimSpace(name)
}
