package model

import "strings"

// errors plans the body of declared error responses whose schema or media type
// is not the platform's own problem+json (RFC 9457). The first declared error
// with a JSON object decides for the operation; documents use one error schema
// per API.
func (ob *opBuilder) errors() {
	for _, r := range ob.op.Responses {
		if r.Status != "default" && r.Status[0] != '4' && r.Status[0] != '5' {
			continue
		}
		if r.Status == "default" && ob.op.Success() == nil {
			continue // the only response: it describes success
		}
		media := JSON(r.Content)
		schema := objectOf(JSON(r.Content))
		if schema == nil {
			continue
		}
		if shape := ob.errorShape(schema, jsonType(media.Type)); shape != nil {
			ob.op.Error = shape
		}
		return
	}
}

func (ob *opBuilder) errorShape(schema *Schema, media string) *ErrorShape {
	if isProblem(schema) {
		if media == "application/problem+json" {
			return nil
		}
		return ob.shapeOnce("media:"+media, func() *ErrorShape {
			return &ErrorShape{Func: ob.sc.locals.take("problemBody"), Media: media}
		})
	}
	ref := ob.t.ref(schema, "ErrorBody")
	if ref.Kind != RefStruct {
		return nil
	}
	fields := errorFields(ref.Named, 0)
	if fields == nil {
		return nil // cannot be filled: problem+json, as the served document says
	}
	return ob.shapeOnce(media+">"+ref.Named.Name, func() *ErrorShape {
		return &ErrorShape{Func: ob.sc.locals.take(goLocal(ref.Named.Name) + "Body"), Type: ref.Named, Media: media, Fields: fields}
	})
}

// maxErrorDepth bounds how deep the message may lie in a declared error body.
const maxErrorDepth = 3

// errorFields fills the members of an error body; nil: a required one has no source, or
// none says what is wrong.
func errorFields(t *Type, depth int) (fields []*ErrorField) {
	says := false
	for _, f := range t.Fields {
		source, value := errorSource(f)
		var inner []*ErrorField
		if source == "" && depth < maxErrorDepth {
			switch {
			case f.Ref.Kind == RefStruct:
				source, inner = "object", errorFields(f.Ref.Named, depth+1)
			case f.Ref.Kind == RefList && f.Ref.Elem.Kind == RefStruct:
				source, inner = "list", errorFields(f.Ref.Elem.Named, depth+1)
			}
			if inner == nil {
				source = ""
			}
		}
		if source == "" {
			if f.Presence == Required {
				return nil
			}
			continue
		}
		says = says || source != "value"
		fields = append(fields, &ErrorField{Field: f, Source: source, Value: value, Fields: inner})
	}
	if !says {
		return nil
	}
	return fields
}

// Renders reports whether the server's errors have the shape that a response declares,
// which has content.
func (op *Op) Renders(r *Response) bool {
	media := JSON(r.Content)
	schema := objectOf(media)
	switch {
	case schema == nil:
		return false
	case op.Error == nil:
		return isProblem(schema) && media.Type == "application/problem+json"
	case jsonType(media.Type) != op.Error.Media:
		return false
	case op.Error.Type == nil:
		return isProblem(schema)
	}
	return op.Error.Type.Schema == schema
}

func (ob *opBuilder) shapeOnce(key string, build func() *ErrorShape) *ErrorShape {
	if shape, ok := ob.sc.shapes[key]; ok {
		return shape
	}
	shape := build()
	ob.sc.shapes[key] = shape
	ob.s.Errors = append(ob.s.Errors, shape)
	return shape
}

// isProblem reports whether a schema accepts the platform's problem body as it
// is: its members, where it has them, are those of RFC 9457.
func isProblem(s *Schema) bool {
	if s.Property("title") == nil || s.Property("status") == nil {
		return false
	}
	for _, p := range s.Properties {
		switch p.Name {
		case "type", "title", "detail", "instance":
			if p.Schema.Kind != KindString {
				return false
			}
		case "status":
			if p.Schema.Kind != KindInteger && p.Schema.Kind != KindNumber {
				return false
			}
		case "errors":
			if p.Schema.Kind != KindArray {
				return false
			}
		default:
			if p.Required {
				return false
			}
		}
	}
	return !s.Closed
}

// errorSource says which part of a problem fills a member of an error body.
func errorSource(f *Field) (source, value string) {
	n := Plain(f.Property.Name)
	switch f.Ref.Kind {
	case RefInt:
		if n == "code" || n == "status" || n == "statuscode" || n == "errorcode" || n == "httpstatus" {
			return "status", ""
		}
	case RefString:
		switch {
		case n == "message" || n == "detail" || n == "details" || n == "description" || n == "errormessage" || n == "msg" || n == "reason" || n == "errordescription":
			return "detail", ""
		case n == "error" || n == "title" || n == "name" || n == "statustext":
			return "title", ""
		case n == "code" || n == "type" || n == "errorcode" || n == "slug":
			return "code", ""
		case n == "status":
			return "title", ""
		}
	case RefBool:
		return "value", boolWord(strings.HasPrefix(n, "error") || n == "failed")
	}
	if v, ok := GoLiteral(f.Ref, f.Property.Schema.defaultOrConst()); ok {
		return "value", v
	}
	if f.Presence == Required {
		if v, ok := neutral(&Column{Property: f.JSON, Ref: f.Ref, Schema: f.Property.Schema}, true); ok {
			return "value", v
		}
	}
	return "", ""
}

func boolWord(v bool) string {
	if v {
		return "true"
	}
	return "false"
}
