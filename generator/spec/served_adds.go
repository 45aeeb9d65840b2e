package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
)

// The extensions of an operation that list what the served document says beyond the
// input, and what it leaves out of it.
const (
	addsExtension  = "x-backend-adds"
	dropsExtension = "x-backend-drops"
)

// addition is one thing that the server asks or answers beyond the input document.
type addition struct {
	At  string `json:"at"`  // responses/404, parameters/query/cursor, requestBody/userId
	Why string `json:"why"` // a sentence
	// Takes says which values are good where no schema can: "existing" (a key that an item
	// at Of has), "issued" (what the member Of of this operation's response held), "current"
	// (the ETag of the item), "unused" (one that was not sent before).
	Takes string `json:"takes,omitempty"`
	Of    string `json:"of,omitempty"`
}

// statusReasons say when the server gives an answer that the input does not declare.
func statusReasons(op *model.Op) map[string]string {
	reasons := map[string]string{
		"206": "a part of the file is asked for (Range)",
		"304": "the client has this state of it already (If-None-Match)",
		"400": "the request cannot be read",
		"401": "it carries no credentials that are accepted",
		"403": "the credentials do not allow this",
		"404": "there is nothing under this key",
		"406": "the client accepts no media type that the operation answers in",
		"409": "it contradicts what is stored: the key is taken, or something refers to the item",
		"412": "the item is no longer in the state that If-Match names",
		"413": "the body is larger than MAX_BODY",
		"416": "the file has no such part",
		"415": "the operation does not read the body's media type",
		"428": "it carries no If-Match",
		"500": "the server has a fault, which it logs under the response's X-Request-Id",
		"503": "a part of the server is away; Retry-After says when to come back",
		"504": "it took longer than REQUEST_TIMEOUT",
	}
	if op.Upload != nil {
		reasons["413"] = "the file is larger than MAX_FILE, or the rest of the body than MAX_BODY"
	}
	if op.Kind == model.OpDownload {
		reasons["412"] = "the file is not in the state that the request's conditions name"
	}
	invalid := fmt.Sprint(op.Invalid)
	reasons[invalid] = "the request breaks its schema, or a rule below"
	if op.Result != nil && op.Operation.Success() == nil {
		reasons[fmt.Sprint(op.Result.Status)] = "the input declares no success"
	}
	return reasons
}

// list puts the lists of what was added and dropped into the operation.
func list(operation *openapi3.Operation, op *model.Op, adds []addition) {
	if operation.Extensions == nil {
		operation.Extensions = map[string]any{}
	}
	if len(adds) > 0 {
		operation.Extensions[addsExtension] = adds
	}
	var drops []string
	for _, p := range op.Refused {
		drops = append(drops, "parameters/"+p.In+"/"+p.Name)
	}
	if len(drops) > 0 {
		operation.Extensions[dropsExtension] = drops
	}
}

// addRules adds what the server asks of parameters and bodies beyond the input's schemas.
func addRules(doc *openapi3.T, operation *openapi3.Operation, op *model.Op) (adds []addition) {
	if op.IfMatch != "" {
		const tag = `(W/)?"[!#-~]*"`
		replaceSchema(operation.Parameters, "If-Match", &openapi3.Schema{Pattern: `^(\*|` + tag + `( *, *` + tag + `)*)$`})
		adds = append(adds, addition{At: "parameters/header/If-Match", Why: "entity tags (RFC 9110, section 13.1.1), one of them the item's own", Takes: "current"})
	}
	if op.Idempotent != "" {
		replaceSchema(operation.Parameters, "Idempotency-Key", &openapi3.Schema{
			Pattern:   `^([!#-~]([ -~]*[!-~])?|"([ -~]*[!#-~])?|"[ -~]+")$`, // anything but the empty key, quoted or not
			MaxLength: new(uint64(255)),
		})
		adds = append(adds, addition{At: "parameters/header/Idempotency-Key", Why: "up to 255 visible ASCII characters; a key stands for one request: sent with another one it is refused", Takes: "unused"})
	}
	if op.List != nil && op.List.Cursor != nil {
		rule := addition{At: "parameters/" + op.List.Cursor.In + "/" + op.List.Cursor.Name, Why: "a cursor that this list gave for the same filters and order", Takes: "issued"}
		if e := op.List.Envelope; e != nil {
			for _, f := range e.Fields {
				if f.Source == "next" {
					rule.Of = f.Field.JSON
				}
			}
		}
		adds = append(adds, rule)
	}
	for _, p := range op.Scope {
		if op.Resource != nil {
			adds = append(adds, addition{At: "parameters/" + p.In + "/" + p.Name, Why: "whose rows are meant: they are seen with the same value only"})
		}
	}
	adds = append(adds, keyRules(doc, operation, op)...)
	adds = append(adds, pathRules(doc, operation, op)...)
	adds = append(adds, textRules(operation, op)...)
	adds = append(adds, narrowBody(doc, operation, op)...)
	return append(adds, references(op)...)
}

// keyRules says by which keys clients may ask.
func keyRules(doc *openapi3.T, operation *openapi3.Operation, op *model.Op) []addition {
	if !op.KeyLoosened {
		return nil
	}
	return changeSchema(operation, op.KeyParam, "every key that a "+op.Resource.Name+" can have", func(s *openapi3.Schema) { bounds(s, op.KeyParam.Schema, dialect31(doc)) })
}

// pathRules says which values of its path an operation that makes rows does not take.
func pathRules(doc *openapi3.T, operation *openapi3.Operation, op *model.Op) (adds []addition) {
	for _, p := range op.Params {
		if p.Schema != nil && p.Schema.Narrowed && !(p == op.KeyParam && op.KeyLoosened) {
			adds = append(adds, changeSchema(operation, p, "what responses promise of it", func(s *openapi3.Schema) { bounds(s, p.Schema, dialect31(doc)) })...)
		}
	}
	return adds
}

// textRules says plainly that a parameter takes any text, where the document offers several
// types: a number that is written as text would be of two of them.
func textRules(operation *openapi3.Operation, op *model.Op) (adds []addition) {
	for _, p := range op.Params {
		if p.AnyText {
			adds = append(adds, changeSchema(operation, p, "any text, numbers among them", func(s *openapi3.Schema) { *s = *openapi3.NewStringSchema() })...)
		}
	}
	return adds
}

// changeSchema changes a copy of a parameter's schema, if it has one, and says why.
func changeSchema(operation *openapi3.Operation, p *model.OpParam, why string, change func(*openapi3.Schema)) (adds []addition) {
	changeParameter(operation.Parameters, p.In, p.Name, func(parameter *openapi3.Parameter) {
		if parameter.Schema == nil {
			return
		}
		schema := *parameter.Schema.Value
		change(&schema)
		parameter.Schema = schema.NewRef()
		adds = append(adds, addition{At: "parameters/" + p.In + "/" + p.Name, Why: why})
	})
	return adds
}

// references lists the members of the body that must name rows of other resources.
func references(op *model.Op) (adds []addition) {
	if op.Body == nil || op.Resource == nil || !slices.Contains([]model.OpKind{model.OpCreate, model.OpReplace, model.OpPatch}, op.Kind) {
		return nil
	}
	media := model.JSON(op.Operation.Body.Content)
	if media == nil {
		return nil
	}
	for _, r := range op.Resource.References {
		if r.Column.Property == "" || media.Schema.Property(r.Column.Property) == nil {
			continue
		}
		of := r.Target.ItemPath
		if of == "" {
			of = r.Target.Path
		}
		adds = append(adds, addition{At: "requestBody/" + r.Column.Property, Why: "the key of an existing " + r.Target.Name, Takes: "existing", Of: of})
	}
	return adds
}

// replaceSchema gives a header's parameter the schema that the server goes by, whatever
// the input says of it.
func replaceSchema(list openapi3.Parameters, name string, schema *openapi3.Schema) {
	schema.Type = &openapi3.Types{"string"}
	changeParameter(list, "header", name, func(p *openapi3.Parameter) {
		p.Schema, p.Content, p.Example, p.Examples = schema.NewRef(), nil, nil, nil
	})
}

// changeParameter changes a copy of the parameter: other operations may share the old one.
func changeParameter(list openapi3.Parameters, in, name string, change func(*openapi3.Parameter)) {
	for i, ref := range list {
		if ref == nil || ref.Value == nil || ref.Value.In != in || ref.Value.Name != name && (in != "header" || !strings.EqualFold(ref.Value.Name, name)) {
			continue
		}
		parameter := *ref.Value
		change(&parameter)
		list[i] = &openapi3.ParameterRef{Value: &parameter}
	}
}
