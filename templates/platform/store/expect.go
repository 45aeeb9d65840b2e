package store

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

type expectationKey struct{}

// expectation is one precondition on a row. It holds for the first write of
// the row in a unit: later ones see a version that the unit itself has made.
type expectation struct {
	table    string
	key      string
	versions []int64
	exists   bool // "*": any version will do
	metBy    atomic.Pointer[transaction]
	next     *expectation
}

// Expect returns a context in which Update and Delete of the row of table with
// this key return *VersionMismatch unless its version is among versions, or
// anyVersion is set. It is how If-Match reaches the row.
func Expect(ctx context.Context, table string, key any, versions []int64, anyVersion bool) context.Context {
	next, _ := ctx.Value(expectationKey{}).(*expectation)
	return context.WithValue(ctx, expectationKey{}, &expectation{
		table: table, key: rowKey(key), versions: slices.Clone(versions), exists: anyVersion, next: next,
	})
}

// rowKey is a key as expectations know it: a UUID in either case is the same.
func rowKey(key any) string {
	text := keyText(key)
	if id, ok := canonicalUUID(text); ok {
		return id
	}
	return text
}

// expected reports whether ctx expects something of the row.
func expected(ctx context.Context, table, key string) bool {
	e, _ := ctx.Value(expectationKey{}).(*expectation)
	for ; e != nil; e = e.next {
		if e.table == table && e.key == key {
			return true
		}
	}
	return false
}

// meets reports whether a row with this version is what ctx expects. tx is the
// transaction that is about to write the row.
func meets(ctx context.Context, tx *transaction, table, key string, version int64) bool {
	e, _ := ctx.Value(expectationKey{}).(*expectation)
	for ; e != nil; e = e.next {
		if e.table != table || e.key != key || e.metBy.Load() == tx {
			continue
		}
		if !e.exists && !slices.Contains(e.versions, version) {
			return false
		}
		e.metBy.Store(tx)
	}
	return true
}

// ETag returns the strong entity tag of a version: "3".
func ETag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

// ParseETags reads an If-Match header. Weak tags, and tags that ETag never
// makes, are valid and match nothing (RFC 9110, section 13.1.1: the comparison
// is strong), so versions may be empty; anyVersion means "*".
func ParseETags(header string) (versions []int64, anyVersion bool, err error) {
	rest := strings.Trim(header, " \t")
	if rest == "*" {
		return nil, true, nil
	}
	tags := 0
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			break
		}
		opaque, weak := strings.CutPrefix(rest, "W/")
		if !strings.HasPrefix(opaque, `"`) {
			return nil, false, errors.New(`an entity tag must be in double quotes, such as "1"`)
		}
		end := strings.IndexByte(opaque[1:], '"') + 1
		if end == 0 {
			return nil, false, errors.New("an entity tag lacks its closing quote")
		}
		tag := opaque[1:end]
		if strings.ContainsFunc(tag, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return nil, false, errors.New("an entity tag holds a space or a control character")
		}
		tags++
		if version, ok := versionOf(tag); ok && !weak {
			versions = append(versions, version)
		}
		rest = strings.TrimLeft(opaque[end+1:], " \t")
		if rest != "" && rest[0] != ',' {
			return nil, false, errors.New("entity tags must be separated by commas")
		}
	}
	if tags == 0 {
		return nil, false, errors.New(`expected "*" or entity tags`)
	}
	return versions, false, nil
}

// versionOf is the inverse of ETag: "03" is not a version's tag.
func versionOf(tag string) (int64, bool) {
	version, err := strconv.ParseInt(tag, 10, 64)
	if err != nil || strconv.FormatInt(version, 10) != tag {
		return 0, false
	}
	return version, true
}
