package acceptance

import (
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// suggested is what profile suggest says in JSON.
type suggested struct {
	Operations  struct{ Total, Implemented, With_suggestions int }
	Suggestions []struct {
		Operation, Reason, Line, X_backend string
		Implements                         bool
	}
}

func suggest(t *testing.T, args ...string) suggested {
	t.Helper()
	out, err := exec.Command(backend(t), append([]string{"profile", "suggest", "--output", "json"}, args...)...).Output()
	var s suggested
	if err != nil || json.Unmarshal(out, &s) != nil {
		t.Fatalf("profile suggest: %v\n%s", err, out)
	}
	return s
}

// TestSuggest: what a document leaves open is a stub with a line beside it, and the lines,
// taken as they are, make what they say they make: tables that keep what was asked and
// what is answered.
func TestSuggest(t *testing.T) {
	spec := filepath.Join(t.TempDir(), "desk.yaml")
	if err := os.WriteFile(spec, []byte(desk), 0o600); err != nil {
		t.Fatal(err)
	}
	project := scaffold(t, "desk", spec)
	before := suggest(t, project.Dir)
	want := map[string]string{
		"remind": "remind: {does: record}", "rate": "rate: {does: record}", "tidy": "tidy: {does: stub}", "load": "load: {does: store}",
		"loadOf": "loadOf: {does: store}", "export": "export: {does: stub}", "busiest": "busiest: {does: store}", "reopen it": `"reopen it": {does: record}`,
	}
	var lines []string
	for _, s := range before.Suggestions {
		if want[s.Operation] != s.Line || s.Implements == strings.Contains(s.Line, "stub") {
			t.Errorf("%s (%s): %s, implements %t", s.Operation, s.Reason, s.Line, s.Implements)
		}
		lines = append(lines, "  "+s.Line)
		delete(want, s.Operation)
	}
	if len(want) > 0 || before.Operations.Implemented != 3 || before.Operations.With_suggestions != 9 {
		t.Errorf("nothing for %v; %+v", want, before.Operations)
	}
	profile := filepath.Join(project.Dir, "backend.yaml")
	text, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(text), "operations: {}")
	_, rest, _ = strings.Cut(rest, "\n")
	lines = append(lines, "  remind2: {does: stub}") // which the document does not have
	if err := os.WriteFile(profile, []byte(head+"operations:\n"+strings.Join(lines, "\n")+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(backend(t), "scaffold", "update", project.Dir, "--output", "json").Output()
	var updated struct {
		Operations struct{ Implemented int }
		Warnings   []struct{ File, Rule, Message string }
	}
	if err != nil || json.Unmarshal(out, &updated) != nil || updated.Operations.Implemented != 9 {
		t.Fatalf("scaffold update: %v\n%s", err, out)
	}
	if w := updated.Warnings; len(w) != 1 || w[0].File != profile || w[0].Message != `the document has no operation "remind2"` {
		t.Errorf("warnings: %+v", w)
	}
	if after := suggest(t, project.Dir); len(after.Suggestions) != 0 || after.Operations.Implemented != 9 {
		t.Errorf("after all was accepted: %+v", after)
	}
	checkProject(t, project.Dir)
	testDesk(t, project.Dir)
	r := loadtest(t, project.Dir, "--rate", "100", "--duration", "3s")
	if r.Total.Requests == 0 || r.Total.Errors != 0 || r.Total.Violations != 0 {
		t.Errorf("load test: %+v", r.Total)
	}
}

func testDesk(t *testing.T, dir string) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	t.Setenv("EXAMPLE_ROWS", "true")
	s := run(t, dir, data)
	ticket := s.want(t, 201, "POST", "/tickets", `{"title": "it creaks", "status": "new"}`).field("id")
	for range 2 {
		if a := s.want(t, 202, "POST", "/tickets/"+ticket+"/remind", `{"id": "x", "text": "hurry"}`); len(a.Body) != 0 {
			t.Errorf("a reminder answers %s", a.Body)
		}
	}
	s.want(t, 404, "POST", "/tickets/none/remind", `{"id": "x", "text": "hurry"}`)
	s.want(t, 422, "POST", "/tickets/"+ticket+"/remind", `{"id": "x"}`)
	s.want(t, 204, "POST", "/tickets/"+ticket+"/reopen", "")
	if a := s.want(t, 200, "PUT", "/tickets/"+ticket+"/rating", `{"stars": 4}`); string(a.Body) != `{"stars":4}` {
		t.Errorf("a rating answers %s", a.Body)
	}
	if a := s.want(t, 200, "GET", "/load", ""); !strings.Contains(string(a.Body), `"open":`) {
		t.Errorf("the load, of which there is an example: %s", a.Body)
	}
	s.want(t, 404, "GET", "/tickets/"+ticket+"/load", "")
	if a := s.want(t, 200, "GET", "/stats/busiest", ""); strings.Count(string(a.Body), `"hour"`) != 3 {
		t.Errorf("the busiest hours: %s", a.Body)
	}
	s.stop()
	files, err := filepath.Glob(filepath.Join(data, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("databases: %v %v", files, err)
	}
	db, err := sql.Open("sqlite", files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for query, want := range map[string]string{
		`SELECT count(*) || ' ' || min(id) || ' ' || min(text) || ' ' || (min(recorded_at) > 0) FROM remind_requests WHERE ticket_id = ?`: "2 x hurry 1",
		`SELECT count(*) || '' FROM reopen_it_requests WHERE ticket_id = ?`:                                                               "1",
		`SELECT sum(stars) || '' FROM rate_requests WHERE ticket_id = ?`:                                                                  "4",
	} {
		var got string
		if err := db.QueryRowContext(t.Context(), query, ticket).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", query, got, want, err)
		}
	}
}

const desk = `openapi: 3.1.0
info: {title: Desk, version: "1"}
security: [{token: []}]
paths:
  /tickets:
    get: {operationId: list, tags: [desk], responses: {'200': {description: All., content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Ticket'}}}}}}}
    post:
      operationId: open
      tags: [desk]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Ticket'}}}}
      responses: {'201': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Ticket'}}}}}
    delete: {operationId: tidy, tags: [desk], responses: {'204': {description: Some are gone.}}}
  /tickets/{id}:
    parameters: &ticket [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: get, tags: [desk], responses: {'200': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Ticket'}}}}, '404': {description: None.}}}
  /tickets/{id}/remind:
    parameters: *ticket
    post:
      operationId: remind
      tags: [desk]
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [text], properties: {id: {type: string}, text: {type: string, maxLength: 20}}}}}}
      responses: {'202': {description: Somebody will.}, '404': {description: None.}}
  /tickets/{id}/reopen:
    parameters: *ticket
    post: {operationId: reopen it, tags: [desk], responses: {'204': {description: It is open., }, '404': {description: None.}}}
  /tickets/{id}/rating:
    parameters: *ticket
    put:
      operationId: rate
      tags: [desk]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Rating'}}}}
      responses: {'200': {description: Thanks., content: {application/json: {schema: {$ref: '#/components/schemas/Rating'}}}}, '404': {description: None.}}
  /tickets/{id}/load:
    parameters: *ticket
    get: {operationId: loadOf, tags: [desk], responses: {'200': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Load'}}}}, '404': {description: None.}}}
  /load:
    get: {operationId: load, tags: [desk], responses: {'200': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Load'}}}}}}
  /stats/busiest:
    get: {operationId: busiest, tags: [desk], responses: {'200': {description: Hours., content: {application/json: {schema: {type: array, items: {type: object, required: [hour], properties: {hour: {type: integer, minimum: 0, maximum: 23}}}}}}}}}
  /export:
    get: {operationId: export, tags: [desk], responses: {'200': {description: All., content: {text/csv: {schema: {type: string}}}}}}
components:
  securitySchemes: {token: {type: http, scheme: bearer}}
  schemas:
    Rating: {type: object, required: [stars], properties: {stars: {type: integer, minimum: 1, maximum: 5}}}
    Load: {type: object, required: [open], properties: {open: {type: integer, minimum: 0}, people: {type: integer, minimum: 0}}}
    Ticket:
      type: object
      required: [title]
      properties:
        id: {type: string, readOnly: true}
        title: {type: string, maxLength: 80}
        status: {type: string, enum: [new, waiting, done]}
`
