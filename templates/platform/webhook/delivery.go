package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
)

// Delivery is what a message has of its own.
type Delivery struct {
	// ID is what the receiver knows a message by that comes twice: visible ASCII without
	// a dot. All calls of Send for one message give the same; "": each makes a new one.
	ID string
	// Secrets sign the message in place of the sender's: one that only this receiver has,
	// so that no other can forge its messages.
	Secrets [][]byte
}

type deliveryKey struct{}

// With returns a context in which messages are sent as d says.
func With(ctx context.Context, d Delivery) context.Context {
	return context.WithValue(ctx, deliveryKey{}, d)
}

// delivery is what ctx says, completed.
func (s *Sender) delivery(ctx context.Context) (Delivery, error) {
	d, _ := ctx.Value(deliveryKey{}).(Delivery)
	if d.ID == "" {
		d.ID = "msg_" + rand.Text()
	}
	if len(d.Secrets) == 0 {
		d.Secrets = s.Secrets
	}
	if len(d.ID) > 200 || strings.ContainsFunc(d.ID, func(r rune) bool { return r <= ' ' || r > '~' || r == '.' }) {
		return d, errors.New("the message's id must be visible ASCII without a dot, at most 200")
	}
	return d, nil
}
