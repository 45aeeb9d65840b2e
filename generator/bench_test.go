package generator_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator"
	"github.com/e6b96b0c/backend/generator/profile"
)

// manyOperations is a document with n operations, five to a resource and fifty to a tag.
func manyOperations(n int) string {
	var b strings.Builder
	b.WriteString("openapi: 3.1.0\ninfo: {title: many, version: \"1\"}\npaths:\n")
	for i := range n / 5 {
		of := func(id, rest string) string {
			return fmt.Sprintf("{operationId: %s%d, tags: [t%d], %s}", id, i, i/10, rest)
		}
		body := fmt.Sprintf("requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing%d'}}}}, ", i)
		one := fmt.Sprintf("content: {application/json: {schema: {$ref: '#/components/schemas/Thing%d'}}}", i)
		list := fmt.Sprintf("content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Thing%d'}}}}", i)
		fmt.Fprintf(&b, "  /things%d:\n    get: %s\n    post: %s\n", i, of("list", "responses: {'200': {description: x, "+list+"}}"), of("create", body+"responses: {'201': {description: x, "+one+"}}"))
		fmt.Fprintf(&b, "  /things%d/{id}:\n    parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}]\n    get: %s\n    put: %s\n    delete: %s\n",
			i, of("get", "responses: {'200': {description: x, "+one+"}}"), of("put", body+"responses: {'200': {description: x, "+one+"}}"), of("delete", "responses: {'204': {description: x}}"))
	}
	b.WriteString("components:\n  schemas:\n")
	for i := range n / 5 {
		fmt.Fprintf(&b, "    Thing%d: {type: object, required: [id, name], properties: {id: {type: string, format: uuid, readOnly: true}, name: {type: string, minLength: 1, maxLength: 80}, price: {type: number, minimum: 0}, tags: {type: array, items: {type: string}}, kind: {type: string, enum: [a, b, c]}, createdAt: {type: string, format: date-time, readOnly: true}}}\n", i)
	}
	return b.String()
}

// BenchmarkGenerate: the cost of a generation is linear in its operations. What is the
// same in every project (the platform) is in each figure.
func BenchmarkGenerate(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("operations=%d", n), func(b *testing.B) {
			text := manyOperations(n)
			p, err := profile.Preset("monolith")
			if err != nil {
				b.Fatal(err)
			}
			lines := 0
			for b.Loop() {
				out, err := generator.Generate(b.Context(), generator.Request{
					Name: "many", Spec: "many.yaml", Profile: p, Generator: "test",
					Read: func(name string) ([]byte, error) {
						if name != "many.yaml" {
							return nil, fs.ErrNotExist
						}
						return []byte(text), nil
					},
				})
				if err != nil {
					b.Fatal(err)
				}
				lines = out.Plan.Lines(func(path string) bool { return !strings.HasPrefix(path, "internal/platform/") })
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/operation")
			b.ReportMetric(float64(lines), "lines")
		})
	}
}
