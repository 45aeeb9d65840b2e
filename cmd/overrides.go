package cmd

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"

	"github.com/e6b96b0c/backend/cmd/state"
)

// overrides lists the operations that the user has written: methods on *Service
// in files that the generator does not own.
func (p *project) overrides(st *state.State) (map[string]bool, error) {
	lock, err := p.lock(st)
	if err != nil {
		return nil, err
	}
	methods := map[string]bool{} // "orders.CancelOrder"
	for _, service := range st.ListDir(projectFile(p.dir, "internal")) {
		dir := projectFile(p.dir, "internal/"+service)
		for _, name := range st.ListDir(dir) {
			if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".gen.go") && !strings.HasSuffix(name, "_test.go") {
				text, err := st.ReadFile(filepath.Join(dir, name))
				if err == nil {
					serviceMethods(text, service, methods)
				}
			}
		}
	}
	out := map[string]bool{}
	for id, op := range lock.Operations {
		out[id] = methods[op.Package+"."+op.GoName]
	}
	return out, nil
}

// serviceMethods adds the methods that a file declares on *Service.
func serviceMethods(text []byte, service string, methods map[string]bool) {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return // the compiler will say
	}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv == nil || len(f.Recv.List) != 1 {
			continue
		}
		receiver := f.Recv.List[0].Type
		if star, ok := receiver.(*ast.StarExpr); ok {
			receiver = star.X
		}
		if id, ok := receiver.(*ast.Ident); ok && id.Name == "Service" {
			methods[service+"."+f.Name.Name] = true
		}
	}
}
