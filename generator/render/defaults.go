package render

import (
	"fmt"
	"slices"
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
	if len(s.Calls) > 0 {
		g.P("\toutgoing *Webhooks // for overrides: Defaults sends nothing")
	}
	if s.HasFiles() {
		g.P("\tfiles *blob.Files")
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
	fileFuncs(g, s)
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
		params = slices.Insert(params, 1, "clients Clients")
	}
	if len(s.Calls) > 0 {
		params = slices.Insert(params, len(params)-min(1, len(s.Resources)), "outgoing *Webhooks")
	}
	if s.HasFiles() {
		params = append(params[:1], append([]string{"files *blob.Files"}, params[1:]...)...)
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
	if len(s.Calls) > 0 {
		g.P("\t\toutgoing: outgoing,")
	}
	if s.HasFiles() {
		g.P("\t\tfiles: files,")
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
	case model.OpMany:
		createMany(g, op)
	case model.OpGet:
		parentsExist(g, op, outer(op))
		row := "row"
		if !usesRow(op.Result) {
			row = "_"
		}
		g.P("\t%s, err := d.%s.Get(ctx, %s%s)", row, op.Resource.Field, keyExpr(op), conditions(op))
		fail(g)
	case model.OpReplace, model.OpPatch:
		updateOp(g, op)
	case model.OpChange:
		changeOp(g, op)
	case model.OpDownload:
		downloadOp(g, op)
	case model.OpDelete:
		deleteOp(g, op)
	case model.OpChangeMany:
		changeMany(g, op)
	case model.OpDeleteMany:
		deleteMany(g, op)
	case model.OpClear:
		parentsExist(g, op, op.ParentParams)
		leaveAll(g, op)
		g.P("\tif err := d.%s.DeleteAll(ctx%s); err != nil {\n\t\treturn nil, err\n\t}", op.Resource.Field, ownConditions(op))
	case model.OpList:
		listOp(g, op)
	case model.OpCount:
		countOp(g, op)
	}
	if op.Kind != model.OpList && op.Kind != model.OpCount && (op.Many == nil || op.Many.Item == nil) {
		g.P("\treturn %s, nil", resultExpr(op, op.Result))
	}
	g.P("}\n")
}

// keyExpr is the key of the row that the operation's path names.
func keyExpr(op *model.Op) string {
	if f := op.KeyField; f != nil {
		field := "in.Body." + f.Name
		if !op.Body.Required {
			field = "body." + f.Name
		}
		if f.Pointer() {
			return "wire.Or(" + field + ", " + zero(f.Ref) + ")" // which names no row
		}
		return field
	}
	if op.Resource.KeyParts == nil {
		return keyValue(op.KeyParam)
	}
	return "store.Key(" + strings.Join(pathValues(op), ", ") + ")"
}

// pathValues are the values of the path's parameters, in order: all of them make a
// joined key, a parent's being the beginning of its children's.
func pathValues(op *model.Op) []string {
	var out []string
	for _, name := range model.Placeholders(op.Place()) {
		out = append(out, keyValue(op.Placed(name)))
	}
	return out
}

// keyValue is a path parameter as a key: one that is a number in the document
// counts all the same.
func keyValue(p *model.OpParam) string {
	if p.Ref.Kind == model.RefFloat {
		return "int64(in." + p.GoName + ")"
	}
	return "in." + p.GoName
}

// parentExpr is the key of a parent that the path names, as its column holds it.
func parentExpr(p *model.ParentParam) string {
	if p.Parts != nil {
		return joined(p.Parts)
	}
	return convert(p.Param.Ref, p.Column.Ref, "in."+p.Param.GoName)
}

func joined(params []*model.OpParam) string {
	parts := make([]string, len(params))
	for i, p := range params {
		parts[i] = keyValue(p)
	}
	return "store.Key(" + strings.Join(parts, ", ") + ")"
}

// inName is "_" for an operation whose default reads nothing of its input.
func inName(op *model.Op) string {
	if len(op.Params) == 0 && !op.TakesBody() {
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
			g.P("\tif ok, err := d.clients.%s.%sExists(ctx, %s); err != nil {", use.Field, p.Resource.GoName, parentExpr(p))
			g.P("\t\treturn nil, err\n\t} else if !ok {")
			g.P("\t\treturn nil, &store.NotFound{Resource: %s, Key: %s}\n\t}", strconv.Quote(p.Resource.Name), parentExpr(p))
			continue
		}
		g.P("\tif _, err := d.%s.Get(ctx, %s%s); err != nil {", p.Resource.Field, parentExpr(p), ancestry(op, p.Resource))
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
	if r.KeyParts != nil {
		return "" // the key says it all
	}
	var b strings.Builder
	for _, p := range op.ParentParams {
		if p.Column == r.ParentColumn || slices.Contains(r.Scopes, p.Column) {
			fmt.Fprintf(&b, ", store.Eq(%s, %s)", strconv.Quote(p.Column.Name), parentExpr(p))
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

// conditions lists the equality conditions that tie a row to the path's parents,
// where its key does not.
func conditions(op *model.Op) string {
	if op.Resource.KeyParts != nil {
		return ""
	}
	return ownConditions(op)
}

func ownConditions(op *model.Op) string {
	var b strings.Builder
	for _, p := range ownParents(op) {
		fmt.Fprintf(&b, ", store.Eq(%s, %s)", strconv.Quote(p.Column.Name), parentExpr(p))
	}
	return b.String()
}

// readsBody reports whether an operation's default looks into its body.
func readsBody(op *model.Op) bool {
	return op.KeyField != nil || slices.ContainsFunc(op.Fills, func(f *model.Fill) bool { return f.Source == model.SourceBody })
}

// bodyVar prints what an operation needs to read its body, and returns the expression
// of the message that holds the columns' values.
func bodyVar(g *goFile, op *model.Op) string {
	b := op.Body
	if b == nil || b.Ref == nil {
		return ""
	}
	body := "in.Body"
	if !b.Required {
		g.P("\tbody := wire.Or(in.Body, %s{})", b.Ref.Go())
		body = "body"
	}
	switch {
	case b.Inner == nil:
		return body
	case b.Inner.Presence == model.Required:
		return body + "." + b.Inner.Name
	}
	name := "inner"
	if b.Required {
		name = "body"
	}
	g.P("\t%s := wire.Or(%s.%s, %s{})", name, body, b.Inner.Name, b.Inner.Ref.Go())
	return name
}

func createOp(g *goFile, op *model.Op) {
	parentsExist(g, op, op.ParentParams)
	body := ""
	if readsBody(op) {
		body = bodyVar(g, op)
	}
	known(g, op, body)
	keepFile(g, op)
	g.P("\trow := %s{", op.Resource.Row)
	for _, f := range op.Fills {
		g.P("\t\t%s: %s,", f.Column.GoName, columnValue(op, f, body))
	}
	g.P("\t}")
	g.P("\tif err := d.%s.Create(ctx, &row); err != nil {\n\t\treturn nil, err\n\t}", op.Resource.Field)
}

// known prints the refusal of texts that a column's enum does not have, where requests
// may carry them.
func known(g *goFile, op *model.Op, body string) {
	for _, f := range op.Fills {
		if !f.Among {
			continue
		}
		value, pointer := bodyField(f, body), f.Field.Pointer()
		if f.Field.Presence == model.OptionalNullable {
			value, pointer = value+".Ptr()", true
		}
		text, end := "string("+value+")", "\t}"
		if pointer {
			g.P("\tif v := %s; v != nil {", value)
			text, end = "string(*v)", "\t}\n\t}"
		}
		g.P("\tif err := wire.Among(%s, %s, %s); err != nil {\n\treturn nil, err\n%s",
			strconv.Quote("/"+pointerToken(f.Field.JSON)), text, f.Column.Ref.Named.ValuesVar, end)
	}
}

// pointerToken escapes a name for a JSON pointer, RFC 6901.
func pointerToken(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func createMany(g *goFile, op *model.Op) {
	parentsExist(g, op, op.ParentParams)
	g.P("\tfor _, item := range in.Body {")
	known(g, op, "item")
	g.P("\t\trow := %s{", op.Resource.Row)
	for _, f := range op.Fills {
		g.P("\t\t\t%s: %s,", f.Column.GoName, fillExpr(f, "item"))
	}
	g.P("\t\t}")
	g.P("\t\tif err := d.%s.Create(ctx, &row); err != nil {\n\t\t\treturn nil, err\n\t\t}\n\t}", op.Resource.Field)
}

// columnValue is fillExpr, and for a joined key its parts.
func columnValue(op *model.Op, f *model.Fill, body string) string {
	if f.Source != model.SourceKey {
		return fillExpr(f, body)
	}
	if op.Kind != model.OpCreate {
		return keyExpr(op)
	}
	parts := pathValues(op)
	for _, other := range op.Fills {
		if other.Column == op.Resource.Natural() {
			parts = append(parts, fillExpr(other, body))
		}
	}
	return "store.Key(" + strings.Join(parts, ", ") + ")"
}

func updateOp(g *goFile, op *model.Op) {
	checked := outer(op)
	if op.Upsert {
		checked = op.ParentParams
	}
	parentsExist(g, op, checked)
	body := ""
	if readsBody(op) {
		body = bodyVar(g, op)
	}
	known(g, op, body)
	keepFile(g, op)
	row := "row"
	if !usesRow(op.Result) && !usesRow(op.Created) {
		row = "_"
	}
	argument := "row"
	if len(op.Fills) == 0 {
		argument = "_"
	}
	if op.Upsert {
		created := "_"
		if op.Created != nil {
			created = "created"
		}
		assign := ":="
		if op.Upload != nil && row == "_" && created == "_" {
			assign = "=" // err is there already
		}
		g.P("\t%s, %s, err %s d.%s.Put(ctx, %s{", row, created, assign, op.Resource.Field, op.Resource.Row)
		for _, f := range op.Fresh {
			g.P("\t\t%s: %s,", f.Column.GoName, columnValue(op, f, body))
		}
		g.P("\t}, func(%s *%s) error {", argument, op.Resource.Row)
	} else {
		g.P("\t%s, err := d.%s.Update(ctx, %s, func(%s *%s) error {", row, op.Resource.Field, keyExpr(op), argument, op.Resource.Row)
	}
	if op.Upload != nil {
		g.P("\t\told = %s", oldFile(op.Resource))
	}
	for _, f := range op.Fills {
		if op.Kind == model.OpPatch {
			patchField(g, f, body)
		} else {
			g.P("\t\trow.%s = %s", f.Column.GoName, fillExpr(f, body))
		}
	}
	if op.Upsert {
		g.P("\t\treturn nil\n\t})")
	} else {
		g.P("\t\treturn nil\n\t}%s)", conditions(op))
	}
	fail(g)
	if op.Upload != nil {
		g.P("\tif err := d.files.Leave(ctx, old); err != nil {\n\t\treturn nil, err\n\t}")
	}
	if op.Created != nil {
		g.P("\tif created {\n\t\treturn %s, nil\n\t}", resultExpr(op, op.Created))
	}
}

// changeOp sets columns to fixed values.
func changeOp(g *goFile, op *model.Op) {
	parentsExist(g, op, outer(op))
	body := ""
	if readsBody(op) {
		body = bodyVar(g, op)
	}
	known(g, op, body)
	row := "row"
	if !usesRow(op.Result) {
		row = "_"
	}
	g.P("\t%s, err := d.%s.Update(ctx, %s, func(row *%s) error {", row, op.Resource.Field, keyExpr(op), op.Resource.Row)
	for _, f := range op.Fills {
		if f.Source == model.SourceBody {
			patchField(g, f, body)
			continue
		}
		if f.Member == nil {
			g.P("\t\trow.%s = %s", f.Column.GoName, fillExpr(f, ""))
			continue
		}
		changeMember(g, f)
	}
	g.P("\t\treturn nil\n\t}%s)", conditions(op))
	fail(g)
}

// changeMember sets a member of a column's object, of which other rows in memory may
// hold the same copy.
func changeMember(g *goFile, f *model.Fill) {
	column, name := "row."+f.Column.GoName, "object"
	value := f.Value
	if f.Member.Pointer() {
		value = "new(" + value + ")"
	}
	if !f.Column.Nullable {
		g.P("\t\t%s.%s = %s", column, f.Member.Name, value)
		return
	}
	g.P("\t\t%s := wire.Or(%s, %s)", name, column, f.Base)
	g.P("\t\t%s.%s = %s", name, f.Member.Name, value)
	g.P("\t\t%s = &%s", column, name)
}

// patchField prints the change of one column when the body carries the property.
func patchField(g *goFile, f *model.Fill, body string) {
	field := bodyField(f, body)
	dst := "row." + f.Column.GoName
	switch {
	case f.Outer != nil && f.Outer.Pointer():
		g.P("\t\tif %s.%s != nil {\n\t\t\t%s = %s\n\t\t}", body, f.Outer.Name, dst, fillExpr(f, body))
	case f.Base != "":
		patchOver(g, f, field, dst)
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

// patchOver prints the change of a column by laying the body's value over what is stored.
func patchOver(g *goFile, f *model.Fill, field, dst string) {
	base := dst
	switch {
	case f.Column.Ref.Kind == model.RefList:
		base = f.Base // elements are replaced, not changed
	case f.Column.Nullable:
		base = "wire.Or(" + dst + ", " + f.Base + ")"
	}
	value := overExpr(f, field, base)
	switch {
	case f.Field.Presence == model.Required:
		g.P("\t\t%s = %s", dst, value)
	case f.Field.Presence == model.OptionalNullable:
		g.P("\t\tif %s.Set {\n\t\t\t%s = %s\n\t\t}", field, dst, value)
	default:
		g.P("\t\tif %s != nil {\n\t\t\t%s = %s\n\t\t}", field, dst, value)
	}
}

func deleteOp(g *goFile, op *model.Op) {
	parentsExist(g, op, outer(op))
	if usesRow(op.Result) || op.Resource.File != nil && !op.Resource.Singleton {
		g.P("\trow, err := d.%s.Get(ctx, %s%s)", op.Resource.Field, keyExpr(op), conditions(op))
		fail(g)
	}
	leaveWith(g, op)
	g.P("\tif err := d.%s.Delete(ctx, %s%s); err != nil {\n\t\treturn nil, err\n\t}", op.Resource.Field, keyExpr(op), conditions(op))
}

func deleteMany(g *goFile, op *model.Op) {
	parentsExist(g, op, op.ParentParams)
	g.P("\tif err := d.%s.DeleteMany(ctx, wire.Anys(%s)%s); err != nil {\n\t\treturn nil, err\n\t}", op.Resource.Field, keysExpr(g, op), ownConditions(op))
}

// keysExpr prints what reading a list of keys needs, and returns it.
func keysExpr(g *goFile, op *model.Op) string {
	b, plan := op.Body, op.Many
	switch {
	case plan.Param != nil:
		return "in." + plan.Param.GoName
	case plan.Keys == nil && b.Ref.Nilable():
		return "in.Body"
	case b.Required:
		return "in.Body." + plan.Keys.Name
	}
	g.P("\tbody := wire.Or(in.Body, %s{})", b.Ref.Go())
	return "body." + plan.Keys.Name
}

func changeMany(g *goFile, op *model.Op) {
	parentsExist(g, op, op.ParentParams)
	keys := keysExpr(g, op)
	inner := op.Body.Inner
	changes := strings.TrimSuffix(keys, op.Many.Keys.Name) + inner.Name
	if inner.Pointer() {
		g.P("\tchanges := wire.Or(%s, %s{})", changes, inner.Ref.Go())
		changes = "changes"
	}
	known(g, op, changes)
	rows := "rows"
	if op.Many.Item == nil {
		rows = "_"
	}
	g.P("\t%s, err := d.%s.UpdateMany(ctx, wire.Anys(%s), func(row *%s) error {", rows, op.Resource.Field, keys, op.Resource.Row)
	for _, f := range op.Fills {
		patchField(g, f, changes)
	}
	g.P("\t\treturn nil\n\t}%s)", ownConditions(op))
	fail(g)
	if op.Many.Item == nil {
		return
	}
	items := fmt.Sprintf("store.Project(rows, %s)", op.Many.ItemFunc)
	if env := op.Many.Envelope; env != nil {
		items = envelopeLiteral(&model.ListPlan{}, env, items)
	}
	g.P("\treturn %s{Body: %s}, nil", op.Result.GoName, items)
}

// usesRow reports whether a response is made from the row.
func usesRow(r *model.Result) bool {
	return r != nil && (r.Func != "" || r.ETag || r.Content)
}

// resultExpr is a response made from row.
func resultExpr(op *model.Op, r *model.Result) string {
	var fields []string
	if r.Location {
		fields = append(fields, "Location: rest.Location(ctx, "+keyText(op.Resource.Natural(), "row")+")")
	}
	if r.ETag {
		tag := "store.ETag(row." + op.Resource.Version.GoName + ")"
		if op.Resource.File != nil && op.Resource.Singleton {
			tag = "info.ETag()"
		}
		fields = append(fields, "ETag: "+tag)
	}
	switch {
	case r.Content:
		fields = append(fields, "Body: "+contentExpr(op, r))
	case r.Ref == nil:
	case r.Func == "" && r.Ref.Kind == model.RefRaw:
		fields = append(fields, "Body: json.RawMessage(`{}`)")
	case r.Func == "":
		fields = append(fields, "Body: "+r.Ref.Go()+"{}")
	case r.Envelope == nil:
		fields = append(fields, "Body: "+r.Func+"(row)")
	default:
		fields = append(fields, "Body: "+envelopeLiteral(&model.ListPlan{}, r.Envelope, r.Func+"(row)"))
	}
	return r.GoName + "{" + strings.Join(fields, ", ") + "}"
}

func keyText(key *model.Column, row string) string {
	switch key.Ref.Kind {
	case model.RefEnum:
		return "string(" + row + "." + key.GoName + ")"
	case model.RefInt:
		return "strconv.FormatInt(" + row + "." + key.GoName + ", 10)"
	}
	return row + "." + key.GoName
}
