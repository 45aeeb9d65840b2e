package model

import (
	"slices"
	"sort"
	"strings"
)

// candidate is a pair of paths, collection and item, that may be a resource.
type candidate struct {
	path     string // collection path template
	itemPath string // "" when no operation is on items
	param    string // the item path's last placeholder
	list     *Operation
	create   *Operation
	get      *Operation
	replace  *Operation
	patch    *Operation
	remove   *Operation
	clear    *Operation // DELETE of the whole collection
	// put, change and drop are the PUT, PATCH and DELETE of the collection's own path.
	put, change, drop *Operation
	post              *Operation // POST of an item
	// singleton says that the path names one thing: settings, a profile, a star. Its
	// operations are get, replace, patch and remove, and there are no items.
	singleton bool
	// file says that the singleton is a file. download answers it, or that of an item;
	// also is a second operation that uploads it.
	file           bool
	download, also *Operation
	// told says that an extension makes the resource, of one operation: nothing else is
	// inferred of it.
	told bool
}

// canonical is a path with placeholder names taken away: two templates with the
// same canonical path are the same route.
func canonical(path string) string {
	var b strings.Builder
	depth := 0
	for _, r := range path {
		switch {
		case r == '{':
			depth++
			b.WriteRune(r)
		case r == '}':
			depth--
			b.WriteRune(r)
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// placeholder returns the name when a path segment is one placeholder and
// nothing else.
func placeholder(segment string) (string, bool) {
	if len(segment) > 2 && segment[0] == '{' && segment[len(segment)-1] == '}' && strings.Count(segment, "{") == 1 {
		return segment[1 : len(segment)-1], true
	}
	return "", false
}

func isPlaceholder(segment string) bool {
	_, ok := placeholder(segment)
	return ok
}

// parent cuts the last segment off a path: "/orders/{id}" -> "/orders", "{id}".
func parent(path string) (rest, last string) {
	i := strings.LastIndex(path, "/")
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// routable reports whether a path template can be a route of its own.
func routable(path string) string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "the path does not start with a slash"
	case strings.ContainsAny(path, "?#"):
		return "the path holds a query or a fragment"
	case strings.Count(path, "{") != strings.Count(path, "}"):
		return "the path has unbalanced braces"
	case strings.Contains(path, "*") || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "the path holds a character that no route can have"
	}
	seen := map[string]bool{}
	for _, name := range Placeholders(path) {
		if name == "" || seen[name] {
			return "the path has an empty or repeated placeholder"
		}
		seen[name] = true
	}
	return ""
}

// candidates groups operations by collection path, shortest path first, so that
// parents come before their children.
func candidates(operations []*Operation) []*candidate {
	byPath := map[string]*candidate{}
	at := func(path string) *candidate {
		key := canonical(path)
		if byPath[key] == nil {
			byPath[key] = &candidate{path: path}
		}
		return byPath[key]
	}
	above := map[string]bool{} // paths with an item path right below
	for _, op := range operations {
		rest, last := parent(strings.TrimSuffix(op.Place(), "/"))
		if _, ok := placeholder(last); ok {
			above[canonical(rest)] = true
		}
	}
	for _, op := range operations {
		path := strings.TrimSuffix(op.Place(), "/")
		rest, last := parent(path)
		name, isItem := placeholder(last)
		switch {
		case path == "" || isItem && rest == "":
		case isItem && above[canonical(path)] && op.Method == "GET" && isList(op):
			at(path).list = op // /categories/{section} beside /categories/{section}/{title}
		case isItem:
			c := at(rest)
			c.itemPath, c.param = path, name
			c.setItem(op)
		default:
			at(path).setCollection(op)
		}
	}
	for _, c := range byPath {
		if !c.fileAt() {
			c.single()
		}
	}
	findDownloads(byPath)
	out := make([]*candidate, 0, len(byPath))
	for _, c := range byPath {
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := strings.Count(out[i].path, "/"), strings.Count(out[j].path, "/")
		if a != b {
			return a < b
		}
		return out[i].path < out[j].path
	})
	for _, c := range out { // parents first: what a POST below an item makes depends on them
		c.changeByPost()
		item, last := parent(c.path)
		collection, within := parent(item)
		if isPlaceholder(within) && c.onlyAnswers(byPath[canonical(collection)]) || isList(c.create) && searches[Plain(last)] {
			c.create = nil
		}
	}
	return out
}

// onlyAnswers reports whether the candidate is a POST below an item that answers the item:
// it does something with it, and makes nothing.
func (c *candidate) onlyAnswers(owner *candidate) bool {
	if owner == nil || c.create == nil || c.list != nil || c.itemPath != "" {
		return false
	}
	read, reason := owner.readSchema()
	made := resultObject(c.create)
	return reason == "" && made != nil && (made == read || made.Name != "" && made.Name == read.Name)
}

func (c *candidate) setCollection(op *Operation) {
	switch op.Method {
	case "GET":
		c.list = op
	case "POST":
		c.create = op
	case "DELETE":
		c.drop = op
		if op.Body == nil && deletesAll(op) { // with a body, it deletes what the body names
			c.clear = op
		}
	case "PUT":
		c.put = op
	case "PATCH":
		c.change = op
	}
}

// searches are last segments of paths whose POST asks and stores nothing.
var searches = set("search", "query", "find", "filter", "lookup", "list", "bulklist", "match")

// everything are the words by which a document says that a DELETE takes all there is.
var everything = set("all", "every", "everything", "clear", "clears", "empty", "empties", "purge", "purges", "reset", "resets")

// deletesAll reports whether a document says that a DELETE of a collection deletes all
// of its rows: it may as well mean those that some parameter names.
func deletesAll(op *Operation) bool {
	return slices.ContainsFunc(words(op.ID+" "+op.Summary+" "+op.Description), func(w string) bool { return everything[w] })
}

// single makes a singleton of a path without items that is read and written as one
// thing. A path that is written and never read is an action.
func (c *candidate) single() {
	if c.itemPath != "" || c.list == nil || c.put == nil && c.change == nil || isList(c.list) {
		return
	}
	if !presence204(c.list) && resultObject(c.list) == nil && bodyObject(c.put) == nil && !(untold(c.list) && bodyObject(c.change) != nil) {
		return
	}
	c.singleton = true
	c.get, c.list = c.list, nil
	c.remove, c.clear = c.drop, nil
	c.replace, c.patch = c.put, c.change
	if c.create != nil && bodyObject(c.create) == nil {
		c.create = nil
	}
}

// settle takes the answers that a success may have and that say something: of a record
// and nothing, in a choice that any of them satisfies, the record.
func (o *Operation) settle() {
	success := o.Success()
	if success == nil {
		return
	}
	for i, m := range success.Content {
		if m.Schema == nil || m.Schema.Kind != KindUnion || len(m.Schema.AnyOf) == 0 {
			continue
		}
		var records []*Schema
		for _, v := range m.Schema.AnyOf {
			switch {
			case isRecord(v):
				records = append(records, v)
			case v.Kind != KindObject:
				records = append(records, nil, nil) // a choice of more
			}
		}
		if len(records) == 1 {
			success.Content[i].Schema = records[0]
		}
	}
}

// presence204 reports whether a GET only tells whether something is there: 204, and
// by custom 404.
func presence204(op *Operation) bool {
	return op != nil && op.Success() != nil && op.Success().Status == "204"
}

// isList reports whether an operation answers a list of objects.
func isList(op *Operation) bool {
	item, _ := listItem(op)
	return item != nil
}

func (c *candidate) setItem(op *Operation) {
	switch op.Method {
	case "GET":
		c.get = op
	case "PUT":
		c.replace = op
	case "PATCH":
		c.patch = op
	case "DELETE":
		c.remove = op
	case "POST":
		c.post = op
	}
}

// byBody returns the PUT of a collection whose body is what its POST takes: it changes
// the row that the body names. nil if there is none.
func (c *candidate) byBody() *Operation {
	sent, posted := bodyObject(c.put), bodyObject(c.create)
	if c.singleton || sent == nil || posted == nil || sent.Name == "" || sent.Name != posted.Name || c.itemPath == "" {
		return nil
	}
	return c.put
}

// changeByPost takes a POST on an item for its PATCH, where there is neither PATCH nor
// PUT and the body holds little but members of the item: the way that APIs without
// PATCH change things.
func (c *candidate) changeByPost() {
	read, sent := resultObject(c.get), bodyObject(c.post)
	if c.patch != nil || c.replace != nil || read == nil || sent == nil {
		return
	}
	shared := 0
	for _, p := range sent.Properties {
		if read.Property(p.Name) != nil {
			shared++
		}
	}
	if 2*shared > len(sent.Properties) {
		c.patch = c.post
	}
}

// records reports whether an extension says that the candidate keeps what was asked.
func (c *candidate) records() bool { return c.told && c.create != nil }

// lose takes an operation away from the candidate.
func (c *candidate) lose(op *Operation) {
	for _, has := range []**Operation{
		&c.list, &c.create, &c.get, &c.replace, &c.patch, &c.remove, &c.clear, &c.put, &c.change, &c.drop, &c.post, &c.download, &c.also,
	} {
		if *has == op {
			*has = nil
		}
	}
}

// operations returns what the candidate has, in a fixed order.
func (c *candidate) operations() []*Operation {
	var out []*Operation
	for _, op := range []*Operation{c.list, c.create, c.get, c.replace, c.patch, c.remove, c.clear, c.byBody(), c.download, c.also} {
		if op != nil {
			out = append(out, op)
		}
	}
	return out
}

// makes reports whether the candidate's operations create rows.
func (c *candidate) makes() bool {
	return c.create != nil && bodyObject(c.create) != nil || c.singleton || c.create == nil && c.replace != nil
}

// maker returns the only other candidate that makes what this one only works on, by the
// name of its schema; nil if there is none.
func (c *candidate) maker(all []*candidate) *candidate {
	read, reason := c.readSchema()
	if reason != "" || read.Name == "" || c.makes() || c.get == nil || c.list != nil || len(Placeholders(c.itemPath)) != 1 {
		return nil
	}
	var found *candidate
	for _, other := range all {
		if other == c || !other.makes() || other.singleton || other.told || other.association() {
			continue
		}
		if schema, reason := other.readSchema(); reason == "" && schema.Name == read.Name {
			if found != nil {
				return nil
			}
			found = other
		}
	}
	return found
}

// association reports whether items are made by a PUT without a body: they only say
// that two things belong together.
func (c *candidate) association() bool {
	return c.create == nil && !c.singleton && c.replace != nil && (c.replace.Body == nil || len(c.replace.Body.Content) == 0)
}

// listsAnother reports whether the candidate is only a list, of what a fuller
// candidate stores.
func (c *candidate) listsAnother(all []*candidate) bool {
	item, _ := listItem(c.list)
	if item == nil || item.Name == "" || c.create != nil || c.itemPath != "" || c.told {
		return false
	}
	for _, other := range all {
		if other == c || other.told || other.create == nil && other.get == nil {
			continue
		}
		if read, reason := other.readSchema(); reason == "" && read.Name == item.Name {
			return true
		}
	}
	return false
}

// bodyObject returns the operation's request schema, of JSON or a form, when it is
// an object with properties: what its envelope holds, if it has one.
func bodyObject(op *Operation) *Schema {
	if op == nil || op.Body == nil {
		return nil
	}
	s, _ := unwrap(objectOf(Structured(op.Body.Content)), op.Place())
	return s
}

// resultObject returns the operation's JSON success schema when it is an object
// with properties: what its envelope holds, if it has one.
func resultObject(op *Operation) *Schema {
	if op == nil || op.Success() == nil {
		return nil
	}
	s, _ := unwrap(objectOf(JSON(op.Success().Content)), op.Place())
	return s
}

func objectOf(media *Media) *Schema {
	if media == nil || media.Schema == nil || media.Schema.Kind != KindObject || len(media.Schema.Properties) == 0 {
		return nil
	}
	return media.Schema
}

// listItem returns the item schema of a list response, and the envelope property
// that holds the items ("" for a bare array). A list is an array of objects, or
// an object with exactly one likely array of objects.
func listItem(op *Operation) (item *Schema, property string) {
	if op == nil || op.Success() == nil {
		return nil, ""
	}
	media := JSON(op.Success().Content)
	if media == nil || media.Schema == nil {
		return nil, ""
	}
	if s := media.Schema; s.Kind == KindArray {
		if isRecord(s.Items) {
			return s.Items, ""
		}
		return nil, ""
	}
	if media.Schema.Kind != KindObject {
		return nil, ""
	}
	var arrays []*Property
	for _, p := range media.Schema.Properties {
		if p.Schema.Kind == KindArray && isRecord(p.Schema.Items) {
			arrays = append(arrays, p)
		}
	}
	if len(arrays) > 1 { // the one that the path names
		_, last := parent(strings.TrimSuffix(op.Place(), "/"))
		arrays = slices.DeleteFunc(arrays, func(p *Property) bool { return Plain(p.Name) != Plain(last) })
	}
	if len(arrays) != 1 {
		return nil, ""
	}
	// An object with an id and one array of objects is a thing with parts, not a
	// list.
	if media.Schema.Property("id") != nil || !likelyItems(arrays[0].Name, op.Place()) && !around(media.Schema, arrays[0]) {
		return nil, ""
	}
	return arrays[0].Schema.Items, arrays[0].Name
}

func isRecord(s *Schema) bool {
	return s != nil && s.Kind == KindObject && len(s.Properties) > 0
}

// likelyItems reports whether an envelope property is named like the list's
// items: a common word, or the collection itself.
func likelyItems(name, path string) bool {
	switch Plain(name) {
	case "items", "data", "results", "result", "records", "entries", "content", "values", "list", "rows", "elements", "resources", "value":
		return true
	}
	_, last := parent(strings.TrimSuffix(path, "/"))
	n, l := Plain(singular(name)), Plain(singular(last))
	return strings.HasSuffix(l, n) || strings.HasSuffix(n, l)
}
