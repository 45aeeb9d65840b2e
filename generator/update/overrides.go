package update

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
)

// Method is a method that the user declares on a service.
type Method struct {
	Name         string
	File         string // path inside the project
	Line, Column int
	Signature    string // without names: "(context.Context, CreateOrderRequest) (CreateOrderResponse, error)"
}

// source is what the user's own files of a package declare.
type source struct {
	methods []Method
	types   map[string]bool
}

// Methods are the methods on Service in the files of a package that the generator
// does not own, in order. What does not parse is left to the compiler.
func Methods(dir fs.FS, pkg string) []Method { return scan(dir, "internal/"+pkg).methods }

func scan(dir fs.FS, folder string) *source {
	out := &source{types: map[string]bool{}}
	entries, err := fs.ReadDir(dir, folder)
	if err != nil {
		return out
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".gen.go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file := folder + "/" + name
		text, err := fs.ReadFile(dir, file)
		if err != nil {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, "", text, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, decl := range parsed.Decls {
			switch d := decl.(type) {
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if t, ok := spec.(*ast.TypeSpec); ok {
						out.types[t.Name.Name] = true
					}
				}
			case *ast.FuncDecl:
				if onService(d) {
					at := set.Position(d.Name.Pos())
					out.methods = append(out.methods, Method{d.Name.Name, file, at.Line, at.Column, signature(d.Type)})
				}
			}
		}
	}
	return out
}

// onService reports whether a function is a method on Service or *Service.
func onService(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) != 1 {
		return false
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	id, ok := receiver.(*ast.Ident)
	return ok && id.Name == "Service"
}

// signature prints the types of a function.
func signature(f *ast.FuncType) string {
	list := func(fields *ast.FieldList) string {
		if fields == nil {
			return ""
		}
		var out []string
		for _, field := range fields.List {
			for range max(1, len(field.Names)) {
				out = append(out, types.ExprString(field.Type))
			}
		}
		return strings.Join(out, ", ")
	}
	return "(" + list(f.Params) + ") (" + list(f.Results) + ")"
}

func (u *updater) source(folder string) *source {
	if u.sources[folder] == nil {
		u.sources[folder] = scan(u.Dir, folder)
	}
	return u.sources[folder]
}

// declares reports whether the user's own files of a folder declare a type.
func (u *updater) declares(folder, name string) bool { return u.source(folder).types[name] }

// overrides finds the methods of the user's that fit no operation any more, and puts
// a tombstone for each into its package.
func (u *updater) overrides() error {
	u.result.Overrides = nil
	stones := map[string][]plan.Tombstone{}
	u.next.Tombstones = nil
	for _, p := range u.packages() {
		current := map[string]bool{}
		for _, op := range u.Fresh.Operations {
			if op.Package == p {
				current[op.GoName] = true
			}
		}
		methods := map[string]Method{}
		for _, m := range u.source("internal/" + p).methods {
			methods[m.Name] = m
			if current[m.Name] {
				u.checkSignature(m)
			}
		}
		for _, stone := range u.removedFrom(p, current) {
			m, overridden := methods[stone.GoName]
			if overridden {
				u.result.Overrides = append(u.result.Overrides, u.stale(m, stone))
			}
			if overridden || !u.sweep && slices.Contains(u.Lock.Tombstones, stone) {
				u.next.Tombstones = append(u.next.Tombstones, stone)
				if u.alive(p) { // elsewhere the compiler misses the service itself
					stones[p] = append(stones[p], stone)
				}
			}
		}
		path := "internal/" + p + "/removed.gen.go"
		delete(u.wanted, path)
		if len(stones[p]) > 0 {
			text, err := tombstones(p, stones[p])
			if err != nil {
				return err
			}
			u.wanted[path] = plan.File{Path: path, Data: text, Owner: plan.Owned}
		}
	}
	return nil
}

// packages are those of all services, before and after.
func (u *updater) packages() []string {
	names := map[string]bool{}
	for _, services := range []map[string]plan.LockService{u.Lock.Services, u.Fresh.Services} {
		for _, s := range services {
			names[s.Package] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// alive reports whether a package is still generated.
func (u *updater) alive(pkg string) bool {
	for _, s := range u.Fresh.Services {
		if s.Package == pkg {
			return true
		}
	}
	return false
}

// removedFrom are the operations that a package had once and has no more.
func (u *updater) removedFrom(pkg string, current map[string]bool) []plan.Tombstone {
	var out []plan.Tombstone
	add := func(t plan.Tombstone) {
		if t.Package == pkg && !current[t.GoName] && !slices.ContainsFunc(out, func(o plan.Tombstone) bool { return o.GoName == t.GoName }) {
			out = append(out, t)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(u.Lock.Operations)) {
		op := u.Lock.Operations[id]
		t := plan.Tombstone{Operation: id, Package: op.Package, GoName: op.GoName, Method: op.Method, Path: op.Path}
		for _, r := range u.result.Operations.Renamed {
			if r.From == id {
				t.RenamedTo = r.GoTo
			}
		}
		for _, v := range u.result.Operations.Moved {
			if v.Operation == id {
				t.MovedTo = v.To
			}
		}
		add(t)
	}
	for _, t := range u.Lock.Tombstones {
		add(t)
	}
	slices.SortFunc(out, func(a, b plan.Tombstone) int { return strings.Compare(a.GoName, b.GoName) })
	return out
}

// stale says what is wrong with an override of an operation that is gone.
func (u *updater) stale(m Method, t plan.Tombstone) *problem.Problem {
	p := &problem.Problem{
		Code: "override-removed", File: m.File, Line: m.Line, Column: m.Column,
		Message: fmt.Sprintf("%s overrides %s (%s %s), which the document has no more", m.Name, t.Operation, t.Method, t.Path),
		Hint:    "delete the method",
	}
	switch {
	case t.RenamedTo != "":
		p.Code = "override-renamed"
		p.Message = fmt.Sprintf("%s overrides %s, which is called %s now", m.Name, t.Operation, t.RenamedTo)
		p.Hint = fmt.Sprintf("rename it to %s, with %sRequest and %sResponse", t.RenamedTo, t.RenamedTo, t.RenamedTo)
	case t.MovedTo != "":
		p.Code = "override-moved"
		p.Message = fmt.Sprintf("%s overrides %s, which service %s serves now", m.Name, t.Operation, t.MovedTo)
		p.Hint = "move the method to internal/" + u.Fresh.Services[t.MovedTo].Package
	}
	return p
}

// checkSignature compares an override with what the operation looks like now.
func (u *updater) checkSignature(m Method) {
	want := fmt.Sprintf("(context.Context, %sRequest) (%sResponse, error)", m.Name, m.Name)
	if m.Signature != want {
		u.result.Overrides = append(u.result.Overrides, &problem.Problem{
			Code: "override-signature", File: m.File, Line: m.Line, Column: m.Column,
			Message: fmt.Sprintf("%s overrides an operation, and its signature does not fit: it is %s", m.Name, m.Signature),
			Hint:    fmt.Sprintf("write func (s *Service) %s(ctx context.Context, in %sRequest) (%sResponse, error)", m.Name, m.Name, m.Name),
		})
	}
}

// tombstones is removed.gen.go: it compiles only once no override of an operation
// that is gone is left.
func tombstones(pkg string, stones []plan.Tombstone) ([]byte, error) {
	var b strings.Builder
	b.WriteString("// Code generated by backend; DO NOT EDIT.\n\npackage " + pkg + "\n\n")
	b.WriteString("// removedOperations are operations that the document has no more, and that *Service\n// overrode when they went.\ntype removedOperations struct{}\n\n")
	b.WriteString("// tombstones makes a method on *Service that overrides one of them ambiguous: the\n// lines below compile once it is deleted or renamed.\ntype tombstones struct {\n\t*Service\n\tremovedOperations\n}\n")
	for _, t := range stones {
		fmt.Fprintf(&b, "\n// %s was %s %s.\nfunc (removedOperations) %s() {}\n\nvar _ = tombstones{}.%s\n", t.GoName, t.Method, oneLine(t.Path), t.GoName, t.GoName)
	}
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		return nil, fmt.Errorf("package %s: tombstones: %w", pkg, err)
	}
	return text, nil
}

// oneLine keeps a path from ending the comment that it stands in.
func oneLine(path string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, path)
}
