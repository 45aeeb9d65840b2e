package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct {
	never bool // the schema false: nothing satisfies it
	ref   *Schema

	types                  []string
	format                 wire.Format
	formatted              bool
	enum                   []string // canonical texts
	enumText               string   // for people
	minimum, maximum       *float64
	aboveMin, belowMax     *float64 // exclusive
	multipleOf             *float64
	minLength, maxLength   *int
	pattern                *regexp.Regexp
	minItems, maxItems     *int
	unique                 bool
	prefix                 []*Schema
	items, contains        *Schema
	minContains            int
	maxContains            *int
	required               []string
	properties             map[string]*Schema
	patterns               []patternProperty
	additional, names      *Schema
	minProps, maxProps     *int
	requires               map[string][]string
	dependent              map[string]*Schema
	all, anyOf, oneOf      []*Schema
	not                    *Schema
	when, then, otherwise  *Schema
	restItems, restMembers *Schema // what no other keyword evaluated
}

type patternProperty struct {
	expression *regexp.Regexp
	schema     *Schema
}

// maxText bounds the text of a schema.
const maxText = 1 << 20

// MustParse is Parse for a text that is known to be good.
func MustParse(text string) *Schema {
	s, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return s
}

// Parse compiles a schema.
func Parse(text string) (*Schema, error) {
	if len(text) > maxText || !wire.Valid([]byte(text)) {
		return nil, fmt.Errorf("rules: the schema is no JSON, or too long")
	}
	p := &parser{definitions: map[string]*Schema{}}
	var root struct {
		Definitions map[string]json.RawMessage `json:"$defs"`
	}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		if err := json.Unmarshal([]byte(text), &root); err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
	}
	for name := range root.Definitions {
		p.definitions[name] = &Schema{}
	}
	for name, definition := range root.Definitions {
		*p.definitions[name] = *p.schema(definition)
	}
	out := p.schema([]byte(text))
	if p.err != nil {
		return nil, fmt.Errorf("rules: %w", p.err)
	}
	return out, nil
}

// parser compiles one text; it keeps the first error.
type parser struct {
	definitions map[string]*Schema
	err         error
}

func (p *parser) fail(err error) {
	if p.err == nil && err != nil {
		p.err = err
	}
}

// keywords is a schema as it is written.
type keywords struct {
	Ref              string                     `json:"$ref"`
	Type             json.RawMessage            `json:"type"`
	Format           string                     `json:"format"`
	Enum             []json.RawMessage          `json:"enum"`
	Const            json.RawMessage            `json:"const"`
	Minimum          *float64                   `json:"minimum"`
	Maximum          *float64                   `json:"maximum"`
	ExclusiveMinimum *float64                   `json:"exclusiveMinimum"`
	ExclusiveMaximum *float64                   `json:"exclusiveMaximum"`
	MultipleOf       *float64                   `json:"multipleOf"`
	MinLength        *int                       `json:"minLength"`
	MaxLength        *int                       `json:"maxLength"`
	Pattern          string                     `json:"pattern"`
	MinItems         *int                       `json:"minItems"`
	MaxItems         *int                       `json:"maxItems"`
	UniqueItems      bool                       `json:"uniqueItems"`
	PrefixItems      []json.RawMessage          `json:"prefixItems"`
	Items            json.RawMessage            `json:"items"`
	Contains         json.RawMessage            `json:"contains"`
	MinContains      *int                       `json:"minContains"`
	MaxContains      *int                       `json:"maxContains"`
	UnevaluatedItems json.RawMessage            `json:"unevaluatedItems"`
	Required         []string                   `json:"required"`
	Properties       map[string]json.RawMessage `json:"properties"`
	Patterns         map[string]json.RawMessage `json:"patternProperties"`
	Additional       json.RawMessage            `json:"additionalProperties"`
	Unevaluated      json.RawMessage            `json:"unevaluatedProperties"`
	PropertyNames    json.RawMessage            `json:"propertyNames"`
	MinProperties    *int                       `json:"minProperties"`
	MaxProperties    *int                       `json:"maxProperties"`
	Requires         map[string][]string        `json:"dependentRequired"`
	Dependent        map[string]json.RawMessage `json:"dependentSchemas"`
	AllOf            []json.RawMessage          `json:"allOf"`
	AnyOf            []json.RawMessage          `json:"anyOf"`
	OneOf            []json.RawMessage          `json:"oneOf"`
	Not              json.RawMessage            `json:"not"`
	If               json.RawMessage            `json:"if"`
	Then             json.RawMessage            `json:"then"`
	Else             json.RawMessage            `json:"else"`
}

// schema compiles a schema; nil for none.
func (p *parser) schema(text json.RawMessage) *Schema {
	switch text = bytes.TrimSpace(text); {
	case len(text) == 0:
		return nil
	case string(text) == "true":
		return &Schema{}
	case string(text) == "false":
		return &Schema{never: true}
	}
	var k keywords
	if err := json.Unmarshal(text, &k); err != nil {
		p.fail(err)
		return &Schema{}
	}
	s := &Schema{
		minimum: k.Minimum, maximum: k.Maximum, aboveMin: k.ExclusiveMinimum, belowMax: k.ExclusiveMaximum, multipleOf: k.MultipleOf,
		minLength: k.MinLength, maxLength: k.MaxLength, minItems: k.MinItems, maxItems: k.MaxItems, unique: k.UniqueItems,
		minContains: 1, maxContains: k.MaxContains, required: k.Required, minProps: k.MinProperties, maxProps: k.MaxProperties, requires: k.Requires,
		items: p.schema(k.Items), contains: p.schema(k.Contains), restItems: p.schema(k.UnevaluatedItems), additional: p.schema(k.Additional),
		restMembers: p.schema(k.Unevaluated), names: p.schema(k.PropertyNames), not: p.schema(k.Not),
		when: p.schema(k.If), then: p.schema(k.Then), otherwise: p.schema(k.Else),
		prefix: p.list(k.PrefixItems), all: p.list(k.AllOf), anyOf: p.list(k.AnyOf), oneOf: p.list(k.OneOf),
		properties: p.named(k.Properties), dependent: p.named(k.Dependent),
	}
	if k.MinContains != nil {
		s.minContains = *k.MinContains
	}
	p.reference(s, k.Ref)
	p.types(s, k.Type)
	p.values(s, &k)
	p.expressions(s, &k)
	return s
}

func (p *parser) list(texts []json.RawMessage) []*Schema {
	var out []*Schema
	for _, t := range texts {
		out = append(out, p.schema(t))
	}
	return out
}

func (p *parser) named(texts map[string]json.RawMessage) map[string]*Schema {
	if texts == nil {
		return nil
	}
	out := make(map[string]*Schema, len(texts))
	for name, t := range texts {
		out[name] = p.schema(t)
	}
	return out
}

func (p *parser) reference(s *Schema, ref string) {
	if ref == "" {
		return
	}
	name, ok := strings.CutPrefix(ref, "#/$defs/")
	s.ref = p.definitions[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
	if !ok || s.ref == nil {
		p.fail(fmt.Errorf("%.60q refers to nothing", ref))
	}
}

func (p *parser) types(s *Schema, text json.RawMessage) {
	switch {
	case len(text) == 0:
	case text[0] == '"':
		s.types = []string{""}
		p.fail(json.Unmarshal(text, &s.types[0]))
	default:
		p.fail(json.Unmarshal(text, &s.types))
	}
}

// values takes the constants over.
func (p *parser) values(s *Schema, k *keywords) {
	list := k.Enum
	if k.Const != nil {
		list = []json.RawMessage{k.Const}
		if k.Enum != nil && !slices.ContainsFunc(k.Enum, func(e json.RawMessage) bool { return wire.Canonical(e) == wire.Canonical(k.Const) }) {
			list = []json.RawMessage{}
		}
	}
	if list == nil {
		return
	}
	s.enum = []string{}
	texts := make([]string, len(list))
	for i, v := range list {
		s.enum = append(s.enum, wire.Canonical(v))
		texts[i] = string(wire.Compact(v))
	}
	s.enumText = strings.Join(texts, ", ")
}

func (p *parser) expressions(s *Schema, k *keywords) {
	s.format, s.formatted = wire.FormatOf(k.Format)
	if k.Pattern != "" {
		expression, err := regexp.Compile(k.Pattern)
		p.fail(err)
		s.pattern = expression
	}
	for pattern, text := range k.Patterns {
		expression, err := regexp.Compile(pattern)
		p.fail(err)
		s.patterns = append(s.patterns, patternProperty{expression, p.schema(text)})
	}
	slices.SortFunc(s.patterns, func(a, b patternProperty) int {
		if a.expression == nil || b.expression == nil {
			return 0
		}
		return strings.Compare(a.expression.String(), b.expression.String())
	})
}
