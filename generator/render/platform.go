package render

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/plan"
)

// platformImport is the import path of the platform packages in this repository.
const platformImport = "github.com/e6b96b0c/backend/templates/platform/"

// platform copies the packages that roots need, directly or through one another,
// into internal/platform, with import paths rewritten. Tests, adapters' metadata
// and conformance suites stay behind, and so do the settings of a package that is not
// copied: config/webhook.go goes with package webhook.
func platform(source fs.FS, module string, roots []string) ([]plan.File, error) {
	var files []plan.File
	done := map[string]bool{}
	queue := append([]string(nil), roots...)
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if done[name] {
			continue
		}
		done[name] = true
		copied, needs, err := platformPackage(source, module, name)
		if err != nil {
			return nil, err
		}
		files = append(files, copied...)
		queue = append(queue, needs...)
	}
	return slices.DeleteFunc(files, func(f plan.File) bool {
		return f.Path == "internal/platform/config/webhook.go" && !done["webhook"]
	}), nil
}

func platformPackage(source fs.FS, module, name string) (files []plan.File, needs []string, err error) {
	dir := path.Join("platform", name)
	entries, err := fs.ReadDir(source, dir)
	if err != nil {
		return nil, nil, fmt.Errorf("platform package %s: %w", name, err)
	}
	for _, e := range entries {
		switch base := e.Name(); {
		case e.IsDir(), strings.HasSuffix(base, "_test.go"), base == "adapter.yaml", base == "README.md":
			continue
		default:
			data, err := fs.ReadFile(source, path.Join(dir, base))
			if err != nil {
				return nil, nil, err
			}
			if strings.HasSuffix(base, ".go") {
				var imports []string
				data, imports, err = rewriteImports(data, module)
				if err != nil {
					return nil, nil, fmt.Errorf("%s/%s: %w", dir, base, err)
				}
				needs = append(needs, imports...)
			}
			files = append(files, plan.File{Path: path.Join("internal/platform", name, base), Data: data, Owner: plan.Owned})
		}
	}
	// Folders that the package embeds come along.
	for _, e := range entries {
		if e.IsDir() && (e.Name() == "migrations" || e.Name() == "assets") {
			err = fs.WalkDir(source, path.Join(dir, e.Name()), func(p string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				data, err := fs.ReadFile(source, p)
				files = append(files, plan.File{Path: "internal/" + p, Data: data, Owner: plan.Owned})
				return err
			})
			if err != nil {
				return nil, nil, err
			}
		}
	}
	return files, needs, nil
}

// rewriteImports points a platform file's imports at the generated module and
// returns the platform packages that it imports. Only import specs change.
func rewriteImports(src []byte, module string) (out []byte, needs []string, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ImportsOnly)
	if err != nil {
		return nil, nil, err
	}
	type edit struct {
		from, to int
		text     string
	}
	var edits []edit
	for _, spec := range file.Imports {
		value, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, nil, err
		}
		name, ok := strings.CutPrefix(value, platformImport)
		if !ok {
			continue
		}
		needs = append(needs, name)
		edits = append(edits, edit{
			from: fset.Position(spec.Path.Pos()).Offset, to: fset.Position(spec.Path.End()).Offset,
			text: strconv.Quote(module + "/internal/platform/" + name),
		})
	}
	sort.Slice(edits, func(i, j int) bool { return edits[i].from < edits[j].from })
	last := 0
	for _, e := range edits {
		out = append(out, src[last:e.from]...)
		out = append(out, e.text...)
		last = e.to
	}
	return append(out, src[last:]...), needs, nil
}
