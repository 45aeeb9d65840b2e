package model

import "strings"

// Form is the form of a named Go type.
type Form string

// The forms of named types.
const (
	FormStruct Form = "struct"
	FormEnum   Form = "enum"
)

// Type is a named Go type of a service.
type Type struct {
	Name   string
	Doc    string
	Form   Form
	Schema *Schema
	Fields []*Field
	Values []EnumValue
	// Rules are what its fields' own checks leave out; nil: nothing.
	Rules *Rules
	// ValuesVar is the list of an enum's values: "orderStatuses".
	ValuesVar string
	// Decoded says that requests hold it, so it needs DecodeJSON.
	Decoded bool
	// Answered says that responses or rows hold it.
	Answered bool
	// Checked says that requests hold the enum, so the list of its values is needed.
	Checked bool
	// Partial says that it is the body of a PATCH, where absence means no change
	// and so no default applies.
	Partial bool
}

// EnumValue is a constant of an enum type.
type EnumValue struct {
	Name  string
	Value string
}

// Presence says what a field's absence and null mean.
type Presence int

// The four presences, and how Go holds them: T, *T, *T, wire.Nullable[T].
const (
	Required Presence = iota
	Optional
	RequiredNullable
	OptionalNullable
)

// Field is a member of a struct type.
type Field struct {
	Name     string
	JSON     string
	Doc      string
	Ref      *Ref
	Presence Presence
	Property *Property
}

// RefKind is the kind of Go value.
type RefKind string

// The kinds of Go values that schemas become.
const (
	RefString RefKind = "string"
	RefInt    RefKind = "int64"
	RefFloat  RefKind = "float64"
	RefBool   RefKind = "bool"
	RefTime   RefKind = "time.Time"
	RefBytes  RefKind = "[]byte"
	RefRaw    RefKind = "json.RawMessage"
	RefStruct RefKind = "struct"
	RefEnum   RefKind = "enum"
	RefList   RefKind = "list"
	RefMap    RefKind = "map"
	RefFile   RefKind = "wire.File"
	RefBlob   RefKind = "blob.Info" // of a column, never of a message
)

// Ref is how Go code spells the type of a value.
type Ref struct {
	Kind   RefKind
	Named  *Type // struct, enum
	Elem   *Ref  // list, map
	Schema *Schema
	// Variants are the refs of a union's members, for a raw union.
	Variants []*Ref
	// Null says that a raw value may be null, too.
	Null    bool
	Pattern *Pattern
	// Rules are what Go code beside them does not check; those of a struct are its
	// type's.
	Rules *Rules
}

// Go returns the Go type of a value that is present.
func (r *Ref) Go() string {
	switch r.Kind {
	case RefStruct, RefEnum:
		return r.Named.Name
	case RefList:
		return "[]" + r.Elem.Go()
	case RefMap:
		return "map[string]" + r.Elem.Go()
	}
	return string(r.Kind)
}

// describe says for people what kind of value it is.
func (r *Ref) describe() string {
	switch r.Kind {
	case RefString, RefEnum:
		return "a string"
	case RefInt:
		return "an integer"
	case RefFloat:
		return "a number"
	case RefBool:
		return "a boolean"
	case RefTime:
		return "a time"
	case RefList:
		return "an array"
	}
	return "neither a string nor a number"
}

// Nilable reports whether nil can stand for absence, so that no pointer is needed.
func (r *Ref) Nilable() bool {
	return r.Kind == RefList || r.Kind == RefMap || r.Kind == RefRaw || r.Kind == RefBytes
}

// Go returns the Go type of the field.
func (f *Field) Go() string {
	t := f.Ref.Go()
	switch {
	case f.Presence == OptionalNullable:
		return "wire.Nullable[" + t + "]"
	case f.Presence == Required || f.Ref.Nilable():
		return t
	}
	return "*" + t
}

// Pointer reports whether the field holds a pointer to its value.
func (f *Field) Pointer() bool { return strings.HasPrefix(f.Go(), "*") }

// Tag returns the field's struct tag. Write-only properties are never encoded into
// responses nor into stored JSON, so they are only in types that neither holds: there
// they travel when one service calls another.
func (f *Field) Tag(of *Type) string {
	switch {
	case f.Property != nil && f.Property.Schema.WriteOnly && of.Answered:
		return `json:"-"`
	case f.Presence == Optional || f.Presence == OptionalNullable:
		return `json:"` + f.JSON + `,omitzero"`
	}
	return `json:"` + f.JSON + `"`
}

// Go returns the Go type of the column's row field.
func (c *Column) Go() string {
	if c.Nullable && !c.Ref.Nilable() {
		return "*" + c.Ref.Go()
	}
	return c.Ref.Go()
}
