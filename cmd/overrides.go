package cmd

import (
	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/generator/update"
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
		for _, m := range update.Methods(st.FS(p.dir), service) {
			methods[service+"."+m.Name] = true
		}
	}
	out := map[string]bool{}
	for id, op := range lock.Operations {
		out[id] = methods[op.Package+"."+op.GoName]
	}
	return out, nil
}
