// Package webhook sends messages to addresses that users of the API gave: webhooks and
// callbacks. A message is tried a bounded number of times, signed as Standard Webhooks
// says (standardwebhooks.com), and goes to no address inside the operator's own network.
package webhook

import (
	"errors"
	"fmt"
)

var (
	// ErrUncommitted means that a message was to be sent from a unit of work that has begun
	// to write: it could tell of what is rolled back, and the unit would wait for the
	// receiver. See [Sender.AfterCommit].
	ErrUncommitted = errors.New("the unit of work has begun to write: send after it is committed, by AfterCommit")
	// ErrNoAddress means that a request or response lacks something that the address of a
	// callback is made of.
	ErrNoAddress = errors.New("no address for the callback was given")
	// ErrForbidden means that an address is none that messages may go to.
	ErrForbidden = errors.New("the address is not allowed")
	// ErrStopped means that the server was stopped before the message was delivered.
	ErrStopped = errors.New("the server stops")
)

// Error says that a message was not delivered.
type Error struct {
	// Message is the name of the webhook or callback.
	Message string
	// Status is what the receiver answered last; 0: nothing.
	Status int
	// Body is how that answer's body began.
	Body []byte
	// Attempts is how often it was tried; 0: it was wrong in itself.
	Attempts int
	// Permanent says that the same message to the same address will fail again.
	Permanent bool
	// Err is what went wrong where there was no answer, else nil.
	Err error
}

// Error says what went wrong, and no address: that may hold a secret.
func (e *Error) Error() string {
	text := "message " + e.Message + " was not delivered"
	if e.Attempts > 1 {
		text += fmt.Sprintf(" in %d attempts", e.Attempts)
	}
	if e.Err != nil {
		return text + ": " + e.Err.Error()
	}
	return text + fmt.Sprintf(": the receiver answered %d", e.Status)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }
