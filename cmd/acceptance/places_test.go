package acceptance

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPlaces: what is stored beyond plain resources, through the real server: keys that
// clients choose within parents, envelopes, settings, members, states, lists of many.
func TestPlaces(t *testing.T) {
	project := scaffold(t, "places", repository+"/testdata/specs/good/places.yaml")
	for _, c := range project.Coverage {
		if stub := c.Operation == "withdrawNotice"; stub != (c.Status == "stub") {
			t.Errorf("%s: %s %s", c.Operation, c.Status, c.Reason)
		}
	}
	data := filepath.Join(t.TempDir(), "data")
	s := run(t, project.Dir, data)
	placesKeys(t, s)
	placesRest(t, s)
	if a := loadtest(t, project.Dir, "--rate", "50", "--duration", "3s"); a.Total.Errors != 0 || a.Total.Violations != 0 {
		t.Errorf("load test: %+v", a)
	}
}

func placesKeys(t *testing.T, s *server) {
	t.Helper()
	s.want(t, 201, "PUT", "/v1/regions/north", `{"title": "North"}`)
	s.want(t, 200, "PUT", "/v1/regions/north", `{"title": "The North"}`)
	s.want(t, 201, "PUT", "/v1/regions/south", `{"title": "South"}`)
	if a := s.want(t, 200, "GET", "/v1/regions/north", ""); a.field("title") != "The North" || a.field("region") != "north" {
		t.Errorf("region %s", a.Body)
	}
	s.want(t, 404, "PUT", "/v1/regions/west/sites/a", `{"data": {"address": "x"}}`)
	// The same name in two regions is two sites.
	for _, region := range []string{"north", "south"} {
		s.want(t, 200, "PUT", "/v1/regions/"+region+"/sites/a%2Fb", `{"data": {"address": "`+region+`", "contact": {"mail": "m@example.com"}}}`)
	}
	var site struct {
		Data struct {
			Site, Address string
			Contact       map[string]any
		}
	}
	decode := func(a answer) {
		if err := json.Unmarshal(a.Body, &site); err != nil {
			t.Fatal(err)
		}
	}
	decode(s.want(t, 200, "PATCH", "/v1/regions/south/sites/a%2Fb", `{"data": {"contact": {"mail": "n@example.com"}}}`))
	decode(s.want(t, 200, "GET", "/v1/regions/south/sites/a%2Fb", ""))
	if site.Data.Site != "a/b" || site.Data.Address != "south" || site.Data.Contact["mail"] != "n@example.com" || site.Data.Contact["verified"] != false {
		t.Errorf("site %+v", site.Data)
	}
	decode(s.want(t, 200, "GET", "/v1/regions/north/sites/a%2Fb", ""))
	if site.Data.Address != "north" || site.Data.Contact["mail"] != "m@example.com" {
		t.Errorf("the other region's site changed: %+v", site.Data)
	}
	s.want(t, 404, "POST", "/v1/regions/north/sites/none/rooms", `{"name": "r"}`)
	room := s.want(t, 201, "POST", "/v1/regions/north/sites/a%2Fb/rooms", `{"name": "r"}`).field("id")
	if a := s.want(t, 200, "GET", "/v1/rooms/"+room, ""); a.field("name") != "r" {
		t.Errorf("the room by its own path: %s", a.Body)
	}
	if a := s.want(t, 200, "GET", "/v1/regions/north/sites/a%2Fb/rooms", ""); strings.Count(string(a.Body), `"name"`) != 1 {
		t.Errorf("rooms %s", a.Body)
	}
	if a := s.want(t, 200, "GET", "/v1/regions/south/sites/a%2Fb/rooms", ""); string(a.Body) != "[]" {
		t.Errorf("rooms of another site: %s", a.Body)
	}
	s.want(t, 204, "DELETE", "/v1/regions/north/sites", "")
	s.want(t, 404, "GET", "/v1/regions/north/sites/a%2Fb", "")
	s.want(t, 404, "GET", "/v1/regions/north/sites/a%2Fb/rooms", "")
	s.want(t, 200, "GET", "/v1/regions/south/sites/a%2Fb", "")
}

func placesRest(t *testing.T, s *server) {
	t.Helper()
	s.want(t, 404, "GET", "/v1/regions/north/settings", "")
	s.want(t, 200, "PATCH", "/v1/regions/north/settings", `{"theme": "dark"}`)
	s.want(t, 200, "PATCH", "/v1/regions/north/settings", `{"limit": 3}`)
	if a := s.want(t, 200, "GET", "/v1/regions/north/settings", ""); a.field("theme") != "dark" || a.field("limit") != "3" {
		t.Errorf("settings %s", a.Body)
	}
	s.want(t, 404, "GET", "/v1/regions/south/settings", "")
	s.want(t, 404, "GET", "/v1/regions/north/members/ann", "")
	s.want(t, 204, "PUT", "/v1/regions/north/members/ann", "")
	s.want(t, 204, "PUT", "/v1/regions/north/members/ann", "")
	s.want(t, 204, "GET", "/v1/regions/north/members/ann", "")
	s.want(t, 404, "GET", "/v1/regions/south/members/ann", "")
	s.want(t, 204, "DELETE", "/v1/regions/north/members/ann", "")
	s.want(t, 404, "GET", "/v1/regions/north/members/ann", "")

	id := s.want(t, 201, "POST", "/v1/notices", `{"text": "one"}`).field("id")
	s.want(t, 422, "POST", "/v1/notices/batch", `[{"text": "two"}, {}]`)
	s.want(t, 204, "POST", "/v1/notices/batch", `[{"text": "two"}, {"text": "three"}]`)
	if a := s.want(t, 200, "GET", "/v1/notices", ""); strings.Count(string(a.Body), `"draft"`) != 3 {
		t.Errorf("notices %s", a.Body)
	}
	if a := s.want(t, 200, "POST", "/v1/notices/"+id+"/publish", ""); a.field("status") != "published" {
		t.Errorf("published %s", a.Body)
	}
	s.want(t, 204, "POST", "/v1/notices/"+id+"/pin", "")
	if a := s.want(t, 200, "GET", "/v1/notices/"+id, ""); a.field("status") != "published" || a.field("pinned") != "true" || a.field("text") != "one" {
		t.Errorf("notice %s", a.Body)
	}
	s.want(t, 501, "POST", "/v1/notices/"+id+"/withdraw", "")
	if a := s.want(t, 200, "GET", "/v1/codes", ""); !slices.Equal(a.Body, []byte("[]")) {
		t.Errorf("codes %s", a.Body)
	}
	s.want(t, 204, "DELETE", "/v1/regions/south", "")
	s.want(t, 404, "GET", "/v1/regions/south/sites/a%2Fb", "")
}
