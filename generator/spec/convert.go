package spec

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/problem"
)

// methods are the HTTP methods that an operation can have, in the order in
// which operations of one path are listed.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}

// converter turns a loaded document into model.API.
type converter struct {
	d        *Document
	warnings problem.List
	schemas  *schemaConverter
	ids      map[string]bool
	files    map[string]*model.Schema // of multipart forms, by what they are made from
}

func newConverter(d *Document) *converter {
	return &converter{d: d, schemas: newSchemaConverter(d.doc, d.File), ids: map[string]bool{}, files: map[string]*model.Schema{}}
}

func (c *converter) api() *model.API {
	doc := c.d.doc
	api := &model.API{BasePath: c.basePath(doc.Servers)}
	if doc.Info != nil {
		api.Title, api.Description, api.Version = doc.Info.Title, doc.Info.Description, doc.Info.Version
	}
	for _, t := range doc.Tags {
		if t != nil {
			api.Tags = append(api.Tags, model.Tag{Name: t.Name, Description: t.Description})
		}
	}
	if doc.Components != nil {
		for _, name := range sortedKeys(doc.Components.SecuritySchemes) {
			if ref := doc.Components.SecuritySchemes[name]; ref != nil && ref.Value != nil {
				api.Security = append(api.Security, securityScheme(name, ref.Value))
			}
		}
		for _, name := range sortedKeys(doc.Components.Schemas) {
			api.Schemas = append(api.Schemas, c.schemas.component(name))
		}
	}
	var callbacks []*model.Call
	for _, path := range sortedKeys(doc.Paths.Map()) {
		item := doc.Paths.Value(path)
		for _, method := range methods {
			if op := item.GetOperation(method); op != nil {
				made := c.operation(path, method, item, op)
				api.Operations = append(api.Operations, made)
				callbacks = append(callbacks, c.callbacks(made, op)...)
			}
		}
	}
	api.Calls = append(c.webhooks(), callbacks...)
	c.schemas.addLoops()
	return api
}

// plainPath is a base path that needs no escaping anywhere.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)

// basePath is the path of the first server, the only one that is served.
func (c *converter) basePath(servers openapi3.Servers) string {
	if len(servers) == 0 || servers[0] == nil {
		return ""
	}
	text := servers[0].URL
	for _, name := range sortedKeys(servers[0].Variables) {
		if v := servers[0].Variables[name]; v != nil {
			text = strings.ReplaceAll(text, "{"+name+"}", v.Default)
		}
	}
	if i := strings.Index(text, "://"); i >= 0 { // the host may hold anything: only the path counts
		_, after, _ := strings.Cut(text[i+3:], "/")
		text = "/" + after
	}
	text, _, _ = strings.Cut(text, "?")
	text = strings.TrimRight(text, "/")
	if text != "" && !strings.HasPrefix(text, "/") {
		text = "/" + text
	}
	if !plainPath.MatchString(text) || strings.Contains(text, "/..") || strings.Contains(text, "/./") {
		at := place(c.d.File, servers[0].Origin)
		c.warnings = append(c.warnings, &problem.Problem{
			Code: "server-path", File: at.File, Line: at.Line, Column: at.Column,
			Message: fmt.Sprintf("the first server's path %.60q cannot be a base path; the API is served at /", text),
		})
		return ""
	}
	return text
}

func securityScheme(name string, s *openapi3.SecurityScheme) *model.SecurityScheme {
	out := &model.SecurityScheme{Name: name, Type: s.Type, Scheme: strings.ToLower(s.Scheme), In: s.In, Parameter: s.Name}
	if s.Flows == nil {
		return out
	}
	seen := map[string]bool{}
	for _, flow := range []*openapi3.OAuthFlow{s.Flows.Implicit, s.Flows.Password, s.Flows.ClientCredentials, s.Flows.AuthorizationCode} {
		if flow == nil {
			continue
		}
		for scope := range flow.Scopes {
			seen[scope] = true
		}
	}
	out.Scopes = sortedKeys(seen)
	return out
}

func (c *converter) operation(path, method string, item *openapi3.PathItem, op *openapi3.Operation) *model.Operation {
	id := c.operationID(op, method, path)
	out := c.describe(path, method, item.Parameters, op)
	out.ID = id
	return out
}

// describe converts all of an operation but its id.
func (c *converter) describe(path, method string, shared openapi3.Parameters, op *openapi3.Operation) *model.Operation {
	out := &model.Operation{
		Method:      method,
		Path:        path,
		Tags:        op.Tags,
		Summary:     op.Summary,
		Description: op.Description,
		Deprecated:  op.Deprecated,
		Position:    place(c.d.File, op.Origin),
		Security:    c.security(op),
	}
	if x, ok := op.Extensions["x-backend"]; ok {
		out.Extension = literal(x)
	}
	out.Parameters = c.parameters(path, shared, op.Parameters)
	if op.RequestBody != nil && op.RequestBody.Value != nil {
		body := op.RequestBody.Value
		out.Body = &model.Body{Required: body.Required, Content: c.content(body.Content)}
	}
	if op.Responses != nil {
		for _, status := range sortedKeys(op.Responses.Map()) {
			if ref := op.Responses.Value(status); ref != nil && ref.Value != nil {
				out.Responses = append(out.Responses, c.response(status, ref.Value))
			}
		}
	}
	sort.SliceStable(out.Responses, func(i, j int) bool {
		return statusOrder(out.Responses[i].Status) < statusOrder(out.Responses[j].Status)
	})
	return out
}

// statusOrder puts codes before ranges and default last.
func statusOrder(status string) string {
	switch {
	case status == "default":
		return "z"
	case strings.HasSuffix(strings.ToUpper(status), "XX"):
		return "y" + status
	}
	return status
}

// operationID returns the id as written, or one derived from method and path;
// made unique either way, with a warning for one that comes twice.
func (c *converter) operationID(op *openapi3.Operation, method, path string) string {
	id := op.OperationID
	if id == "" {
		id = strings.ToLower(method) + path
	}
	unique := id
	for n := 2; c.ids[unique]; n++ {
		unique = fmt.Sprintf("%s_%d", id, n)
	}
	c.ids[unique] = true
	if unique != id && op.OperationID != "" {
		at := place(c.d.File, op.Origin)
		c.warnings = append(c.warnings, &problem.Problem{
			Code: "operation-id", File: at.File, Line: at.Line, Column: at.Column,
			Message: fmt.Sprintf("operationId %.60q comes twice; %s %.60s becomes %.60q", id, method, path, unique),
		})
	}
	return unique
}

func (c *converter) security(op *openapi3.Operation) []model.Requirement {
	requirements := c.d.doc.Security
	if op.Security != nil {
		requirements = *op.Security
	}
	var out []model.Requirement
	for _, alternative := range requirements {
		var uses model.Requirement
		for _, name := range sortedKeys(alternative) {
			uses = append(uses, model.SchemeUse{Scheme: name, Scopes: alternative[name]})
		}
		out = append(out, uses)
	}
	return out
}

// parameters merges the path item's parameters with the operation's, which win,
// and adds the placeholders that nobody declared.
func (c *converter) parameters(path string, shared, own openapi3.Parameters) []*model.Parameter {
	var out []*model.Parameter
	seen := map[string]bool{}
	for _, list := range []openapi3.Parameters{own, shared} {
		for _, ref := range list {
			if ref == nil || ref.Value == nil || seen[ref.Value.In+":"+ref.Value.Name] {
				continue
			}
			if message, hint := misplaced(path, ref.Value); message != "" {
				at := place(c.d.File, ref.Value.Origin)
				c.warnings = append(c.warnings, &problem.Problem{
					Code: "parameter-in", File: at.File, Line: at.Line, Column: at.Column, Message: message, Hint: hint,
				})
				continue
			}
			seen[ref.Value.In+":"+ref.Value.Name] = true
			out = append(out, c.parameter(ref.Value))
		}
	}
	for _, name := range model.Placeholders(path) {
		if !seen["path:"+name] {
			seen["path:"+name] = true
			out = append(out, &model.Parameter{
				Name: name, In: "path", Required: true, Style: "simple", Schema: &model.Schema{Kind: model.KindString},
			})
		}
	}
	return out
}

// misplaced says why a parameter can be in no request of a path.
func misplaced(path string, p *openapi3.Parameter) (message, hint string) {
	switch {
	case !slices.Contains([]string{"path", "query", "header", "cookie"}, p.In):
		return fmt.Sprintf("parameter %.60q is in %.60q, which is no part of a request; it is left out", p.Name, p.In), "write path, query, header or cookie"
	case p.In == "path" && !slices.Contains(model.Placeholders(path), p.Name):
		return fmt.Sprintf("path parameter %.60q is not in the path %.60s; it is left out", p.Name, path), "write {" + fmt.Sprintf("%.60s", p.Name) + "} into the path, or remove the parameter"
	}
	return "", ""
}

func (c *converter) parameter(p *openapi3.Parameter) *model.Parameter {
	out := &model.Parameter{
		Name: p.Name, In: p.In, Description: p.Description, Required: p.Required || p.In == "path",
		Style: p.Style, Example: literalOrNil(p.Example), Position: place(c.d.File, p.Origin),
	}
	if out.Style == "" {
		out.Style = "simple"
		if p.In == "query" || p.In == "cookie" {
			out.Style = "form"
		}
	}
	out.Explode = out.Style == "form"
	if p.Explode != nil {
		out.Explode = *p.Explode
	}
	if len(p.Content) > 0 {
		media := c.content(p.Content)
		out.Media, out.Schema = media[0].Type, media[0].Schema
	} else {
		out.Schema = c.schemas.convert(p.Schema)
	}
	if out.Schema == nil {
		out.Schema = &model.Schema{Kind: model.KindString}
	}
	return out
}

func (c *converter) content(content openapi3.Content) []model.Media {
	var out []model.Media
	for _, mediaType := range sortedKeys(content) {
		m := model.Media{Type: mediaType}
		if v := content[mediaType]; v != nil {
			m.Schema = c.schemas.convert(v.Schema)
			m.Example = literalOrNil(v.Example)
			c.encode(&m, v)
		}
		out = append(out, m)
	}
	sort.SliceStable(out, func(i, j int) bool { return mediaOrder(out[i].Type) < mediaOrder(out[j].Type) })
	return out
}

func mediaOrder(mediaType string) int {
	switch {
	case mediaType == "application/json":
		return 0
	case model.IsJSON(mediaType):
		return 1
	}
	return 2
}

func (c *converter) response(status string, r *openapi3.Response) *model.Response {
	out := &model.Response{Status: status, Content: c.content(r.Content)}
	if r.Description != nil {
		out.Description = *r.Description
	}
	for _, name := range sortedKeys(r.Headers) {
		if ref := r.Headers[name]; ref != nil && ref.Value != nil {
			header := c.parameter(&ref.Value.Parameter)
			header.Name, header.In, header.Required = name, "header", ref.Value.Required
			out.Headers = append(out.Headers, header)
		}
	}
	for _, name := range sortedKeys(r.Links) {
		ref := r.Links[name]
		if ref == nil || ref.Value == nil || ref.Value.OperationID == "" {
			continue
		}
		link := model.Link{Name: name, Operation: ref.Value.OperationID, Parameters: map[string]string{}}
		for parameter, expression := range ref.Value.Parameters {
			if s, ok := expression.(string); ok {
				link.Parameters[parameter] = s
			}
		}
		out.Links = append(out.Links, link)
	}
	return out
}

func place(file string, origin *openapi3.Origin) model.Position {
	if origin == nil || origin.Key == nil {
		return model.Position{File: file}
	}
	return model.Position{File: file, Line: origin.Key.Line, Column: origin.Key.Column}
}

// literal returns v as JSON text; a value that has none becomes null.
func literal(v any) model.Literal {
	text, err := json.Marshal(v)
	if err != nil {
		return model.Literal("null")
	}
	return text
}

func literalOrNil(v any) model.Literal {
	if v == nil {
		return nil
	}
	return literal(v)
}
