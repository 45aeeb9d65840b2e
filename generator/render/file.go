package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// uploadField prints the field of a request that holds its file.
func uploadField(g *goFile, op *model.Op) {
	if op.Upload == nil {
		return
	}
	if !op.Upload.Required {
		g.P("\t// nil when the request has none\n\t%s *blob.Upload", op.Upload.GoName)
		return
	}
	g.P("\t%s *blob.Upload", op.Upload.GoName)
}

// receiveFile prints the reading of a body that is or holds a file.
func receiveFile(g *goFile, op *model.Op) {
	u := op.Upload
	if u.Part == "" {
		g.P("\tin.%s = blob.Of(r.File(%s))", u.GoName, quoted(u.Types))
		return
	}
	required := ""
	if u.Required {
		required = ", Required: true"
	}
	fields, decode := "nil", "nil"
	if op.Body != nil {
		fields, decode = op.Body.Form.Var, "in.Body.DecodeJSON"
	}
	g.P("\tin.%s = blob.Of(r.FormFile(rest.FilePart{Name: %s, Types: []string{%s}%s}, %s, %s))",
		u.GoName, strconv.Quote(u.Part), quoted(u.Types), required, fields, decode)
}

// keepFile prints how the file that came is stored, before its row is.
func keepFile(g *goFile, op *model.Op) {
	if op.Upload == nil {
		return
	}
	g.P("\tkey, info, err := d.files.Keep(ctx, in.%s)", op.Upload.GoName)
	fail(g)
	if op.Kind != model.OpCreate {
		g.P("\tvar old string")
	}
}

// oldFile is the key of the file that a row has, "" for none.
func oldFile(r *model.Resource) string {
	if r.FileKey.Nullable {
		return "wire.Or(row." + r.FileKey.GoName + `, "")`
	}
	return "row." + r.FileKey.GoName
}

func downloadOp(g *goFile, op *model.Op) {
	parentsExist(g, op, outer(op))
	g.P("\trow, err := d.%s.Get(ctx, %s%s)", op.Resource.Field, keyExpr(op), conditions(op))
	fail(g)
	if r := op.Resource; r.FileKey.Nullable {
		g.P("\tif row.%s == nil || row.%s == nil {", r.FileKey.GoName, r.File.GoName)
		g.P("\t\treturn nil, problem.NotFound(%s)\n\t}", strconv.Quote("the "+r.Name+" has no file"))
	}
}

// contentExpr is the file of row as a response's body.
func contentExpr(op *model.Op, r *model.Result) string {
	star := ""
	if op.Resource.FileKey.Nullable {
		star = "*"
	}
	text := fmt.Sprintf("d.files.Content(ctx, %srow.%s, %srow.%s)", star, op.Resource.FileKey.GoName, star, op.Resource.File.GoName)
	if r.Among != nil {
		text += ".Among(" + quoted(r.Among) + ")"
	}
	return text
}

// leaver is the name of the method that removes the files of what goes with a row.
func leaver(r *model.Resource) string { return "leave" + r.GoName }

// leaveWith prints what happens to the files of a row that is deleted, and of what goes
// with it.
func leaveWith(g *goFile, op *model.Op) {
	r := op.Resource
	if r.FilesBelow() {
		g.P("\tif err := d.%s(ctx, %s); err != nil {\n\t\treturn nil, err\n\t}", leaver(r), convertKey(op))
	}
	switch {
	case r.File == nil:
	case r.Singleton: // whose file may be replaced meanwhile
		g.P("\tvar old string")
		g.P("\t_, err := d.%s.Update(ctx, %s, func(row *%s) error {", r.Field, keyExpr(op), r.Row)
		g.P("\t\told = %s // from here on nobody replaces it\n\t\treturn nil\n\t}%s)", oldFile(r), conditions(op))
		fail(g)
		g.P("\tif err := d.files.Leave(ctx, old); err != nil {\n\t\treturn nil, err\n\t}")
	default:
		g.P("\tif err := d.files.Leave(ctx, %s); err != nil {\n\t\treturn nil, err\n\t}", oldFile(r))
	}
}

// convertKey is the key of the operation's row, of the Go type that its column has.
func convertKey(op *model.Op) string {
	if op.Resource.KeyParts != nil || op.KeyParam == nil {
		return keyExpr(op)
	}
	return convert(op.KeyParam.Ref, op.Resource.Key.Ref, "in."+op.KeyParam.GoName)
}

// leaveAll prints what happens to the files of rows that are deleted together.
func leaveAll(g *goFile, op *model.Op) {
	if op.Resource.File != nil || op.Resource.FilesBelow() {
		leaveEach(g, "err := ", op.Resource, strings.TrimPrefix(ownConditions(op), ", "))
		fail(g)
	}
}

// leaveEach prints a call that removes the files of the rows that meet conditions.
func leaveEach(g *goFile, lead string, r *model.Resource, where string) {
	if where != "" {
		where = ", " + where
	}
	g.P("\t%sblob.Each(ctx, d.%s, func(row *%s) error {", lead, r.Field, r.Row)
	if r.FilesBelow() && r.File != nil {
		g.P("if err := d.%s(ctx, row.%s); err != nil {\n\treturn err\n}", leaver(r), r.Key.GoName)
	}
	if r.File != nil {
		g.P("\treturn d.files.Leave(ctx, %s)\n}%s)", oldFile(r), where)
		return
	}
	g.P("\treturn d.%s(ctx, row.%s)\n}%s)", leaver(r), r.Key.GoName, where)
}

// fileFuncs prints what a service with files needs beside its operations: whose a file is,
// and which files go with a row.
func fileFuncs(g *goFile, s *model.Service) {
	if !s.HasFiles() {
		return
	}
	g.P("// HasFile reports whether some row has the file with the key.")
	g.P("func (d Defaults) HasFile(ctx context.Context, key string) (bool, error) {")
	var last *model.Resource
	for _, r := range s.Resources {
		if r.File != nil {
			last = r
		}
	}
	for _, r := range s.Resources {
		switch {
		case r.File == nil:
		case r == last:
			g.P("\tn, err := d.%s.Count(ctx, store.Eq(%s, key))\n\treturn n > 0, err", r.Field, strconv.Quote(r.FileKey.Name))
		default:
			g.P("\tif n, err := d.%s.Count(ctx, store.Eq(%s, key)); n > 0 || err != nil {\n\t\treturn n > 0, err\n\t}", r.Field, strconv.Quote(r.FileKey.Name))
		}
	}
	g.P("}\n")
	for _, r := range s.Resources {
		if r.FilesBelow() {
			leaveFunc(g, r)
		}
	}
}

// leaveFunc prints the method that removes the files of what goes with a row.
func leaveFunc(g *goFile, r *model.Resource) {
	g.P("// %s removes the files of what goes with %s, once that is committed.", leaver(r), withArticle(r.Name))
	g.P("func (d Defaults) %s(ctx context.Context, key %s) error {", leaver(r), r.Key.Ref.Go())
	var with []*model.Resource
	for _, child := range r.Children() {
		if child.File != nil || child.FilesBelow() {
			with = append(with, child)
		}
	}
	for i, child := range with {
		where := "store.Eq(" + strconv.Quote(child.ParentColumn.Name) + ", key)"
		if i == len(with)-1 {
			leaveEach(g, "return ", child, where)
			continue
		}
		lead := "err = "
		if i == 0 {
			lead = "err := "
		}
		leaveEach(g, lead, child, where)
		g.P("\tif err != nil {\n\t\treturn err\n\t}")
	}
	g.P("}\n")
}

// filesFile is internal/app/files.gen.go: where the files are kept that clients upload.
func filesFile(p *model.Project) *goFile {
	g := newAppFile(p)
	g.Raw(`// openFiles opens where a service keeps the files that clients upload: in the store that
// BLOB_URL names, or else in a folder in DATA_DIR.
func (a *App) openFiles(service string) (files *blob.Files, err error) {
	o := blob.Options{Dir: filepath.Join(a.cfg.DataDir, "blobs", service), Grace: a.cfg.RequestTimeout, Log: a.log}
	url := a.cfg.Setting("BLOB_URL", "")
	switch scheme, _, _ := strings.Cut(url, ":"); scheme {
	case "":`)
	for _, b := range p.Blobs {
		g.P("\tcase %s:\n\t\to.Store, err = %s.Open(url)", quoted(b.Schemes), b.Name)
	}
	for _, b := range p.AddableBlobs {
		g.P("\tcase %s:\n\t\terr = fmt.Errorf(\"no store for %%s:// is compiled in: run backend scaffold update --set files.engine=%s, or generate the project with it\", scheme)",
			quoted(b.Schemes), b.Name)
	}
	var schemes []string
	for _, b := range slices.Concat(p.Blobs, p.AddableBlobs) {
		for _, scheme := range b.Schemes {
			schemes = append(schemes, scheme+"://")
		}
	}
	g.P("\tdefault:\n\t\terr = errors.New(\"BLOB_URL must begin with %s\")\n\t}", strings.Join(schemes, " or ")) // it may be a misplaced secret
	g.Raw(`	if err == nil {
		files, err = blob.Open(o)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: files of %s: %w", ErrEnvironment, service, err)
	}
	a.closers = append(a.closers, lifecycle.Closer{Name: "files of " + service, Close: files.Close})
	a.checks = append(a.checks, lifecycle.Check{Name: "files of " + service, Run: files.Ping})
	return files, nil
}

// startFiles settles which files a crash has left without a row.
func (a *App) startFiles(ctx context.Context, files *blob.Files, refers func(context.Context, string) (bool, error)) error {
	if err := files.Start(ctx, refers); err != nil {
		return fmt.Errorf("%w: %w", ErrEnvironment, err)
	}
	return nil
}`)
	return g
}
