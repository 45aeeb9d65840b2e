package spec

import (
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
)

// maxRules bounds the text of one schema's rules.
const maxRules = 64 << 10

// exotic returns the part of a schema that has no form in Go; nil when there is
// none. The result is a schema of its own.
func exotic(s *openapi3.Schema) *openapi3.Schema {
	if restOf(s) {
		return s // needs to see what all other keywords looked at
	}
	out, found := &openapi3.Schema{}, false
	take := func(there bool, assign func()) {
		if there {
			found = true
			assign()
		}
	}
	take(s.Not != nil, func() { out.Not = s.Not })
	take(s.If != nil, func() { out.If, out.Then, out.Else = s.If, s.Then, s.Else })
	take(s.Contains != nil, func() { out.Contains, out.MinContains, out.MaxContains = s.Contains, s.MinContains, s.MaxContains })
	take(s.PropertyNames != nil, func() { out.PropertyNames = s.PropertyNames })
	take(len(s.DependentRequired) > 0, func() { out.DependentRequired = s.DependentRequired })
	take(len(s.DependentSchemas) > 0, func() { out.DependentSchemas = s.DependentSchemas })
	take(len(s.PrefixItems) > 0, func() { out.PrefixItems, out.Items = s.PrefixItems, s.Items })
	take(len(s.PatternProperties) > 0, func() {
		out.PatternProperties, out.AdditionalProperties = s.PatternProperties, s.AdditionalProperties
		out.Properties = openapi3.Schemas{}
		for name := range s.Properties {
			out.Properties[name] = openapi3.NewSchema().NewRef()
		}
	})
	if !found {
		return nil
	}
	return out
}

// restOf reports whether a schema says something about what its other keywords did
// not look at, beyond what a closed object does.
func restOf(s *openapi3.Schema) bool {
	if s.UnevaluatedItems.Has != nil && !*s.UnevaluatedItems.Has || s.UnevaluatedItems.Schema != nil || s.UnevaluatedProperties.Schema != nil {
		return true
	}
	return s.UnevaluatedProperties.Has != nil && !*s.UnevaluatedProperties.Has && chooses(s, 0)
}

// chooses reports whether what a schema looks at depends on the value.
func chooses(s *openapi3.Schema, depth int) bool {
	if depth > maxMerge {
		return true
	}
	if len(s.OneOf) > 0 || len(s.AnyOf) > 0 || s.If != nil || len(s.DependentSchemas) > 0 || len(s.PatternProperties) > 0 {
		return true
	}
	return slices.ContainsFunc(s.AllOf, func(ref *openapi3.SchemaRef) bool {
		return ref != nil && ref.Value != nil && chooses(ref.Value, depth+1)
	})
}

// ruleText renders schemas that must all hold as the text of package rules.
func (c *schemaConverter) ruleText(parts []*openapi3.Schema) (text model.Literal, problem string) {
	if len(parts) == 0 {
		return nil, ""
	}
	w := &ruleWriter{c: c, definitions: map[string]any{}, within: map[*openapi3.Schema]bool{}}
	var root map[string]any
	if len(parts) == 1 {
		root = w.keywords(parts[0])
	} else {
		all := make([]any, len(parts))
		for i, p := range parts {
			all[i] = w.keywords(p)
		}
		root = map[string]any{"allOf": all}
	}
	for len(w.queue) > 0 {
		name := w.queue[0]
		w.queue = w.queue[1:]
		w.definitions[name] = w.keywords(c.doc.Components.Schemas[name].Value)
		if len(w.definitions) > 200 {
			return nil, "a rule that reaches too many schemas"
		}
	}
	if len(w.definitions) > 0 {
		root["$defs"] = w.definitions
	}
	out := literal(root)
	switch {
	case len(out) > maxRules:
		return nil, "a rule that is too long"
	case w.problem != "":
		return out, w.problem
	}
	return out, ""
}

// ruleWriter renders one schema's rules.
type ruleWriter struct {
	c           *schemaConverter
	definitions map[string]any
	queue       []string
	within      map[*openapi3.Schema]bool // inline schemas on the way from the root
	problem     string                    // what is left out
	size        int                       // schemas rendered so far
}

// ref renders a schema where it is used.
func (w *ruleWriter) ref(ref *openapi3.SchemaRef) any {
	if ref == nil || ref.Value == nil {
		return true
	}
	if name := w.c.names[ref.Value]; name != "" {
		if _, known := w.definitions[name]; !known {
			w.definitions[name] = nil
			w.queue = append(w.queue, name)
		}
		return map[string]any{"$ref": "#/$defs/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)}
	}
	if w.size++; w.within[ref.Value] || len(w.within) > maxMerge || w.size > maxRules/8 {
		w.problem = "a rule within itself, or too long"
		return true
	}
	if ref.Value.Always != nil {
		return *ref.Value.Always
	}
	w.within[ref.Value] = true
	defer delete(w.within, ref.Value)
	return w.keywords(ref.Value)
}

func (w *ruleWriter) refs(list openapi3.SchemaRefs) []any {
	out := make([]any, len(list))
	for i, ref := range list {
		out[i] = w.ref(ref)
	}
	return out
}

func (w *ruleWriter) named(m openapi3.Schemas) map[string]any {
	out := map[string]any{}
	for name, ref := range m {
		out[name] = w.ref(ref)
	}
	return out
}

// keywords renders a schema in the dialect of 2020-12.
func (w *ruleWriter) keywords(s *openapi3.Schema) map[string]any {
	out := map[string]any{}
	set := func(there bool, keyword string, value func() any) {
		if there {
			out[keyword] = value()
		}
	}
	w.types(out, s)
	w.scalars(out, s)
	set(s.Enum != nil, "enum", func() any { return s.Enum })
	set(s.Const != nil, "const", func() any { return s.Const })
	set(s.Items != nil, "items", func() any { return w.ref(s.Items) })
	set(len(s.PrefixItems) > 0, "prefixItems", func() any { return w.refs(s.PrefixItems) })
	set(s.MinItems > 0, "minItems", func() any { return clamp(s.MinItems) })
	set(s.MaxItems != nil, "maxItems", func() any { return clamp(*s.MaxItems) })
	set(s.UniqueItems, "uniqueItems", func() any { return true })
	set(s.Contains != nil, "contains", func() any { return w.ref(s.Contains) })
	set(s.MinContains != nil, "minContains", func() any { return clamp(*s.MinContains) })
	set(s.MaxContains != nil, "maxContains", func() any { return clamp(*s.MaxContains) })
	set(s.PropertyNames != nil, "propertyNames", func() any { return w.ref(s.PropertyNames) })
	set(s.MinProps > 0, "minProperties", func() any { return clamp(s.MinProps) })
	set(s.MaxProps != nil, "maxProperties", func() any { return clamp(*s.MaxProps) })
	set(len(s.DependentRequired) > 0, "dependentRequired", func() any { return s.DependentRequired })
	set(len(s.DependentSchemas) > 0, "dependentSchemas", func() any { return w.named(s.DependentSchemas) })
	set(len(s.AllOf) > 0, "allOf", func() any { return w.refs(s.AllOf) })
	set(len(s.AnyOf) > 0, "anyOf", func() any { return w.refs(s.AnyOf) })
	set(len(s.OneOf) > 0, "oneOf", func() any { return w.refs(s.OneOf) })
	set(s.Not != nil, "not", func() any { return w.ref(s.Not) })
	set(s.If != nil, "if", func() any { return w.ref(s.If) })
	set(s.If != nil && s.Then != nil, "then", func() any { return w.ref(s.Then) })
	set(s.If != nil && s.Else != nil, "else", func() any { return w.ref(s.Else) })
	w.members(out, s)
	w.rest(out, "additionalProperties", s.AdditionalProperties.Has, s.AdditionalProperties.Schema)
	w.rest(out, "unevaluatedProperties", s.UnevaluatedProperties.Has, s.UnevaluatedProperties.Schema)
	w.rest(out, "unevaluatedItems", s.UnevaluatedItems.Has, s.UnevaluatedItems.Schema)
	if s.Always != nil && !*s.Always {
		return map[string]any{"not": true}
	}
	return out
}

func (w *ruleWriter) rest(out map[string]any, keyword string, has *bool, schema *openapi3.SchemaRef) {
	switch {
	case schema != nil:
		out[keyword] = w.ref(schema)
	case has != nil:
		out[keyword] = *has
	}
}

// types renders the type, with null where 3.0 says nullable.
func (w *ruleWriter) types(out map[string]any, s *openapi3.Schema) {
	if s.Type == nil || len(*s.Type) == 0 {
		return
	}
	types := slices.Clone(*s.Type)
	if s.Nullable && !slices.Contains(types, "null") {
		types = append(types, "null")
	}
	if len(types) == 1 {
		out["type"] = types[0]
		return
	}
	out["type"] = types
}

// scalars renders the keywords about texts and numbers.
func (w *ruleWriter) scalars(out map[string]any, s *openapi3.Schema) {
	if s.Format != "" {
		out["format"] = s.Format
	}
	if s.MinLength > 0 {
		out["minLength"] = clamp(s.MinLength)
	}
	if s.MaxLength != nil {
		out["maxLength"] = clamp(*s.MaxLength)
	}
	if p := w.pattern(s.Pattern); p != "" {
		out["pattern"] = p
	}
	if low, exclusive := bound(s.Min, s.ExclusiveMin, func(a, b float64) bool { return a > b }); low != nil {
		out[map[bool]string{false: "minimum", true: "exclusiveMinimum"}[exclusive]] = *low
	}
	if high, exclusive := bound(s.Max, s.ExclusiveMax, func(a, b float64) bool { return a < b }); high != nil {
		out[map[bool]string{false: "maximum", true: "exclusiveMaximum"}[exclusive]] = *high
	}
	if s.MultipleOf != nil {
		out["multipleOf"] = *s.MultipleOf
	}
}

func (w *ruleWriter) pattern(ecma string) string {
	if ecma == "" {
		return ""
	}
	expr, ok := model.RE2(ecma)
	if !ok {
		w.problem = "pattern " + ecma
	}
	return expr
}

// members renders an object's properties: a request need not hold read-only ones,
// and what it holds of them is dropped.
func (w *ruleWriter) members(out map[string]any, s *openapi3.Schema) {
	required := slices.Clone(s.Required)
	if len(s.Properties) > 0 {
		properties := map[string]any{}
		for name, ref := range s.Properties {
			if ref != nil && ref.Value != nil && ref.Value.ReadOnly {
				properties[name] = true
				required = slices.DeleteFunc(required, func(r string) bool { return r == name })
				continue
			}
			properties[name] = w.ref(ref)
		}
		out["properties"] = properties
	}
	if len(required) > 0 {
		out["required"] = required
	}
	if len(s.PatternProperties) == 0 {
		return
	}
	patterns := map[string]any{}
	for pattern, ref := range s.PatternProperties {
		if expr := w.pattern(pattern); expr != "" || pattern == "" {
			patterns[expr] = w.ref(ref)
		}
	}
	out["patternProperties"] = patterns
}

// addRules gives a schema the rules for what its Go type and checks leave open.
func (c *schemaConverter) addRules(out *model.Schema, f *flat, s *openapi3.Schema) {
	parts := slices.Clone(f.exotic)
	if whole(out, f) {
		parts = []*openapi3.Schema{s}
	}
	if loose := looseValues(out, f); loose != nil {
		parts = append(parts, loose)
	}
	text, left := c.ruleText(parts)
	if left != "" {
		out.Unenforced = append(out.Unenforced, left)
	}
	switch {
	case text == nil:
	case out.Rules != nil: // those of the one variant that a union has
		out.Unenforced = append(out.Unenforced, "rules beside a choice of one")
	default:
		out.Rules = text
	}
}

// whole reports whether all of a schema has to be rules: it has no one Go type.
func whole(out *model.Schema, f *flat) bool {
	if out.Kind == model.KindObject {
		closed := f.AdditionalProperties.Has != nil && !*f.AdditionalProperties.Has || f.UnevaluatedProperties.Has != nil && !*f.UnevaluatedProperties.Has
		return closed && len(f.properties)+len(f.Required) == 0 || untyped(f)
	}
	if out.Kind != model.KindRaw || f.loop {
		return false
	}
	plain := len(out.Types) > 0 && f.conflict == "" && f.Enum == nil && f.Const == nil && len(f.properties) == 0 && len(f.items) == 0 &&
		f.Pattern == "" && f.Min == nil && f.Max == nil && f.MinLength == 0 && f.MaxLength == nil && len(f.OneOf)+len(f.AnyOf) == 0 &&
		f.Format == "" && f.MinItems == 0 && f.MaxItems == nil && !f.ExclusiveMin.IsSet() && !f.ExclusiveMax.IsSet() && f.MultipleOf == nil &&
		len(f.Required) == 0
	return !plain
}

// looseValues is the enumeration or constant that the Go type's own checks do not
// cover.
func looseValues(out *model.Schema, f *flat) *openapi3.Schema {
	loose := &openapi3.Schema{}
	all := func(values []model.Literal, kinds ...model.Kind) bool {
		return !slices.ContainsFunc(values, func(v model.Literal) bool { return !slices.Contains(kinds, kindOfLiteral(v)) })
	}
	covered := func(values []model.Literal) bool {
		switch out.Kind {
		case model.KindString:
			return len(values) > 0 && all(values, model.KindString)
		case model.KindInteger:
			return len(values) > 0 && all(values, model.KindInteger)
		case model.KindNumber:
			return len(values) > 0 && all(values, model.KindInteger, model.KindNumber)
		}
		return false
	}
	if f.Enum != nil && !covered(out.Enum) && out.Kind != model.KindRaw {
		loose.Enum = f.Enum
	}
	timed := out.Kind == model.KindString && (out.Format == "date-time" || out.Format == "byte")
	if out.Const != nil && (timed || !covered([]model.Literal{out.Const}) && !(out.Kind == model.KindBoolean && all([]model.Literal{out.Const}, model.KindBoolean))) && out.Kind != model.KindRaw {
		loose.Const = f.Const
	}
	if out.Kind == model.KindNull {
		loose.Type = &openapi3.Types{"null"}
	}
	if loose.Enum == nil && loose.Const == nil && loose.Type == nil {
		return nil
	}
	return loose
}

// untyped reports whether an object has a property that no Go field can hold.
func untyped(f *flat) bool {
	for name := range f.properties {
		if !model.Taggable(name) {
			return true
		}
	}
	return slices.ContainsFunc(f.Required, func(name string) bool { return !model.Taggable(name) })
}

// addLoops finds the schemas that hold themselves without an object of named
// properties between, which have no Go type, and gives them rules for all of it. One
// that is a choice of itself says nothing: no check of it would end.
func (c *schemaConverter) addLoops() {
	for s, out := range c.done {
		if !reaches(out, out, inside, map[*model.Schema]bool{}) || reaches(out, out, choices, map[*model.Schema]bool{}) {
			continue
		}
		if text, left := c.ruleText([]*openapi3.Schema{s}); left == "" {
			out.Whole = text
		}
	}
}

// choices are the schemas of the same value, inside those of its parts as well.
func choices(s *model.Schema) []*model.Schema { return slices.Concat(s.OneOf, s.AnyOf) }

func inside(s *model.Schema) []*model.Schema {
	if s.Kind == model.KindObject && len(s.Properties) > 0 {
		return nil
	}
	return append(choices(s), s.Items, s.Additional)
}

// reaches reports whether target is below s by way of next.
func reaches(s, target *model.Schema, next func(*model.Schema) []*model.Schema, seen map[*model.Schema]bool) bool {
	if s == nil || seen[s] {
		return false
	}
	seen[s] = true
	return slices.ContainsFunc(next(s), func(one *model.Schema) bool { return one == target || reaches(one, target, next, seen) })
}
