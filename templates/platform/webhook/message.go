package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// maxAddress bounds the address of a receiver.
const maxAddress = 2048

// Message is what is sent. What is wrong with its parts is reported when it is sent.
type Message struct {
	name, method, to string
	query            url.Values
	header           http.Header
	body             []byte
	errs             []error
}

// NewMessage returns a message without a body. The name is that of the webhook or
// callback, to is the receiver's address.
func NewMessage(name, method, to string) *Message {
	return &Message{name: name, method: method, to: to, query: url.Values{}, header: http.Header{}}
}

// Query adds a parameter to the address's query; nil leaves it out. The items of a list
// are joined by separator, or repeat the parameter if that is "".
func (m *Message) Query(name, separator string, value any) {
	list, err := texts(value)
	if err != nil {
		m.errs = append(m.errs, fmt.Errorf("query parameter %q: %w", name, err))
	}
	if separator != "" && len(list) > 0 {
		list = []string{strings.Join(list, separator)}
	}
	if len(list) > 0 {
		m.query[name] = list
	}
}

// Header sets a header field; nil leaves it out.
func (m *Message) Header(name string, value any) {
	list, err := texts(value)
	text := strings.Join(list, ",")
	if err == nil && strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		err = errors.New("it holds a control character")
	}
	switch {
	case err != nil:
		m.errs = append(m.errs, fmt.Errorf("header %q: %w", name, err))
	case len(list) > 0:
		m.header.Set(name, text)
	}
}

// JSON makes a value the body. Check reads it back as a request's body would be read, and
// what it reports keeps the message from being sent; nil: anything goes.
func (m *Message) JSON(mediaType string, value any, check func(*wire.Decoder)) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		m.errs = append(m.errs, fmt.Errorf("body: %w", err))
		return
	}
	m.Bytes(mediaType, bytes.TrimSuffix(body.Bytes(), []byte("\n")))
	if check == nil {
		return
	}
	faults, err := wire.Decode(m.body, check)
	if err != nil {
		m.errs = append(m.errs, fmt.Errorf("body: %w", err))
	}
	for _, f := range faults {
		m.errs = append(m.errs, fmt.Errorf("body%s: %s", f.Pointer, f.Message))
	}
}

// Bytes makes a text of any media type the body.
func (m *Message) Bytes(mediaType string, body []byte) {
	m.Header("Content-Type", mediaType)
	m.body = body
}

// address returns where the message goes, its query added. It says nothing about what
// the host's name leads to: see the guard.
func (m *Message) address() (*url.URL, error) {
	if err := errors.Join(m.errs...); err != nil {
		return nil, err
	}
	if len(m.to) > maxAddress {
		return nil, fmt.Errorf("%w: it has more than %d characters", ErrForbidden, maxAddress)
	}
	u, err := url.Parse(m.to)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: it is no URL", ErrForbidden) // the error would repeat it
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("%w: it is no http or https URL", ErrForbidden)
	case u.User != nil:
		return nil, fmt.Errorf("%w: it holds a user's name", ErrForbidden)
	}
	u.Fragment, u.RawFragment = "", ""
	if added := m.query.Encode(); added != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += added
	}
	return u, nil
}

// texts returns a value as the texts that parameters are made of: none for nil, one for
// each item of a list.
func texts(value any) ([]string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if json.Unmarshal(text, &list) != nil {
		list = []json.RawMessage{text}
	}
	var out []string
	for _, item := range list {
		var plain string
		switch {
		case string(item) == "null":
		case json.Unmarshal(item, &plain) == nil:
			out = append(out, plain)
		default:
			out = append(out, string(item))
		}
	}
	return out, nil
}
