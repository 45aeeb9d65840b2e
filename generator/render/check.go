package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// checks are the statements that enforce a schema's constraints on an expression;
// at is the wire.Check they report to.
func checks(r *model.Ref, value, at string) []string {
	s := r.Schema
	if s == nil {
		return nil
	}
	switch r.Kind {
	case model.RefString:
		return stringChecks(r, value, at)
	case model.RefEnum:
		return []string{fmt.Sprintf("%s.Enum(string(%s), %s...)", at, value, r.Named.ValuesVar)}
	case model.RefInt:
		return integerChecks(s, value, at)
	case model.RefFloat:
		return numberChecks(s, value, at)
	case model.RefBool:
		if word := string(s.Const); word == "true" || word == "false" {
			return []string{fmt.Sprintf("%s.ConstBool(%s, %s)", at, value, word)}
		}
	case model.RefList:
		return listChecks(r, value, at)
	case model.RefMap:
		if s.MinProperties > 0 || s.MaxProperties != nil {
			return []string{fmt.Sprintf("%s.Properties(len(%s), %d, %d)", at, value, s.MinProperties, orUnbounded(s.MaxProperties))}
		}
	case model.RefRaw:
		return rawChecks(r, value, at)
	case model.RefFile:
		return fileChecks(s, value, at)
	}
	return nil
}

func fileChecks(s *model.Schema, value, at string) (lines []string) {
	if s.MinLength > 0 || s.MaxLength != nil {
		lines = append(lines, fmt.Sprintf("%s.FileSize(%s, %d, %d)", at, value, s.MinLength, orUnbounded(s.MaxLength)))
	}
	if len(s.MediaTypes) > 0 {
		lines = append(lines, fmt.Sprintf("%s.MediaType(%s, %s)", at, value, quoted(s.MediaTypes)))
	}
	return lines
}

func stringChecks(r *model.Ref, value, at string) (lines []string) {
	s := r.Schema
	if s.MinLength > 0 || s.MaxLength != nil {
		lines = append(lines, fmt.Sprintf("%s.Length(%s, %d, %d)", at, value, s.MinLength, orUnbounded(s.MaxLength)))
	}
	if r.Pattern != nil {
		lines = append(lines, fmt.Sprintf("%s.Pattern(%s, %s)", at, value, r.Pattern.Var))
	}
	if f := formats[s.Format]; f != "" && textMethod(r) == "String" {
		lines = append(lines, fmt.Sprintf("%s.Format(%s, %s)", at, value, f))
	}
	if text, ok := model.Text(s.Const); ok {
		lines = append(lines, fmt.Sprintf("%s.Const(%s, %s)", at, value, strconv.Quote(text)))
	}
	return lines
}

func integerChecks(s *model.Schema, value, at string) (lines []string) {
	low, lowExclusive, high, highExclusive := s.Minimum, s.ExclusiveMinimum, s.Maximum, s.ExclusiveMaximum
	if s.Format == "int32" {
		if low == nil {
			low = new(float64(math.MinInt32))
		}
		if high == nil {
			high = new(float64(math.MaxInt32))
		}
	}
	bound := func(limit *float64, exclusive bool, name string) {
		if limit == nil {
			return
		}
		if exclusive {
			name = "Exclusive" + name
		}
		if *limit == math.Trunc(*limit) && math.Abs(*limit) < 1<<62 {
			lines = append(lines, fmt.Sprintf("%s.%sInt(%s, %d)", at, name, value, int64(*limit)))
			return
		}
		lines = append(lines, fmt.Sprintf("%s.%s(float64(%s), %s)", at, name, value, float(*limit)))
	}
	bound(low, lowExclusive, "Min")
	bound(high, highExclusive, "Max")
	if m := s.MultipleOf; m != nil && *m >= 1 && *m == math.Trunc(*m) && *m < 1<<62 {
		lines = append(lines, fmt.Sprintf("%s.MultipleOfInt(%s, %d)", at, value, int64(*m)))
	} else if m != nil && *m > 0 {
		lines = append(lines, fmt.Sprintf("%s.MultipleOf(float64(%s), %s)", at, value, float(*m)))
	}
	if list, ok := numbers(s.Enum, true); ok {
		lines = append(lines, fmt.Sprintf("%s.EnumInt(%s, %s)", at, value, list))
	}
	if list, ok := numbers([]model.Literal{s.Const}, true); ok {
		lines = append(lines, fmt.Sprintf("%s.ConstInt(%s, %s)", at, value, list))
	}
	return lines
}

func numberChecks(s *model.Schema, value, at string) (lines []string) {
	bound := func(limit *float64, exclusive bool, name string) {
		if limit == nil {
			return
		}
		if exclusive {
			name = "Exclusive" + name
		}
		lines = append(lines, fmt.Sprintf("%s.%s(%s, %s)", at, name, value, float(*limit)))
	}
	bound(s.Minimum, s.ExclusiveMinimum, "Min")
	bound(s.Maximum, s.ExclusiveMaximum, "Max")
	if m := s.MultipleOf; m != nil && *m > 0 {
		lines = append(lines, fmt.Sprintf("%s.MultipleOf(%s, %s)", at, value, float(*m)))
	}
	if list, ok := numbers(s.Enum, false); ok {
		lines = append(lines, fmt.Sprintf("%s.EnumFloat(%s, %s)", at, value, list))
	}
	if list, ok := numbers([]model.Literal{s.Const}, false); ok {
		lines = append(lines, fmt.Sprintf("%s.ConstFloat(%s, %s)", at, value, list))
	}
	return lines
}

func listChecks(r *model.Ref, value, at string) (lines []string) {
	s := r.Schema
	method := "Items"
	if at == "p" { // a parameter's Items iterates
		method = "ItemCount"
	}
	if s.MinItems > 0 || s.MaxItems != nil {
		lines = append(lines, fmt.Sprintf("%s.%s(len(%s), %d, %d)", at, method, value, s.MinItems, orUnbounded(s.MaxItems)))
	}
	if s.UniqueItems {
		lines = append(lines, fmt.Sprintf("wire.Unique(%s, %s)", at, value))
	}
	return lines
}

func rawChecks(r *model.Ref, value, at string) []string {
	if at != "d" {
		return nil
	}
	if types := r.Schema.Types; len(types) > 0 && !r.Null {
		quoted := make([]string, len(types))
		for i, t := range types {
			quoted[i] = strconv.Quote(t)
		}
		return []string{fmt.Sprintf("d.KindIs(%s, %s)", value, strings.Join(quoted, ", "))}
	}
	if len(r.Variants) == 0 {
		return nil
	}
	if names := r.Choices(); names != nil {
		var b strings.Builder
		for i, v := range r.Variants {
			for _, name := range names[i] {
				fmt.Fprintf(&b, "%s: %s,\n", strconv.Quote(name), variant(v))
			}
		}
		return []string{fmt.Sprintf("wire.Discriminated(d, %s, %s, map[string]func(*wire.Decoder){\n%s})", value, strconv.Quote(r.Schema.Discriminator.Property), b.String())}
	}
	method := "AnyOf"
	if len(r.Schema.OneOf) > 0 {
		method = "OneOf"
	}
	var variants []string
	if r.Null {
		variants = append(variants, "wire.Null")
	}
	for _, v := range r.Variants {
		variants = append(variants, variant(v))
	}
	return []string{fmt.Sprintf("wire.%s(d, %s, %s)", method, value, strings.Join(variants, ", "))}
}

// variant is a function value that tries one member of a union.
func variant(r *model.Ref) string {
	if r.Kind == model.RefStruct {
		return "wire.As[" + r.Go() + "]"
	}
	lines, mark, result := checks(r, "v", "d"), "", "v := "
	if len(lines) == 0 {
		result = "_ = "
	}
	if r.Rules != nil {
		mark, lines = "mark := d.Mark()\n", append(lines, r.Rules.Var+".Check(d, mark)")
	}
	if len(lines) == 0 {
		return "func(d *wire.Decoder) { _ = " + reading(r) + " }"
	}
	return "func(d *wire.Decoder) {\n" + mark + result + reading(r) + "\n" + strings.Join(lines, "\n") + "\n}"
}

func orUnbounded(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}

func float(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// numbers prints JSON numbers as Go arguments; false when one is none.
func numbers(list []model.Literal, integer bool) (string, bool) {
	out := make([]string, len(list))
	for i, l := range list {
		if integer {
			if _, err := strconv.ParseInt(string(l), 10, 64); err != nil {
				return "", false
			}
		} else if _, err := strconv.ParseFloat(string(l), 64); err != nil {
			return "", false
		}
		out[i] = string(l)
	}
	return strings.Join(out, ", "), len(out) > 0
}
