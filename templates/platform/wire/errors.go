package wire

import (
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

// maxErrors bounds what one request can make the server report.
const maxErrors = 100

// Errors collects field errors, up to a bound. The zero value is ready to use.
type Errors struct {
	list  []problem.FieldError
	count int
}

// Add records one error; beyond the bound it only counts it.
func (e *Errors) Add(fault problem.FieldError) {
	e.count++
	if e.count <= maxErrors {
		e.list = append(e.list, fault)
	}
}

// Len returns how many errors there were, those beyond the bound included.
func (e *Errors) Len() int { return e.count }

// List returns the errors, nil if there are none. An entry without a place
// stands at the end if there were more than are listed.
func (e *Errors) List() []problem.FieldError {
	if e.count <= maxErrors {
		return e.list
	}
	more := strconv.Itoa(e.count-maxErrors) + " more errors are not listed"
	return append(e.list[:maxErrors:maxErrors], problem.FieldError{Message: more})
}

// Reset empties e. Lists that it returned before stay as they are.
func (e *Errors) Reset() { *e = Errors{} }

// SyntaxError reports a text that is not valid JSON.
type SyntaxError struct {
	Offset int    // bytes before the offending place
	Reason string // "a comma is missing between two properties", …
}

// Error names the reason and the byte.
func (e *SyntaxError) Error() string {
	return "invalid JSON at byte " + strconv.Itoa(e.Offset) + ": " + e.Reason
}

// step is one level of the path to a value: a property if index is negative,
// else an array element.
type step struct {
	key   string
	index int
	start int // where an array element begins in the text
}

// pointer renders a path as a JSON pointer, RFC 6901.
func pointer(path []step) string {
	var b strings.Builder
	for _, s := range path {
		b.WriteByte('/')
		if s.index >= 0 {
			b.WriteString(strconv.Itoa(s.index))
			continue
		}
		for i := range len(s.key) {
			switch s.key[i] {
			case '~':
				b.WriteString("~0")
			case '/':
				b.WriteString("~1")
			default:
				b.WriteByte(s.key[i])
			}
		}
	}
	return b.String()
}

// Pointer renders property names as a JSON pointer.
func Pointer(names ...string) string {
	path := make([]step, len(names))
	for i, name := range names {
		path[i] = step{key: name, index: -1}
	}
	return pointer(path)
}
