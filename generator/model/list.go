package model

import (
	"slices"
	"strconv"
	"strings"
)

// Bounds of a list whose document says nothing about them.
const (
	DefaultLimit = 100  // items when no limit is asked for and none is declared
	MaxLimit     = 1000 // items that one page can have at all
	CursorLength = 512  // of a text that has room for our cursors, if rows are sorted by short texts
)

var (
	limitNames     = set("limit", "perpage", "pagesize", "size", "maxresults", "pagelimit", "count", "top", "take")
	cursorNames    = set("cursor", "pagetoken", "after", "nexttoken", "continuationtoken", "continuation", "startingafter", "nextcursor", "pagecursor")
	pageNames      = set("page", "pagenumber", "pageno", "pageindex", "currentpage")
	offsetNames    = set("offset", "skip", "start")
	sortNames      = set("sort", "sortby", "orderby", "sortfield", "ordering")
	directionNames = set("order", "direction", "sortorder", "sortdirection", "sortdir", "dir", "orderdirection")
	nextNames      = set("nextcursor", "next", "cursor", "nextpagetoken", "nexttoken", "nextpage", "continuationtoken", "after", "endcursor")
	moreNames      = set("hasmore", "hasnext", "more", "hasnextpage")
	totalNames     = set("total", "totalcount", "totalitems", "totalresults", "totalelements", "totalrecords")
	searchNames    = set("q", "query", "search", "searchterm", "searchtext", "searchquery", "searchstring", "searchkey", "searchvalue", "keyword", "keywords", "term")
	pagesNames     = set("totalpages", "pages", "pagecount", "lastpage")
)

// planList decides how a list operation pages, filters, sorts and wraps.
func (ob *opBuilder) planList() string {
	op, r := ob.op, ob.op.Resource
	item, property := listItem(op.Operation)
	success := op.Success()
	media := &Media{Type: "application/json", Schema: &Schema{Kind: KindArray, Items: r.Schema}}
	switch {
	case len(r.Schema.Properties) == 0 && item != nil:
		return "what it lists is not stored with the " + r.Name
	case item != nil:
		media = JSON(success.Content)
	case untoldItems(op.Operation) != nil:
		media, item, property = JSON(success.Content), r.Schema, untoldItems(op.Operation).Name
	case len(r.Schema.Properties) == 0:
		return "the response is no list of objects"
	default:
		item = r.Schema // the document leaves it open
	}
	plan := &ListPlan{DefaultLimit: DefaultLimit, MaxLimit: MaxLimit, Item: ob.t.ref(item, op.GoName+"Item")}
	if plan.Item.Kind != RefStruct {
		return "the list's items have no typed shape"
	}
	fields, reason := ob.project(plan.Item.Named)
	if reason != "" {
		return reason
	}
	plan.ItemFrom, plan.ItemFunc = fields, ob.projection(r, plan.Item.Named)
	result := &Result{Status: success.code(200), Media: jsonType(media.Type)}
	if reason := result.headers(success.Headers, true); reason != "" {
		return reason
	}
	result.GoName = ob.resultName(result.Status)
	result.Ref = ob.t.ref(media.Schema, result.GoName+"Body")
	if property != "" && result.Ref.Kind != RefStruct {
		return "the list's envelope has no typed shape"
	}
	items := result.Ref
	if property != "" {
		items = fieldFor(result.Ref.Named.Fields, property).Ref
	}
	untold := items.Kind == RefList && items.Elem.Kind == RefRaw && (items.Elem.Schema.Kind == KindAny || items.Elem.Null)
	if items.Kind != RefList || items.Elem.Kind != RefStruct && !untold {
		return "the list's items have no typed shape"
	}
	if s := items.Schema; s != nil && s.MaxItems != nil && *s.MaxItems > 0 {
		plan.MaxLimit = min(plan.MaxLimit, *s.MaxItems)
		plan.DefaultLimit = min(plan.DefaultLimit, plan.MaxLimit)
	}
	op.List, op.Result = plan, result
	used := map[*OpParam]bool{}
	ob.listParams(plan, used, result.Ref, property)
	if property != "" {
		carried := fieldFor(result.Ref.Named.Fields, property)
		if plan.Envelope, reason = plan.around(ob, result.Ref.Named, carried); reason != "" {
			return reason
		}
	}
	if reason := ob.refuse(used); reason != "" {
		return reason
	}
	return ob.tooMuchAssumed()
}

// listParams gives every parameter its part in the plan, where it has one.
func (ob *opBuilder) listParams(plan *ListPlan, used map[*OpParam]bool, result *Ref, items string) {
	op, r := ob.op, ob.op.Resource
	parents := map[*OpParam]bool{}
	for _, p := range op.ParentParams {
		parents[p.Param] = true
		for _, part := range p.Parts {
			parents[part] = true
		}
	}
	for _, p := range op.Params {
		if parents[p] {
			continue
		}
		n := Plain(p.Name)
		switch {
		case op.inPlace(p.Parameter):
			plan.Filters = append(plan.Filters, &Filter{Param: p, Column: r.pathColumn(p.Name), Op: "Eq"})
		case ob.b.exchange[p.Parameter]:
		case p.In != "query":
			continue
		case r.columnFor(p.Name) != nil && ob.filter(plan, p):
		case limitNames[n] && p.Ref.Kind == RefInt && plan.Limit == nil:
			plan.Limit = p
			plan.setLimit(p)
		case cursorNames[n] && p.Ref.Kind == RefString && plan.Cursor == nil && hasNext(result, items):
			plan.Cursor, plan.Style = p, "cursor"
			if s := p.Schema; s.Pattern != "" || s.MaxLength != nil && *s.MaxLength < CursorLength || s.Format != "" {
				p.Ref, p.AnyText = ob.t.ref(&Schema{Kind: KindString}, ""), true // cursors are of our own form
			}
		case pageNames[n] && p.Ref.Kind == RefInt && plan.Page == nil:
			plan.Page, plan.Style, plan.FirstPage = p, "page", firstPage(p.Schema)
		case offsetNames[n] && p.Ref.Kind == RefInt && plan.Offset == nil:
			plan.Offset, plan.Style = p, "offset"
		case sortNames[n] && ob.sort(plan, p):
		case directionNames[n] && p.Ref.Kind == RefEnum && directions(p.Schema) && plan.Sort != nil:
			plan.Sort.Direction = p
		case ob.suffixFilter(plan, p):
		case searchNames[n] && ob.search(plan, p):
		default:
			continue
		}
		used[p] = true
	}
}

// firstPage is 0 where the parameter defaults to 0, or may be 0 and has no default.
func firstPage(s *Schema) int {
	zero := s.Minimum != nil && *s.Minimum == 0 && !s.ExclusiveMinimum
	if string(s.Default) == "0" || zero && s.Default == nil {
		return 0
	}
	return 1
}

func (plan *ListPlan) setLimit(p *OpParam) {
	if n, err := strconv.Atoi(string(p.Schema.Default)); err == nil && n > 0 {
		plan.DefaultLimit = min(n, MaxLimit)
	}
	if m := p.Schema.Maximum; m != nil && *m >= 1 && *m < float64(plan.MaxLimit) {
		plan.MaxLimit = int(*m)
	}
	plan.DefaultLimit = min(plan.DefaultLimit, plan.MaxLimit)
}

// hasNext reports whether a list response has a member for the next cursor.
func hasNext(result *Ref, items string) bool {
	if items == "" || result.Kind != RefStruct {
		return false
	}
	for _, f := range result.Named.Fields {
		if nextNames[Plain(f.Property.Name)] && f.Ref.Kind == RefString {
			return true
		}
	}
	return false
}

// filter ties a parameter to the column of the same name.
func (ob *opBuilder) filter(plan *ListPlan, p *OpParam) bool {
	c := ob.op.Resource.columnFor(p.Name)
	f := &Filter{Param: p, Column: c, Op: "Eq"}
	ref := p.Ref
	if ref.Kind == RefList {
		f.Op, ref = "In", ref.Elem
	}
	if c.Kind == "json" || !comparableRefs(ref, c.Ref) {
		return false
	}
	plan.Filters = append(plan.Filters, f)
	return true
}

func comparableRefs(a, b *Ref) bool {
	return sameKind(a, b) || a.Kind == RefInt && b.Kind == RefFloat
}

// suffixes turn a parameter name into a column and a comparison:
// createdAfter, price_gte, price[lt].
var suffixes = []struct{ suffix, op string }{
	{"gte", "Ge"},
	{"lte", "Le"},
	{"gt", "Gt"},
	{"lt", "Lt"},
	{"ne", "Ne"},
	{"min", "Ge"},
	{"max", "Le"},
	{"after", "Gt"},
	{"before", "Lt"},
	{"since", "Ge"},
	{"until", "Le"},
	{"from", "Ge"},
	{"to", "Le"},
}

// suffixFilter ties minPrice, maxPrice, createdAfter, price_gte and their like
// to a column: the documented table of suffixes.
func (ob *opBuilder) suffixFilter(plan *ListPlan, p *OpParam) bool {
	parts := words(p.Name)
	if len(parts) < 2 {
		return false
	}
	try := func(base []string, op string) bool {
		for _, name := range []string{strings.Join(base, " "), strings.Join(base, " ") + " at"} {
			c := ob.op.Resource.columnFor(name)
			if c != nil && c.ordered() && comparableRefs(p.Ref, c.Ref) {
				plan.Filters = append(plan.Filters, &Filter{Param: p, Column: c, Op: op})
				return true
			}
		}
		return false
	}
	switch parts[0] {
	case "min":
		return try(parts[1:], "Ge")
	case "max":
		return try(parts[1:], "Le")
	}
	for _, s := range suffixes {
		if parts[len(parts)-1] == s.suffix {
			return try(parts[:len(parts)-1], s.op)
		}
	}
	return false
}

// ordered reports whether more and less mean something for a column: it holds
// numbers, times, or dates as text.
func (c *Column) ordered() bool {
	switch c.Kind {
	case "integer", "real", "time":
		return true
	}
	return c.Kind == "text" && c.Schema != nil && c.Schema.Format == "date"
}

// sort ties a sort parameter's values to columns: "name", "-name", "name:desc",
// "name_asc". Every value must fit, or the parameter is not acted on.
func (ob *opBuilder) sort(plan *ListPlan, p *OpParam) bool {
	if p.Ref.Kind != RefEnum || plan.Sort != nil {
		return false
	}
	sp := &SortPlan{Param: p}
	for _, v := range p.Ref.Named.Values {
		choice, ok := ob.sortChoice(v.Value)
		if !ok {
			return false
		}
		sp.Choices = append(sp.Choices, choice)
	}
	sp.Var = ob.sc.locals.take(goLocal(ob.op.GoName) + "Order")
	plan.Sort = sp
	return true
}

func (ob *opBuilder) sortChoice(value string) (SortChoice, bool) {
	choice := SortChoice{Value: value}
	name := value
	switch {
	case strings.HasPrefix(name, "-"):
		name, choice.Desc = name[1:], true
	case strings.HasPrefix(name, "+"):
		name = name[1:]
	default:
		for _, sep := range []string{":", "_", " ", ".", "-", ","} {
			if base, ok := cutSuffixFold(name, sep+"desc"); ok {
				name, choice.Desc = base, true
				break
			}
			if base, ok := cutSuffixFold(name, sep+"asc"); ok {
				name = base
				break
			}
		}
	}
	c := ob.op.Resource.columnFor(name)
	if c == nil {
		c = ob.op.Resource.columnFor(name + "At")
	}
	if c == nil || c.Kind == "json" {
		return choice, false
	}
	choice.Column = c
	return choice, true
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if len(s) > len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix) {
		return s[:len(s)-len(suffix)], true
	}
	return s, false
}

// maxSearched bounds the columns that one search looks into.
const maxSearched = 12

// languages are words by which documents tell that what is searched for is written in a
// language of its own.
var languages = set("syntax", "qualifier", "qualifiers", "lucene", "expression", "expressions", "operator", "operators", "boolean", "json", "regex", "sql", "odata", "dsl", "cql", "jql", "grammar")

// search ties a parameter like q to the texts of a row: it holds where one of them
// contains it.
func (ob *opBuilder) search(plan *ListPlan, p *OpParam) bool {
	if p.Ref.Kind != RefString || stringFormats(p.Schema.Format) {
		return false
	}
	if slices.ContainsFunc(words(p.Description+" "+ob.op.Description), func(w string) bool { return languages[w] }) {
		return false
	}
	f := &Filter{Param: p, Op: "Search"}
	for _, c := range ob.op.Resource.Columns {
		searched := c.Property != "" && c.Kind == "text" && c.Ref.Kind == RefString && c.Schema != nil && !stringFormats(c.Schema.Format) && c.Rule == "" &&
			!secret(c.Property) && !strings.HasSuffix(Plain(c.Property), "id") && !strings.HasSuffix(Plain(c.Property), "url")
		if searched && len(f.Columns) < maxSearched {
			f.Columns = append(f.Columns, c)
		}
	}
	if len(f.Columns) == 0 {
		return false
	}
	plan.Filters = append(plan.Filters, f)
	return true
}

// directions reports whether an enum holds just ascending and descending.
func directions(s *Schema) bool {
	for _, v := range s.Enum {
		text, _ := Text(v)
		switch strings.ToLower(text) {
		case "asc", "desc", "ascending", "descending":
		default:
			return false
		}
	}
	return len(s.Enum) > 0
}

// around finds a source for every member of an envelope beside the one that carries
// the items, or the message.
func (plan *ListPlan) around(ob *opBuilder, t *Type, carried *Field) (*Envelope, string) {
	env := &Envelope{Type: t, Items: carried}
	for _, f := range t.Fields {
		if f == carried {
			continue
		}
		if inner := plan.inner(ob, f); inner != nil {
			env.Fields = append(env.Fields, &EnvelopeField{Field: f, Inner: inner})
			continue
		}
		source, value := plan.envelopeSource(f)
		assumed, ok := env.add(f, source, value)
		if !ok {
			return nil, "nothing supplies the required response property " + f.Property.Name
		}
		if assumed != nil {
			ob.assume(assumed)
		}
	}
	return env, ""
}

// inner is what an object beside the items says of the list: {"meta": {"total": 3}}; nil
// when it says nothing.
func (plan *ListPlan) inner(ob *opBuilder, f *Field) *Envelope {
	if f.Ref.Kind != RefStruct || !aroundItems(f.Property.Name) {
		return nil
	}
	env, told := &Envelope{Type: f.Ref.Named}, false
	var assumed []*Column
	for _, f := range f.Ref.Named.Fields {
		source, value := plan.envelopeSource(f)
		if source == "next" { // a cursor stands beside the items, or nowhere
			source = ""
		}
		told = told || source != "" && source != "value"
		c, ok := env.add(f, source, value)
		if !ok {
			return nil
		}
		if c != nil {
			assumed = append(assumed, c)
		}
	}
	if !told {
		return nil
	}
	for _, c := range assumed {
		ob.assume(c)
	}
	return env
}

// add gives a member its source; a required one without any gets a neutral value, which is
// then assumed. Not ok where there is none.
func (e *Envelope) add(f *Field, source, value string) (assumed *Column, ok bool) {
	if source == "" && f.Presence == Required {
		assumed = &Column{Property: f.JSON, Ref: f.Ref, Schema: f.Property.Schema}
		if value, ok = neutral(assumed, f.Ref.Kind == RefStruct || f.Property.Schema.Format == "uri"); !ok {
			return nil, false
		}
		source = "value"
	}
	if source != "" {
		e.Fields = append(e.Fields, &EnvelopeField{Field: f, Source: source, Value: value})
	}
	return assumed, true
}

func (plan *ListPlan) envelopeSource(f *Field) (source, value string) {
	n := Plain(f.Property.Name)
	switch {
	case f.Ref.Kind == RefString && nextNames[n] && plan.Cursor != nil:
		return "next", ""
	case f.Ref.Kind == RefBool && moreNames[n] && plan.Item != nil:
		return "hasMore", ""
	case f.Ref.Kind == RefBool && n == "success":
		return "value", "true"
	case f.Ref.Kind != RefInt || plan.Item == nil:
	case totalNames[n]:
		return "total", ""
	case pagesNames[n] && plan.Page != nil:
		return "pages", ""
	case pageNames[n] && plan.Page != nil:
		return "page", ""
	case pageNames[n] && plan.Style == "":
		return "value", "1" // there is one page
	case offsetNames[n] && plan.Offset != nil:
		return "offset", ""
	case n == "count" && (plan.Limit == nil || Plain(plan.Limit.Name) != "count"):
		return "count", ""
	case limitNames[n]:
		return "limit", ""
	}
	if v, ok := GoLiteral(f.Ref, f.Property.Schema.defaultOrConst()); ok {
		return "value", v
	}
	return "", ""
}
