package update

import (
	"fmt"
	"maps"
	"slices"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/plan"
)

// operations compares the operations that were with those that are.
func (u *updater) operations() {
	out := &u.result.Operations
	was, is := u.Lock.Operations, u.Fresh.Operations
	routes := map[string]string{} // of operations with a new id
	for _, id := range slices.Sorted(maps.Keys(is)) {
		if _, known := was[id]; !known {
			routes[route(is[id])] = id
		}
	}
	renamed := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(was)) {
		op := was[id]
		now, still := is[id]
		to, again := routes[route(op)]
		switch {
		case still && now.Service != op.Service:
			out.Moved = append(out.Moved, Move{Operation: id, GoName: op.GoName, From: op.Service, To: now.Service})
		case still:
		case again:
			renamed[to] = true
			out.Renamed = append(out.Renamed, Rename{From: id, To: to, Method: op.Method, Path: op.Path, Package: is[to].Package, GoFrom: op.GoName, GoTo: is[to].GoName})
		default:
			out.Removed = append(out.Removed, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(is)) {
		if _, known := was[id]; !known && !renamed[id] {
			out.Added = append(out.Added, id)
		}
	}
	u.stubs()
	u.moves()
	for _, s := range u.Project.Stays {
		if u.Lock.Spec != u.Fresh.Spec {
			u.note("service-stays", "", fmt.Sprintf("%s is tagged %s, and stays in service %s, where its rows are", s.Path, s.Tagged, s.Service),
				fmt.Sprintf("if it is to move without them, say so in backend.yaml: services: {%s: {tags: [%s]}}", s.Tagged, s.Tagged))
		}
	}
}

// stubs tells of operations that work no more as the document is now.
func (u *updater) stubs() {
	for _, c := range u.Project.Coverage {
		was, known := u.Lock.Operations[c.Operation.ID]
		if known && c.Status == model.Stubbed && was.Status == "implemented" {
			u.note("operation-stub", "", fmt.Sprintf("%s (%s %s) worked, and is a stub now: %s", c.Operation.ID, c.Operation.Method, c.Operation.Path, c.Reason),
				"override it in internal/"+was.Package+", or change the document")
		}
	}
}

func route(op plan.LockOperation) string { return op.Method + " " + op.Path }

// moves tells of tables that another service has now: it has a database of its own,
// so their rows stay behind.
func (u *updater) moves() {
	for _, to := range slices.Sorted(maps.Keys(u.Fresh.Services)) {
		for _, t := range u.Fresh.Services[to].Tables {
			if hasTable(u.Lock.Services[to], t.Name) {
				continue
			}
			for _, from := range slices.Sorted(maps.Keys(u.Lock.Services)) {
				if from != to && hasTable(u.Lock.Services[from], t.Name) && !hasTable(u.Fresh.Services[from], t.Name) {
					u.note("table-moved", "", fmt.Sprintf("%s moved from service %s to %s, which has a database of its own: its rows stay where they are", t.Name, from, to),
						fmt.Sprintf("to keep them in use, name the service in backend.yaml: services: {%s: {tags: [%s]}}", from, to))
				}
			}
		}
	}
}

func hasTable(s plan.LockService, name string) bool {
	for _, t := range s.Tables {
		if t.Name == name && !t.Unused {
			return true
		}
	}
	return false
}
