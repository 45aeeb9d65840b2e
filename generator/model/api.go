// Package model is the intermediate representation between an OpenAPI document
// and generated files. It has two halves: API, what the document says (made by
// package spec), and Project, what will be generated (made by Build). Every
// name, route, table and projection is decided here; renderers only print.
//
// The package imports nothing but the standard library.
package model

import "encoding/json"

// Literal is a value written in the document (default, example, enum member,
// const), kept as the JSON text it stands for.
type Literal = json.RawMessage

// API is an OpenAPI document, resolved: references followed, allOf merged,
// path-level parameters copied into operations. Operations are sorted by path
// and method, schemas by name, so that everything made from it is stable.
type API struct {
	Title       string
	Description string
	Version     string
	// BasePath is the path of the first server URL, without a trailing slash;
	// "" or "/api/v1".
	BasePath   string
	Tags       []Tag
	Operations []*Operation
	// Calls are the requests that the server makes: webhooks by name, then callbacks in
	// the order of their operations.
	Calls []*Call
	// Schemas are the document's components/schemas.
	Schemas  []*Schema
	Security []*SecurityScheme
}

// Tag is a group of operations, with the document's description of it.
type Tag struct {
	Name        string
	Description string
}

// Position is a place in a source file; Line and Column count from 1, and 0
// means unknown.
type Position struct {
	File         string
	Line, Column int
}

// Operation is one method on one path.
type Operation struct {
	// ID is the operationId, or a name derived from method and path; unique.
	ID     string
	Method string // upper case
	// Path is the template as written, without the base path: "/orders/{id}".
	Path        string
	Tags        []string
	Summary     string
	Description string
	Deprecated  bool
	Parameters  []*Parameter
	Body        *Body // nil when the operation takes none
	// Responses are sorted by status; a range such as 2XX and "default" come last.
	Responses []*Response
	// Security lists alternatives; each is a set of schemes that must all hold.
	// Empty means public; an empty alternative means anonymous is allowed.
	Security []Requirement
	// Scope are parameters that say, as the path does, where rows belong: a tenant. Build
	// finds them.
	Scope []*Parameter
	// Ending is the end of the path that says how things are written, ".json" or "".
	Ending string
	// Extension is the operation's x-backend object, nil when absent.
	Extension Literal
	Position  Position
}

// Call is a request that the server makes: a webhook, or a callback of an operation. Its
// operation has neither id, path nor security, and parameters in query and header only.
type Call struct {
	*Operation
	Name string // of the webhook or callback, as written
	// Of is the operation that the callback belongs to, nil for a webhook; URL is where it
	// goes, with runtime expressions such as {$request.body#/callbackUrl}.
	Of  *Operation
	URL string
}

// Parameter is one path, query, header or cookie parameter.
type Parameter struct {
	Name        string
	In          string // path, query, header, cookie
	Description string
	Required    bool
	Style       string // form, simple, deepObject, …; the default is filled in
	Explode     bool
	// Media is the media type of a content parameter, "" for a schema parameter.
	Media    string
	Schema   *Schema
	Example  Literal
	Position Position
}

// Body is a request body.
type Body struct {
	Required bool
	// Content is sorted with application/json first.
	Content []Media
}

// Media is one media type and its schema; the schema may be nil.
type Media struct {
	Type    string
	Schema  *Schema
	Example Literal
	// Encoding says how the properties of a form travel, by name.
	Encoding map[string]Encoding
}

// Encoding is how a property of a form travels.
type Encoding struct {
	Types   []string // media types of a multipart form's part; nil: by its schema
	Style   string   // form, spaceDelimited, pipeDelimited, deepObject; "": by its schema
	Explode bool
}

// Response is what an operation declares for one status.
type Response struct {
	// Status is the code as written: "200", "2XX" or "default".
	Status      string
	Description string
	Content     []Media
	Headers     []*Parameter // In is "header"
	// Links are the response's links: parameter name -> runtime expression.
	Links []Link
}

// Link is an OpenAPI link: how a value of this response feeds another operation.
type Link struct {
	Name       string
	Operation  string            // target operation id
	Parameters map[string]string // target parameter -> runtime expression such as $response.body#/id
}

// Requirement is a set of security schemes that must hold together.
type Requirement []SchemeUse

// SchemeUse names a scheme and the scopes it must carry.
type SchemeUse struct {
	Scheme string
	Scopes []string
}

// SecurityScheme is one of components/securitySchemes.
type SecurityScheme struct {
	Name string // key in the document
	Type string // http, apiKey, oauth2, openIdConnect, mutualTLS
	// Scheme is the HTTP authentication scheme (bearer, basic) of an http scheme.
	Scheme string
	// In and Parameter say where an API key travels: header, query or cookie.
	In        string
	Parameter string
	Scopes    []string
}

// Kind is the JSON shape of a schema.
type Kind string

// The kinds. KindAny is a schema that says nothing about the shape; KindUnion is
// oneOf or anyOf; KindRaw is one that cannot be typed (several types, not, an
// irreconcilable allOf) and travels as raw JSON.
const (
	KindString  Kind = "string"
	KindInteger Kind = "integer"
	KindNumber  Kind = "number"
	KindBoolean Kind = "boolean"
	KindObject  Kind = "object"
	KindArray   Kind = "array"
	KindNull    Kind = "null"
	KindAny     Kind = "any"
	KindUnion   Kind = "union"
	KindRaw     Kind = "raw"
)

// Schema is a resolved JSON Schema. Schemas may be recursive: follow pointers
// with a visited set.
type Schema struct {
	// Name is the component's name, "" for an inline schema. Two uses of one
	// component are the same pointer.
	Name        string
	Title       string
	Description string
	Kind        Kind
	Nullable    bool
	Format      string
	ReadOnly    bool
	WriteOnly   bool
	Deprecated  bool
	// RenamedFrom is the name that the property had before (x-backend: {renamed-from}).
	RenamedFrom string

	Default Literal   // nil when absent
	Const   Literal   // nil when absent
	Enum    []Literal // nil when absent; null is removed and sets Nullable
	Example Literal   // the first example; nil when absent

	// Strings. Lengths count Unicode code points; MaxLength is nil when unbounded.
	MinLength int
	MaxLength *int
	Pattern   string // ECMA-262 as written; "" when absent
	// Backtracks says that the pattern needs what RE2 cannot do, and compiles.
	Backtracks bool
	// File says that the string is a file of a multipart form, MediaTypes of what kind;
	// nil: of any.
	File       bool
	MediaTypes []string

	// Numbers.
	Minimum, Maximum                   *float64
	ExclusiveMinimum, ExclusiveMaximum bool
	MultipleOf                         *float64

	// Arrays.
	Items       *Schema
	MinItems    int
	MaxItems    *int
	UniqueItems bool
	// Prefix and Contains are for making samples; Rules check them.
	Prefix   []*Schema
	Contains *Schema

	// Objects.
	Properties []*Property // in document order
	// Closed says that properties not listed are refused (additionalProperties or
	// unevaluatedProperties: false).
	Closed bool
	// Additional is the schema of unlisted properties when the document gives one.
	Additional    *Schema
	MinProperties int
	MaxProperties *int

	// Unions.
	OneOf         []*Schema
	AnyOf         []*Schema
	Not           *Schema
	Discriminator *Discriminator

	// Rules is JSON Schema (2020-12) for what the other fields do not say: not, if,
	// contains and their like; nil when there is nothing more.
	Rules Literal

	// Whole is all of the schema as JSON Schema, for an array, map or union that holds
	// itself without an object of named properties between; nil for others.
	Whole Literal

	// Reason says why the schema is KindRaw.
	Reason string
	// Narrowed says that the server accepts less than the document says, in requests: the
	// bounds here are the server's.
	Narrowed bool
	// Unenforced names the keywords that generated validators do not check.
	Unenforced []string
	// Types are the JSON types of a KindRaw schema that allows several.
	Types    []string
	Position Position
}

// Discriminator chooses a union's variant by a property's value.
type Discriminator struct {
	Property string
	// Mapping is value -> variant.
	Mapping map[string]*Schema
}

// Property is a named member of an object schema.
type Property struct {
	Name     string
	Required bool
	Schema   *Schema
}

// Property returns the named property, or nil.
func (s *Schema) Property(name string) *Property {
	if s == nil {
		return nil
	}
	for _, p := range s.Properties {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Success returns the response of the lowest declared 2xx status, or nil.
func (o *Operation) Success() *Response {
	for _, r := range o.Responses {
		if len(r.Status) == 3 && r.Status[0] == '2' {
			return r
		}
	}
	return nil
}

// JSON returns the first JSON media type among content, or nil.
func JSON(content []Media) *Media {
	for i := range content {
		if IsJSON(content[i].Type) {
			return &content[i]
		}
	}
	return nil
}
