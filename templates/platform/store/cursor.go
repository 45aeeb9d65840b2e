package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

const (
	maxCursor = 4096 // bytes of a cursor's text
	// maxCursorText bounds a text inside a cursor, so that the cursor stays
	// within maxCursor and fits a URL. A row with a longer one is found by its key.
	maxCursorText = 512
)

// cursor is the position behind one row, as it is handed out: base64url of
// JSON. It is no secret and grants nothing: what it holds is only ever compared
// with columns that the list is sorted by.
type cursor struct {
	Digest string `json:"d"`           // of the table, the conditions and the order
	Values []any  `json:"v,omitempty"` // the row's, one per term
	Key    any    `json:"k,omitempty"` // instead of Values: the key of the row that holds them
}

// shape is what sets one list apart from another: a cursor of one makes no
// sense in another.
type shape struct {
	text  string // the statement up to its conditions
	args  []any
	terms []term
}

func (s shape) digest() string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q", s.text) // a hash never fails
	for _, arg := range s.args {
		_, _ = fmt.Fprintf(h, "\n%T %q", arg, fmt.Sprint(arg))
	}
	for _, t := range s.terms {
		_, _ = fmt.Fprintf(h, "\n%q %t", t.column.Name, t.desc)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:9])
}

// cursorOf returns the cursor of the position behind row.
func (c *Collection[T]) cursorOf(digest string, terms []term, row *T) (string, error) {
	fields := c.table.Fields(row)
	position := cursor{Digest: digest, Values: make([]any, len(terms))}
	for i, t := range terms {
		value, err := stored(fields[t.index])
		if err != nil {
			return "", err
		}
		position.Values[i] = value
		if !portable(value) && position.Key == nil {
			if position.Key, err = stored(fields[c.layout.key]); err != nil {
				return "", err
			}
		}
	}
	if position.Key != nil {
		position.Values = nil
	}
	encoded, err := json.Marshal(position)
	if err != nil {
		return "", fmt.Errorf("make a cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(encoded), nil
}

// portable reports whether JSON carries the value unchanged and briefly.
func portable(value any) bool {
	switch v := value.(type) {
	case string:
		return len(v) <= maxCursorText && utf8.ValidString(v)
	case float64:
		return !math.IsInf(v, 0) && !math.IsNaN(v)
	default:
		return true
	}
}

// position returns the values that a cursor stands for, one per term.
func (c *Collection[T]) position(ctx context.Context, text, digest string, terms []term) ([]any, error) {
	at, err := decodeCursor(text)
	if err != nil {
		return nil, err
	}
	if at.Digest != digest {
		return nil, &InvalidCursor{Reason: "it belongs to a list with another filter or order"}
	}
	if at.Key != nil {
		return c.positionOf(ctx, at.Key, terms)
	}
	if len(at.Values) != len(terms) {
		return nil, &InvalidCursor{Reason: "it is damaged"}
	}
	for i, t := range terms {
		if at.Values[i], err = t.value(at.Values[i]); err != nil {
			return nil, err
		}
	}
	return at.Values, nil
}

// positionOf reads the values from the row itself.
func (c *Collection[T]) positionOf(ctx context.Context, key any, terms []term) ([]any, error) {
	id, err := c.key(key)
	if err == nil {
		var row *T
		if row, err = c.read(ctx, c.layout.selectRow, id); err == nil {
			fields := c.table.Fields(row)
			values := make([]any, len(terms))
			for i, t := range terms {
				if values[i], err = stored(fields[t.index]); err != nil {
					return nil, err
				}
			}
			return values, nil
		}
	}
	var missing *NotFound
	if errors.As(err, &missing) {
		return nil, &InvalidCursor{Reason: "the row it stands for is gone"}
	}
	return nil, err
}

func decodeCursor(text string) (cursor, error) {
	if len(text) > maxCursor {
		return cursor{}, &InvalidCursor{Reason: "it is too long"}
	}
	encoded, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return cursor{}, &InvalidCursor{Reason: "it is damaged"}
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	var at cursor
	if err := decoder.Decode(&at); err != nil || decoder.More() {
		return cursor{}, &InvalidCursor{Reason: "it is damaged"}
	}
	switch at.Key.(type) {
	case nil, string, json.Number:
		return at, nil
	default:
		return cursor{}, &InvalidCursor{Reason: "it is damaged"}
	}
}

// value turns what JSON gave into what the column holds.
func (t term) value(v any) (any, error) {
	damaged := &InvalidCursor{Reason: "it is damaged"}
	if v == nil {
		if !t.column.Nullable {
			return nil, damaged
		}
		return nil, nil
	}
	if n, ok := v.(json.Number); ok {
		v = number(t.column.Kind, n)
	}
	ok := false
	switch t.column.Kind {
	case Text, UUID:
		var s string
		if s, ok = v.(string); ok {
			ok = holdable(s)
			if id, valid := canonicalUUID(s); t.column.Kind == UUID {
				v, ok = id, valid
			}
		}
	case Integer, Time:
		_, ok = v.(int64)
	case Real:
		_, ok = v.(float64)
	case Boolean:
		_, ok = v.(bool)
	case JSON:
	}
	if !ok {
		return nil, damaged
	}
	return v, nil
}
