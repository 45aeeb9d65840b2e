package store

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// Field adapts a field of a row to its column, in both directions.
type Field interface {
	sql.Scanner
	driver.Valuer
}

// Int64Field is a Field of a column of integers. A Native may set it without the
// detour of Scan; nil is NULL.
type Int64Field interface {
	Field
	SetInt64(v *int64) error
}

// textTime is the form of a time in a Text column: RFC 3339 in UTC, of a fixed
// width so that the order of bytes is the order of time.
const textTime = "2006-01-02T15:04:05.000000Z07:00"

// TimeField stores a time as microseconds since 1970 in UTC.
func TimeField(t *time.Time) Field { return (*timeField)(t) }

type timeField time.Time

func (f *timeField) Value() (driver.Value, error) { return time.Time(*f).UnixMicro(), nil }

func (f *timeField) SetInt64(v *int64) error {
	if v == nil {
		return errors.New("a time that is never NULL is NULL")
	}
	*f = timeField(time.UnixMicro(*v).UTC())
	return nil
}

func (f *timeField) Scan(src any) error {
	micros, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as microseconds, not %T", src)
	}
	return f.SetInt64(&micros)
}

// NullTimeField is TimeField for a column that may be NULL.
func NullTimeField(t **time.Time) Field { return nullTimeField{t} }

type nullTimeField struct{ t **time.Time }

func (f nullTimeField) Value() (driver.Value, error) {
	if *f.t == nil {
		return nil, nil
	}
	return (*f.t).UnixMicro(), nil
}

func (f nullTimeField) SetInt64(v *int64) error {
	*f.t = nil
	if v != nil {
		t := time.UnixMicro(*v).UTC()
		*f.t = &t
	}
	return nil
}

func (f nullTimeField) Scan(src any) error {
	*f.t = nil
	if src == nil {
		return nil
	}
	t := new(time.Time)
	*f.t = t
	return TimeField(t).Scan(src)
}

// JSONField stores what ptr points to as JSON text. A nil slice, map, pointer or
// json.RawMessage is NULL; where the column may not be NULL it is the text null.
func JSONField(ptr any) Field { return jsonField{ptr} }

type jsonField struct{ ptr any }

func (f jsonField) Value() (driver.Value, error) {
	if raw, ok := f.ptr.(*json.RawMessage); ok {
		switch {
		case *raw == nil:
			return nil, nil
		case !json.Valid(*raw): // some engines would store it
			return nil, errors.New("it is not JSON")
		}
		return string(*raw), nil
	}
	v := reflect.ValueOf(f.ptr).Elem()
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
	default:
	}
	encoded, err := json.Marshal(f.ptr)
	if err != nil {
		return nil, err
	}
	return string(encoded), nil
}

func (f jsonField) Scan(src any) error {
	var encoded []byte
	switch src := src.(type) {
	case nil:
		reflect.ValueOf(f.ptr).Elem().SetZero()
		return nil
	case string:
		encoded = []byte(src)
	case []byte:
		encoded = src // the driver's own memory: copied or decoded below
	default:
		return fmt.Errorf("JSON is stored as text, not %T", src)
	}
	if raw, ok := f.ptr.(*json.RawMessage); ok {
		*raw = bytes.Clone(encoded)
		return nil
	}
	reflect.ValueOf(f.ptr).Elem().SetZero()
	return json.Unmarshal(encoded, f.ptr)
}

// stored returns what the database holds for a field: nil, string, int64,
// float64 or bool.
func stored(field any) (any, error) {
	switch f := field.(type) {
	case *string:
		return *f, nil
	case *int64:
		return *f, nil
	case *bool:
		return *f, nil
	case *float64:
		return *f, nil
	case driver.Valuer:
		return f.Value()
	}
	return plain(reflect.ValueOf(field))
}

// plain follows pointers to a value that a database can hold.
func plain(v reflect.Value) (any, error) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil, nil
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Invalid: // of a nil interface
		return nil, nil
	case reflect.String:
		return v.String(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return int64(v.Uint()), nil // #nosec G115 -- 32 bits at most
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.Bool:
		return v.Bool(), nil
	default:
		return nil, fmt.Errorf("a column cannot hold a %s", v.Type())
	}
}

// comparableValue turns a value that a caller compares a column with into what the
// column holds, or absent if it holds no such thing.
func comparableValue(kind Kind, value any) (any, error) {
	switch v := value.(type) {
	case time.Time:
		return timeValue(kind, v)
	case *time.Time:
		if v == nil {
			return nil, nil
		}
		return timeValue(kind, *v)
	}
	v, err := plain(reflect.ValueOf(value))
	if err != nil || v == nil {
		return nil, err
	}
	switch v := v.(type) {
	case string:
		switch kind {
		case Text:
			if !holdable(v) {
				return absent{}, nil
			}
			return v, nil
		case UUID:
			if id, ok := canonicalUUID(v); ok {
				return id, nil
			}
			return absent{}, nil
		default:
		}
	case int64:
		switch kind {
		case Integer, Time:
			return v, nil
		case Real:
			return float64(v), nil
		default:
		}
	case float64:
		if kind == Real || kind == Integer {
			return v, nil
		}
	case bool:
		if kind == Boolean {
			return v, nil
		}
	}
	return nil, fmt.Errorf("a %s column cannot be compared with a %T", kind, value)
}

func timeValue(kind Kind, t time.Time) (any, error) {
	switch kind {
	case Time:
		return t.UnixMicro(), nil
	case Text:
		return t.UTC().Format(textTime), nil
	default:
		return nil, fmt.Errorf("a %s column cannot be compared with a time", kind)
	}
}

// setTime sets a field that the store keeps: a created or updated time.
func setTime(field any, t time.Time) error {
	switch f := field.(type) {
	case *timeField:
		*f = timeField(t)
	case nullTimeField:
		kept := t // t itself stays off the heap
		*f.t = &kept
	case *string:
		*f = t.Format(textTime)
	case **string:
		s := t.Format(textTime)
		*f = &s
	default:
		return fmt.Errorf("a time cannot be kept in a %T", field)
	}
	return nil
}

// uuidIn returns the text in the field of a UUID column, nil for NULL.
func uuidIn(field any) (*string, error) {
	switch f := field.(type) {
	case *string:
		return f, nil
	case **string:
		return *f, nil
	default:
		return nil, fmt.Errorf("a UUID is kept in a string or *string, not behind a %T", field)
	}
}

// setUUID sets the field of a UUID column. What a *string points to is the
// caller's, so it gets another.
func setUUID(field any, id string) {
	switch f := field.(type) {
	case *string:
		*f = id
	case **string:
		*f = &id
	}
}

// copyField sets dst to src, two fields of the same column that the store keeps.
func copyField(dst, src any) error {
	switch d := dst.(type) {
	case *string:
		*d = *src.(*string)
	case **string:
		*d = *src.(**string)
	case *int64:
		*d = *src.(*int64)
	case *timeField:
		*d = *src.(*timeField)
	case nullTimeField:
		*d.t = *src.(nullTimeField).t
	default:
		return fmt.Errorf("the store cannot keep a %T", dst)
	}
	return nil
}

// keyText is a key as text, for maps and cache keys: 7 and "7" are the same.
func keyText(key any) string {
	switch k := key.(type) {
	case string:
		return k
	case int64:
		return strconv.FormatInt(k, 10)
	}
	v, err := plain(reflect.ValueOf(key))
	if err != nil {
		return fmt.Sprint(key)
	}
	return fmt.Sprint(v)
}
