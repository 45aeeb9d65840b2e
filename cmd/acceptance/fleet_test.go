package acceptance

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFleet: what documents say of many rows at once, of states and flags, of keys of a
// form of their own, of counts and of searches, through the real server.
func TestFleet(t *testing.T) {
	project := scaffold(t, "fleet", repository+"/testdata/specs/good/fleet.yaml")
	for _, c := range project.Coverage {
		if stub := c.Operation == "honk"; stub != (c.Status == "stub") {
			t.Errorf("%s: %s %s", c.Operation, c.Status, c.Reason)
		}
	}
	s := run(t, project.Dir, filepath.Join(t.TempDir(), "data"))
	vehicles(t, s)
	drivers(t, s)
	if a := loadtest(t, project.Dir, "--rate", "50", "--duration", "3s"); a.Total.Errors != 0 || a.Total.Violations != 0 {
		t.Errorf("load test: %+v", a)
	}
}

func vehicles(t *testing.T, s *server) {
	t.Helper()
	var sids []string
	for _, body := range []string{`{"name": "Red VAN", "note": "old"}`, `{"name": "blue van"}`, `{"name": "tram"}`} {
		sid := s.want(t, 201, "POST", "/vehicles", body).field("sid")
		if !regexp.MustCompile(`^VH[0-9a-f]{32}$`).MatchString(sid) {
			t.Fatalf("key %s", sid)
		}
		sids = append(sids, sid)
	}
	get := func(path string) string {
		t.Helper()
		return string(s.want(t, 200, "GET", path, "", "X-Api-Key: abc").Body)
	}
	s.want(t, 422, "GET", "/vehicles", "")
	if a := get("/vehicles?q=Van"); strings.Count(a, `"sid"`) != 2 || strings.Contains(a, "tram") {
		t.Errorf("search: %s", a)
	}
	if a := get("/vehicles?q=a"); strings.Count(a, `"sid"`) != 2 {
		t.Errorf("a list has at most two: %s", a)
	}
	if a := get("/vehicles?q=OLD"); strings.Count(a, `"sid"`) != 1 {
		t.Errorf("search in notes: %s", a)
	}
	if a := get("/vehicles?q=%25"); a != "[]" {
		t.Errorf("search for %%: %s", a)
	}
	// All of them change, or none.
	s.want(t, 404, "PATCH", "/vehicles", `{"keys": ["`+sids[0]+`", "VHnone"], "data": {"note": "new"}}`)
	if a := get("/vehicles/" + sids[0]); !strings.Contains(a, `"old"`) {
		t.Errorf("half of a change: %s", a)
	}
	changed := string(s.want(t, 200, "PATCH", "/vehicles", `{"keys": ["`+sids[2]+`", "`+sids[0]+`", "`+sids[2]+`"], "data": {"note": null, "name": "both"}}`).Body)
	if strings.Count(changed, `"both"`) != 2 || strings.Index(changed, sids[2]) > strings.Index(changed, sids[0]) || strings.Contains(changed, "old") {
		t.Errorf("changed: %s", changed)
	}
	for verb, state := range map[string]string{"start": "Running", "stop": "Stopped"} {
		if a := s.want(t, 200, "POST", "/vehicles/"+sids[0]+"/"+verb, ""); !strings.Contains(string(a.Body), `"state":"`+state+`"`) {
			t.Errorf("%s: %s", verb, a.Body)
		}
	}
	s.want(t, 501, "POST", "/vehicles/"+sids[0]+"/honk", "")
	s.want(t, 404, "POST", "/vehicles/VH"+strings.Repeat("0", 32)+"/start", "")
	s.want(t, 204, "PUT", "/vehicles/"+sids[1]+"/archive", "")
	for path, want := range map[string]string{"/vehicles/count": "3", "/vehicles/count?archived=true": "1", "/vehicles/count?archived=false&q=BOTH": "2"} {
		if n := s.want(t, 200, "GET", path, "").field("count"); n != want {
			t.Errorf("%s: %s, want %s", path, n, want)
		}
	}
	s.want(t, 204, "DELETE", "/vehicles/"+sids[1]+"/archive", "")
	if n := s.want(t, 200, "GET", "/vehicles/count?archived=true", "").field("count"); n != "0" {
		t.Errorf("archived: %s", n)
	}
	s.want(t, 404, "DELETE", "/vehicles", `["`+sids[0]+`", "VHnone"]`)
	s.want(t, 204, "DELETE", "/vehicles", `["`+sids[0]+`", "`+sids[0]+`", "`+sids[1]+`"]`)
	if n := s.want(t, 200, "GET", "/vehicles/count", "").field("count"); n != "1" {
		t.Errorf("left: %s", n)
	}
}

func drivers(t *testing.T, s *server) {
	t.Helper()
	for _, name := range []string{"Ada", "Bob", "Cyd", "Dan"} {
		s.want(t, 201, "POST", "/drivers", `{"name": "`+name+`"}`)
	}
	if a := s.want(t, 200, "GET", "/drivers/2", ""); a.field("name") != "Bob" {
		t.Errorf("driver: %s", a.Body)
	}
	s.want(t, 404, "GET", "/drivers/bob", "")
	if a := s.want(t, 200, "GET", "/drivers/search?q=aD", ""); strings.Count(string(a.Body), `"id"`) != 1 {
		t.Errorf("search: %s", a.Body)
	}
	s.want(t, 422, "GET", "/drivers/search", "")
	if a := s.want(t, 200, "POST", "/drivers/1/deactivate", ""); a.field("active") != "false" {
		t.Errorf("deactivated: %s", a.Body)
	}
	s.want(t, 200, "DELETE", "/drivers?ids=1,3", "")
	s.want(t, 204, "POST", "/drivers/bulk-delete", `{"driverIds": [4]}`)
	s.want(t, 204, "POST", "/drivers/bulk-delete", "")
	if a := s.want(t, 200, "GET", "/drivers", ""); strings.Count(string(a.Body), `"id"`) != 1 {
		t.Errorf("left: %s", a.Body)
	}
}
