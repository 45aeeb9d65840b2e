package update

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/e6b96b0c/backend/generator/plan"
)

// structural brings go.mod and go.sum up to what the generated code needs, and
// leaves what the user added.
func (u *updater) structural(p string, next plan.File, was plan.LockFile) {
	u.keep(p, plan.Structural, plan.Hash(next.Data))
	disk := u.read(p)
	if disk == nil || u.unedited(p, was) {
		if disk == nil || !bytes.Equal(unix(disk), next.Data) {
			u.write(p, next.Data)
		}
		return
	}
	if p == "go.sum" {
		u.write(p, sums(disk, next.Data))
		return
	}
	merged, err := requirements(disk, next.Data)
	if err != nil {
		u.block("go-mod", p, err.Error(), "repair it (`go mod edit -fmt` says where it is broken), and update again")
		return
	}
	u.write(p, merged)
}

// requirements adds to a go.mod what another requires: modules that are missing, and
// later versions.
func requirements(disk, next []byte) ([]byte, error) {
	have, err := modfile.Parse("go.mod", disk, nil)
	if err != nil {
		return nil, fmt.Errorf("not a go.mod: %w", err)
	}
	need, err := modfile.Parse("go.mod", next, nil)
	if err != nil {
		return nil, fmt.Errorf("the generated go.mod: %w", err)
	}
	changed := false
	if have.Go == nil || semver.Compare("v"+have.Go.Version, "v"+need.Go.Version) < 0 {
		if err := have.AddGoStmt(need.Go.Version); err != nil {
			return nil, err
		}
		changed = true
	}
	required := slices.Clone(have.Require)
	for _, r := range need.Require {
		i := slices.IndexFunc(required, func(h *modfile.Require) bool { return h.Mod.Path == r.Mod.Path })
		switch {
		case i < 0:
			required = append(required, &modfile.Require{Mod: r.Mod, Indirect: r.Indirect})
		case semver.Compare(required[i].Mod.Version, r.Mod.Version) < 0 || required[i].Indirect && !r.Indirect:
			version := required[i].Mod.Version
			if semver.Compare(version, r.Mod.Version) < 0 {
				version = r.Mod.Version
			}
			required[i] = &modfile.Require{Mod: r.Mod, Indirect: required[i].Indirect && r.Indirect}
			required[i].Mod.Version = version
		default:
			continue
		}
		changed = true
	}
	if !changed {
		return disk, nil
	}
	have.SetRequireSeparateIndirect(required)
	have.Cleanup()
	return have.Format()
}

// sums joins the lines of two go.sum files.
func sums(disk, next []byte) []byte {
	have := strings.Split(strings.TrimSuffix(string(disk), "\n"), "\n")
	known := map[string]bool{}
	for _, line := range have {
		known[strings.TrimRight(line, "\r")] = true
	}
	missing := false
	for line := range strings.Lines(string(next)) {
		if line = strings.TrimSuffix(line, "\n"); !known[line] {
			have, missing = append(have, line), true
		}
	}
	if !missing {
		return disk
	}
	slices.Sort(have)
	return []byte(strings.TrimPrefix(strings.Join(have, "\n"), "\n") + "\n")
}
