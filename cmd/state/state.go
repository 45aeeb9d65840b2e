// Package state is the only door from the commands to the operating system:
// streams, environment, files, clock, terminal and processes.
package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"
)

// State is what a command may touch of the world.
type State struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// StderrTTY says that progress can be redrawn; Color that it can be coloured.
	StderrTTY, StdoutTTY bool
	Color                bool
	Width                int
	Now                  func() time.Time
}

// ErrInterrupted is the cause of a context that a signal ended.
var ErrInterrupted = errors.New("interrupted")

// OS is the state of this process.
func OS() *State {
	s := &State{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: time.Now, Width: 100}
	s.StderrTTY = isTerminal(os.Stderr)
	s.StdoutTTY = isTerminal(os.Stdout)
	s.Color = s.StdoutTTY && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if width, _, err := term.GetSize(int(os.Stderr.Fd())); err == nil && width > 20 {
		s.Width = width
	}
	return s
}

// Printf prints a result on stdout. Who has closed it does not want to know.
func (s *State) Printf(format string, args ...any) { _, _ = fmt.Fprintf(s.Stdout, format, args...) }

// Notef prints for people, on stderr; there is no other place to say that it failed.
func (s *State) Notef(format string, args ...any) { _, _ = fmt.Fprintf(s.Stderr, format, args...) }

func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd()))
}

// Context returns a context that ends with ErrInterrupted at the first SIGINT,
// SIGTERM or SIGHUP; a second one kills the process the usual way.
func Context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup means it
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		select {
		case <-signals:
			signal.Stop(signals)
			cancel(ErrInterrupted)
		case <-ctx.Done():
			signal.Stop(signals)
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// ReadFile reads a whole file.
func (s *State) ReadFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: syscall.EISDIR}
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("not a regular file")}
	}
	return os.ReadFile(name) //nolint:gosec // the user names the file
}

// WriteFile writes a file whole: beside its place, then renamed.
func (s *State) WriteFile(name string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".tmp-")
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Chmod(temp.Name(), 0o644) //nolint:gosec // reports and sources are for reading
	}
	if err == nil {
		err = os.Rename(temp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}

// FS is a folder, for reading.
func (s *State) FS(dir string) fs.FS { return os.DirFS(dir) }

// EnvNames lists the names of the environment's variables.
func (s *State) EnvNames() []string {
	environ := os.Environ()
	names := make([]string, len(environ))
	for i, kv := range environ {
		names[i], _, _ = strings.Cut(kv, "=")
	}
	return names
}

// Exists reports whether there is a file or folder of that name.
func (s *State) Exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// IsDir reports whether there is a folder of that name.
func (s *State) IsDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// MkdirAll makes a folder with its parents.
func (s *State) MkdirAll(name string) error {
	return os.MkdirAll(name, 0o755) //nolint:gosec // project folders
}

// ListDir returns the names in a folder, sorted; none when it cannot be read.
func (s *State) ListDir(name string) []string {
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

// Abs returns the absolute path of name.
func (s *State) Abs(name string) string {
	abs, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	return abs
}

// Writable reports why no file can be made in a folder, nil when one can.
func (s *State) Writable(dir string) error {
	f, err := os.CreateTemp(dir, ".backend-probe-")
	if err != nil {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			return pathError.Err
		}
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// Rel is name as seen from the working folder when it lies in there, else name.
func (s *State) Rel(name string) string {
	wd, err := os.Getwd()
	if err != nil {
		return name
	}
	if !filepath.IsAbs(name) {
		return name
	}
	rel, err := filepath.Rel(wd, name)
	if err != nil || !filepath.IsLocal(rel) {
		return name
	}
	return rel
}

// TempDir makes a folder; remove takes it away with everything in it.
func (s *State) TempDir(pattern string) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", pattern)
	if err != nil {
		return "", nil, err
	}
	return dir, func() {
		// A child that was killed just now may still have added a file meanwhile.
		for try := 0; os.RemoveAll(dir) != nil && try < 50; try++ {
			time.Sleep(10 * time.Millisecond)
		}
	}, nil
}

// UserConfigDir is where the user's settings live, "" when there is no such place.
func (s *State) UserConfigDir() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return dir
}

// Create makes a file for writing, with its folders.
func (s *State) Create(name string) (io.WriteCloser, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // project folders
		return nil, err
	}
	return os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644) //nolint:gosec // the caller names a file of the project
}
