package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// DefaultMax bounds a file, in bytes, where nothing else is said.
const DefaultMax = 32 << 20

const (
	settleEvery = time.Second
	settleTime  = 10 * time.Second // for one file
)

// Options configures the files of one service.
type Options struct {
	// Dir is a folder of the service's own on this machine: for files that arrive, and for
	// the marks of those that are in doubt.
	Dir string
	// Store keeps the bytes; nil means a folder in Dir.
	Store Store
	// Grace is how long a file that no row has any more can still be read: an operation
	// that has read the row may take so long to open it. Zero means 5 s.
	Grace time.Duration
	// Log takes what goes wrong in the background; nil means slog.Default().
	Log *slog.Logger
}

// Files are the files of one service. A row and its file change together: the bytes are
// stored before the row is committed, and removed after that. In between the file is in
// doubt, and marked as such on disk; whether a doubtful file stays is decided by the rows,
// once the unit of work is over, or at the next start.
type Files struct {
	store    Store
	arriving string // folder of uploads that nobody has kept yet
	marks    string // folder with an empty file for each one in doubt
	grace    time.Duration
	log      *slog.Logger
	refers   func(ctx context.Context, key string) (bool, error)

	mu     sync.Mutex
	doubts map[string]doubt
	stop   context.CancelFunc
	done   chan struct{}
}

// doubt is a file that may or may not belong to a row.
type doubt struct {
	since time.Time
	gone  bool // it is committed that no row has it
}

// Open returns the files of a service. No other process may use the same folder.
func Open(o Options) (*Files, error) {
	f := &Files{
		store: o.Store, arriving: filepath.Join(o.Dir, "arriving"), marks: filepath.Join(o.Dir, "doubt"),
		grace: o.Grace, log: o.Log, doubts: map[string]doubt{},
	}
	if f.grace <= 0 {
		f.grace = 5 * time.Second
	}
	if f.log == nil {
		f.log = slog.Default()
	}
	if err := os.RemoveAll(f.arriving); err != nil { // what nobody waits for any more
		return nil, fmt.Errorf("folder for files: %w", err)
	}
	for _, dir := range []string{f.arriving, f.marks} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("folder for files: %w", err)
		}
	}
	if f.store == nil {
		folder, err := OpenFolder(filepath.Join(o.Dir, "kept"))
		if err != nil {
			return nil, err
		}
		f.store = folder
	}
	marks, err := os.ReadDir(f.marks)
	if err != nil {
		return nil, fmt.Errorf("folder for files: %w", err)
	}
	for _, mark := range marks {
		f.doubts[mark.Name()] = doubt{}
	}
	return f, nil
}

// Start settles what the last process left in doubt, and from then on what is in doubt
// for long. refers reports whether some row has the file with the key. A store that
// cannot be reached is an error.
func (f *Files) Start(ctx context.Context, refers func(ctx context.Context, key string) (bool, error)) error {
	f.refers = refers
	if err := f.store.Ping(ctx); err != nil {
		return fmt.Errorf("the store for files: %w", err)
	}
	if err := f.settle(ctx, 0); err != nil {
		return err
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	f.stop, f.done = stop, make(chan struct{})
	go f.work(work)
	return nil
}

func (f *Files) work(ctx context.Context) {
	defer close(f.done)
	for tick := time.NewTicker(settleEvery); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
			if err := f.settle(ctx, f.grace); err != nil && ctx.Err() == nil {
				f.log.WarnContext(ctx, "files in doubt remain so for now", slog.Any("error", err))
			}
		}
	}
}

// Close settles what it can and ends the background work. No operation may be under way.
func (f *Files) Close(ctx context.Context) error {
	if f.stop == nil {
		return nil
	}
	f.stop()
	<-f.done
	return f.settle(ctx, 0)
}

// Ping reports whether the store can be reached.
func (f *Files) Ping(ctx context.Context) error { return f.store.Ping(ctx) }

// Keep stores an upload for a row that the unit of work of ctx writes, and returns the key
// and the description that the row is to hold. If the unit is not committed, the file goes.
func (f *Files) Keep(ctx context.Context, u *Upload) (key string, info Info, err error) {
	if u == nil {
		return "", Info{}, errors.New("keep a file: there is none")
	}
	if u.path == "" {
		if u, err = f.spooled(u); err != nil {
			return "", Info{}, unavailable("keep", err)
		}
		defer u.Discard()
	}
	key, info = newKey(), u.Info
	info.Stored = time.Now().UTC().Truncate(time.Millisecond)
	if err := f.mark(key); err != nil {
		return "", Info{}, unavailable("keep", err)
	}
	if err := f.store.Put(ctx, key, u.path, info); err != nil {
		return "", Info{}, unavailable("keep", err)
	}
	store.AfterCommit(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if !f.doubts[key].gone {
			f.clear(key)
		}
	})
	return key, info, nil
}

// spooled is an upload in a file of its own, whose content was in memory.
func (f *Files) spooled(u *Upload) (*Upload, error) {
	out := &Upload{Info: u.Info}
	err := f.spool(out, bytes.NewReader(u.data))
	return out, err
}

// Leave removes the files with these keys once the unit of work of ctx is committed, in
// which their rows go or take other files. Empty keys are none.
func (f *Files) Leave(ctx context.Context, keys ...string) error {
	keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return key == "" })
	if err := f.mark(keys...); err != nil {
		return unavailable("remove", err)
	}
	store.AfterCommit(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, key := range keys {
			f.doubts[key] = doubt{since: time.Now(), gone: true}
		}
	})
	return nil
}

// mark notes on disk that files are in doubt.
func (f *Files) mark(keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	for _, key := range keys {
		if err := os.WriteFile(filepath.Join(f.marks, key), nil, 0o600); err != nil {
			return err
		}
		f.mu.Lock()
		f.doubts[key] = doubt{since: time.Now()}
		f.mu.Unlock()
	}
	return syncFolder(f.marks)
}

// clear ends a doubt; f.mu is held. A mark that stays is looked into at the next start.
func (f *Files) clear(key string) {
	delete(f.doubts, key)
	if err := os.Remove(filepath.Join(f.marks, key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log.Warn("a mark of a file in doubt remains", slog.Any("error", err))
	}
}

// settle decides about the files that have been in doubt for the given time.
func (f *Files) settle(ctx context.Context, age time.Duration) error {
	f.mu.Lock()
	due := map[string]doubt{}
	for key, d := range f.doubts {
		// What is not known to be gone may belong to a unit that is not over yet.
		wait := age
		if !d.gone {
			wait *= 12
		}
		if time.Since(d.since) >= wait {
			due[key] = d
		}
	}
	f.mu.Unlock()
	var errs []error
	for key, d := range due {
		errs = append(errs, f.settleOne(ctx, key, d))
	}
	return errors.Join(errs...)
}

func (f *Files) settleOne(ctx context.Context, key string, d doubt) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	kept := false
	if !d.gone {
		var err error
		if kept, err = f.refers(ctx, key); err != nil {
			return fmt.Errorf("ask whose file %s is: %w", key, err)
		}
	}
	if !kept {
		if err := f.store.Delete(ctx, key); err != nil {
			return fmt.Errorf("remove file %s: %w", key, err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clear(key)
	return nil
}
