package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

func listOp(g *goFile, op *model.Op) {
	parentsExist(g, op, op.ParentParams)
	plan := op.List
	fields := []string{"Limit: " + limitExpr(plan)}
	switch plan.Style {
	case "cursor":
		cursor := "in." + plan.Cursor.GoName
		if plan.Cursor.Optional {
			cursor = "wire.Or(" + cursor + `, "")`
		}
		fields = append(fields, "Cursor: "+cursor)
	case "offset":
		fields = append(fields, "Offset: store.Offset("+numberExpr(plan.Offset, "0")+")")
	}
	if where := fixedConditions(op); len(where) > 0 {
		fields = append(fields, "Where: []store.Cond{"+strings.Join(where, ", ")+"}")
	}
	g.P("\tquery := store.Query{%s}", strings.Join(fields, ", "))
	if plan.Style == "page" {
		page := numberExpr(plan.Page, strconv.Itoa(plan.FirstPage))
		if plan.FirstPage == 0 {
			page += "+1" // the store counts from 1
		}
		g.P("\tquery.Offset = store.PageOffset(%s, query.Limit)", page)
	}
	filters(g, plan, "query.Where")
	if plan.Sort != nil {
		listSort(g, op)
	}
	listResult(g, op)
}

// fixedConditions are those of every request.
func fixedConditions(op *model.Op) (where []string) {
	for _, p := range ownParents(op) {
		where = append(where, fmt.Sprintf("store.Eq(%s, %s)", strconv.Quote(p.Column.Name), parentExpr(p)))
	}
	for _, f := range op.List.Filters {
		if !f.Param.Optional && f.Param.Ref.Kind != model.RefList {
			where = append(where, filterExpr(f))
		}
	}
	return where
}

// filters prints the conditions of parameters that may be absent.
func filters(g *goFile, plan *model.ListPlan, where string) {
	for _, f := range plan.Filters {
		switch {
		case f.Param.Ref.Kind == model.RefList:
			g.P("\tif len(in.%s) > 0 {", f.Param.GoName)
		case f.Param.Optional:
			g.P("\tif in.%s != nil {", f.Param.GoName)
		default:
			continue
		}
		g.P("\t\t%s = append(%s, %s)\n\t}", where, where, filterExpr(f))
	}
}

func countOp(g *goFile, op *model.Op) {
	parentsExist(g, op, op.ParentParams)
	where := fixedConditions(op)
	argument := strings.Join(append([]string{"ctx"}, where...), ", ")
	if len(where) < len(op.List.Filters)+len(ownParents(op)) { // some may be absent
		if len(where) == 0 {
			g.P("\tvar where []store.Cond")
		} else {
			g.P("\twhere := []store.Cond{%s}", strings.Join(where, ", "))
		}
		filters(g, op.List, "where")
		argument = "ctx, where..."
	}
	g.P("\tcount, err := d.%s.Count(%s)", op.Resource.Field, argument)
	fail(g)
	body := "count"
	if f := op.Result.Count; f != nil {
		body = op.Result.Ref.Go() + "{" + f.Name + ": " + present(f, "count") + "}"
	}
	g.P("\treturn %s{Body: %s}, nil", op.Result.GoName, body)
}

// limitExpr is the number of items of one page.
func limitExpr(plan *model.ListPlan) string {
	if plan.Limit == nil {
		return strconv.Itoa(plan.DefaultLimit)
	}
	return fmt.Sprintf("store.PageLimit(%s, %d, %d)", numberExpr(plan.Limit, "0"), plan.DefaultLimit, plan.MaxLimit)
}

func numberExpr(p *model.OpParam, otherwise string) string {
	if p.Optional {
		return "wire.Or(in." + p.GoName + ", " + otherwise + ")"
	}
	return "in." + p.GoName
}

func filterExpr(f *model.Filter) string {
	value := "in." + f.Param.GoName
	if f.Op == "Search" {
		if f.Param.Optional {
			value = "*" + value
		}
		columns := make([]string, len(f.Columns))
		for i, c := range f.Columns {
			columns[i] = strconv.Quote(c.Name)
		}
		return fmt.Sprintf("store.Search(%s, %s)", value, strings.Join(columns, ", "))
	}
	column := strconv.Quote(f.Column.Name)
	if f.Op == "In" {
		return fmt.Sprintf("store.In(%s, wire.Anys(%s)...)", column, value)
	}
	if f.Param.Optional {
		value = "*" + value
	}
	return fmt.Sprintf("store.%s(%s, %s)", f.Op, column, value)
}

func sortTable(g *goFile, op *model.Op) {
	sp := op.List.Sort
	g.P("// %s maps the values of the %s parameter to columns.", sp.Var, quoteComment(sp.Param.Name))
	g.P("var %s = map[%s]store.Order{", sp.Var, sp.Param.Ref.Go())
	for i, choice := range sp.Choices {
		desc := ""
		if choice.Desc {
			desc = ", Desc: true"
		}
		g.P("\t%s: {Column: %s%s},", sp.Param.Ref.Named.Values[i].Name, strconv.Quote(choice.Column.Name), desc)
	}
	g.P("}\n")
}

func quoteComment(name string) string {
	text := comment("", "", name)
	return strings.TrimPrefix(strings.SplitN(text, "\n", 2)[0], "// ")
}

func listSort(g *goFile, op *model.Op) {
	sp := op.List.Sort
	value := "in." + sp.Param.GoName
	if sp.Param.Optional {
		g.P("\tif %s != nil {", value)
		value = "*" + value
		defer g.P("\t}")
	}
	g.P("\tquery.Sort = []store.Order{%s[%s]}", sp.Var, value)
	if d := sp.Direction; d != nil {
		direction := "in." + d.GoName
		condition := ""
		if d.Optional {
			condition = direction + " != nil && "
			direction = "*" + direction
		}
		g.P("\tquery.Sort[0].Desc = %sstrings.HasPrefix(strings.ToLower(string(%s)), \"desc\")", condition, direction)
	}
}

func listResult(g *goFile, op *model.Op) {
	plan := op.List
	g.P("\tpage, err := d.%s.List(ctx, query)", op.Resource.Field)
	fail(g)
	items := fmt.Sprintf("store.Project(page.Items, %s)", plan.ItemFunc)
	env := plan.Envelope
	list := op.Result.Ref
	if env != nil {
		list = env.Items.Ref
	}
	if list.Elem.Kind == model.RefRaw { // that anything or null may be in
		items = "wire.Convert[[]json.RawMessage](" + items + ")"
	}
	if countsAll(op) {
		g.P("\ttotal, err := d.%s.Count(ctx, query.Where...)", op.Resource.Field)
		fail(g)
	}
	headers := ""
	for _, h := range op.Result.Headers {
		if h.Total {
			headers += h.GoName + ": strconv.FormatInt(total, 10), "
		}
	}
	if env == nil {
		g.P("\treturn %s{%sBody: %s}, nil", op.Result.GoName, headers, items)
		return
	}
	g.P("\treturn %s{%sBody: %s}, nil", op.Result.GoName, headers, envelopeLiteral(plan, env, items))
}

// envelopeLiteral is an envelope around what it carries.
func envelopeLiteral(plan *model.ListPlan, env *model.Envelope, carried string) string {
	var b strings.Builder
	b.WriteString(env.Type.Name + "{\n")
	switch {
	case env.Items.Presence == model.OptionalNullable:
		carried = "wire.Some(" + carried + ")"
	case env.Items.Pointer():
		carried = "new(" + carried + ")"
	}
	fmt.Fprintf(&b, "\t\t%s: %s,\n", env.Items.Name, carried)
	for _, f := range env.Fields {
		fmt.Fprintf(&b, "\t\t%s: %s,\n", f.Field.Name, envelopeExpr(plan, f))
	}
	b.WriteString("\t}")
	return b.String()
}

// innerLiteral is an object of an envelope that says something of the list.
func innerLiteral(plan *model.ListPlan, env *model.Envelope) string {
	members := make([]string, len(env.Fields))
	for i, f := range env.Fields {
		members[i] = f.Field.Name + ": " + envelopeExpr(plan, f)
	}
	return env.Type.Name + "{" + strings.Join(members, ", ") + "}"
}

// countsAll reports whether the answer tells how many items there are in all.
func countsAll(op *model.Op) bool {
	for _, h := range op.Result.Headers {
		if h.Total {
			return true
		}
	}
	return op.List.Envelope.Counts()
}

func envelopeExpr(plan *model.ListPlan, f *model.EnvelopeField) string {
	if f.Inner != nil {
		return present(f.Field, innerLiteral(plan, f.Inner))
	}
	switch f.Source {
	case "next":
		switch {
		case f.Field.Presence == model.OptionalNullable:
			return "wire.FromPtr(wire.NonZero(page.Next))"
		case f.Field.Pointer():
			return "wire.NonZero(page.Next)"
		}
		return "page.Next"
	case "hasMore":
		return present(f.Field, "page.HasMore")
	case "total":
		return present(f.Field, "total")
	case "pages":
		return present(f.Field, "store.Pages(total, query.Limit)")
	case "count":
		return present(f.Field, "int64(len(page.Items))")
	case "limit":
		return present(f.Field, "int64(query.Limit)")
	case "offset":
		return present(f.Field, "int64(query.Offset)")
	case "page":
		return present(f.Field, numberExpr(plan.Page, strconv.Itoa(plan.FirstPage)))
	}
	return present(f.Field, f.Value)
}
