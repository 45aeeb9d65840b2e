package sample

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/templates/platform/rules"
)

// Check reports whether a JSON value satisfies a schema, with the first reason
// when it does not. It exists for values that were not made here: examples of
// the document, ids taken from responses. Servers are judged by a validator of
// their own.
func Check(s *model.Schema, value []byte, d Direction) error { return check(s, value, d) }

func check(s *model.Schema, value []byte, d Direction) error {
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return err
	}
	return (&checker{dir: d}).value(s, v)
}

// check is Check with the rules that were compiled before.
func (c *compiler) check(s *model.Schema, value []byte) error {
	return c.rules.check(s, value, c.o.Direction)
}

// ruleCache keeps compiled rules. It is safe for concurrent use.
type ruleCache struct{ known sync.Map }

func (r *ruleCache) check(s *model.Schema, value []byte, d Direction) error {
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return err
	}
	return (&checker{dir: d, rules: r}).value(s, v)
}

// of compiles a schema's rules; nil when they do not compile.
func (r *ruleCache) of(s *model.Schema) *rules.Schema {
	if r != nil {
		if known, ok := r.known.Load(s); ok {
			compiled, _ := known.(*rules.Schema)
			return compiled
		}
	}
	compiled, err := rules.Parse(string(s.Rules))
	if err != nil {
		return nil
	}
	if r != nil {
		r.known.Store(s, compiled)
	}
	return compiled
}

// maxCheckDepth bounds the nesting that is looked into.
const maxCheckDepth = 64

type checker struct {
	dir   Direction
	depth int
	rules *ruleCache // nil: none
}

var errDeep = errors.New("nested too deeply")

func (c *checker) value(s *model.Schema, v any) error {
	if s == nil {
		return nil
	}
	if c.depth++; c.depth > maxCheckDepth {
		return errDeep
	}
	defer func() { c.depth-- }()
	if v == nil {
		if s.Nullable || s.Kind == model.KindNull || (s.Kind == model.KindAny && s.Enum == nil && s.Const == nil) {
			return nil
		}
		if s.Kind != model.KindUnion && s.Kind != model.KindRaw {
			return errors.New("is null")
		}
	}
	if s.Const != nil && !equal(s.Const, v) {
		return errors.New("is not the constant")
	}
	if s.Enum != nil && !among(s.Enum, v) {
		return errors.New("is not in the enum")
	}
	if s.Not != nil && c.value(s.Not, v) == nil {
		return errors.New("matches what it must not")
	}
	if err := c.kind(s, v); err != nil {
		return err
	}
	if s.Rules != nil && v != nil {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if compiled := c.rules.of(s); compiled != nil && !compiled.Valid(text) {
			return errors.New("breaks a rule")
		}
	}
	return c.unions(s, v)
}

func among(enum []model.Literal, v any) bool {
	for _, e := range enum {
		if equal(e, v) {
			return true
		}
	}
	return false
}

// equal compares by canonical JSON text; numbers by value.
func equal(lit model.Literal, v any) bool {
	var want any
	if json.Unmarshal(lit, &want) != nil {
		return false
	}
	if n, ok := v.(json.Number); ok {
		f, err := n.Float64()
		return err == nil && want == f
	}
	a, errA := json.Marshal(want)
	b, errB := json.Marshal(v)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func (c *checker) kind(s *model.Schema, v any) error {
	switch s.Kind {
	case model.KindString:
		t, ok := v.(string)
		if !ok {
			return errors.New("is not a string")
		}
		return checkText(s, t)
	case model.KindInteger, model.KindNumber:
		n, ok := v.(json.Number)
		if !ok {
			return errors.New("is not a number")
		}
		return checkNumber(s, n)
	case model.KindBoolean:
		if _, ok := v.(bool); !ok {
			return errors.New("is not a boolean")
		}
	case model.KindNull:
		if v != nil {
			return errors.New("is not null")
		}
	case model.KindArray:
		a, ok := v.([]any)
		if !ok {
			return errors.New("is not an array")
		}
		return c.array(s, a)
	case model.KindObject:
		o, ok := v.(map[string]any)
		if !ok {
			return errors.New("is not an object")
		}
		return c.object(s, o)
	case model.KindUnion:
		if o, ok := v.(map[string]any); ok && len(s.Properties) > 0 {
			return c.object(s, o)
		}
	}
	return nil
}

func checkText(s *model.Schema, t string) error {
	n := utf8.RuneCountInString(t)
	if n < s.MinLength || (s.MaxLength != nil && n > *s.MaxLength) {
		return fmt.Errorf("has %d characters", n)
	}
	if s.Pattern != "" {
		re, err := compile(s.Pattern)
		if err != nil {
			return err
		}
		if !re.MatchString(t) {
			return errors.New("does not match the pattern")
		}
	}
	if f := formatCheck(s.Format); f != nil && !f(t) {
		return fmt.Errorf("is not a %s", s.Format)
	}
	return nil
}

func checkNumber(s *model.Schema, n json.Number) error {
	f, err := n.Float64()
	if err != nil {
		return err
	}
	if s.Kind == model.KindInteger && f != math.Trunc(f) {
		return errors.New("is not whole")
	}
	if s.Kind == model.KindInteger && s.Format == "int32" && math.Abs(f) > math.MaxInt32 {
		return errors.New("is not an int32")
	}
	if s.Minimum != nil && (f < *s.Minimum || (s.ExclusiveMinimum && f <= *s.Minimum)) {
		return errors.New("is too small")
	}
	if s.Maximum != nil && (f > *s.Maximum || (s.ExclusiveMaximum && f >= *s.Maximum)) {
		return errors.New("is too great")
	}
	if s.MultipleOf != nil && *s.MultipleOf > 0 {
		if q := f / *s.MultipleOf; math.Abs(q-math.Round(q)) > 1e-9*math.Max(1, math.Abs(q)) {
			return errors.New("is not a multiple")
		}
	}
	return nil
}

func (c *checker) array(s *model.Schema, a []any) error {
	if len(a) < s.MinItems || (s.MaxItems != nil && len(a) > *s.MaxItems) {
		return fmt.Errorf("has %d items", len(a))
	}
	seen := map[string]bool{}
	for i, item := range a {
		if err := c.value(s.Items, item); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
		if s.UniqueItems {
			text, err := json.Marshal(item)
			if err != nil || seen[string(text)] {
				return fmt.Errorf("item %d occurs twice", i)
			}
			seen[string(text)] = true
		}
	}
	return nil
}

func (c *checker) object(s *model.Schema, o map[string]any) error {
	if len(o) < s.MinProperties || (s.MaxProperties != nil && len(o) > *s.MaxProperties) {
		return fmt.Errorf("has %d properties", len(o))
	}
	listed := 0
	for _, p := range s.Properties {
		v, ok := o[p.Name]
		if !ok {
			if p.Required && !hidden(p.Schema, c.dir) {
				return fmt.Errorf("%s is missing", p.Name)
			}
			continue
		}
		listed++
		if err := c.value(p.Schema, v); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	// Beside a union, its variants list properties too.
	if listed == len(o) || len(s.OneOf)+len(s.AnyOf) > 0 {
		return nil
	}
	if s.Additional == nil {
		if s.Closed {
			return errors.New("has a property that is not listed")
		}
		return nil
	}
	for name, v := range o {
		if s.Property(name) != nil {
			continue
		}
		if err := c.value(s.Additional, v); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (c *checker) unions(s *model.Schema, v any) error {
	if v == nil && s.Nullable {
		return nil
	}
	if d := s.Discriminator; d != nil {
		if o, ok := v.(map[string]any); ok {
			return c.discriminated(s, d, o)
		}
	}
	if len(s.OneOf) > 0 {
		if n := c.matches(s.OneOf, v); n != 1 {
			return fmt.Errorf("matches %d variants of oneOf", n)
		}
	}
	if len(s.AnyOf) > 0 && c.matches(s.AnyOf, v) == 0 {
		return errors.New("matches no variant of anyOf")
	}
	return nil
}

func (c *checker) matches(variants []*model.Schema, v any) int {
	n := 0
	for _, s := range variants {
		if c.value(s, v) == nil {
			n++
		}
	}
	return n
}

func (c *checker) discriminated(s *model.Schema, d *model.Discriminator, o map[string]any) error {
	name, ok := o[d.Property].(string)
	if !ok {
		return fmt.Errorf("%s, the discriminator, is missing", d.Property)
	}
	if v := d.Mapping[name]; v != nil {
		return c.value(v, o)
	}
	for _, v := range append(append([]*model.Schema{}, s.OneOf...), s.AnyOf...) {
		if v.Name == name || strings.HasSuffix(name, "/"+v.Name) && v.Name != "" {
			return c.value(v, o)
		}
	}
	return fmt.Errorf("%s names no variant", d.Property)
}
