package model

import "slices"

// Project is what will be generated.
type Project struct {
	Name   string // "shop": folder, binary, image
	Module string // Go module path
	API    *API
	// Engines are the databases that are compiled in: the embedded one first.
	Engines []Engine
	// Addable are the engines that could be compiled in, too.
	Addable []Engine
	Cache   Cache
	// Blobs are the stores for uploaded files that are compiled in beside the folder,
	// AddableBlobs those that could be.
	Blobs, AddableBlobs []Blob
	// Split says that the deploy files describe a process per service behind a gateway,
	// not one process. Both shapes are always built.
	Split bool
	// Services are sorted by name.
	Services []*Service
	// Coverage has a line per operation, in the document's order.
	Coverage []*Coverage
	// Stays are resources whose tag would have them in another service than their rows.
	Stays []Stay
	// Notes are decisions about whole schemas or resources that the user should know.
	Notes []string
}

// Blob is a store for uploaded files, read from its adapter.yaml.
type Blob struct {
	Name    string   // folder under platform/blob
	Schemes []string // of the URLs that choose it
	Env     []string // variables that it reads beside its URL
}

// Engine is what the generator needs to know of a database engine; it is read
// from the engine's adapter.yaml.
type Engine struct {
	Name     string            // folder under platform/store
	Title    string            // for people
	Schemes  []string          // of the URLs that choose it
	Types    map[string]string // column kind -> SQL type
	Identity string            // SQL type of a key that the database numbers
	// MaxIndexBytes bounds an entry of an index, 0: unbounded. LongIndex is the method
	// for a column that may hold more, "": none.
	MaxIndexBytes int
	LongIndex     string
	Alter         Alter
}

// Alter is how the tables of an engine change. In its texts {x} stands for a value,
// {table}, {new} and {column} for names.
type Alter struct {
	// Rebuild says that a table is made anew and filled from the old one; without it
	// ALTER TABLE changes it where it stands.
	Rebuild          bool
	True, False, Now string // values
	Char             string // the character of a code
	// Convert are expressions that turn a value of one kind into one of another, by
	// "integer>text". A value that cannot be turned becomes NULL.
	Convert map[string]string
	// KeepNumbers makes a rebuilt table number its rows on from where the old one was.
	KeepNumbers string
	// DropReference drops the foreign key of a column.
	DropReference string
	// Unchecked makes a foreign key that rows from before need not satisfy.
	Unchecked string
}

// Cache is the cache of reads by id.
type Cache struct {
	Engine string // none, local
	TTL    string // a Go duration
}

// Status says how far an operation is implemented.
type Status string

// The three states of the coverage table.
const (
	Implemented Status = "implemented"
	Stubbed     Status = "stub"
	RawTyped    Status = "raw" // implemented, but a body travels as raw JSON
)

// Coverage is one operation's line in the coverage table.
type Coverage struct {
	Operation *Operation
	Service   string
	Status    Status
	// Reason says why an operation is a stub or raw.
	Reason string
	// Assumed names response properties that get a neutral value nobody supplied.
	Assumed []string
	// Refused names optional parameters that are not acted on.
	Refused []string
	// Unchecked names the parents in the path that nothing creates.
	Unchecked []string
	// Lost names properties of requests that rows do not keep.
	Lost []string
	// Hint is what the document gives a hint that a stub may do, nil for none.
	Hint *Extension
	// alone says that rows of the operation's own would be nobody else's.
	alone bool
	// ReadOnly says that nothing in the document creates what the operation works on:
	// rows come from example rows, SQL or the user's code.
	ReadOnly bool
}

// Service is one Go package: a set of operations over its own database.
type Service struct {
	Name       string // as in the profile and in URLs: "orders"
	Package    string
	Doc        string
	Types      []*Type
	Patterns   []*Pattern
	Forms      []*FormPlan
	Rules      []*Rules
	Resources  []*Resource
	Operations []*Op
	// Uses are the resources of other services that this one checks references to.
	Uses []*Use
	// Errors are the declared error bodies that differ from problem+json.
	Errors []*ErrorShape
	// Calls are the requests that the service makes: webhooks and callbacks.
	Calls []*Outgoing
}

// Use is a resource of another service that this one refers to.
type Use struct {
	Field    string // field of Clients: "Users"
	Type     string // its interface: "UsersClient"
	Service  *Service
	Resource *Resource
}

// Stay is a resource that an update leaves in the service where its rows are.
type Stay struct{ Path, Tagged, Service string }

// Pattern is a compiled regular expression that several fields may share.
type Pattern struct {
	Var  string
	Expr string // of RE2 or, with Backtracks, of ECMA-262
	// Backtracks says that it needs what RE2 cannot do.
	Backtracks bool
}

// Rules is a compiled schema that several values may share.
type Rules struct {
	Var  string
	Text string // JSON
}

// Resource is a collection of rows of one shape: one table.
type Resource struct {
	Name     string // singular, for messages: "order"
	GoName   string // "Order"
	Row      string // Go type of the row: "OrderRow"
	Field    string // field of Defaults: "orders"
	Var      string // table descriptor: "ordersTable"
	Table    string // SQL name
	Service  *Service
	Path     string // collection path template
	ItemPath string // item path template, "" when there is none
	Schema   *Schema
	Columns  []*Column
	Key      *Column
	Version  *Column
	// Parent is the resource that rows belong to, nil for a root; ParentColumn
	// holds its key. Scope columns hold path parameters of parents that are no
	// resource.
	Parent       *Resource
	ParentColumn *Column
	Scopes       []*Column
	References   []*Reference
	// KeyParts are the columns whose values make the key, where clients choose it
	// within a parent, or where the path alone names the row: then Key is hidden and
	// holds all of them, joined. nil: Key stands for itself.
	KeyParts []*Column
	// KeyForm is the form of the keys that the store makes, nil for UUIDs.
	KeyForm []KeyPart
	// Singleton says that the path names one row: there are no items.
	Singleton bool
	// Puts says that a PUT creates the row that it does not find.
	Puts bool
	// Creatable says that some operation creates rows.
	Creatable bool
	// FileKey and File are the columns of the file that a row has: its key in the store,
	// and what is known of it. nil: rows have none.
	FileKey, File  *Column
	answers, taken []string // media types in which the file is answered, and is taken
	made           bool     // some operation is meant to create rows
	told           bool     // an extension makes it
	posted         *Schema  // the body of its POST
}

// Natural is the column that item paths name, nil for a singleton.
func (r *Resource) Natural() *Column {
	switch {
	case r.KeyParts == nil:
		return r.Key
	case r.Singleton:
		return nil
	}
	return r.KeyParts[len(r.KeyParts)-1]
}

// Column is one field of a row.
type Column struct {
	Name     string // SQL name
	GoName   string
	Property string // wire name, "" when hidden
	Ref      *Ref
	Nullable bool
	Kind     string // text, uuid, integer, real, boolean, time, json
	// Rule is what the store does by itself: "", "key", "version", "created", "updated".
	Rule   string
	Schema *Schema
	// Param is the path parameter that fills a hidden column.
	Param string
	// MaxLength bounds a text in code points, whoever writes it; nil: nothing does.
	MaxLength *int
	// RenamedFrom is the SQL name that the column had, as the document hints; "": none.
	RenamedFrom string
}

// Reference says that a column holds another resource's key.
type Reference struct {
	Column *Column
	Target *Resource
	// Use is set when the target lives in another service.
	Use *Use
}

// OpKind is what an operation does to its resource.
type OpKind string

// The operations that have a default implementation.
const (
	OpCreate   OpKind = "create"
	OpMany     OpKind = "many" // creates every element of a list
	OpGet      OpKind = "get"
	OpList     OpKind = "list"
	OpReplace  OpKind = "replace"
	OpPatch    OpKind = "patch"
	OpDelete   OpKind = "delete"
	OpClear    OpKind = "clear"    // deletes all rows of a collection
	OpChange   OpKind = "change"   // sets columns to fixed values: a state action
	OpDownload OpKind = "download" // answers the file of a row
	// These change or delete every row that a list of keys names.
	OpChangeMany OpKind = "changeMany"
	OpDeleteMany OpKind = "deleteMany"
	OpCount      OpKind = "count" // tells how many rows a list would list
	OpStub       OpKind = "stub"
)

// Op is an operation with all names and decisions that its code needs.
type Op struct {
	*Operation
	GoName   string // method of Server: "CreateOrder"
	Route    string // path with the base path
	Kind     OpKind
	Reason   string // of a stub
	Resource *Resource
	Params   []*OpParam
	Body     *OpBody
	// Others are the bodies that other media types carry, of other types than Body; all
	// but one of them are absent. Only a stub has any.
	Others []*OpBody
	// Upload is the file that requests bring, nil for none.
	Upload  *UploadPlan
	Results []*Result
	// Result is the one that the default implementation returns.
	Result *Result
	// KeyParam and ParentParams tie path parameters to the resource's key and to
	// its parents, outermost first.
	KeyParam     *OpParam
	ParentParams []*ParentParam
	// KeyField is the member of the body that names the row, where the path does not.
	KeyField *Field
	List     *ListPlan
	Many     *ManyPlan
	// Fills gives the row's columns their values on create and on a change.
	Fills []*Fill
	// Upsert says that a row that is not there is made, of Fresh and then Fills.
	// Created is the response then, nil: Result serves both.
	Upsert  bool
	Fresh   []*Fill
	Created *Result
	// KeyLoosened says that KeyParam takes more than the document allows.
	KeyLoosened bool
	// IfMatch is "", "optional" or "required".
	IfMatch    string
	Idempotent string // "", "optional" or "required"
	Invalid    int    // status for invalid input
	Refused    []*Parameter
	// Unchecked names the parents in the path that nothing creates: they are taken as
	// they come.
	Unchecked []string
	Security  []Requirement
	Consumes  []string
	Produces  []string
	Error     *ErrorShape
	Assumed   []string
}

// ParentParam is a path parameter that names a parent of the operation's resource.
type ParentParam struct {
	Param *OpParam
	// Parts are the parameters that make the parent's key together, nil when Param is
	// the key.
	Parts    []*OpParam
	Resource *Resource // nil when the parent is no resource
	Column   *Column   // column of the child that holds it
}

// OpParam is a parameter as a field of the request struct.
type OpParam struct {
	*Parameter
	GoName   string
	Ref      *Ref
	Optional bool // a pointer, nil when absent
	// Split is how array items are told apart: "" when the parameter repeats.
	Split string
	// Prefix is what stands before the value in the path.
	Prefix string
	// AnyText says that every text will do: the document offers several plain types of
	// which a text is one, or it is a cursor, whose form is our own.
	AnyText bool
	// Object says how an object, or JSON, is read; nil for plain values and lists.
	Object *ObjectPlan
}

// Result is one response as a Go type.
type Result struct {
	GoName string // "CreateOrder201"
	Status int
	Ref    *Ref // nil: no body or raw bytes
	Raw    bool // body is []byte
	// Content says that the body is a file, streamed from where it is kept; Ranged, that
	// it is of any type that a declared range covers. Among are the types that it is
	// answered in where uploads may be of others, which become bytes of no type.
	Content, Ranged bool
	Among           []string
	Media           string
	Location        bool
	ETag            bool
	Headers         []*ResultHeader
	// Fields are the body's sources in the default implementation, for an object
	// made from a row; Row says the body is exactly that.
	Fields []*FieldSource
	Func   string // the projection function's name, shared by equal projections
	// Envelope stands around the message: its Items is the member that holds it.
	Envelope *Envelope
	// Message is the type that Fields fill: Ref, or what the envelope holds.
	Message *Ref
	// Count is the member that holds a count, nil where the body is the count itself.
	Count *Field
}

// FieldSource says where a response field comes from.
type FieldSource struct {
	Field  *Field
	Source SourceKind
	Column *Column
	// Value is a Go expression for SourceValue.
	Value string
}

// SourceKind is where a value comes from.
type SourceKind string

// The sources of response fields and row columns.
const (
	SourceColumn SourceKind = "column"
	SourceBody   SourceKind = "body"
	SourceParam  SourceKind = "param"
	SourceValue  SourceKind = "value"
	SourceFile   SourceKind = "file" // what is known of the file that came
	SourceKey    SourceKind = "key"  // the values of the resource's KeyParts, joined
)

// Fill gives a column its value when a row is made or changed.
type Fill struct {
	Column *Column
	Source SourceKind
	Field  *Field   // body field
	Outer  *Field   // the body field that holds Field as its only member: {"value": …}
	Param  *OpParam // path parameter
	// Parts are the parameters that make a parent's key together.
	Parts []*OpParam
	Value string // Go expression
	// Member is the member of the column's object that gets Value; Base is the object
	// where there is none.
	Member *Field
	// Among says that requests may carry texts which the column's enum does not have:
	// they are refused.
	Among bool
	// Base is the Go expression of the value that the body's is laid over, where
	// responses require members that requests do not have; "" for none.
	Base string
	// Without are write-only members that are dropped from a raw value.
	Without []string
}

// ListPlan is how a list operation pages, filters and sorts.
type ListPlan struct {
	Style        string // "", cursor, page, offset
	Limit        *OpParam
	DefaultLimit int
	MaxLimit     int
	Cursor       *OpParam
	Page         *OpParam
	// FirstPage is the number of the first page: 0 where the document allows it.
	FirstPage int
	Offset    *OpParam
	Filters   []*Filter
	Sort      *SortPlan
	// Envelope is nil for a bare array.
	Envelope *Envelope
	Item     *Ref
	ItemFunc string
	ItemFrom []*FieldSource
}

// Filter is a query parameter that narrows a list.
type Filter struct {
	Param  *OpParam
	Column *Column
	Op     string // Eq, In, Lt, Le, Gt, Ge, Ne, Search
	// Columns are those that a search looks into.
	Columns []*Column
}

// SortPlan maps a sort parameter's values to columns.
type SortPlan struct {
	Param     *OpParam
	Direction *OpParam
	Choices   []SortChoice
	// Var is the Go variable that maps values to columns.
	Var string
}

// SortChoice is one value of the sort parameter.
type SortChoice struct {
	Value  string
	Column *Column
	Desc   bool
}

// Envelope is a list response that is an object.
type Envelope struct {
	Type   *Type
	Items  *Field
	Fields []*EnvelopeField
}

// EnvelopeField is an envelope member beside the items.
type EnvelopeField struct {
	Field  *Field
	Source string    // next, hasMore, total, count, page, limit, offset, pages, value
	Value  string    // Go expression for "value"
	Inner  *Envelope // of an object of such members, without items
}

// Counts reports whether some member tells how many items there are in all.
func (e *Envelope) Counts() bool {
	return e != nil && slices.ContainsFunc(e.Fields, func(f *EnvelopeField) bool {
		return f.Source == "total" || f.Source == "pages" || f.Inner.Counts()
	})
}

// ErrorShape fills a declared error schema from a problem.
type ErrorShape struct {
	Func   string
	Type   *Type
	Media  string
	Fields []*ErrorField
}

// ErrorField is one member of a declared error body.
type ErrorField struct {
	Field  *Field
	Source string // status, title, detail, type, instance, code, value, object, list
	Value  string
	Fields []*ErrorField // of an object, or of the one item of a list
}
