package plan_test

import (
	"encoding/json"
	"testing"

	"github.com/e6b96b0c/backend/generator/plan"
)

func TestNewRefusesBadPaths(t *testing.T) {
	for _, bad := range []string{"", ".", "..", "../x", "/x", "a/../../x", "a//b", "a/./b", "a/", `a\b`, "a\x00b"} {
		if _, err := plan.New([]plan.File{{Path: bad}}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	for _, twice := range []string{"a/b", "A/b"} { // some file systems fold case
		if _, err := plan.New([]plan.File{{Path: "a/b"}, {Path: "B"}, {Path: twice}}); err == nil {
			t.Errorf("a/b and %s were both taken", twice)
		}
	}
	p, err := plan.New([]plan.File{{Path: "b..c"}, {Path: ".github/x"}, {Path: "...x"}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Files[0].Path != "...x" || p.Files[2].Path != "b..c" {
		t.Errorf("not sorted: %v", p.Files)
	}
}

func TestLock(t *testing.T) {
	p, err := plan.New([]plan.File{
		{Path: "README.md", Data: []byte("hello\n"), Owner: plan.Shared}, {Path: "x.gen.go", Data: []byte("package x\n\n"), Owner: plan.Owned},
	})
	if err != nil {
		t.Fatal(err)
	}
	locked, err := p.WithLock(plan.Lock{Generator: "v1", Spec: "s"})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range locked.Files {
		files[f.Path] = string(f.Data)
	}
	if len(files) != 4 || files[".backend/base/README.md"] != "hello\n" {
		t.Fatalf("files %v", files)
	}
	var lock plan.Lock
	if err := json.Unmarshal([]byte(files[".backend/lock.json"]), &lock); err != nil {
		t.Fatal(err)
	}
	want := plan.LockFile{Owner: plan.Owned, Hash: plan.Hash([]byte("package x\n\n"))}
	if lock.Version != plan.LockVersion || len(lock.Files) != 2 || lock.Files["x.gen.go"] != want {
		t.Errorf("lock %+v", lock)
	}
	if n := p.Lines(func(path string) bool { return path != "README.md" }); n != 2 {
		t.Errorf("%d lines", n)
	}
}
