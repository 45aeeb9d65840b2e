package spec

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/oasdiff/yaml"

	"github.com/e6b96b0c/backend/generator/problem"
)

// maybeSwagger spares documents without such a key a second reading.
var maybeSwagger = regexp.MustCompile(`(?:^|[\n{,])[ \t\r]*["']?swagger["']?[ \t]*:`)

// swagger is a Swagger 2.0 document on its way to OpenAPI 3: a tree that is put
// right where the conversion would lose something, and the text's own nodes, for
// places.
type swagger struct {
	d        *Document
	tree     map[string]any
	root     ast.Node // nil for what is too large to be read twice
	problems problem.List
	lists    []formList
}

// formList is a list in a form, whose separator the conversion forgets.
type formList struct{ path, method, name, format string }

// readSwagger returns the document as a Swagger one, or nil if it is none.
func (d *Document) readSwagger(data []byte) *swagger {
	if !maybeSwagger.Match(data) {
		return nil
	}
	tree, err := anyTree(data)
	if err != nil || tree["swagger"] == nil || tree["openapi"] != nil {
		return nil // whatever is wrong, the loader of OpenAPI 3 says it
	}
	s := &swagger{d: d, tree: tree}
	if len(data) < 4<<20 {
		if parsed, err := parser.ParseBytes(data, 0); err == nil && len(parsed.Docs) > 0 {
			s.root = parsed.Docs[0].Body
		}
	}
	return s
}

// anyTree reads YAML the way OpenAPI 3 documents are read; large JSON, and JSON that
// YAML does not take, as JSON.
func anyTree(data []byte) (map[string]any, error) {
	var tree map[string]any
	if looksJSON(data) && len(data) >= 4<<20 {
		err := json.Unmarshal(data, &tree)
		return tree, err
	}
	_, err := yaml.Unmarshal(data, &tree, yaml.DecodeOpts{DisableTimestamps: true})
	if err != nil && looksJSON(data) {
		tree = nil
		err = json.Unmarshal(data, &tree)
	}
	return tree, err
}

// convert makes the OpenAPI 3 document, warnings about what that loses being added
// to the document's.
func (s *swagger) convert(data []byte) (*openapi3.T, error) {
	switch s.tree["swagger"].(type) {
	case map[string]any, []any:
		return nil, s.d.fail("openapi-version", "the version of Swagger must be text", "use `swagger: \"2.0\"`")
	}
	if version := fmt.Sprint(s.tree["swagger"]); version != "2.0" && version != "2" {
		return nil, s.d.fail("openapi-version", fmt.Sprintf("Swagger %.20q is not supported", version), "use Swagger 2.0, or OpenAPI 3.0 or 3.1")
	}
	s.tree["swagger"] = "2.0"
	if problems := misshapen(s.d.File, data); len(problems) > 0 {
		return nil, problems
	}
	s.warn([]string{"swagger"}, "the document is Swagger 2.0; it is read as the OpenAPI 3 that says the same", "")
	s.prepare()
	text, err := json.Marshal(s.tree)
	if err != nil {
		return nil, s.unreadable(err)
	}
	var two openapi2.T
	if err := json.Unmarshal(text, &two); err != nil {
		return nil, s.unreadable(err)
	}
	loader := openapi3.NewLoader() // reads no other files
	doc, err := openapi2conv.ToV3WithLoader(&two, loader, nil)
	if err != nil {
		return nil, s.unreadable(err)
	}
	s.separate(doc)
	if s.root != nil {
		(&origins{doc: doc}).add(s.root)
	}
	s.d.Warnings = append(s.d.Warnings, s.problems...)
	return doc, nil
}

func (s *swagger) unreadable(err error) error {
	why := strings.TrimPrefix(tidy(err.Error()), "cannot unmarshal: ")
	return s.d.fail("spec-load", "this Swagger 2.0 document cannot be read as OpenAPI 3: "+why, "check the document with a Swagger editor, or convert it to OpenAPI 3")
}

// warn notes what is lost, at the place that the keys lead to, as far as they lead.
func (s *swagger) warn(keys []string, message, hint string) {
	at := &problem.Problem{Code: "swagger", File: s.d.File, Message: message, Hint: hint}
	if p := s.keyAt(keys); p != nil {
		at.Line, at.Column = p.Line, p.Column
	}
	s.problems = append(s.problems, at)
}

// separate gives the lists of forms their separators.
func (s *swagger) separate(doc *openapi3.T) {
	for _, l := range s.lists {
		item := doc.Paths.Value(l.path)
		if item == nil {
			continue
		}
		op := item.GetOperation(strings.ToUpper(l.method))
		if op == nil || op.RequestBody == nil || op.RequestBody.Value == nil {
			continue
		}
		for mediaType, media := range op.RequestBody.Value.Content {
			if strings.HasPrefix(strings.ToLower(mediaType), "multipart/") {
				continue // parts of one name are the list
			}
			if media.Encoding == nil {
				media.Encoding = map[string]*openapi3.Encoding{}
			}
			explode := l.format == "multi"
			media.Encoding[l.name] = &openapi3.Encoding{Style: listStyles[l.format], Explode: &explode}
		}
	}
}

// listStyles are the collection formats that OpenAPI 3 knows for queries and forms.
var listStyles = map[string]string{"csv": "form", "multi": "form", "ssv": "spaceDelimited", "pipes": "pipeDelimited"}

// swaggerMethods are those of a path in Swagger 2.0.
var swaggerMethods = []string{"get", "put", "post", "delete", "options", "head", "patch"}

// prepare puts the tree right: what Swagger takes for granted is written down, what
// is shared by operations is written into each, and what OpenAPI 3 has no word for
// is replaced, with a warning.
func (s *swagger) prepare() {
	s.server()
	s.flows()
	(&cleaner{s: s}).mapping(s.tree, nil, false)
	paths := object(s.tree["paths"])
	for _, path := range sortedKeys(paths) {
		item := object(paths[path])
		if item["$ref"] != nil {
			s.warn([]string{"paths", path}, fmt.Sprintf("path %.60s refers to another one, which Swagger 2.0 documents are not followed in; it is left out", path), "write the operations here")
			delete(paths, path)
			continue
		}
		shared := s.inlined(item["parameters"])
		delete(item, "parameters") // each operation has them now
		for _, method := range swaggerMethods {
			if op := object(item[method]); op != nil {
				o := &swaggerOperation{s: s, path: path, method: method, op: op}
				o.prepare(shared)
			}
		}
	}
	delete(s.tree, "parameters")
}

// server makes of host and base path what the conversion takes.
func (s *swagger) server() {
	host, ok := s.tree["host"].(string)
	if !ok {
		return
	}
	if i := strings.Index(host, "://"); i >= 0 {
		host = host[i+3:]
	}
	name, rest, found := strings.Cut(host, "/")
	if s.tree["host"] == name {
		return
	}
	s.warn([]string{"host"}, fmt.Sprintf("host %.60q is more than a host; what follows it is taken for the beginning of the base path", s.tree["host"]), "write the host alone, such as api.example.com")
	s.tree["host"] = name
	if base, _ := s.tree["basePath"].(string); found && rest != "" {
		s.tree["basePath"] = "/" + strings.Trim(rest, "/") + "/" + strings.TrimLeft(base, "/")
	}
}

// flows names the OAuth flows as the conversion knows them: which one a client went
// through is nothing that a server asks.
func (s *swagger) flows() {
	definitions := object(s.tree["securityDefinitions"])
	for _, name := range sortedKeys(definitions) {
		scheme := object(definitions[name])
		if scheme["type"] != "oauth2" {
			continue
		}
		flow, _ := scheme["flow"].(string)
		if !slices.Contains([]string{"implicit", "password", "application", "accessCode"}, flow) {
			scheme["flow"] = "implicit"
			s.warn([]string{"securityDefinitions", name, "flow"}, fmt.Sprintf("OAuth flow %.40q is none of Swagger 2.0; implicit is assumed", flow), "write implicit, password, application or accessCode")
		}
	}
}

// inlined is a list of parameters with the shared ones written out. They are copies:
// what is changed for one operation does not reach another.
func (s *swagger) inlined(list any) []map[string]any {
	items, _ := list.([]any)
	var out []map[string]any
	shared := object(s.tree["parameters"])
	for _, item := range items {
		p := object(item)
		for range 5 { // a shared parameter may refer to another one, not in circles
			ref, _ := p["$ref"].(string)
			if name, ok := strings.CutPrefix(ref, "#/parameters/"); ok {
				p = object(shared[unescape(name)])
			}
		}
		if len(p) == 0 || p["$ref"] != nil {
			continue
		}
		own := make(map[string]any, len(p))
		for key, v := range p {
			own[key] = v
		}
		out = append(out, own)
	}
	return out
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
