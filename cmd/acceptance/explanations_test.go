package acceptance

import (
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// explained is why the generated server and kin-openapi do not agree on a request.
type explained struct {
	why     string
	applies func(c *trial, ours bool, answer, theirs string) bool
}

// explanation returns why a disagreement is none to worry about, "" for none known.
func explanation(c *trial, ours bool, answer string, theirs error) string {
	text := ""
	if theirs != nil {
		text = theirs.Error()
	}
	for _, e := range explanations() {
		if e.applies(c, ours, answer, text) {
			return e.why
		}
	}
	return ""
}

func explanations() []explained {
	has := strings.Contains
	return []explained{
		{"what refers to something that does not exist is refused", func(_ *trial, ours bool, answer, _ string) bool {
			return !ours && has(answer, "names no existing")
		}},
		{"If-Match, Idempotency-Key and cursors have a grammar of their own", func(_ *trial, ours bool, answer, _ string) bool {
			return !ours && (has(answer, "entity tags") || has(answer, "is not a cursor") || has(answer, "Idempotency-Key"))
		}},
		{"a boolean is true or false; kin-openapi reads a parameter as Go would, 1 and T included", func(_ *trial, ours bool, answer, theirs string) bool {
			return !ours && theirs == "" && has(answer, "must be true or false")
		}},
		{"1.0 and 1e3 are integers, as in JSON Schema; kin-openapi reads a parameter as Go would", func(_ *trial, ours bool, _, theirs string) bool {
			return ours && has(theirs, "an invalid integer")
		}},
		{"kin-openapi cannot read the parameter or body at all", func(_ *trial, _ bool, _, theirs string) bool {
			return has(theirs, "not implemented: decoding") || has(theirs, "unsupported content type")
		}},
		{"a discriminator's implicit value, the schema's name, is one beside a mapping; kin-openapi knows the mapping only", func(c *trial, ours bool, _, theirs string) bool {
			return ours && has(theirs, "discriminator property") && has(string(c.body), "Bird")
		}},
		{"a read-only property is required in responses only (OpenAPI 3.0.4, section 4.7.24.1)", func(c *trial, ours bool, _, theirs string) bool {
			if !ours || c.media == nil || c.media.Schema == nil {
				return false
			}
			for _, p := range c.media.Schema.Properties {
				if p.Required && p.Schema.ReadOnly && has(theirs, "missing property '"+p.Name+"'") {
					return true
				}
			}
			return false
		}},
		{"requests may say of rows what responses promise, and no more: the served document says so", func(c *trial, ours bool, answer, theirs string) bool {
			if ours || theirs != "" {
				return false
			}
			narrowed := func(name string, s *model.Schema) bool { return s != nil && s.Narrowed && has(answer, name) }
			for _, p := range c.op.Parameters {
				if narrowed(p.Name, p.Schema) {
					return true
				}
			}
			if c.media != nil && c.media.Schema != nil {
				for _, p := range c.media.Schema.Properties {
					if narrowed(`"/`+p.Name+`"`, p.Schema) {
						return true
					}
				}
			}
			return false
		}},
		{"U+0000 is refused: not every store can hold it", func(_ *trial, ours bool, answer, _ string) bool {
			return !ours && has(answer, "U+0000")
		}},
		{"kin-openapi does not read this form: it has an object, or a field that is not listed", func(_ *trial, _ bool, _, theirs string) bool {
			return has(theirs, "unsupported schema of request body's property") || has(theirs, "undefined")
		}},
		{"fields of a form that are not listed are checked against additionalProperties; kin-openapi drops them", func(c *trial, ours bool, _, theirs string) bool {
			return !ours && theirs == "" && c.media != nil && model.IsForm(c.media.Type) && c.media.Schema != nil && c.media.Schema.Additional != nil
		}},
		{"a list written as one text is empty where that is; kin-openapi takes it for no value", func(c *trial, ours bool, _, theirs string) bool {
			return ours && (has(theirs, `"/waters": Value is not nullable`) && has(string(c.body), "waters=") ||
				has(theirs, "empty value is not allowed") && (has(theirs, `"kind"`) || has(theirs, `"names"`) || has(theirs, `"ids"`)))
		}},
		{"an empty text is a text; kin-openapi asks for allowEmptyValue", func(_ *trial, ours bool, _, theirs string) bool {
			return ours && has(theirs, `"places" in query has an error: empty value is not allowed`)
		}},
		{"null among the values of an enum makes it nullable, in 3.0 too", func(c *trial, ours bool, _, theirs string) bool {
			return ours && has(theirs, `"/mixed": Value is not nullable`)
		}},
		{"a parameter that may be of several shapes is kept as text, which the scaffold notes", func(_ *trial, ours bool, _, theirs string) bool {
			return ours && (has(theirs, `parameter "shape" in query`) || has(theirs, `parameter "tables" in query`))
		}},
		{"no property of an exploded object was sent, so it is absent; kin-openapi looks at the parameter's own name", func(c *trial, ours bool, _, theirs string) bool {
			return ours && has(theirs, `parameter "spread" in query`) && has(theirs, "missing property")
		}},
		{"name[list]=x is a list of one; kin-openapi wants name[list][0]=x", func(_ *trial, ours bool, _, theirs string) bool {
			return ours && has(theirs, "array items must be set with indexes")
		}},
		{"an object in brackets that comes without them is refused; kin-openapi takes it for absent", func(_ *trial, ours bool, answer, theirs string) bool {
			return !ours && theirs == "" && has(answer, "must be an object, not")
		}},
		{"an empty text is no number; kin-openapi takes it for null, and null for absent", func(c *trial, ours bool, _, theirs string) bool {
			return !ours && theirs == "" && has(c.what, `becomes ""`)
		}},
		{"of a choice, kin-openapi reads a parameter as one type before it looks which one fits", func(_ *trial, ours bool, _, theirs string) bool {
			return ours && has(theirs, `parameter "either" in query`) && has(theirs, "got string, want integer")
		}},
	}
}
