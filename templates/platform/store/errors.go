package store

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrBusy means that the database is locked, or a unit did not get its turn to write
	// in time. Trying again later can help.
	ErrBusy = errors.New("the database is busy")
	// ErrUnavailable means that the engine cannot read or write, for a reason outside of
	// it: the disk is full, broken or read-only. It comes with the engine's error.
	ErrUnavailable = errors.New("the database is not available")
	// ErrCallAfterWrite means that a unit of work that has begun to write asked another
	// service something. The call could wait for a lock that the unit itself
	// holds, so ask first and write afterwards.
	ErrCallAfterWrite = errors.New("another service was called after the unit of work had begun to write")
	// ErrUnitEnded means that a context was used after the unit of work it carries had
	// been committed or rolled back.
	ErrUnitEnded = errors.New("the unit of work has ended")
)

// NotFound means that no row has this key, or the row belongs elsewhere.
type NotFound struct {
	Resource string
	Key      any
}

func (e *NotFound) Error() string {
	if e.Key == any(Key()) { // the only one
		return e.Resource + " does not exist"
	}
	return fmt.Sprintf("%s %v does not exist", e.Resource, e.Key)
}

// Conflict means that the row cannot be written beside the rows that exist. Columns names
// those that must be unique; it is empty when other rows refer to this one.
type Conflict struct {
	Resource string
	Reason   string
	Columns  []string
}

func (e *Conflict) Error() string { return e.Resource + ": " + e.Reason }

// InvalidReference means that the row refers to one that does not exist. Pointer is the
// JSON pointer of the property in the request, and Resource what it refers to.
type InvalidReference struct {
	Pointer  string
	Resource string
	Key      any
}

func (e *InvalidReference) Error() string {
	return fmt.Sprintf("%s: %s %v does not exist", e.Pointer, e.Resource, e.Key)
}

// TooLong means that a value of the row is longer than the engine can index.
type TooLong struct {
	Resource string
}

func (e *TooLong) Error() string {
	return e.Resource + ": a value is longer than the database can index"
}

// VersionMismatch means that the row has changed since the version that the caller
// expects.
type VersionMismatch struct {
	Resource string
	Key      any
}

func (e *VersionMismatch) Error() string {
	return fmt.Sprintf("%s %v has changed in the meantime", e.Resource, e.Key)
}

// InvalidCursor means that the text is not a cursor of this list.
type InvalidCursor struct {
	Reason string
}

func (e *InvalidCursor) Error() string { return "invalid cursor: " + e.Reason }

// KeyReused means that an idempotency key came with another request than the first time.
type KeyReused struct {
	Key string
}

func (e *KeyReused) Error() string {
	return fmt.Sprintf("the idempotency key %q was used for a different request", e.Key)
}

// KeyTaken means that another unit saved the same idempotency key first. The caller rolls
// back and looks the key up again.
type KeyTaken struct {
	Key string
}

func (e *KeyTaken) Error() string {
	return fmt.Sprintf("the idempotency key %q was saved by a concurrent request", e.Key)
}

// taken is the conflict of a unique group of columns.
func taken(resource string, columns []string) *Conflict {
	reason := "already exists"
	if len(columns) > 0 {
		reason = "this " + strings.Join(columns, ", ") + " is already taken"
	}
	return &Conflict{Resource: resource, Reason: reason, Columns: columns}
}
