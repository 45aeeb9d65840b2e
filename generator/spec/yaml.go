package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// maxKey is the length up to which YAML takes a key on its value's line.
const maxKey = 512

var (
	plainText = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*$`)
	notText   = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n|nan|inf)$`)
)

// jsonToYAML prints a JSON object as YAML (1.2, and 1.1 where they agree), its top
// keys in the given order first. Text is quoted unless it is plain beyond doubt.
func jsonToYAML(text []byte, first []string) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var top map[string]any
	if err := decoder.Decode(&top); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("text behind the document: %w", err)
	}
	var b bytes.Buffer
	for _, key := range first {
		if v, ok := top[key]; ok {
			yamlEntry(&b, "", key, v)
		}
	}
	for _, key := range sortedKeys(top) {
		if !slices.Contains(first, key) {
			yamlEntry(&b, "", key, top[key])
		}
	}
	return b.Bytes(), nil
}

func yamlEntry(b *bytes.Buffer, indent, key string, v any) {
	name := yamlScalar(key)
	if len(name) > maxKey {
		name = "? " + name + "\n" + indent
	}
	b.WriteString(indent + name + ":")
	yamlValue(b, indent, v)
}

// yamlValue prints what stands behind a key or a dash, with its line's end.
func yamlValue(b *bytes.Buffer, indent string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			b.WriteString(" {}\n")
			return
		}
		b.WriteString("\n")
		for _, key := range sortedKeys(v) {
			yamlEntry(b, indent+"  ", key, v[key])
		}
	case []any:
		if len(v) == 0 {
			b.WriteString(" []\n")
			return
		}
		b.WriteString("\n")
		for _, item := range v {
			yamlItem(b, indent+"  ", item)
		}
	case string:
		if block, ok := yamlBlock(indent+"  ", v); ok {
			b.WriteString(block)
			return
		}
		b.WriteString(" " + yamlScalar(v) + "\n")
	case json.Number:
		b.WriteString(" " + yamlNumber(v.String()) + "\n")
	case bool:
		fmt.Fprintf(b, " %t\n", v)
	default:
		b.WriteString(" null\n")
	}
}

// yamlItem prints one item of a list; a mapping starts on the dash's own line.
func yamlItem(b *bytes.Buffer, indent string, v any) {
	var inner bytes.Buffer
	if m, ok := v.(map[string]any); ok && len(m) > 0 {
		for _, key := range sortedKeys(m) {
			yamlEntry(&inner, indent+"  ", key, m[key])
		}
		b.WriteString(indent + "- " + strings.TrimPrefix(inner.String(), indent+"  "))
		return
	}
	b.WriteString(indent + "-")
	yamlValue(b, indent, v)
}

// yamlNumber writes an exponent so that every YAML reader takes it for a number.
func yamlNumber(n string) string {
	i := strings.IndexAny(n, "eE")
	if i < 0 {
		return n
	}
	mantissa, exponent := n[:i], n[i+1:]
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if exponent[0] != '-' && exponent[0] != '+' {
		exponent = "+" + exponent
	}
	return mantissa + "e" + exponent
}

// yamlBlock prints text of several lines as a literal block, where that is exact.
func yamlBlock(indent, s string) (string, bool) {
	style := " |-\n"
	body, ended := strings.CutSuffix(s, "\n")
	if ended {
		style = " |\n"
	}
	if !strings.Contains(body, "\n") || strings.HasSuffix(body, "\n") || body[0] == ' ' || body[0] == '\n' ||
		strings.ContainsFunc(body, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		return "", false
	}
	var b strings.Builder
	b.WriteString(style)
	for line := range strings.SplitSeq(body, "\n") {
		if strings.TrimSpace(line) == "" && line != "" {
			return "", false // spaces alone: readers differ
		}
		if line != "" {
			line = indent + line
		}
		b.WriteString(line + "\n")
	}
	return b.String(), true
}

// yamlScalar prints a text on one line: plain, or as JSON with everything escaped
// that YAML takes for no printable character.
func yamlScalar(s string) string {
	if plainText.MatchString(s) && !notText.MatchString(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
