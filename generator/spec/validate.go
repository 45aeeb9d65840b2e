package spec

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/templates/platform/ecma"
)

// ResponseValidator returns a function that checks a response against the
// document: its media type, and its body against the schema declared for the
// status. It may be called by any number of goroutines. Write-only properties are
// not required in responses (OpenAPI 3.0.4, section 4.7.24.1), in 3.1 either,
// where the words are gone but a server that sends secrets back is none the better.
func (d *Document) ResponseValidator() func(op *model.Operation, status int, header http.Header, body []byte) error {
	d = d.forResponses()
	options := []openapi3.SchemaValidationOption{openapi3.VisitAsResponse(), openapi3.EnableFormatValidation(), openapi3.SetSchemaRegexCompiler(matcher)}
	if d.doc.IsOpenAPI31OrLater() {
		options = append(options, openapi3.EnableJSONSchema2020())
	}
	return func(op *model.Operation, status int, header http.Header, body []byte) error {
		response := d.responseFor(op, status)
		if response == nil || len(response.Content) == 0 || op.Method == http.MethodHead {
			return nil
		}
		contentType := header.Get("Content-Type")
		media := mediaFor(response.Content, contentType)
		if media == nil {
			return fmt.Errorf("content type %q is not declared for status %d", contentType, status)
		}
		base, _, err := mime.ParseMediaType(contentType)
		if err != nil || !model.IsJSON(base) || media.Schema == nil || media.Schema.Value == nil {
			return nil //nolint:nilerr // not JSON: there is no schema to check it against
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		var value any
		if err := decoder.Decode(&value); err != nil {
			return fmt.Errorf("the body is not JSON: %w", err)
		}
		if err := media.Schema.Value.VisitJSON(value, options...); err != nil {
			text, _, _ := strings.Cut(err.Error(), "\nSchema:")
			return fmt.Errorf("the body breaks the schema: %.300s", strings.Join(strings.Fields(text), " "))
		}
		return nil
	}
}

// forResponses is the document with write-only properties required nowhere; d
// itself where it cannot be copied.
func (d *Document) forResponses() *Document {
	doc, err := d.copyOf()
	if err != nil {
		return d
	}
	err = doc.WalkSchemas(func(_ string, ref *openapi3.SchemaRef) error {
		s := ref.Value
		s.Required = slices.DeleteFunc(s.Required, func(name string) bool {
			p := s.Properties[name]
			return p != nil && p.Value != nil && p.Value.WriteOnly
		})
		return nil
	})
	if err != nil {
		return d
	}
	return &Document{File: d.File, Version: d.Version, Files: d.Files, API: d.API, doc: doc}
}

// responseFor is the response declared for a status: the code, its range, or the
// default.
func (d *Document) responseFor(op *model.Operation, status int) *openapi3.Response {
	item := d.doc.Paths.Value(op.Path)
	if item == nil {
		return nil
	}
	operation := item.GetOperation(op.Method)
	if operation == nil || operation.Responses == nil {
		return nil
	}
	for _, key := range []string{strconv.Itoa(status), fmt.Sprintf("%dXX", status/100), "default"} {
		if ref := operation.Responses.Value(key); ref != nil && ref.Value != nil {
			return ref.Value
		}
	}
	return nil
}

func mediaFor(content openapi3.Content, contentType string) *openapi3.MediaType {
	if media := content[contentType]; media != nil {
		return media
	}
	return content.Get(contentType)
}

// copyOf loads the document anew, so that changes do not reach d.
func (d *Document) copyOf() (*openapi3.T, error) {
	fresh := &Document{File: d.File, Files: map[string][]byte{}}
	folder := filepath.Dir(d.File)
	read := func(name string) ([]byte, error) {
		rel, err := filepath.Rel(folder, name)
		if data, ok := d.Files[filepath.ToSlash(rel)]; ok && err == nil {
			return data, nil
		}
		return nil, fmt.Errorf("%s is not part of the document", name)
	}
	if err := fresh.load(read, d.Files[filepath.Base(d.File)]); err != nil {
		return nil, err
	}
	if len(d.Files) > 1 {
		fresh.doc.InternalizeRefs(context.Background(), nil)
	}
	return fresh.doc, nil
}

// matcher compiles a pattern of ECMA-262.
func matcher(pattern string) (openapi3.RegexMatcher, error) {
	if expr, ok := model.RE2(pattern); ok {
		return regexp.Compile(expr)
	}
	return ecma.Compile(pattern)
}
