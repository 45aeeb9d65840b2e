package scenario

import (
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// singular of a plain English noun, near enough to join customerId to /customers.
func singular(n string) string {
	switch {
	case strings.HasSuffix(n, "ies") && len(n) > 4:
		return n[:len(n)-3] + "y"
	case strings.HasSuffix(n, "sses"), strings.HasSuffix(n, "xes"), strings.HasSuffix(n, "ches"), strings.HasSuffix(n, "shes"):
		return n[:len(n)-2]
	case strings.HasSuffix(n, "s") && !strings.HasSuffix(n, "ss") && !strings.HasSuffix(n, "us"):
		return n[:len(n)-1]
	default:
		return n
	}
}

// collectionOf is the last fixed segment of a pool's key: "reviews" of
// "/products/{}/reviews".
func collectionOf(key string) string {
	segments := strings.Split(key, "/")
	for i := len(segments) - 1; i >= 0; i-- {
		if segments[i] != "" && segments[i] != "{}" {
			return model.Plain(segments[i])
		}
	}
	return ""
}

// stem is the resource that a property such as customerId, customer_ids or
// customer.id names; "" when it names none. parent is the enclosing property.
func stem(name, parent string) string {
	n := model.Plain(name)
	for _, suffix := range []string{"uuid", "ids", "id"} {
		s, ok := strings.CutSuffix(n, suffix)
		if !ok {
			continue
		}
		if s == "" {
			return singular(model.Plain(parent))
		}
		// "paid" does not refer to "pa": the suffix must be a word of its own.
		cut := name[:len(name)-len(suffix)]
		if strings.HasSuffix(cut, "_") || strings.HasSuffix(cut, "-") || name[len(cut)] == 'I' || name[len(cut)] == 'U' {
			return s
		}
		return ""
	}
	return ""
}

// keyNames are the plain names under which a response may carry the key that a
// path parameter holds, the likeliest first.
func keyNames(param, poolKey string) []string {
	n, one := model.Plain(param), singular(collectionOf(poolKey))
	names := []string{n}
	if rest, ok := strings.CutPrefix(n, one); ok && rest != "" {
		names = append(names, rest)
	}
	for _, suffix := range []string{"id", "uuid", "key", "code", "slug", "name", "number"} {
		if strings.HasSuffix(n, suffix) && n != suffix {
			names = append(names, suffix)
		}
	}
	return append(names, one+"id", "id", "uuid")
}

// normal replaces the parameters of a path template by {}, and takes an ending away.
func normal(path string) string {
	var b strings.Builder
	depth := 0
	for _, r := range strings.TrimSuffix(path, model.PathEnding) {
		switch {
		case r == '{':
			if depth == 0 {
				b.WriteString("{}")
			}
			depth++
		case r == '}' && depth > 0:
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}
