package model

import (
	"strings"
)

// buildResource decides whether a candidate is a resource and makes its row;
// nil with a reason when it is none.
func (b *builder) buildResource(c *candidate, service *Service, t *typer) (*Resource, string) {
	read, reason := c.readSchema()
	if reason != "" {
		return nil, reason
	}
	_, last := parent(c.path)
	if _, isPlaceholder := placeholder(last); isPlaceholder {
		return nil, "the collection path ends in a placeholder"
	}
	name := strings.Join(words(singular(last)), " ")
	if name == "" {
		name = "item"
	}
	names := b.scopes[service]
	goName := names.resource(GoName(singular(last)))
	r := &Resource{
		Name: name, GoName: goName, Schema: read, Service: service, Path: c.path, ItemPath: c.itemPath,
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

// readSchema is the schema of one row as clients read it.
func (c *candidate) readSchema() (*Schema, string) {
	item, _ := listItem(c.list)
	read := resultObject(c.get)
	if read == nil {
		read = item
	}
	created := resultObject(c.create)
	switch {
	case read != nil && (c.create != nil || item != nil):
		return read, ""
	case read != nil && (c.replace != nil || c.patch != nil || c.remove != nil):
		return read, ""
	case read != nil:
		return nil, "nothing creates or lists what it reads"
	case c.create == nil && c.list != nil:
		return nil, "a computed result, not a stored one"
	case bodyObject(c.create) == nil && c.itemPath == "":
		return nil, "action"
	case bodyObject(c.create) == nil:
		return nil, "no object that could be stored"
	case c.get != nil || c.remove != nil || c.replace != nil || c.patch != nil:
		if created != nil {
			return created, ""
		}
		return bodyObject(c.create), ""
	case created == nil || !assignsID(created, bodyObject(c.create)):
		return nil, "action"
	}
	return created, ""
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
	if reason := rb.key(); reason != "" {
		return reason
	}
	rb.rules()
	rb.parents(b)
	return ""
}

// linkNames are properties that hold links, which are made, not stored.
var linkNames = set("links", "self", "href", "selflink")

// schemas are the messages whose properties make the row, the read one first.
func (rb *rowBuilder) schemas() []*Schema {
	c := rb.c
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

// key finds the column that item paths name, or adds a hidden one.
func (rb *rowBuilder) key() string {
	r, c := rb.r, rb.c
	key := rb.findKey()
	if key == nil {
		kind := RefString
		if s := c.paramSchema(); s != nil && s.Kind == KindInteger {
			kind = RefInt
		}
		key = rb.hidden("id", kind)
		if c.list != nil && c.itemPath == "" && c.create == nil {
			return "list items have no id"
		}
	}
	if key.Ref.Kind != RefString && key.Ref.Kind != RefInt {
		return "the key " + key.Property + " is neither a string nor an integer"
	}
	key.Nullable, key.Rule = false, "key"
	r.Key = key
	supplied := bodyObject(c.create).Property(key.Property)
	if (supplied == nil || supplied.Schema.ReadOnly) && key.Ref.Kind == RefString && c.create != nil && !acceptsUUID(key.Schema) {
		return "no key can be made that satisfies the schema of " + key.Property
	}
	return ""
}

func acceptsUUID(s *Schema) bool {
	if s == nil {
		return true
	}
	return s.Pattern == "" && s.Const == nil && s.Enum == nil && (s.MaxLength == nil || *s.MaxLength >= 36) &&
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
// resource + id, then by the column named id.
func (rb *rowBuilder) findKey() *Column {
	param := Plain(rb.c.param)
	if rb.c.itemPath == "" {
		param = "id"
	}
	for _, c := range rb.r.Columns {
		if Plain(c.Property) == param {
			return c
		}
	}
	for _, c := range rb.r.Columns {
		n := Plain(c.Property)
		if n == "" {
			continue
		}
		if param == Plain(rb.r.Name)+n || n == Plain(rb.r.Name)+param || strings.HasSuffix(param, "id") && n == "id" {
			return c
		}
	}
	return nil
}

var createdNames = set("createdat", "created", "createdon", "createddate", "createdtime", "creationdate", "creationtime", "datecreated", "insertedat")

var updatedNames = set("updatedat", "updated", "updatedon", "updateddate", "updatedtime", "modifiedat", "modified", "lastmodified", "lastmodifiedat", "lastupdated", "lastupdatedat", "dateupdated", "datemodified")

// rules finds the columns that the store fills by itself: a version, and times
// that no request carries.
func (rb *rowBuilder) rules() {
	for _, c := range rb.r.Columns {
		if c.Rule != "" || rb.sent(c.Property) {
			continue
		}
		switch n := Plain(c.Property); {
		case c.Ref.Kind == RefTime && createdNames[n]:
			c.Rule, c.Nullable = "created", false
		case c.Ref.Kind == RefTime && updatedNames[n]:
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

// sent reports whether some request may carry the property.
func (rb *rowBuilder) sent(property string) bool {
	for _, op := range []*Operation{rb.c.create, rb.c.replace, rb.c.patch} {
		if p := bodyObject(op).Property(property); p != nil && !p.Schema.ReadOnly {
			return true
		}
	}
	return false
}

// parents ties the placeholders before the collection's own segment to parent
// resources, or to hidden scope columns.
func (rb *rowBuilder) parents(b *builder) {
	r := rb.r
	segments := strings.Split(strings.TrimPrefix(r.Path, "/"), "/")
	covered := map[string]bool{}
	for i := len(segments) - 1; i >= 0; i-- {
		name, ok := placeholder(segments[i])
		if !ok || covered[name] {
			continue
		}
		owner := b.resourceAt("/" + strings.Join(segments[:i], "/"))
		if owner != nil && r.Parent == nil && owner != r {
			r.Parent, r.ParentColumn = owner, rb.parentColumn(name, owner)
			for _, outer := range Placeholders(owner.Path) {
				covered[outer] = true
			}
			continue
		}
		c := rb.matching(name, "")
		if c == nil {
			c = rb.hidden(name, RefString)
		}
		c.Param, c.Nullable = name, false
		r.Scopes = append(r.Scopes, c)
	}
}

func (rb *rowBuilder) parentColumn(param string, owner *Resource) *Column {
	c := rb.matching(param, owner.Name)
	if c != nil && c.Ref.Kind != owner.Key.Ref.Kind {
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
