package spec

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// swaggerPlaces are where Swagger 2.0 keeps what others refer to, and where OpenAPI 3
// does. Parameters are none of them: they are written into their operations.
var swaggerPlaces = map[string]string{"#/definitions/": componentPrefix, "#/responses/": "#/components/responses/"}

var (
	// namedKeys hold mappings whose keys are names, so that one called `default` is
	// no default.
	namedKeys = []string{"properties", "definitions", "paths", "responses", "headers", "securityDefinitions"}
	// dataKeys hold values that mean nothing to the conversion.
	dataKeys = []string{"example", "examples", "default", "enum", "security", "required", "scopes"}
	// foreignKeys are of schemas in later versions.
	foreignKeys = []string{"oneOf", "anyOf", "not", "patternProperties"}
)

// cleaner rewrites references, removes what is null (the conversion takes it for
// something) and what only later versions know.
type cleaner struct{ s *swagger }

func (c *cleaner) value(v any, keys []string, named bool) {
	switch v := v.(type) {
	case map[string]any:
		c.mapping(v, keys, named)
	case []any:
		for i, item := range v {
			if item == nil {
				v[i] = map[string]any{}
			}
			c.value(item, append(keys, strconv.Itoa(i)), false)
		}
	}
}

func (c *cleaner) mapping(m map[string]any, keys []string, named bool) {
	for _, key := range sortedKeys(m) {
		v, here := m[key], append(slices.Clip(keys), key)
		if named {
			if v == nil {
				delete(m, key)
			}
			c.value(v, here, false)
			continue
		}
		switch {
		case slices.Contains(dataKeys, key) || strings.HasPrefix(key, "x-"):
		case v == nil:
			delete(m, key)
		case key == "$ref":
			c.reference(m, v)
		case key == "nullable":
			delete(m, key)
			m["x-nullable"] = v
		case slices.Contains(foreignKeys, key):
			delete(m, key)
			c.s.warn(here, fmt.Sprintf("%q is no part of Swagger 2.0; it is left out", key), "write the document as OpenAPI 3 to use it")
		default:
			c.value(v, here, slices.Contains(namedKeys, key) || key == "parameters" && len(keys) == 0)
		}
	}
}

func (c *cleaner) reference(m map[string]any, v any) {
	ref, ok := v.(string)
	if !ok {
		return
	}
	for from, to := range swaggerPlaces {
		if rest, found := strings.CutPrefix(ref, from); found {
			m["$ref"] = to + rest
		}
	}
}

// keyAt is the place of the key that keys lead to, or of the last one before it.
func (s *swagger) keyAt(keys []string) *token.Position {
	n := s.root
	var last *token.Position
	for _, key := range keys {
		next, _ := child(plainNode(n), key)
		if next == nil {
			break
		}
		if entry := entryOf(plainNode(n), key); entry != nil {
			last = entry.Key.GetToken().Position
		} else if t := next.GetToken(); t != nil {
			last = t.Position
		}
		n = next
	}
	return last
}

func entryOf(n ast.Node, key string) *ast.MappingValueNode {
	for _, v := range entries(n) {
		if keyOf(v) == key && v.Key != nil && v.Key.GetToken() != nil {
			return v
		}
	}
	return nil
}

// entries are the keys and values of a mapping; none of anything else.
func entries(n ast.Node) []*ast.MappingValueNode {
	switch n := plainNode(n).(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// unescape reads a part of a JSON pointer in a reference.
func unescape(part string) string {
	if plain, err := url.PathUnescape(part); err == nil {
		part = plain
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
}
