package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// defaultsFile is defaults.gen.go: every operation as it works without a line
// from the user.
func defaultsFile(p *model.Project, s *model.Service) *goFile {
	g := newGoFile(p.Module, s.Package)
	g.P("// Defaults implements every operation of the service: on its collections where the")
	g.P("// document says what to store, with 501 Not Implemented where it does not. Its")
	g.P("// methods never call one another, so overriding one changes no other.")
	g.P("type Defaults struct {")
	g.P("\tdb *store.DB")
	if len(s.Uses) > 0 {
		g.P("\tclients Clients")
	}
	for _, r := range s.Resources {
		g.P("\t%s *store.Collection[%s]", r.Field, r.Row)
	}
	g.P("}\n")
	clientsType(g, s)
	newDefaults(g, s)
	for _, op := range s.Operations {
		defaultOp(g, op)
	}
	for _, f := range projections(s) {
		projectionFunc(g, f)
	}
	for _, op := range s.Operations {
		if op.List != nil && op.List.Sort != nil {
			sortTable(g, op)
		}
	}
	return g
}

func clientsType(g *goFile, s *model.Service) {
	if len(s.Uses) == 0 {
		return
	}
	g.P("// Clients are the other services that this one asks.")
	g.P("type Clients struct {")
	for _, u := range s.Uses {
		g.P("\t%s %s", u.Field, u.Type)
	}
	g.P("}\n")
	for _, u := range s.Uses {
		g.P("// %s is what this service needs of service %s.", u.Type, u.Service.Name)
		g.P("type %s interface {", u.Type)
		g.P("\t// %sExists reports whether there is %s with the key.", u.Resource.GoName, withArticle(u.Resource.Name))
		g.P("\t%sExists(ctx context.Context, key any) (bool, error)", u.Resource.GoName)
		g.P("}\n")
	}
}

func newDefaults(g *goFile, s *model.Service) {
	params := []string{"db *store.DB"}
	if len(s.Resources) > 0 {
		params = append(params, "options ...store.Option")
	}
	if len(s.Uses) > 0 {
		params = append(params[:1], append([]string{"clients Clients"}, params[1:]...)...)
	}
	g.P("// NewDefaults binds the operations to a database; options apply to every collection.")
	g.P("func NewDefaults(%s) Defaults {", strings.Join(params, ", "))
	for _, r := range s.Resources {
		for _, ref := range r.References {
			if ref.Use != nil {
				g.P("\t%sOptions := append([]store.Option{", r.Field)
				for _, ref := range r.References {
					if ref.Use != nil {
						g.P("\t\tstore.WithReference(%s, clients.%s.%sExists),", strconv.Quote(ref.Column.Name), ref.Use.Field, ref.Target.GoName)
					}
				}
				g.P("\t}, options...)")
				break
			}
		}
	}
	g.P("\treturn Defaults{")
	g.P("\t\tdb: db,")
	if len(s.Uses) > 0 {
		g.P("\t\tclients: clients,")
	}
	for _, r := range s.Resources {
		options := "options"
		for _, ref := range r.References {
			if ref.Use != nil {
				options = r.Field + "Options"
			}
		}
		g.P("\t\t%s: store.NewCollection(db, &%s, %s...),", r.Field, r.Var, options)
	}
	g.P("\t}\n}\n")
}

func defaultOp(g *goFile, op *model.Op) {
	g.P("%s", comment("", op.GoName+" answers "+op.Method+" "+op.Path+":", sentence(orElse(op.Summary, "no summary"))))
	if op.Kind == model.OpStub {
		g.P("func (Defaults) %s(context.Context, %sRequest) (%sResponse, error) {", op.GoName, op.GoName, op.GoName)
		g.P("\treturn nil, problem.Unimplemented(%s, %s)\n}\n", strconv.Quote(op.ID), strconv.Quote(op.Reason))
		return
	}
	g.P("func (d Defaults) %s(ctx context.Context, %s %sRequest) (%sResponse, error) {", op.GoName, inName(op), op.GoName, op.GoName)
	switch op.Kind {
	case model.OpCreate:
		createOp(g, op)
	case model.OpGet:
		parentsExist(g, op, outer(op))
		g.P("\trow, err := d.%s.Get(ctx, in.%s%s)", op.Resource.Field, op.KeyParam.GoName, conditions(op))
		fail(g)
	case model.OpReplace, model.OpPatch:
		updateOp(g, op)
	case model.OpDelete:
		deleteOp(g, op)
	case model.OpList:
		listOp(g, op)
	}
	if op.Kind != model.OpList {
		g.P("\treturn %s, nil", resultExpr(op))
	}
	g.P("}\n")
}

// inName is "_" for an operation whose default reads nothing of its input.
func inName(op *model.Op) string {
	if len(op.Params) == 0 && op.Body == nil {
		return "_"
	}
	return "in"
}

func fail(g *goFile) { g.P("\tif err != nil {\n\t\treturn nil, err\n\t}") }

// parentsExist prints the checks that parents named in the path exist, so that
// their absence is 404. Every parent's own parents must match the path too.
func parentsExist(g *goFile, op *model.Op, parents []*model.ParentParam) {
	for _, p := range parents {
		if p.Resource == nil {
			continue
		}
		if use := useOf(op, p.Resource); use != nil {
			g.P("\tif ok, err := d.clients.%s.%sExists(ctx, in.%s); err != nil {", use.Field, p.Resource.GoName, p.Param.GoName)
			g.P("\t\treturn nil, err\n\t} else if !ok {")
			g.P("\t\treturn nil, &store.NotFound{Resource: %s, Key: in.%s}\n\t}", strconv.Quote(p.Resource.Name), p.Param.GoName)
			continue
		}
		g.P("\tif _, err := d.%s.Get(ctx, in.%s%s); err != nil {", p.Resource.Field, p.Param.GoName, ancestry(op, p.Resource))
		g.P("\t\treturn nil, err\n\t}")
	}
}

func useOf(op *model.Op, r *model.Resource) *model.Use {
	for _, u := range op.Resource.Service.Uses {
		if u.Resource == r {
			return u
		}
	}
	return nil
}

// ancestry lists the conditions that tie a parent to its own parents in the path.
func ancestry(op *model.Op, r *model.Resource) string {
	var b strings.Builder
	for _, p := range op.ParentParams {
		if p.Resource != nil && r.Parent == p.Resource && r.ParentColumn != nil {
			fmt.Fprintf(&b, ", store.Eq(%s, in.%s)", strconv.Quote(r.ParentColumn.Name), p.Param.GoName)
		}
		for _, c := range r.Scopes {
			if p.Column == c {
				fmt.Fprintf(&b, ", store.Eq(%s, in.%s)", strconv.Quote(c.Name), p.Param.GoName)
			}
		}
	}
	return b.String()
}

// outer are the parents that the resource's own columns do not hold.
func outer(op *model.Op) []*model.ParentParam {
	own, all := ownParents(op), []*model.ParentParam(nil)
	if len(op.ParentParams) == len(own) {
		return nil
	}
	for _, p := range op.ParentParams {
		if p.Resource == op.Resource.Parent {
			all = append(all, p) // its own Get checks the ancestry
		}
	}
	return all
}

// ownParents are the parents that the resource's own columns hold.
func ownParents(op *model.Op) (out []*model.ParentParam) {
	for _, p := range op.ParentParams {
		for _, c := range op.Resource.Columns {
			if p.Column == c {
				out = append(out, p)
			}
		}
	}
	return out
}

// conditions lists the equality conditions that tie a row to the path's parents.
func conditions(op *model.Op) string {
	var b strings.Builder
	for _, p := range ownParents(op) {
		fmt.Fprintf(&b, ", store.Eq(%s, in.%s)", strconv.Quote(p.Column.Name), p.Param.GoName)
	}
	return b.String()
}

func createOp(g *goFile, op *model.Op) {
	parentsExist(g, op, op.ParentParams)
	optional := op.Body != nil && !op.Body.Required && op.Body.Ref != nil
	if optional {
		g.P("\tbody := wire.Or(in.Body, %s{})", op.Body.Ref.Go())
	}
	g.P("\trow := %s{", op.Resource.Row)
	for _, f := range op.Fills {
		g.P("\t\t%s: %s,", f.Column.GoName, fillExpr(f, bodyName(optional)))
	}
	g.P("\t}")
	g.P("\tif err := d.%s.Create(ctx, &row); err != nil {\n\t\treturn nil, err\n\t}", op.Resource.Field)
}

func bodyName(optional bool) string {
	if optional {
		return "body"
	}
	return "in.Body"
}

func updateOp(g *goFile, op *model.Op) {
	parentsExist(g, op, outer(op))
	optional := !op.Body.Required
	if optional {
		g.P("\tbody := wire.Or(in.Body, %s{})", op.Body.Ref.Go())
	}
	body := bodyName(optional)
	row := "row"
	if op.Result.Ref == nil && !op.Result.ETag {
		row = "_"
	}
	argument := "row"
	if len(op.Fills) == 0 {
		argument = "_"
	}
	assign := ":="
	g.P("\t%s, err %s d.%s.Update(ctx, in.%s, func(%s *%s) error {", row, assign, op.Resource.Field, op.KeyParam.GoName, argument, op.Resource.Row)
	for _, f := range op.Fills {
		if op.Kind == model.OpPatch {
			patchField(g, f, body)
		} else {
			g.P("\t\trow.%s = %s", f.Column.GoName, fillExpr(f, body))
		}
	}
	g.P("\t\treturn nil\n\t}%s)", conditions(op))
	fail(g)
}

// patchField prints the change of one column when the body carries the property.
func patchField(g *goFile, f *model.Fill, body string) {
	field := body + "." + f.Field.Name
	dst := "row." + f.Column.GoName
	switch {
	case f.Field.Presence == model.Required, f.Field.Presence == model.RequiredNullable:
		g.P("\t\t%s = %s", dst, fillExpr(f, body))
	case f.Field.Presence == model.OptionalNullable && f.Column.Nullable:
		g.P("\t\tif %s.Set {\n\t\t\t%s = %s\n\t\t}", field, dst, fillExpr(f, body))
	case f.Field.Presence == model.OptionalNullable:
		g.P("\t\tif %s.Set && !%s.Null {\n\t\t\t%s = %s\n\t\t}", field, field, dst, convert(f.Field.Ref, f.Column.Ref, field+".Value"))
	case !f.Field.Pointer() || f.Column.Go()[0] == '*':
		g.P("\t\tif %s != nil {\n\t\t\t%s = %s\n\t\t}", field, dst, fillExpr(f, body))
	default:
		g.P("\t\tif %s != nil {\n\t\t\t%s = %s\n\t\t}", field, dst, convert(f.Field.Ref, f.Column.Ref, "*"+field))
	}
}

func deleteOp(g *goFile, op *model.Op) {
	parentsExist(g, op, outer(op))
	if op.Result.Ref != nil || op.Result.ETag {
		g.P("\trow, err := d.%s.Get(ctx, in.%s%s)", op.Resource.Field, op.KeyParam.GoName, conditions(op))
		fail(g)
	}
	g.P("\tif err := d.%s.Delete(ctx, in.%s%s); err != nil {\n\t\treturn nil, err\n\t}", op.Resource.Field, op.KeyParam.GoName, conditions(op))
}

// resultExpr is the response made from row.
func resultExpr(op *model.Op) string {
	r := op.Result
	var fields []string
	if r.Location {
		fields = append(fields, "Location: rest.Location(ctx, "+keyText(op.Resource.Key, "row")+")")
	}
	if r.ETag {
		fields = append(fields, "ETag: store.ETag(row."+op.Resource.Version.GoName+")")
	}
	if r.Ref != nil {
		fields = append(fields, "Body: "+r.Func+"(row)")
	}
	return r.GoName + "{" + strings.Join(fields, ", ") + "}"
}

func keyText(key *model.Column, row string) string {
	if key.Ref.Kind == model.RefInt {
		return "strconv.FormatInt(" + row + "." + key.GoName + ", 10)"
	}
	return row + "." + key.GoName
}
