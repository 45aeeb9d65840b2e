package update

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/schema"
)

// migrations writes what turns the tables of each service into those that its code
// wants now. A number means the same on every engine.
func (u *updater) migrations() {
	used := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(u.Fresh.Services)) {
		s := u.Fresh.Services[name]
		was, known := u.Lock.Services[name]
		folder := "internal/" + s.Package + "/migrations/"
		change := schema.Compare(was.Tables, s.Tables, u.Schema)
		maps.Copy(used, change.Used)
		var migrated []model.Engine
		for _, e := range u.engines() {
			switch {
			case known && u.migrates(folder+e.Name):
				migrated = append(migrated, e)
			case slices.ContainsFunc(u.Project.Engines, func(c model.Engine) bool { return c.Name == e.Name }):
				u.migration(folder+e.Name+"/0001_init.sql", schema.Init(e, change.After))
			}
		}
		s.Tables = change.After
		u.next.Services[name] = s
		if len(migrated) > 0 {
			u.carry(folder, change, migrated)
		}
	}
	for _, from := range slices.Sorted(maps.Keys(u.Schema.Renames)) {
		if !used[from] {
			u.block("rename-unknown", "", fmt.Sprintf("--rename %s=%s: no table lost the one and got the other", from, u.Schema.Renames[from]),
				"write TABLE.OLD=NEW for a column, OLD=NEW for a table, with the names of the migrations")
		}
	}
}

// engines are those that are compiled in, then those that could be: a project that
// let go of one keeps its migrations up to date.
func (u *updater) engines() []model.Engine {
	return append(slices.Clone(u.Project.Engines), u.Project.Addable...)
}

// migrates reports whether migrations for an engine were written before.
func (u *updater) migrates(folder string) bool {
	for p := range u.Lock.Files {
		if strings.HasPrefix(p, folder+"/") {
			return true
		}
	}
	return false
}

// carry writes a change for every engine, when one of them has something to do.
func (u *updater) carry(folder string, change *schema.Change, engines []model.Engine) {
	statements := make([]string, len(engines))
	some := false
	for i, e := range engines {
		statements[i] = change.SQL(e)
		some = some || statements[i] != ""
	}
	name := fmt.Sprintf("%04d_update.sql", u.number(folder))
	file := ""
	for i, e := range engines {
		if some {
			file = folder + e.Name + "/" + name
			u.migration(file, change.Migration(statements[i]))
		}
	}
	for _, n := range change.Notes {
		u.result.Notes = append(u.result.Notes, &problem.Problem{Code: n.Code, File: file, Message: n.Text, Hint: n.Hint})
	}
}

func (u *updater) migration(path string, text []byte) {
	u.wanted[path] = plan.File{Path: path, Data: text, Owner: plan.Append}
	u.result.Migrations = append(u.result.Migrations, path)
}

// number is the next number of a migration, of any engine: the user may have written
// some, too.
func (u *updater) number(folder string) int {
	highest := 0
	for _, e := range u.engines() {
		entries, err := fs.ReadDir(u.Dir, folder+e.Name)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			digits, _, _ := strings.Cut(entry.Name(), "_")
			if n, err := strconv.Atoi(digits); err == nil {
				highest = max(highest, n)
			}
		}
	}
	return highest + 1
}
