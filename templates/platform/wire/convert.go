package wire

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

// Convert turns a value into a type that has the same JSON: two messages that describe
// one thing, each in its own place of the document. What does not fit is left out.
func Convert[T any](from any) (to T) {
	text, err := json.Marshal(from)
	if err == nil {
		_ = json.Unmarshal(text, &to) // that it fits is decided when the code is generated
	}
	return to
}

// ConvertPtr is Convert for a value that may be absent.
func ConvertPtr[T, F any](from *F) *T {
	if from == nil {
		return nil
	}
	return new(Convert[T](*from))
}

// Over lays a message over another that describes the same thing with more members:
// what from does not have stays as it is in base.
func Over[T any](base T, from any) T {
	text, err := json.Marshal(from)
	if err == nil {
		_ = json.Unmarshal(text, &base) // that it fits is decided when the code is generated
	}
	return base
}

// OverPtr is Over for a value that may be absent.
func OverPtr[T, F any](base T, from *F) *T {
	if from == nil {
		return nil
	}
	return new(Over(base, *from))
}

// OverEach is Over for every element of a list.
func OverEach[T, F any](base T, from []F) []T {
	if from == nil {
		return nil
	}
	out := make([]T, len(from))
	for i, f := range from {
		out[i] = Over(base, f)
	}
	return out
}

// Among refuses a text that is none of the values which are stored and answered under
// its name; pointer says where in the body it stands.
func Among(pointer, text string, values []string) error {
	if slices.Contains(values, text) {
		return nil
	}
	message := "must be one of " + strings.Join(values, ", ")
	return problem.Invalid("the request is not valid", problem.FieldError{In: "body", Pointer: pointer, Message: message})
}
