package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/minio/minio-go/v7"
)

var errStalled = errors.New("the bytes have stopped coming")

// object reads a stored file. It goes on with one answer as long as it is read in
// sequence; a Seek costs nothing until the next Read, which asks for the rest from there.
type object struct {
	store  *Store
	ctx    context.Context // Get's, but that it does not end
	name   string
	size   int64
	at     int64         // where the next Read begins
	body   io.ReadCloser // nil if none is open
	next   int64         // what body gives next
	cancel context.CancelCauseFunc
	closed bool
}

// open asks for the rest of the object, unless ctx ends first. The first answer tells its
// size, if that is not known.
func (o *object) open(ctx context.Context) error {
	var options minio.GetObjectOptions
	if o.at > 0 {
		if err := options.SetRange(o.at, 0); err != nil {
			return err
		}
	}
	reading, cancel := context.WithCancelCause(o.ctx)
	opened := context.AfterFunc(ctx, func() { cancel(ctx.Err()) })
	body, answer, _, err := o.store.client.GetObject(reading, o.store.bucket, o.name, options)
	if !opened() && err == nil {
		err = errors.Join(ctx.Err(), body.Close())
	}
	if err != nil {
		cancel(nil)
		return o.store.failure(ctx, "read a file in", err)
	}
	o.body, o.next, o.cancel = body, o.at, cancel
	if o.size <= 0 {
		o.size = answer.Size
	}
	// Also where a server does not heed the range.
	if want := o.size - o.at; answer.Size != want || want < 0 {
		o.drop()
		return fmt.Errorf("read a file in the bucket %s: S3 answers with %d bytes instead of %d", o.store.bucket, answer.Size, want)
	}
	return nil
}

// Read implements io.Reader.
func (o *object) Read(p []byte) (int, error) {
	switch {
	case o.closed:
		return 0, fs.ErrClosed
	case o.at >= o.size:
		return 0, io.EOF
	case o.body != nil && o.next != o.at:
		o.drop()
	}
	if o.body == nil {
		if err := o.open(o.ctx); err != nil {
			return 0, err
		}
	}
	cancel := o.cancel
	stalled := time.AfterFunc(o.store.stall, func() { cancel(errStalled) })
	n, err := o.body.Read(p)
	stalled.Stop()
	o.at += int64(n)
	o.next = o.at
	if err != nil && !errors.Is(err, io.EOF) {
		err = o.store.failure(o.ctx, "read a file in", err)
	}
	return n, err
}

// Seek implements io.Seeker.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("seek to before the beginning of a file")
	}
	o.at = offset
	return offset, nil
}

// Close implements io.Closer.
func (o *object) Close() error {
	o.closed = true
	o.drop()
	return nil
}

// drop lets go of the answer, and of its connection if there is more to come.
func (o *object) drop() {
	if o.body != nil {
		_ = o.body.Close() // it was only read
		o.cancel(nil)
		o.body = nil
	}
}
