package acceptance

import (
	"strings"
	"testing"
)

// TestTenants: what a header names that every operation requires is whose rows are meant,
// in every setting: nothing of one tenant is seen, changed or deleted as another.
func TestTenants(t *testing.T) {
	project := scaffold(t, "tenants", repository+"/testdata/specs/good/tenants.yaml", "--set", "database.engine=postgres")
	if len(project.Stubs) > 0 {
		t.Errorf("stubs: %v", project.Stubs)
	}
	checkProject(t, project.Dir)
	for _, setting := range settings(t) {
		t.Run(setting.name, func(t *testing.T) {
			data := t.TempDir()
			s := run(t, project.Dir, data, setting)
			id := twoTenants(t, s)
			s.stop()
			s = run(t, project.Dir, data, setting)
			s.want(t, 200, "GET", "/v1/projects/"+id, "", "X-Tenant-ID: red")
			s.want(t, 404, "GET", "/v1/projects/"+id, "", "X-Tenant-ID: blue")
			s.stop()
			r := loadtest(t, project.Dir, "--rate", "60", "--duration", "3s", "--target", setting.target)
			if r.Total.Requests == 0 || r.Total.Errors != 0 || r.Total.Violations != 0 {
				t.Errorf("load test: %+v", r.Total)
			}
		})
	}
}

func twoTenants(t *testing.T, s *server) (project string) {
	t.Helper()
	const red, blue = "X-Tenant-ID: red", "X-Tenant-ID: blue"
	s.want(t, 422, "GET", "/v1/projects", "")
	s.want(t, 422, "GET", "/v1/projects", "", "X-Tenant-ID: x")
	project = s.want(t, 201, "POST", "/v1/projects", `{"name": "bridge"}`, red).field("id")
	path := "/v1/projects/" + project
	task := path + "/tasks/" + s.want(t, 201, "POST", path+"/tasks", `{"title": "piers"}`, red).field("id")
	for _, refused := range []struct{ method, path, body string }{
		{"GET", path, ""},
		{"PATCH", path, `{"name": "mine"}`},
		{"DELETE", path, ""},
		{"POST", path + "/archive", ""},
		{"GET", path + "/tasks", ""},
		{"POST", path + "/tasks", `{"title": "mine"}`},
		{"GET", task, ""},
		{"DELETE", task, ""},
	} {
		s.want(t, 404, refused.method, refused.path, refused.body, blue)
	}
	for header, want := range map[string]string{red: `{"count":1}`, blue: `{"count":0}`} {
		if a := s.want(t, 200, "GET", "/v1/projects/count", "", header); string(a.Body) != want {
			t.Errorf("%s: count %s", header, a.Body)
		}
		if a := s.want(t, 200, "GET", "/v1/projects?limit=1", "", header); strings.Contains(string(a.Body), "bridge") != (header == red) {
			t.Errorf("%s: projects %s", header, a.Body)
		}
	}
	// A key that clients choose, and one thing of a kind, are each tenant's own.
	s.want(t, 201, "PUT", "/v1/labels/urgent", `{"colour": "red"}`, red)
	s.want(t, 404, "GET", "/v1/labels/urgent", "", blue)
	s.want(t, 201, "PUT", "/v1/labels/urgent", `{"colour": "blue"}`, blue)
	s.want(t, 204, "DELETE", "/v1/labels/urgent", "", blue)
	if a := s.want(t, 200, "GET", "/v1/labels", "", red); string(a.Body) != `[{"name":"urgent","colour":"red"}]` {
		t.Errorf("labels: %s", a.Body)
	}
	s.want(t, 200, "PUT", "/v1/settings", `{"locale": "pl"}`, red)
	s.want(t, 404, "GET", "/v1/settings", "", blue)
	// Pages go on with a cursor that the document's own bounds would refuse.
	s.want(t, 201, "POST", "/v1/projects", `{"name": "tunnel"}`, red)
	first := s.want(t, 200, "GET", "/v1/projects?limit=1", "", red)
	if a := s.want(t, 200, "GET", "/v1/projects?limit=1&cursor="+first.field("nextCursor"), "", red); !strings.Contains(string(a.Body), "tunnel") || a.field("nextCursor") != "" {
		t.Errorf("the second page: %s", a.Body)
	}
	return project
}
