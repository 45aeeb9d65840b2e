package acceptance

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOdds: what is easily taken for something else, through the real server: an action
// that answers its item, counts in an object of the envelope, paths that end in .json,
// settings that a PATCH makes, a PUT beside a POST, a path that becomes a property.
func TestOdds(t *testing.T) {
	project := scaffold(t, "odds", repository+"/testdata/specs/good/odds.yaml")
	for _, c := range project.Coverage {
		if c.Status == "stub" {
			t.Errorf("%s is a stub: %s", c.Operation, c.Reason)
		}
		if want := map[string][]string{"addJob": {"secret"}, "cancelJob": {"by"}}[c.Operation]; !slices.Equal(c.NotKept, want) {
			t.Errorf("%s does not keep %v, want %v", c.Operation, c.NotKept, want)
		}
	}
	checkProject(t, project.Dir)
	s := run(t, project.Dir, filepath.Join(t.TempDir(), "data"))
	const form = "Content-Type: application/x-www-form-urlencoded"
	for _, name := range []string{"dig", "fill", "pave"} {
		s.want(t, 201, "POST", "/jobs.json", "name="+name+"&due=2026-12-01&secret=x", form)
	}
	s.want(t, 422, "POST", "/jobs.json", "name=x&due=soon", form)
	if a := s.want(t, 200, "GET", "/jobs.json?page=2", ""); !strings.Contains(string(a.Body), `"meta":{"total":3,"page":2,"pages":2}`) || !strings.Contains(string(a.Body), "pave") {
		t.Errorf("the second page: %s", a.Body)
	}
	if a := s.want(t, 200, "POST", "/jobs/2/cancel", `{"reason": "rain", "by": "me"}`); string(a.Body) != `{"id":2,"name":"fill","due":"2026-12-01","status":"cancelled","reason":"rain"}` {
		t.Errorf("cancelled: %s", a.Body)
	}
	if a := s.want(t, 200, "POST", "/jobs/2/cancel", ""); a.field("reason") != "rain" {
		t.Errorf("cancelled again: %s", a.Body)
	}
	s.want(t, 404, "POST", "/jobs/9/cancel", "")
	if a := s.want(t, 200, "GET", "/jobs/2.json", ""); a.field("status") != "cancelled" {
		t.Errorf("afterwards: %s", a.Body)
	}
	if a := s.want(t, 200, "DELETE", "/jobs/2.json", ""); string(a.Body) != `{"id":2}` { // a name is no success
		t.Errorf("dropped: %s", a.Body)
	}
	s.want(t, 404, "GET", "/settings", "")
	if a := s.want(t, 200, "PATCH", "/settings", `{"size": 3}`); string(a.Body) != `{"theme":"light","size":3}` {
		t.Errorf("settings: %s", a.Body)
	}
	s.want(t, 201, "PUT", "/albums/first-one", `{"slug": "first-one", "title": "One"}`)
	s.want(t, 200, "PUT", "/albums/first-one", `{"slug": "first-one", "title": "Uno"}`)
	s.want(t, 409, "POST", "/albums", `{"slug": "first-one", "title": "again"}`)
	s.want(t, 422, "POST", "/rooms/cellar/bookings", `{"day": "2026-12-01"}`)
	if a := s.want(t, 201, "POST", "/rooms/B101/bookings", `{"day": "2026-12-01"}`); a.field("code") != "B101" {
		t.Errorf("booked: %s", a.Body)
	}
	if a := s.want(t, 200, "GET", "/rooms/cellar/bookings", ""); string(a.Body) != "[]" {
		t.Errorf("bookings of no room: %s", a.Body)
	}
	if a := loadtest(t, project.Dir, "--rate", "50", "--duration", "3s"); a.Total.Requests == 0 || a.Total.Errors != 0 || a.Total.Violations != 0 {
		t.Errorf("load test: %+v", a)
	}
}
