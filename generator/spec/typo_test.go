package spec

import (
	"strings"
	"testing"
)

func loadText(text string) (*Document, error) {
	return Load(func(string) ([]byte, error) { return []byte(text), nil }, "a.yaml")
}

const typo = `openapi: 3.1.0
info: {title: x, version: '1'}
paths:
  /a:
    get:
      operationId: same
      responses: {'200': {description: x, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}
  /b:
    get:
      operationId: same
      responses: {'200': {description: x}}
components:
  schemas:
    A:
      type: object
      properties:
        n:
          type: integer
`

// TestTypos: a type that does not exist is an error with its place; an operationId
// that comes twice is renamed with a warning.
func TestTypos(t *testing.T) {
	_, err := loadText(strings.Replace(typo, "type: integer", "type: interger", 1))
	if err == nil || !strings.Contains(err.Error(), `a.yaml:17`) || !strings.Contains(err.Error(), `did you mean "integer"?`) {
		t.Errorf("a type that does not exist: %v", err)
	}
	d, err := loadText(typo)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0].Error(), "comes twice") || d.Warnings[0].Line == 0 {
		t.Errorf("warnings %v", d.Warnings)
	}
}
