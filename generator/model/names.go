package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
)

// maxName bounds a generated identifier; longer ones end in a hash of the whole.
const maxName = 48

// initialisms are words that Go writes in capitals.
var initialisms = map[string]bool{
	"api": true, "cpu": true, "css": true, "db": true, "dns": true, "etag": false, "html": true, "http": true,
	"https": true, "id": true, "ip": true, "json": true, "jwt": true, "ok": true, "sku": true, "sql": true,
	"tls": true, "ttl": true, "ui": true, "uri": true, "url": true, "uuid": true, "vat": true, "xml": true,
}

// words splits a name of any origin into lower-case ASCII words. Letters outside
// ASCII are dropped: Go cannot export a name in a script without capitals.
func words(name string) []string {
	var out []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			out = append(out, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		if r >= unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if unicode.IsUpper(r) && i > 0 {
			previous := runes[i-1]
			next := i+1 < len(runes) && unicode.IsLower(runes[i+1]) && runes[i+1] < unicode.MaxASCII
			if unicode.IsLower(previous) || unicode.IsDigit(previous) || next && unicode.IsUpper(previous) {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return out
}

// GoName returns an exported Go identifier for a name of any origin.
func GoName(name string) string {
	var b strings.Builder
	for _, w := range words(name) {
		switch {
		case initialisms[w]:
			b.WriteString(strings.ToUpper(w))
		case strings.HasSuffix(w, "s") && initialisms[strings.TrimSuffix(w, "s")]:
			b.WriteString(strings.ToUpper(strings.TrimSuffix(w, "s")) + "s")
		default:
			b.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	out := b.String()
	if out == "" {
		out = "X" + fingerprint(name)
	}
	if out[0] >= '0' && out[0] <= '9' {
		out = "N" + out
	}
	return shorten(out, name)
}

// enumSuffix names an enum's value behind its type: signs and spaces become
// words, so that "createdAt" and "-createdAt" are told apart.
func enumSuffix(value string) string {
	switch {
	case value == "":
		return "Empty"
	case value[0] == '-' && len(words(value)) > 0:
		return shorten("Minus"+enumSuffix(value[1:]), value)
	case value[0] == '+' && len(words(value)) > 0:
		return shorten("Plus"+enumSuffix(value[1:]), value)
	}
	if parts := words(value); len(parts) > 0 && parts[0][0] >= '0' && parts[0][0] <= '9' {
		return strings.TrimPrefix(GoName(value), "N") // behind a type's name a digit may stand
	}
	return GoName(value)
}

// goLocal returns an unexported Go identifier.
func goLocal(name string) string {
	parts := words(name)
	if len(parts) == 0 {
		return "x" + fingerprint(name)
	}
	head := parts[0]
	tail := GoName(strings.Join(parts[1:], " "))
	if len(parts) == 1 {
		tail = ""
	}
	out := head + tail
	if out[0] >= '0' && out[0] <= '9' {
		out = "n" + out
	}
	if goKeywords[out] {
		out += "Value"
	}
	return shorten(out, name)
}

// snake returns a lower-case SQL or file name.
func snake(name string) string {
	out := strings.Join(words(name), "_")
	if out == "" {
		out = "x_" + fingerprint(name)
	}
	if out[0] >= '0' && out[0] <= '9' {
		out = "n_" + out
	}
	return shorten(out, name)
}

// tableName is snake, clear of the prefix that SQLite keeps for itself.
func tableName(name string) string {
	out := snake(name)
	if strings.HasPrefix(out, "sqlite_") {
		out = "t_" + out
	}
	return out
}

// packageName returns a Go package name for a service, clear of every name that
// the project needs itself.
func packageName(name string) string {
	out := strings.Join(words(name), "")
	if out == "" {
		out = "x" + fingerprint(name)
	}
	if out[0] >= '0' && out[0] <= '9' {
		out = "n" + out
	}
	out = strings.ReplaceAll(shorten(out, name), "_", "")
	if isReserved(out) {
		out += "svc"
	}
	return out
}

// isReserved reports whether a package cannot have the name.
func isReserved(name string) bool {
	return goKeywords[name] || reservedPackages[name] || predeclared[name] || reservedFile(name)
}

// reservedFile reports whether Windows keeps a name for a device: go vet refuses
// such a folder in an import path.
func reservedFile(name string) bool {
	switch {
	case name == "con", name == "prn", name == "aux", name == "nul":
		return true
	case len(name) == 4 && (strings.HasPrefix(name, "com") || strings.HasPrefix(name, "lpt")):
		return name[3] >= '0' && name[3] <= '9'
	}
	return false
}

func shorten(out, name string) string {
	if len(out) <= maxName {
		return out
	}
	return out[:maxName-7] + "_" + fingerprint(name)
}

// maxIndexName leaves room for a number below the 63 bytes of the strictest engine.
const maxIndexName = 60

// IndexName names the index of some columns of a table.
func IndexName(table string, columns []string) string {
	name := table + "_" + strings.Join(columns, "_") + "_idx"
	if len(name) <= maxIndexName {
		return name
	}
	return name[:maxIndexName-11] + "_" + fingerprint(name) + "_idx"
}

func fingerprint(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:3])
}

// Plain reduces a name to lower-case ASCII letters and digits, for comparing names:
// postalCode, postal_code and Postal-Code are alike.
func Plain(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9'):
			return r
		default:
			return -1
		}
	}, name)
}

// singular returns the singular of an English plural; other words stay.
func singular(name string) string {
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, "ies") && len(name) > 4:
		return name[:len(name)-3] + "y"
	case strings.HasSuffix(lower, "sses"), strings.HasSuffix(lower, "xes"), strings.HasSuffix(lower, "ches"), strings.HasSuffix(lower, "shes"):
		return name[:len(name)-2]
	case strings.HasSuffix(lower, "statuses"):
		return name[:len(name)-2]
	case strings.HasSuffix(lower, "ss"), strings.HasSuffix(lower, "us"), strings.HasSuffix(lower, "is"), strings.HasSuffix(lower, "news"):
		return name
	case strings.HasSuffix(lower, "s") && len(name) > 2:
		return name[:len(name)-1]
	}
	return name
}

// plural returns the plural of an English noun.
func plural(name string) string {
	if singular(name) != name {
		return name
	}
	switch {
	case strings.HasSuffix(name, "y") && len(name) > 1 && !strings.ContainsRune("aeiou", rune(name[len(name)-2])):
		return name[:len(name)-1] + "ies"
	case strings.HasSuffix(name, "s"), strings.HasSuffix(name, "x"), strings.HasSuffix(name, "ch"), strings.HasSuffix(name, "sh"):
		return name + "es"
	}
	return name + "s"
}

// allocator hands out unique names within one scope: the first taker gets the
// name, the next ones get it with 2, 3, … behind. The order of asking is the
// order of the sorted model, so the result is stable.
type allocator struct{ taken map[string]bool }

func newAllocator(reserved ...string) *allocator {
	return &allocator{taken: set(reserved...)}
}

// take returns name or a numbered variant of it. Names of files and SQL, which
// case alone does not always tell apart, are lower-case before they come here.
func (a *allocator) take(name string) string {
	unique := name
	for n := 2; a.taken[unique]; n++ {
		unique = fmt.Sprintf("%s%d", name, n)
	}
	a.taken[unique] = true
	return unique
}

// takePackage is take for a package: a number may make a reserved name, com2 or int8.
func (a *allocator) takePackage(name string) string {
	for {
		if unique := a.take(name); !isReserved(unique) {
			return unique
		}
	}
}

// takeType is take for a message's type: beside a name that the service needs
// for itself, it says what it is.
func (a *allocator) takeType(name string) string {
	if a.taken[name] && !a.taken[name+"Message"] {
		name += "Message"
	}
	return a.take(name)
}

// reserve takes names that must be as they are; false when one is taken.
func (a *allocator) reserve(names ...string) bool {
	for _, n := range names {
		if a.taken[n] {
			return false
		}
	}
	for _, n := range names {
		a.taken[n] = true
	}
	return true
}

var goKeywords = set("break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for",
	"func", "go", "goto", "if", "import", "interface", "map", "package", "range", "return", "select", "struct",
	"switch", "type", "var")

// predeclared are identifiers that a package name or variable must not shadow.
var predeclared = set("any", "bool", "byte", "cap", "clear", "close", "comparable", "complex", "copy", "delete",
	"error", "false", "float32", "float64", "imag", "int", "int8", "int16", "int32", "int64", "iota", "len", "make",
	"max", "min", "new", "nil", "panic", "print", "println", "real", "recover", "rune", "string", "true", "uint",
	"uint8", "uint16", "uint32", "uint64", "uintptr")

// reservedPackages are package and folder names of the project itself and of the
// standard library's packages that generated files import.
var reservedPackages = set("all", "apidocs", "app", "auth", "bytes", "cache", "cmd", "config", "context", "embed", "encoding", "errors",
	"filepath", "fmt", "fs", "gateway", "http", "httptest", "init", "internal", "io", "json", "lifecycle", "log", "main", "net",
	"os", "path", "peer", "platform", "problem", "regexp", "rest", "slices", "slog", "split", "sql", "store", "strconv", "strings",
	"sync", "telemetry", "testdata", "testing", "time", "url", "vendor", "wire",
	// what internal/app itself declares
	"a", "args", "at", "cfg", "client", "clients", "connect", "ctx", "db", "defaults", "document", "engine", "err", "files", "flow", "flows",
	"migrations", "operations", "placeholder", "proxy", "request", "routes", "rows", "scopes", "server", "service", "settings", "start", "target", "to", "token",
	"unlock", "upstream", "urls")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}
