package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExampleRows: tables that nothing in the API writes are empty, and hold the rows of
// examples.json where the environment asks for them; a load test always does.
func TestExampleRows(t *testing.T) {
	spec := filepath.Join(t.TempDir(), "atlas.yaml")
	if err := os.WriteFile(spec, []byte(atlas), 0o600); err != nil {
		t.Fatal(err)
	}
	project := scaffold(t, "atlas", spec)
	data := filepath.Join(t.TempDir(), "data")
	empty := run(t, project.Dir, data)
	if a := empty.want(t, 200, "GET", "/rivers", ""); string(a.Body) != "[]" {
		t.Errorf("rivers that nobody asked for: %s", a.Body)
	}
	empty.stop()
	t.Setenv("EXAMPLE_ROWS", "true")
	s := run(t, project.Dir, data)
	if a := s.want(t, 200, "GET", "/rivers", ""); strings.Count(string(a.Body), `"id"`) != 3 {
		t.Errorf("rivers: %s", a.Body)
	}
	if a := s.want(t, 200, "GET", "/rivers/2/bridges", ""); strings.Count(string(a.Body), `"built"`) != 1 {
		t.Errorf("bridges: %s", a.Body)
	}
	s.want(t, 404, "GET", "/rivers/9", "")
	s.stop()
	rows := filepath.Join(project.Dir, "internal/maps/examples.json")
	text, err := os.ReadFile(rows)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(rows, []byte(strings.Replace(string(text), `"bridges": [`, `"bridges": [{"wide": 3},`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := run(t, project.Dir, filepath.Join(t.TempDir(), "data")) // starts all the same
	if a := wrong.want(t, 200, "GET", "/rivers/2/bridges", ""); string(a.Body) != "[]" {
		t.Errorf("bridges of which one is wrong: %s", a.Body)
	}
	if a := wrong.want(t, 200, "GET", "/rivers", ""); strings.Count(string(a.Body), `"id"`) != 3 {
		t.Errorf("rivers beside it: %s", a.Body)
	}
}

const atlas = `openapi: 3.1.0
info: {title: Atlas, version: "1"}
security: [{token: []}]
paths:
  /rivers:
    get:
      tags: [maps]
      responses: {'200': {description: All., content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/River'}}}}}}
  /rivers/{id}:
    get:
      tags: [maps]
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {'200': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/River'}}}}}
  /rivers/{id}/bridges:
    get:
      tags: [maps]
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {'200': {description: All., content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Bridge'}}}}}}
components:
  securitySchemes: {token: {type: http, scheme: bearer}}
  schemas:
    River:
      type: object
      required: [id, name, mouth]
      properties:
        id: {type: integer}
        name: {type: string, examples: [Oder]}
        mouth: {type: object, required: [lat], properties: {lat: {type: number, minimum: -90, maximum: 90}}}
    Bridge:
      type: object
      required: [built]
      properties: {built: {type: string, format: date}, arches: {type: [integer, 'null'], minimum: 1}}
`
