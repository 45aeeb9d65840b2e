package spec

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
)

// ServedDocument is one document in both of its spellings: YAML for people and
// tools, JSON for the server itself.
type ServedDocument struct{ YAML, JSON []byte }

// Served returns the honest document: the input less the operations and
// parameters that the server does not act on, plus every status that it adds,
// each addition marked with x-added-by. Outside judges, clients and docs use it. It uses
// the loaded document up: ask for it last, and once.
func (d *Document) Served(p *model.Project) (*ServedDocument, error) {
	doc := d.doc
	if len(d.Files) > 1 {
		doc.InternalizeRefs(context.Background(), nil)
	}
	kept := map[string]*model.Op{}
	for _, s := range p.Services {
		for _, op := range s.Operations {
			if op.Kind != model.OpStub {
				kept[op.Method+" "+op.Path] = op
			}
		}
	}
	added := &additions{doc: doc, names: map[string]string{}}
	for _, path := range sortedKeys(doc.Paths.Map()) {
		item := doc.Paths.Value(path)
		operations := item.Operations()
		for _, method := range sortedKeys(operations) {
			operation, op := operations[method], kept[method+" "+path]
			if op == nil {
				item.SetOperation(method, nil)
				continue
			}
			operation.Parameters = append(operation.Parameters, inherited(operation.Parameters, item.Parameters)...)
			serveOperation(operation, op, added)
		}
		item.Parameters, item.Servers = nil, nil
		if len(item.Operations()) == 0 {
			doc.Paths.Delete(path)
		}
	}
	serveSchemas(doc)
	serveReadable(doc)
	doc.Webhooks = nil // the server calls nobody by itself
	doc.Servers = openapi3.Servers{{URL: basePathOrRoot(p.API.BasePath), Description: "this server"}}
	return marshal(doc)
}

func basePathOrRoot(base string) string {
	if base == "" {
		return "/"
	}
	return base
}

func serveOperation(operation *openapi3.Operation, op *model.Op, added *additions) {
	refused := map[string]bool{}
	for _, r := range op.Refused {
		refused[r.In+" "+r.Name] = true
	}
	dropParameters(&operation.Parameters, refused)
	operation.Servers, operation.Callbacks = nil, nil
	if operation.Responses == nil {
		operation.Responses = openapi3.NewResponsesWithCapacity(4)
	}
	switch {
	case op.Upload != nil:
		keepUpload(operation.RequestBody, op)
	case op.Body != nil:
		keepConsumed(operation.RequestBody, op)
	}
	var adds []addition
	reasons := statusReasons(op)
	for _, status := range addedStatuses(op) {
		if operation.Responses.Value(status) != nil {
			continue
		}
		operation.Responses.Set(status, added.answer(op, status))
		adds = append(adds, addition{At: "responses/" + status, Why: reasons[status]})
	}
	adds = append(adds, added.errors(operation, op)...)
	list(operation, op, append(adds, addRules(added.doc, operation, op)...))
	if r := op.Result; r != nil {
		if ref := operation.Responses.Value(fmt.Sprint(r.Status)); ref != nil {
			ref.Ref = ""
			if r.Content {
				served206(operation, ref)
			} else {
				keepProduced(ref, r)
				loosenList(ref.Value, op.List)
			}
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

// keepConsumed drops the media types of a body that the server does not read.
func keepConsumed(ref *openapi3.RequestBodyRef, op *model.Op) {
	if ref == nil || ref.Value == nil {
		return
	}
	ref.Ref = ""
	body := *ref.Value
	body.Content = openapi3.Content{}
	for mediaType, media := range ref.Value.Content {
		if slices.Contains(op.Consumes, mediaType) {
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

// loosenList takes back that a list has items, as there may be none yet, and of what form
// the cursor of the next page is.
func loosenList(response *openapi3.Response, list *model.ListPlan) {
	if list == nil {
		return
	}
	for mediaType, media := range response.Content {
		if media == nil || media.Schema == nil || media.Schema.Value == nil {
			continue
		}
		s := without(media.Schema, minItems, 0)
		if e := list.Envelope; e != nil {
			s = within(media.Schema, e.Items.JSON, minItems, 0)
			for _, f := range e.Fields {
				if f.Source != "next" {
					continue
				}
				whole := media.Schema
				if s != nil {
					whole = s.NewRef()
				}
				if issued := within(whole, f.Field.JSON, textForm, 0); issued != nil {
					s = issued
				}
			}
		}
		if s == nil {
			continue
		}
		changed := *media
		changed.Schema = s.NewRef()
		response.Content[mediaType] = &changed
	}
}

// dropping takes keywords out of a schema, and names them.
type dropping func(s *openapi3.Schema) (dropped []string)

// minItems drops that an array has items.
func minItems(s *openapi3.Schema) (dropped []string) {
	if s.MinItems > 0 {
		s.MinItems, dropped = 0, []string{"minItems"}
	}
	return dropped
}

// textForm drops the form and the length of a text.
func textForm(s *openapi3.Schema) (dropped []string) {
	if s.Pattern != "" {
		s.Pattern, dropped = "", append(dropped, "pattern")
	}
	if s.Format != "" {
		s.Format, dropped = "", append(dropped, "format")
	}
	if s.MaxLength != nil && *s.MaxLength < model.CursorLength {
		s.MaxLength, dropped = nil, append(dropped, "maxLength")
	}
	return dropped
}

// without is a schema less some keywords, its own or those of the branches of its allOf; nil
// where it has none of them.
func without(ref *openapi3.SchemaRef, drop dropping, depth int) *openapi3.Schema {
	if ref == nil || ref.Value == nil || depth > maxNarrow {
		return nil
	}
	out := *ref.Value
	if dropped := drop(&out); dropped != nil {
		out.Extensions = maps.Clone(out.Extensions)
		extend(&out, dropsExtension, dropped)
		return &out
	}
	return inBranch(&out, func(ref *openapi3.SchemaRef) *openapi3.Schema { return without(ref, drop, depth+1) })
}

// within is a schema of an object one of whose members is without some keywords; nil where
// it has none of them.
func within(ref *openapi3.SchemaRef, member string, drop dropping, depth int) *openapi3.Schema {
	if ref == nil || ref.Value == nil || depth > maxNarrow {
		return nil
	}
	out := *ref.Value
	if changed := without(out.Properties[member], drop, 0); changed != nil {
		out.Properties = maps.Clone(out.Properties)
		out.Properties[member] = changed.NewRef()
		return &out
	}
	return inBranch(&out, func(ref *openapi3.SchemaRef) *openapi3.Schema { return within(ref, member, drop, depth+1) })
}

// inBranch changes the branches of an allOf that change says to, nil for none.
func inBranch(out *openapi3.Schema, change func(*openapi3.SchemaRef) *openapi3.Schema) *openapi3.Schema {
	var changed *openapi3.Schema
	for i, branch := range out.AllOf {
		if s := change(branch); s != nil {
			if changed == nil {
				out.AllOf, changed = slices.Clone(out.AllOf), out
			}
			out.AllOf[i] = s.NewRef()
		}
	}
	return changed
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
	add(op.KeyParam != nil || len(op.ParentParams) > 0 || op.Many != nil || op.Resource != nil && op.Resource.Singleton && !op.Upsert, "404")
	add(op.Result != nil && op.Result.Ref != nil, "406")
	add(len(op.Params) > 0 || op.TakesBody() || op.IfMatch != "" || op.Idempotent != "", "400", fmt.Sprint(op.Invalid))
	add(op.TakesBody(), "413", "415")
	add(op.Kind == model.OpDownload, "206", "304", "412", "416")
	add(op.Kind == model.OpDownload && op.Produces != nil, "406")
	add(op.Kind != model.OpGet && op.Kind != model.OpList && op.Kind != model.OpDownload, "409")
	add(op.IfMatch != "", "412")
	add(op.Method == "GET" && op.Result != nil && op.Result.ETag, "304")
	add(op.IfMatch == "required", "428")
	sort.Strings(out)
	return slices.Compact(out)
}

// additions puts the answers that the server adds into a document: each kind once,
// among the components, and a reference from every operation.
type additions struct {
	doc   *openapi3.T
	names map[string]string // media type and schema -> component
}

// answer is the response that the server adds to an operation for a status.
func (a *additions) answer(op *model.Op, status string) *openapi3.ResponseRef {
	if op.Result != nil && status == fmt.Sprint(op.Result.Status) {
		return &openapi3.ResponseRef{Value: addedSuccess(op)}
	}
	media, schema := "application/problem+json", ""
	if op.Error != nil {
		media = op.Error.Media
		if op.Error.Type != nil {
			schema = op.Error.Type.Schema.Name
		}
	}
	if status == "304" {
		media = ""
	}
	key := media + " " + schema
	if a.names[key] == "" {
		a.names[key] = a.component(media, schema, op.Error != nil && op.Error.Type != nil)
	}
	name := a.names[key]
	return &openapi3.ResponseRef{Ref: "#/components/responses/" + name, Value: a.doc.Components.Responses[name].Value}
}

// errors corrects the declared errors whose bodies the server does not send: it has one
// shape for all errors of an operation.
func (a *additions) errors(operation *openapi3.Operation, op *model.Op) (adds []addition) {
	for _, r := range op.Operation.Responses {
		declared := operation.Responses.Value(r.Status)
		isError := r.Status[0] == '4' || r.Status[0] == '5' || r.Status == "default" && op.Operation.Success() != nil
		if !isError || declared == nil || declared.Value == nil || len(r.Content) == 0 || op.Renders(r) {
			continue
		}
		response := *declared.Value
		response.Content = a.answer(op, r.Status).Value.Content
		operation.Responses.Set(r.Status, &openapi3.ResponseRef{Value: &response})
		adds = append(adds, addition{At: "responses/" + r.Status + "/content", Why: "the body that the server sends"})
	}
	return adds
}

// component adds a response and returns its name, which nothing else has.
func (a *additions) component(media, schema string, shaped bool) string {
	if a.doc.Components == nil {
		a.doc.Components = &openapi3.Components{}
	}
	if a.doc.Components.Responses == nil {
		a.doc.Components.Responses = openapi3.ResponseBodies{}
	}
	name := "AddedByServer"
	for n := 2; a.doc.Components.Responses[name] != nil; n++ {
		name = fmt.Sprintf("AddedByServer%d", n)
	}
	response := openapi3.NewResponse().WithDescription("The server may answer this, although the input document does not say so.")
	response.Extensions = map[string]any{"x-added-by": "backend"}
	switch {
	case media == "":
	case schema != "":
		ref := &openapi3.SchemaRef{Ref: componentPrefix + schema, Value: openapi3.NewSchema()}
		response.Content = openapi3.Content{media: &openapi3.MediaType{Schema: ref}}
	case shaped:
		response.Content = openapi3.Content{media: &openapi3.MediaType{Schema: openapi3.NewObjectSchema().NewRef()}}
	default:
		response.Content = openapi3.Content{media: &openapi3.MediaType{Schema: problemSchema().NewRef()}}
	}
	a.doc.Components.Responses[name] = &openapi3.ResponseRef{Value: response}
	return name
}

// problemSchema is the platform's problem body (RFC 9457).
func problemSchema() *openapi3.Schema {
	text, number := openapi3.NewStringSchema, openapi3.NewIntegerSchema
	fault := openapi3.NewObjectSchema().WithProperty("in", text()).WithProperty("pointer", text()).WithProperty("message", text())
	fault.Required = []string{"pointer", "message"}
	s := openapi3.NewObjectSchema().WithProperty("type", text()).WithProperty("title", text()).WithProperty("status", number()).
		WithProperty("detail", text()).WithProperty("errors", openapi3.NewArraySchema().WithItems(fault))
	s.Required = []string{"type", "title", "status", "detail"}
	return s
}

// addedSuccess is the success of an operation whose document declares none.
func addedSuccess(op *model.Op) *openapi3.Response {
	response := openapi3.NewResponse().WithDescription("Added by the server: the input document declares no success.")
	response.Extensions = map[string]any{"x-added-by": "backend"}
	if op.Result.Ref != nil && op.Resource != nil && op.Resource.Schema.Name != "" {
		response.Content = openapi3.Content{op.Result.Media: &openapi3.MediaType{
			Schema: &openapi3.SchemaRef{Ref: componentPrefix + op.Resource.Schema.Name, Value: openapi3.NewSchema()},
		}}
	}
	return response
}

// marshal prints a document, in YAML with its top level in the usual order.
func marshal(doc *openapi3.T) (*ServedDocument, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("served document: %w", err)
	}
	body, err := jsonToYAML(text, []string{"openapi", "jsonSchemaDialect", "info", "servers", "security", "tags", "paths"})
	if err != nil {
		return nil, fmt.Errorf("served document: %w", err)
	}
	const head = "# Generated by backend; DO NOT EDIT. The document that this server keeps: yours, less what\n# it does not act on, plus the answers that it adds (x-added-by).\n"
	return &ServedDocument{YAML: append([]byte(head), body...), JSON: append(text, '\n')}, nil
}
