package update

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	yamlparser "github.com/goccy/go-yaml/parser"

	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
)

// files decides every file that the generator wrote or would write.
func (u *updater) files() {
	u.before.blocked, u.before.conflicts, u.before.notes = len(u.result.Blocked), len(u.result.Conflicts), len(u.result.Notes)
	paths := map[string]bool{}
	for p := range u.wanted {
		paths[p] = true
	}
	for p := range u.Lock.Files {
		paths[p] = true
	}
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		next, wanted := u.wanted[p]
		was, known := u.Lock.Files[p]
		owner := was.Owner
		if wanted {
			owner = next.Owner
		}
		switch {
		case owner == plan.Owned:
			u.owned(p, next, was, wanted, known)
		case owner == plan.Append:
			u.appended(p, next, was, wanted, known)
		case owner == plan.Yours:
			u.yours(p, next, was, wanted, known)
		case owner == plan.Structural && wanted:
			u.structural(p, next, was)
		case owner == plan.Shared:
			u.shared(p, next, was, wanted, known)
		}
	}
}

// unedited reports whether a file stands as the generator wrote it. A checkout that
// changed the line ends did not edit it.
func (u *updater) unedited(p string, was plan.LockFile) bool {
	data := u.read(p)
	return data != nil && (plan.Hash(data) == was.Hash || bytes.Contains(data, []byte("\r\n")) && plan.Hash(unix(data)) == was.Hash)
}

func unix(data []byte) []byte { return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")) }

func (u *updater) keep(p string, owner plan.Owner, hash string) {
	u.next.Files[p] = plan.LockFile{Owner: owner, Hash: hash}
}

func (u *updater) owned(p string, next plan.File, was plan.LockFile, wanted, known bool) {
	disk := u.read(p)
	if wanted {
		u.keep(p, plan.Owned, plan.Hash(next.Data))
	}
	switch {
	case disk == nil && !wanted, wanted && bytes.Equal(disk, next.Data):
	case disk == nil || known && u.unedited(p, was):
		if !wanted {
			u.remove(p)
		} else if disk == nil || !bytes.Equal(unix(disk), next.Data) {
			u.write(p, next.Data)
		}
	case known:
		hint := "move your change to a file of your own, then delete this one or `git checkout` it, and update again"
		if strings.HasPrefix(p, "internal/") && !strings.HasPrefix(p, "internal/platform/") {
			hint = "move your change to " + path.Dir(p) + "/service.go, then delete this file or `git checkout` it, and update again"
		}
		u.block("owned-edited", p, "this file belongs to the generator, and somebody edited it", hint)
	default:
		u.block("owned-taken", p, "the generator needs this name for a file of its own", "rename yours, and update again")
	}
}

// appended holds migrations to what they were: databases have run them.
func (u *updater) appended(p string, next plan.File, was plan.LockFile, wanted, known bool) {
	service := u.serviceOf(p)
	switch {
	case wanted && !known:
		u.keep(p, plan.Append, plan.Hash(next.Data))
		if disk := u.read(p); disk != nil && !bytes.Equal(disk, next.Data) {
			u.block("owned-taken", p, "the generator needs this name for a file of its own", "rename yours, and update again")
			return
		}
		u.write(p, next.Data)
	case u.gone[service]:
		if u.Prune && (u.unedited(p, was) || u.read(p) == nil) {
			u.remove(p)
			delete(u.next.Services, service)
			return
		}
		u.keep(p, plan.Append, was.Hash)
	case u.read(p) == nil:
		u.block("migration-missing", p, "this migration is gone, and databases may have run it", "restore it from version control")
	case !u.unedited(p, was):
		u.block("migration-edited", p, "this migration was edited after it was written, and databases may have run it", "`git checkout` it, and write your change as a migration of its own beside it")
	default:
		u.keep(p, plan.Append, was.Hash)
	}
}

// yours are files that are written once. What the user deleted stays deleted, but
// for the type that the generated code of a service stands on.
func (u *updater) yours(p string, next plan.File, was plan.LockFile, wanted, known bool) {
	disk := u.read(p)
	_, replaced := u.Replace[p]
	service := path.Base(p) == "service.go"
	switch {
	case wanted && (replaced || disk == nil && !known):
		u.keep(p, plan.Yours, plan.Hash(next.Data))
		if disk == nil && service && u.declares(path.Dir(p), "Service") {
			return
		}
		u.write(p, next.Data)
	case wanted && disk == nil && service && !u.declares(path.Dir(p), "Service"):
		u.keep(p, plan.Yours, plan.Hash(next.Data))
		u.note("service-restored", p, "the service has no type Service any more: this file is written anew", "")
		u.write(p, next.Data)
	case wanted && known:
		u.keep(p, plan.Yours, was.Hash)
	case wanted: // the user was here first
		u.keep(p, plan.Yours, plan.Hash(next.Data))
	case disk == nil:
		if !u.sweep {
			u.keep(p, plan.Yours, was.Hash)
		}
	case u.unedited(p, was) && (service || u.Prune):
		// Without its generated half, a service that nobody edited would only break the build.
		u.remove(p)
	default:
		u.keep(p, plan.Yours, was.Hash)
		switch {
		case service:
			u.result.Overrides = append(u.result.Overrides, &problem.Problem{
				Code: "service-removed", File: p, Line: 1, Message: fmt.Sprintf("the document has no service %s any more, and you edited this file", u.serviceOf(p)),
				Hint: "move what you need to another service, then delete the folder " + path.Dir(p),
			})
		case u.Prune:
			u.note("prune-kept", p, "nothing needs this file any more, but you edited it: it stays", "delete it yourself")
		}
	}
}

func (u *updater) shared(p string, next plan.File, was plan.LockFile, wanted, known bool) {
	disk, baseFile := u.read(p), plan.BaseDir+p
	if !wanted {
		u.remove(baseFile)
		if disk != nil && u.unedited(p, was) {
			u.remove(p)
		} else if disk != nil {
			u.note("shared-yours", p, "this file is generated no more, and you edited it: it stays, and is yours from now on", "")
		}
		return
	}
	base := u.read(baseFile)
	if !known || base != nil && plan.Hash(base) != was.Hash {
		base = nil
	}
	if disk != nil {
		if marks := plan.Marks(string(disk)); len(marks) > 0 {
			u.conflict(p, marks, "this conflict of an earlier update is not decided yet")
			u.keep(p, plan.Shared, was.Hash)
			return
		}
	}
	u.keep(p, plan.Shared, plan.Hash(next.Data))
	u.write(baseFile, next.Data)
	switch {
	case disk == nil && known:
		u.note("shared-deleted", p, "you deleted this file: it stays deleted", "copy "+baseFile+" to have it back")
	case disk == nil || known && u.unedited(p, was):
		if disk == nil || !bytes.Equal(unix(disk), next.Data) {
			u.write(p, next.Data)
		}
	case bytes.Equal(disk, next.Data):
	case base != nil && bytes.Equal(base, next.Data):
	default:
		u.merge(p, base, disk, next.Data)
	}
}

// merge writes what the user and the generator made of a shared file.
func (u *updater) merge(p string, base, disk, next []byte) {
	why := "your change and the generator's are to the same lines"
	var merged string
	var conflicts []int
	if base == nil {
		why = "there is no copy in .backend/base to merge from"
		merged, conflicts = plan.Compare(string(disk), string(next))
	} else {
		merge := plan.Merge
		if isYAML(p) {
			merge = plan.MergeYAML
		}
		merged, conflicts = merge(string(base), string(disk), string(next))
		if fault := fault(p, []byte(merged)); len(conflicts) == 0 && fault != "" {
			why = "merged line by line it would not be sound: " + fault
			merged, conflicts = plan.MergeMarked(string(base), string(disk), string(next))
			if len(conflicts) == 0 { // the user's own text does not parse
				conflicts = []int{1}
			}
		}
	}
	if len(conflicts) > 0 {
		u.conflict(p, conflicts, why)
	}
	u.write(p, []byte(merged))
}

func (u *updater) conflict(p string, lines []int, why string) {
	for _, line := range lines {
		u.result.Conflicts = append(u.result.Conflicts, &problem.Problem{
			Code: "merge-conflict", File: p, Line: line, Column: 1, Message: why, Hint: "decide between the marks, take them out, and update again",
		})
	}
}

func isYAML(p string) bool { return path.Ext(p) == ".yaml" || path.Ext(p) == ".yml" }

// fault says why a file of a kind that we can read does not parse, "" when it does.
func fault(p string, data []byte) string {
	switch {
	case path.Ext(p) == ".go":
		if _, err := parser.ParseFile(token.NewFileSet(), path.Base(p), data, parser.SkipObjectResolution); err != nil {
			return err.Error()
		}
	case isYAML(p):
		if _, err := yamlparser.ParseBytes(data, 0); err != nil {
			return strings.SplitN(err.Error(), "\n", 2)[0]
		}
		var v any
		if err := yaml.Unmarshal(data, &v); err != nil {
			return strings.SplitN(err.Error(), "\n", 2)[0]
		}
	}
	return ""
}
