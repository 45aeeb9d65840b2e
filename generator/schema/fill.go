package schema

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/e6b96b0c/backend/generator/model"
)

// fill is the value of rows that were there before their column, as a JSON literal
// or Now: the document's own default where it has one, else the most neutral value.
// Doubtful says that the document's schema would refuse it.
func fill(c *model.Column) (value string, doubtful bool) {
	switch c.Rule {
	case "created", "updated":
		return Now, false
	case "version":
		return "1", false
	}
	if s := c.Schema; s != nil {
		for _, literal := range []model.Literal{s.Const, s.Default} {
			if text, ok := literalFor(c, literal); ok {
				return text, false
			}
		}
	}
	return neutral(c)
}

// literalFor returns a literal of the document as a column's value, if it can be one.
func literalFor(c *model.Column, l model.Literal) (string, bool) {
	var v any
	if len(l) == 0 || json.Unmarshal(l, &v) != nil || v == nil {
		return "", false
	}
	switch v := v.(type) {
	case string:
		switch c.Kind {
		case "text":
			return string(l), plain(v)
		case "uuid":
			return string(l), uuid.MatchString(v)
		case "time":
			t, err := time.Parse(time.RFC3339, v)
			return strconv.FormatInt(t.UnixMicro(), 10), err == nil
		}
	case float64:
		_, err := strconv.ParseInt(string(l), 10, 64)
		if c.Kind == "real" || c.Kind == "integer" && err == nil {
			return string(l), true
		}
	case bool:
		return string(l), c.Kind == "boolean"
	}
	var compact bytes.Buffer
	if c.Kind == "json" && json.Compact(&compact, l) == nil && plain(compact.String()) {
		return compact.String(), true
	}
	return "", false
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// plain reports whether a text can stand on one line of an SQL file.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || r == '\ufffd' })
}

// neutral is the value of a property that nobody supplied.
func neutral(c *model.Column) (value string, doubtful bool) {
	s := c.Schema
	switch c.Kind {
	case "text":
		if c.Ref.Kind == model.RefEnum && len(c.Ref.Named.Values) > 0 && plain(c.Ref.Named.Values[0].Value) {
			text, err := json.Marshal(c.Ref.Named.Values[0].Value)
			return string(text), err != nil
		}
		return `""`, s != nil && (s.MinLength > 0 || s.Pattern != "" || s.Format != "")
	case "uuid":
		return `"00000000-0000-0000-0000-000000000000"`, true
	case "integer", "real":
		return number(s, c.Kind == "integer")
	case "boolean":
		return "false", false
	case "time":
		return "0", true
	}
	switch c.Ref.Kind {
	case model.RefList:
		return "[]", s != nil && s.MinItems > 0
	case model.RefMap, model.RefStruct:
		return "{}", c.Ref.Kind == model.RefStruct
	}
	return "null", true
}

// number is zero, or the bound that is nearest to it.
func number(s *model.Schema, whole bool) (value string, doubtful bool) {
	if s == nil {
		return "0", false
	}
	v := 0.0
	switch {
	case s.Minimum != nil && *s.Minimum > 0:
		v = *s.Minimum
		if whole {
			v = math.Ceil(v)
		}
	case s.Maximum != nil && *s.Maximum < 0:
		v = *s.Maximum
		if whole {
			v = math.Floor(v)
		}
	}
	onBound := s.ExclusiveMinimum && s.Minimum != nil && v == *s.Minimum || s.ExclusiveMaximum && s.Maximum != nil && v == *s.Maximum
	if whole {
		if math.Abs(v) > 1<<53 {
			return "0", true
		}
		return strconv.FormatInt(int64(v), 10), onBound
	}
	return strconv.FormatFloat(v, 'g', -1, 64), onBound
}
