package spec

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sort"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
)

// Served returns the honest document, in YAML: the input less the operations and
// parameters that the server does not act on, plus every status that it adds,
// each addition marked with x-added-by. Outside judges, clients and docs use it.
func (d *Document) Served(p *model.Project) ([]byte, error) {
	doc, err := d.copyOf()
	if err != nil {
		return nil, err
	}
	kept := map[string]*model.Op{}
	for _, s := range p.Services {
		for _, op := range s.Operations {
			if op.Kind != model.OpStub {
				kept[op.Method+" "+op.Path] = op
			}
		}
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			op := kept[method+" "+path]
			if op == nil {
				item.SetOperation(method, nil)
				continue
			}
			operation.Parameters = append(operation.Parameters, inherited(operation.Parameters, item.Parameters)...)
			serveOperation(operation, op)
		}
		item.Parameters, item.Servers = nil, nil
		if len(item.Operations()) == 0 {
			doc.Paths.Delete(path)
		}
	}
	doc.Webhooks = nil // the server calls nobody
	doc.Servers = openapi3.Servers{{URL: basePathOrRoot(p.API.BasePath), Description: "this server"}}
	return marshalYAML(doc)
}

func basePathOrRoot(base string) string {
	if base == "" {
		return "/"
	}
	return base
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

func serveOperation(operation *openapi3.Operation, op *model.Op) {
	refused := map[string]bool{}
	for _, r := range op.Refused {
		refused[r.In+" "+r.Name] = true
	}
	dropParameters(&operation.Parameters, refused)
	operation.Servers, operation.Callbacks = nil, nil
	if operation.Responses == nil {
		operation.Responses = openapi3.NewResponsesWithCapacity(4)
	}
	if op.Body != nil {
		keepJSON(operation.RequestBody)
	}
	for _, status := range addedStatuses(op) {
		if operation.Responses.Value(status) != nil {
			continue
		}
		operation.Responses.Set(status, &openapi3.ResponseRef{Value: addedResponse(op, status)})
	}
	if r := op.Result; r != nil {
		if ref := operation.Responses.Value(fmt.Sprint(r.Status)); ref != nil {
			ref.Ref = ""
			keepProduced(ref, r)
		}
	}
}

// inherited lists the path item's parameters that an operation does not override:
// each operation may act on other ones.
func inherited(own, shared openapi3.Parameters) openapi3.Parameters {
	return slices.DeleteFunc(slices.Clone(shared), func(ref *openapi3.ParameterRef) bool {
		return ref == nil || ref.Value == nil || own.GetByInAndName(ref.Value.In, ref.Value.Name) != nil
	})
}

// keepJSON drops the media types of a body that the server does not read.
func keepJSON(ref *openapi3.RequestBodyRef) {
	if ref == nil || ref.Value == nil {
		return
	}
	ref.Ref = ""
	body := *ref.Value
	body.Content = openapi3.Content{}
	for mediaType, media := range ref.Value.Content {
		if model.IsJSON(mediaType) {
			body.Content[mediaType] = media
		}
	}
	ref.Value = &body
}

func keepProduced(ref *openapi3.ResponseRef, r *model.Result) {
	response := *ref.Value
	content := openapi3.Content{}
	for mediaType, media := range response.Content {
		if model.IsJSON(mediaType) {
			content[mediaType] = media
		}
	}
	response.Content = content
	if r.Ref == nil {
		response.Content = nil
	}
	ref.Value = &response
}

func dropParameters(list *openapi3.Parameters, refused map[string]bool) {
	known := map[string]bool{"path": true, "query": true, "header": true, "cookie": true}
	*list = slices.DeleteFunc(*list, func(ref *openapi3.ParameterRef) bool {
		return ref == nil || ref.Value == nil || !known[ref.Value.In] || refused[ref.Value.In+" "+ref.Value.Name]
	})
}

// addedStatuses lists the statuses that the server may answer beside those that
// the document declares.
func addedStatuses(op *model.Op) []string {
	out := []string{"500", "503", "504"}
	add := func(condition bool, statuses ...string) {
		if condition {
			out = append(out, statuses...)
		}
	}
	add(op.Operation.Success() == nil && op.Result != nil, fmt.Sprint(op.Result.Status))
	add(len(op.Security) > 0, "401", "403")
	add(op.KeyParam != nil || len(op.ParentParams) > 0, "404")
	add(op.Result != nil && op.Result.Ref != nil, "406")
	add(len(op.Params) > 0 || op.Body != nil || op.IfMatch != "" || op.Idempotent != "", "400", fmt.Sprint(op.Invalid))
	add(op.Body != nil, "413", "415")
	add(op.Kind == model.OpCreate || op.Kind == model.OpReplace || op.Kind == model.OpPatch || op.Kind == model.OpDelete, "409")
	add(op.IfMatch != "", "412")
	add(op.IfMatch == "required", "428")
	sort.Strings(out)
	return slices.Compact(out)
}

func addedResponse(op *model.Op, status string) *openapi3.Response {
	response := openapi3.NewResponse().WithDescription("Added by the server: it may answer this although the input document does not say so.")
	response.Extensions = map[string]any{"x-added-by": "backend"}
	if op.Result != nil && status == fmt.Sprint(op.Result.Status) {
		response.WithDescription("Added by the server: the input document declares no success.")
		if op.Result.Ref != nil && op.Resource != nil && op.Resource.Schema.Name != "" {
			response.Content = openapi3.Content{op.Result.Media: &openapi3.MediaType{
				Schema: &openapi3.SchemaRef{Ref: componentPrefix + op.Resource.Schema.Name, Value: openapi3.NewSchema()},
			}}
		}
		return response
	}
	media := "application/problem+json"
	schema := openapi3.NewObjectSchema()
	if op.Error != nil {
		media = op.Error.Media
		if op.Error.Type != nil {
			schema = openapi3.NewObjectSchema()
		}
	}
	response.Content = openapi3.Content{media: &openapi3.MediaType{Schema: schema.NewRef()}}
	return response
}

// marshalYAML prints a document with its top level in the usual order.
func marshalYAML(doc *openapi3.T) ([]byte, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("served document: %w", err)
	}
	body, err := jsonToYAML(text, []string{"openapi", "jsonSchemaDialect", "info", "servers", "security", "tags", "paths"})
	if err != nil {
		return nil, fmt.Errorf("served document: %w", err)
	}
	const head = "# Generated by backend; DO NOT EDIT. The document that this server keeps: yours, less what\n# it does not act on, plus the answers that it adds (x-added-by).\n"
	return append([]byte(head), body...), nil
}
