package model

import (
	"slices"
	"strings"
)

// buildResource decides whether a candidate is a resource and makes its row;
// nil with a reason when it is none.
func (b *builder) buildResource(c *candidate, service *Service, t *typer) (*Resource, string) {
	read, reason := c.readSchema()
	if reason != "" {
		return nil, reason
	}
	named := c.noun(read)
	if c.records() {
		named = c.create.ID + " request"
	}
	name := strings.Join(words(named), " ")
	if name == "" {
		name = "item"
	}
	names := b.scopes[service]
	goName := names.resource(GoName(named))
	r := &Resource{
		Name: name, GoName: goName, Schema: read, Service: service, Path: c.path, ItemPath: c.itemPath, Singleton: c.singleton, told: c.told,
		Row:   t.names.take(goName + "Row"),
		Field: names.collections.take(goLocal(plural(goName))),
		Var:   t.names.take(goLocal(plural(goName)) + "Table"),
		Table: names.tables.take(tableName(plural(goName))),
	}
	rows := &rowBuilder{r: r, c: c, t: t, columns: newAllocator("row_version"), fields: newAllocator()}
	if reason := rows.build(b); reason != "" {
		return nil, reason
	}
	return r, ""
}

// noun is the singular of what the candidate's path collects: its last segment, or,
// where that is a placeholder, what its items are called.
func (c *candidate) noun(read *Schema) string {
	_, last := parent(c.path)
	if _, ok := placeholder(last); !ok {
		return singular(last)
	}
	if read.Name != "" {
		return read.Name
	}
	return c.param
}

// readSchema is the schema of one row as clients read it.
func (c *candidate) readSchema() (*Schema, string) {
	item, _ := listItem(c.list)
	read := resultObject(c.get)
	if read == nil {
		read = item
	}
	created, sent := resultObject(c.create), bodyObject(c.create)
	switch {
	case c.records():
		return orPresence(created, sent), ""
	case c.told && read == nil:
		return nil, "the response is no object that could be stored"
	case c.file, c.association():
		return orPresence(), ""
	case c.download != nil && read == nil && created != nil:
		return created, ""
	case read != nil:
		return read, ""
	case c.singleton:
		return orPresence(bodyObject(c.replace), bodyObject(c.patch)), ""
	case c.create != nil && sent != nil && (untold(c.get) || untold(c.list)):
		return orPresence(created, sent), "" // the document leaves open what a GET answers
	case c.create == nil && c.replace == nil && bodyObject(c.patch) != nil && untold(c.get):
		return bodyObject(c.patch), ""
	case c.create == nil && c.replace == nil && c.list != nil:
		return nil, "a computed result, not a stored one"
	case c.create != nil && sent == nil && c.itemPath == "":
		return nil, "action"
	case c.create != nil && sent == nil && c.replace == nil:
		return nil, "no object that could be stored"
	case c.create != nil && (c.get != nil || c.remove != nil || c.replace != nil || c.patch != nil):
		return orPresence(created, sent, resultObject(c.replace), bodyObject(c.replace)), ""
	case c.create == nil && c.replace != nil && (c.get != nil || c.remove != nil || c.list != nil):
		if c.get != nil && !untold(c.get) && !presence204(c.get) {
			return nil, "the response is no object that could be stored"
		}
		return orPresence(resultObject(c.replace), bodyObject(c.replace)), ""
	case c.create == nil:
		return nil, "action"
	case created == nil || !assignsID(created, sent):
		return nil, "action"
	}
	return created, ""
}

// orPresence returns the first schema that there is, or one of nothing: then a row
// only says that it is there.
func orPresence(schemas ...*Schema) *Schema {
	for _, s := range schemas {
		if s != nil {
			return s
		}
	}
	return &Schema{Kind: KindObject}
}

// untold reports whether an operation's success has a body that the document says
// nothing about.
func untold(op *Operation) bool {
	if op == nil {
		return false
	}
	success := op.Success()
	switch {
	case success == nil || success.Status == "204":
		return false
	case len(success.Content) == 0:
		return true
	}
	media := JSON(success.Content)
	return media != nil && (media.Schema == nil || media.Schema.Kind == KindAny)
}

// assignsID reports whether a response carries an id that the request did not:
// the sign that a POST stores something.
func assignsID(response, request *Schema) bool {
	id := response.Property("id")
	if id == nil {
		return false
	}
	sent := request.Property("id")
	return id.Schema.ReadOnly || sent == nil || sent.Schema.ReadOnly
}

// rowBuilder makes the columns of one resource.
type rowBuilder struct {
	r       *Resource
	c       *candidate
	t       *typer
	columns *allocator
	fields  *allocator
}

func (rb *rowBuilder) build(b *builder) string {
	rb.narrow()
	for _, s := range rb.schemas() {
		for _, p := range s.Properties {
			if rb.column(p.Name) == nil && !p.Schema.WriteOnly && !linkNames[Plain(p.Name)] {
				rb.addColumn(p, s)
			}
			if c := rb.column(p.Name); c != nil && p.Schema.RenamedFrom != "" {
				c.RenamedFrom = snake(p.Schema.RenamedFrom)
			}
		}
	}
	rb.nullability()
	rb.lengths()
	natural := rb.findKey()
	if rb.c.records() {
		if natural != nil && rb.sent(natural.Property) {
			natural = nil // what was asked of a row twice is two rows
		}
		c := rb.hidden("recorded at", RefTime)
		c.Rule, c.Nullable = "created", false
	}
	if natural != nil && !isText(natural.Ref) && !isNumber(natural.Ref) {
		natural = nil // no path can name it
	}
	if natural != nil {
		natural.Rule = "key" // so that no parent takes it
	}
	rb.parents(b)
	if reason := rb.key(natural); reason != "" {
		return reason
	}
	rb.boundKey()
	rb.rules()
	rb.files()
	return ""
}

// linkNames are properties that hold links, which are made, not stored.
var linkNames = set("links", "self", "href", "selflink")

// schemas are the messages whose properties make the row, the read one first.
func (rb *rowBuilder) schemas() []*Schema {
	c := rb.c
	if c.file || c.association() {
		return nil // what its list shows belongs to others
	}
	item, _ := listItem(c.list)
	var out []*Schema
	for _, s := range []*Schema{
		rb.r.Schema, resultObject(c.create), item, bodyObject(c.create), bodyObject(c.replace), bodyObject(c.patch),
	} {
		if s != nil {
			out = append(out, s)
		}
	}
	return out
}

func (rb *rowBuilder) column(property string) *Column {
	for _, c := range rb.r.Columns {
		if c.Property == property && property != "" {
			return c
		}
	}
	return nil
}

func (rb *rowBuilder) addColumn(p *Property, owner *Schema) {
	c := &Column{
		Name: rb.columns.take(snake(p.Name)), GoName: rb.fields.take(GoName(p.Name)), Property: p.Name,
		Ref: rb.t.member(p, owner, rb.r.GoName+GoName(p.Name)), Schema: p.Schema, Nullable: true,
	}
	c.Kind = columnKind(c.Ref)
	rb.r.Columns = append(rb.r.Columns, c)
}

// hidden adds a column that no message shows.
func (rb *rowBuilder) hidden(name string, kind RefKind) *Column {
	c := &Column{
		Name: rb.columns.take(snake(name)), GoName: rb.fields.take(GoName(name)),
		Ref: &Ref{Kind: kind, Schema: &Schema{Kind: KindString}},
	}
	c.Kind = columnKind(c.Ref)
	rb.r.Columns = append(rb.r.Columns, c)
	return c
}

func columnKind(r *Ref) string {
	switch r.Kind {
	case RefString, RefEnum:
		if r.Kind == RefString && r.Schema != nil && r.Schema.Format == "uuid" {
			return "uuid"
		}
		return "text"
	case RefInt:
		return "integer"
	case RefFloat:
		return "real"
	case RefBool:
		return "boolean"
	case RefTime:
		return "time"
	}
	return "json"
}

// nullability makes a column NOT NULL when some response requires it.
func (rb *rowBuilder) nullability() {
	item, _ := listItem(rb.c.list)
	for _, s := range []*Schema{rb.r.Schema, resultObject(rb.c.create), item} {
		if s == nil {
			continue
		}
		for _, p := range s.Properties {
			if c := rb.column(p.Name); c != nil && p.Required && !p.Schema.Nullable {
				c.Nullable = false
			}
		}
	}
}

// lengths bounds every column by the schemas of the requests that write it, or by its
// own if none does.
func (rb *rowBuilder) lengths() {
	for _, c := range rb.r.Columns {
		written := false
		for _, op := range []*Operation{rb.c.create, rb.c.replace, rb.c.patch} {
			p := bodyObject(op).Property(c.Property)
			switch {
			case p == nil || p.Schema.ReadOnly:
				continue
			case p.Schema.MaxLength == nil:
				c.MaxLength = nil
			case !written || c.MaxLength != nil && *p.Schema.MaxLength > *c.MaxLength:
				c.MaxLength = p.Schema.MaxLength
			}
			written = true
			if c.MaxLength == nil {
				break
			}
		}
		if !written && c.Schema != nil {
			c.MaxLength = c.Schema.MaxLength
		}
	}
}

// key decides what identifies a row: the column that item paths name; a hidden one
// that the store numbers; or, where clients choose keys within a parent, a hidden one
// that joins all that the path names.
func (rb *rowBuilder) key(natural *Column) string {
	r, c := rb.r, rb.c
	r.Puts = c.replace != nil && c.create == nil || r.Singleton
	r.made = c.create != nil || r.Puts
	chosen := rb.chosen(natural)
	if chosen && c.replace != nil && slices.ContainsFunc(c.replace.Responses, func(r *Response) bool { return r.Status == "201" }) {
		r.Puts = true // beside a POST, for clients choose the key there, too
	}
	if natural != nil {
		natural.Nullable = false
	}
	if r.Singleton || chosen && (r.Parent != nil || len(r.Scopes) > 0 || natural != nil && natural.Ref.Kind != RefString && natural.Ref.Kind != RefInt) {
		rb.joinedKey(natural)
		return ""
	}
	if natural == nil {
		if c.create == nil && !r.Puts && c.itemPath == "" && !c.told && derived(r.Path) {
			return "list items have no id, and are likely to be computed"
		}
		natural = rb.hidden("id", rb.keyKind())
		if chosen {
			natural.Param = c.param
		}
	}
	if natural.Ref.Kind == RefFloat && integral(natural.Schema) || !chosen && natural.Ref.Kind == RefString && rb.keyKind() == RefInt && plainText(natural.Schema) {
		// The key counts, though the document writes it another way here.
		natural.Ref, natural.Kind = &Ref{Kind: RefInt, Schema: &Schema{Kind: KindInteger}}, "integer"
	}
	if natural.Ref.Kind != RefString && natural.Ref.Kind != RefInt {
		return "the key " + natural.Property + " is neither a string nor an integer"
	}
	natural.Nullable, natural.Rule = false, "key"
	r.Key = natural
	if natural.Ref.Kind == RefString && c.create != nil && !chosen {
		form, ok := keyForm(natural.Schema)
		if !ok {
			return "no key can be made that satisfies the schema of " + natural.Property
		}
		r.KeyForm = form
	}
	return ""
}

// derivations are words in the paths of lists that somebody computes from what is stored.
var derivations = set("stats", "stat", "statistics", "statistic", "usage", "usages", "metrics", "metric", "report", "reports", "reporting", "summary", "summaries",
	"traffic", "analytics", "analysis", "insights", "search", "searches", "find", "query", "lookup", "count", "counts", "total", "totals", "history", "timeline", "feed",
	"errors", "suggestions", "suggest", "recommendations", "recommended", "popular", "trending", "compare", "comparison", "diff", "logs", "log", "ranking", "rankings",
	"ratings", "leaderboard", "top", "latest", "current", "forecast", "prediction", "predictions", "nearby", "similar", "related", "autocomplete", "validate", "check",
	"status", "health", "info", "available", "availability", "free", "calculate", "estimate", "convert", "translate", "generate", "preview", "render", "export", "stubbed")

// derived reports whether a path reads as if somebody computed what it lists.
func derived(path string) bool {
	return slices.ContainsFunc(words(path), func(w string) bool { return derivations[w] })
}

// chosen reports whether clients choose the key: in the body of every POST, or by
// the path of a PUT.
func (rb *rowBuilder) chosen(natural *Column) bool {
	if rb.c.create == nil {
		return rb.r.Puts
	}
	if natural == nil {
		return false
	}
	p := bodyObject(rb.c.create).Property(natural.Property)
	return p != nil && p.Required && !p.Schema.ReadOnly
}

// joinedKey makes a hidden key of everything that the path names.
func (rb *rowBuilder) joinedKey(natural *Column) {
	r := rb.r
	if r.ParentColumn != nil {
		r.KeyParts = append(r.KeyParts, r.ParentColumn)
	}
	r.KeyParts = append(r.KeyParts, r.Scopes...)
	if !r.Singleton {
		if natural == nil {
			natural = rb.hidden(rb.c.param, rb.keyKind())
			natural.Param = rb.c.param
		}
		r.KeyParts = append(r.KeyParts, natural)
	}
	if natural != nil {
		natural.Rule, natural.Nullable = "", false
	}
	if r.KeyParts == nil {
		r.KeyParts = []*Column{}
	}
	r.Key = rb.hidden("row key", RefString)
	r.Key.Rule = "key"
}

// keyKind is the kind of key that item paths want.
func (rb *rowBuilder) keyKind() RefKind {
	if s := rb.c.paramSchema(); s != nil && (s.Kind == KindInteger || s.Kind == KindNumber) {
		return RefInt
	}
	return RefString
}

// integral reports whether a number's schema allows every integer from 1 on.
func integral(s *Schema) bool {
	return s != nil && s.MultipleOf == nil && (s.Minimum == nil || *s.Minimum <= 1) && s.Maximum == nil
}

// plainText reports whether a schema allows any short text.
func plainText(s *Schema) bool {
	return s != nil && s.Pattern == "" && s.Const == nil && s.Enum == nil && s.Format == "" && s.MinLength <= 1
}

func acceptsUUID(s *Schema) bool {
	if s == nil {
		return true
	}
	return s.Pattern == "" && s.Const == nil && s.Enum == nil && fitsLength(len(uuidLike), s) &&
		(s.Format == "" || s.Format == "uuid" || !stringFormat(s.Format))
}

func stringFormat(format string) bool {
	switch format {
	case "date", "email", "uri", "uri-reference", "ipv4", "ipv6", "hostname", "time", "duration":
		return true
	}
	return false
}

func (c *candidate) paramSchema() *Schema {
	for _, op := range c.operations() {
		for _, p := range op.Parameters {
			if p.In == "path" && p.Name == c.param && c.itemPath != "" {
				return p.Schema
			}
		}
	}
	return nil
}

// findKey matches the item path's placeholder with a column: by name, then as
// resource + id, then by the column named id, then, for a placeholder called like the
// resource itself, by what things are named by.
func (rb *rowBuilder) findKey() *Column {
	if rb.c.singleton {
		return nil
	}
	param, noun := Plain(rb.c.param), Plain(rb.r.Name)
	if rb.c.itemPath == "" {
		param = "id"
	}
	for _, c := range rb.r.Columns {
		if Plain(c.Property) == param {
			return c
		}
	}
	if rb.c.itemPath == "" && rb.c.create == nil {
		param = noun // a list alone: by whatever its items are told apart
	}
	for _, c := range rb.r.Columns {
		n := Plain(c.Property)
		if n == "" {
			continue
		}
		if param == noun+n || n == noun+param && (n != noun+"id" || rb.fits(c)) || strings.HasSuffix(param, "id") && n == "id" {
			return c
		}
	}
	if param != noun {
		return nil
	}
	for _, name := range []string{"id", noun + "id", "uuid", "guid", "slug", "code", "key", "login", "number", "name", noun + "name"} {
		for _, c := range rb.r.Columns {
			if Plain(c.Property) == name && rb.fits(c) {
				return c
			}
		}
	}
	return nil
}

// fits reports whether a column holds what item paths are made of: numbers where they
// have numbers, texts where they have texts.
func (rb *rowBuilder) fits(c *Column) bool {
	return (rb.keyKind() == RefInt) == (c.Ref.Kind == RefInt) && (c.Ref.Kind == RefInt || c.Ref.Kind == RefString)
}

var createdNames = set("createdat", "created", "createdon", "createddate", "createdtime", "creationdate", "creationtime", "datecreated", "insertedat", "createtime", "timecreated")

// begunNames are times that have come when a row is made, where responses require them
// and no request carries them.
var begunNames = set("timestamp", "eventtime", "pushedat", "lastusedat", "lastactivityat", "lastactiveat", "lastseenat", "lastaccessedat", "startedat", "starttime",
	"submittedat", "postedat", "addedat", "registeredat", "joinedat", "receivedat", "requestedat", "recordedat", "issuedat", "openedat", "uploadedat", "grantedat",
	"assignedat", "loggedat", "dateadded", "dateregistered", "datesubmitted", "registrationdate")

var updatedNames = set("updatedat", "updated", "updatedon", "updateddate", "updatedtime", "modifiedat", "modified", "lastmodified", "lastmodifiedat", "lastupdated", "lastupdatedat", "dateupdated", "datemodified", "modifiedon", "updatetime", "modifiedtime", "lastmodifiedtime", "lastmodifieddate")

// rules finds the columns that the store fills by itself: a version, and times
// that no request carries.
func (rb *rowBuilder) rules() {
	for _, c := range rb.r.Columns {
		if c.Rule != "" || rb.sent(c.Property) {
			continue
		}
		switch n := Plain(c.Property); {
		case timed(c) && (createdNames[n] || !c.Nullable && begunNames[n]):
			c.Rule, c.Nullable = "created", false
		case timed(c) && updatedNames[n]:
			c.Rule, c.Nullable = "updated", false
		case c.Ref.Kind == RefInt && n == "version" && rb.r.Version == nil:
			c.Rule, c.Nullable, rb.r.Version = "version", false, c
		}
	}
	if rb.r.Version == nil {
		c := &Column{
			Name: "row_version", GoName: rb.fields.take("RowVersion"), Rule: "version", Kind: "integer",
			Ref: &Ref{Kind: RefInt, Schema: &Schema{Kind: KindInteger}},
		}
		rb.r.Columns = append(rb.r.Columns, c)
		rb.r.Version = c
	}
}

// timed reports whether a column can hold a time of the store: as such, or as a text
// of any form.
func timed(c *Column) bool {
	return c.Ref.Kind == RefTime || c.Ref.Kind == RefString && c.Schema != nil && plainText(c.Schema) && (c.MaxLength == nil || *c.MaxLength >= 30)
}

// sent reports whether some request may carry the property.
func (rb *rowBuilder) sent(property string) bool {
	for _, op := range []*Operation{rb.c.create, rb.c.replace, rb.c.patch} {
		if p := bodyObject(op).Property(property); p != nil && !p.Schema.ReadOnly {
			return true
		}
	}
	return false
}

// parents ties the placeholders of the collection's path to parent resources, or to
// hidden scope columns.
func (rb *rowBuilder) parents(b *builder) {
	r := rb.r
	segments := strings.Split(strings.TrimPrefix(r.Path, "/"), "/")
	covered := map[string]bool{}
	for i := len(segments) - 1; i >= 0; i-- {
		name, ok := placeholder(segments[i])
		if !ok || covered[name] {
			continue
		}
		above := "/" + strings.Join(segments[:i], "/")
		owner := b.resourceAt(above)
		if owner != nil && r.Parent == nil && owner != r && rb.belongs(owner, name) {
			r.Parent, r.ParentColumn = owner, rb.parentColumn(name, owner)
			for _, outer := range Placeholders(above) {
				covered[outer] = true
			}
			continue
		}
		c := rb.matching(name, "")
		if c != nil {
			rb.narrowParam(name, c)
		}
		if c == nil || c.Ref.Kind == RefInt && !rb.counts(name) {
			c = rb.hidden(name, RefString)
		}
		c.Param, c.Nullable = name, false
		r.Scopes = append(r.Scopes, c)
	}
}

// narrowParam makes the operations that make rows take no value in their path that no
// response may show as the property that it becomes.
func (rb *rowBuilder) narrowParam(name string, c *Column) {
	for _, op := range []*Operation{rb.c.create, rb.c.replace} {
		if op == nil || c.Schema == nil {
			continue
		}
		for _, p := range op.Parameters {
			if !op.inPlace(p) || p.Name != name || p.Schema == nil {
				continue
			}
			p.Schema = narrowed(p.Schema, c.Schema)
		}
	}
}

// counts reports whether a path parameter is a number.
func (rb *rowBuilder) counts(param string) bool {
	for _, op := range rb.c.operations() {
		for _, p := range op.Parameters {
			if op.inPlace(p) && p.Name == param {
				return p.Schema != nil && (p.Schema.Kind == KindInteger || p.Schema.Kind == KindNumber)
			}
		}
	}
	return false
}

// belongs reports whether rows can refer to an owner that the path names: one that is
// created here, by keys of the kind that the path has.
func (rb *rowBuilder) belongs(owner *Resource, param string) bool {
	if owner.Singleton || !owner.made {
		return false
	}
	return owner.KeyParts != nil || owner.Key.Ref.Kind == RefString || rb.counts(param)
}

func (rb *rowBuilder) parentColumn(param string, owner *Resource) *Column {
	c := rb.matching(param, owner.Name)
	if c != nil && (c.Ref.Kind != owner.Key.Ref.Kind || owner.KeyParts != nil) {
		c = nil
	}
	if c == nil {
		c = rb.hidden(owner.Name+" "+owner.Key.Name, owner.Key.Ref.Kind)
		if c.Ref.Kind == RefInt {
			c.Ref.Schema = &Schema{Kind: KindInteger}
		}
	}
	c.Param, c.Nullable = param, false
	return c
}

// matching finds a scalar column that holds a path parameter's value.
func (rb *rowBuilder) matching(param, owner string) *Column {
	for _, c := range rb.r.Columns {
		if rb.c.told && rb.sent(c.Property) {
			continue // what was asked stays as it was asked
		}
		if c.Rule != "" || c.Kind != "text" && c.Kind != "uuid" && c.Kind != "integer" {
			continue
		}
		n := Plain(c.Property)
		if n != "" && (n == Plain(param) || owner != "" && n == Plain(owner)+"id") {
			return c
		}
	}
	return nil
}
