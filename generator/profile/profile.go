// Package profile is the architecture profile: what shape the generated backend
// has. One table describes every key; parsing, --set, defaults and the text of
// backend.yaml all come from it.
package profile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/templates"
)

// Profile is a checked architecture profile. Values are those of the table, with
// their defaults filled in.
type Profile struct {
	Preset string
	values map[string]string
	// Services maps a service to the tags that it holds; a tag that is nowhere
	// becomes a service of its own.
	Services map[string][]string
	// Operations are what the document leaves open of operations, by id or
	// "METHOD /path".
	Operations map[string]Operation
}

// Operation is what the profile says of one operation.
type Operation struct {
	*model.Extension
	// File, Line and Column are where it says so.
	File         string
	Line, Column int
}

// key is one line of the table.
type key struct {
	path    string
	def     string
	kind    kind
	values  []string // of an enum: what this build delivers
	planned []string // of an enum: named in the contract, not built yet
	doc     string
}

type kind int

const (
	enum kind = iota
	integer
	number
	boolean
	duration
	object // a free-form map with its own parser
)

// folder is the store of files that every project has.
const folder = "folder"

// table is every key of a profile, in the order in which backend.yaml prints them.
// A key that is not an enum and lists values is known and not built yet: it takes
// its default only.
var table = []key{
	{"version", "1", integer, nil, nil, "of this format"},
	{"shape", "monolith", enum, []string{"monolith", "microservices"}, nil, "what the deploy files describe"},
	{"services", "", object, nil, nil, "service: {tags: [a, b]}; every other tag is a service of its own"},
	{"operations", "", object, nil, nil, "id: {does: …}, where the document leaves it open; `backend profile suggest` has lines"},
	{"database.engine", "sqlite", enum, built("store"), planned("store"), "compiled in beside the embedded one"},
	{"database.replicas", "0", integer, []string{"0"}, nil, "read replicas"},
	{"database.consistency", "strong", enum, []string{"strong"}, []string{"read_your_writes", "eventual"}, "of reads"},
	{"sharding.shards", "1", integer, []string{"1"}, nil, "databases per service"},
	{"sharding.strategy", "hash", enum, []string{"hash"}, []string{"range"}, "how keys find their shard"},
	{"sharding.keys", "", object, nil, nil, "resource: property"},
	{"cache.engine", "local", enum, append([]string{"none"}, built("cache")...), planned("cache"), "of reads by id"},
	{"cache.ttl", "60s", duration, nil, nil, "how long an entry lives"},
	{"files.engine", folder, enum, append([]string{folder}, built("blob")...), planned("blob"), "compiled in beside the folder, for files that clients upload"},
	{"events.broker", "none", enum, []string{"none"}, []string{"in_process", "nats", "rabbitmq", "kafka", "sns_sqs"}, "where events go"},
	{"gateway.edge", "none", enum, []string{"none"}, []string{"nginx", "haproxy"}, "load balancer in front"},
	{"gateway.timeout", "5s", duration, []string{"5s"}, nil, "of one request"},
	{"gateway.rate_limit.requests", "0", integer, []string{"0"}, nil, "0 is no limit"},
	{"gateway.rate_limit.per", "1s", duration, []string{"1s"}, nil, ""},
	{"gateway.rate_limit.by", "client", enum, []string{"client"}, nil, ""},
	{"auth.mode", "spec", enum, []string{"spec", "none"}, nil, "spec: what the document's security says"},
	{"resilience.timeout", "1s", duration, []string{"1s"}, nil, "of a call between services"},
	{"resilience.retries", "2", integer, []string{"2"}, nil, "of idempotent calls between services"},
	{"resilience.breaker", "true", boolean, []string{"true"}, nil, ""},
	{"resilience.fallback", "none", enum, []string{"none"}, []string{"stale"}, ""},
	{"observability.metrics", "prometheus", enum, []string{"prometheus"}, []string{"none"}, ""},
	{"observability.dashboards", "none", enum, []string{"none"}, []string{"grafana"}, ""},
	{"observability.traces", "none", enum, []string{"none"}, []string{"otlp"}, ""},
	{"observability.logs", "stdout", enum, []string{"stdout"}, []string{"elk"}, ""},
	{"deploy.compose", "true", boolean, nil, nil, "deploy/compose.yaml and deploy/Dockerfile"},
	{"deploy.kubernetes", "false", boolean, []string{"false"}, nil, ""},
	{"deploy.ci", "github", enum, []string{"github", "none"}, []string{"gitlab"}, ""},
	{"load.requests_per_second", "100", number, nil, nil, "what the architecture is for"},
	{"load.p99", "100ms", duration, nil, nil, ""},
	{"load.read_ratio", "0.9", number, nil, nil, "0 to 1"},
	{"load.records", "100000", integer, nil, nil, ""},
}

// built and planned are the adapters of a kind.
func built(kind string) []string {
	names, _ := templates.Known(kind)
	return names
}

func planned(kind string) []string {
	_, names := templates.Known(kind)
	return names
}

// presets are what each preset changes of the defaults.
var presets = map[string]map[string]string{
	"monolith":      {},
	"microservices": {"shape": "microservices", "database.engine": "postgres"},
}

// Presets are the names that --profile takes in this build.
func Presets() []string { return []string{"monolith", "microservices"} }

// Doc says in a line what a preset is.
func Doc(preset string) string {
	switch preset {
	case "monolith":
		return "one process, SQLite inside it: enough for most"
	case "microservices":
		return "a process per service behind a gateway, Postgres"
	}
	return ""
}

// plannedPresets are named in the contract and not built yet.
var plannedPresets = []string{"event-driven", "sharded"}

// Preset returns a preset by name.
func Preset(name string) (*Profile, error) {
	if slices.Contains(plannedPresets, name) {
		return nil, fail("profile-planned", "", 0, 0, fmt.Sprintf("preset %q is not in this build yet", name), "use --profile "+strings.Join(Presets(), " or "))
	}
	if !slices.Contains(Presets(), name) {
		hint := "presets: " + strings.Join(Presets(), ", ") + "; or name a YAML file"
		if near := problem.Nearest(name, Presets()); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return nil, fail("profile-unknown", "", 0, 0, fmt.Sprintf("there is no preset %.60q, and no file of that name", name), hint)
	}
	p := &Profile{Preset: name, values: map[string]string{}, Services: map[string][]string{}, Operations: map[string]Operation{}}
	for _, k := range table {
		p.values[k.path] = k.def
	}
	maps.Copy(p.values, presets[name])
	return p, nil
}

func fail(code, file string, line, column int, message, hint string) problem.List {
	return problem.List{{Code: code, File: file, Line: line, Column: column, Message: message, Hint: hint}}
}

// Set changes one key, as --set key=value does.
func (p *Profile) Set(assignment string) error {
	path, value, ok := strings.Cut(assignment, "=")
	if !ok || path == "" {
		return fail("set-syntax", "", 0, 0, fmt.Sprintf("--set %.80q is not key=value", assignment), "write --set database.engine=sqlite")
	}
	k := find(path)
	if k == nil {
		return unknown("--set", 0, 0, path)
	}
	if k.kind == object {
		return fail("set-object", "", 0, 0, fmt.Sprintf("--set cannot change %s, which is a map", path), "write it in a profile file")
	}
	if message, hint := k.check(value); message != "" {
		return fail("set-value", "", 0, 0, "--set "+path+": "+message, hint)
	}
	p.values[path] = value
	return nil
}

func find(path string) *key {
	for i := range table {
		if table[i].path == path {
			return &table[i]
		}
	}
	return nil
}

// unknown reports a key that does not exist, with the nearest that does.
func unknown(file string, line, column int, path string) problem.List {
	paths := make([]string, len(table))
	var groups []string
	for i, k := range table {
		paths[i] = k.path
		if group, _, ok := strings.Cut(k.path, "."); ok && !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	hint := "backend.yaml of any generated project lists all keys"
	if near := problem.Nearest(path, slices.Concat(paths, groups)); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if near := problem.Nearest(last(path), lasts(paths)); near != "" {
		hint = fmt.Sprintf("did you mean %q?", paths[slices.Index(lasts(paths), near)])
	}
	return fail("profile-key", file, line, column, fmt.Sprintf("unknown key %.80q", path), hint)
}

func last(path string) string { return path[strings.LastIndex(path, ".")+1:] }

func lasts(paths []string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = last(p)
	}
	return out
}

// check returns what is wrong with a value, "" when nothing is.
func (k *key) check(value string) (message, hint string) {
	switch k.kind {
	case enum:
		return k.checkEnum(value)
	case integer:
		if n, err := strconv.Atoi(value); err != nil || n < 0 {
			return fmt.Sprintf("%.60q is not a whole number", value), "write a number such as " + k.def
		}
	case number:
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || !(n >= 0 && n <= 1e12) || k.path == "load.read_ratio" && n > 1 {
			return fmt.Sprintf("%.60q is not a number in range", value), "write a number such as " + k.def
		}
	case boolean:
		if value != "true" && value != "false" {
			return fmt.Sprintf("%.60q is neither true nor false", value), ""
		}
	case duration:
		if d, err := time.ParseDuration(value); err != nil || d <= 0 {
			return fmt.Sprintf("%.60q is not a duration above zero", value), "write one such as " + k.def
		}
	}
	if k.path == "version" && value != "1" {
		return "profile version " + value + " is not known to this build", "write version: 1"
	}
	if k.kind != enum && k.values != nil && !slices.Contains(k.values, value) {
		return value + " is not in this build yet", "use " + strings.Join(k.values, " or ")
	}
	return "", ""
}

func (k *key) checkEnum(value string) (message, hint string) {
	if slices.Contains(k.values, value) {
		return "", ""
	}
	choices := "use " + strings.Join(k.values, " or ")
	if slices.Contains(k.planned, value) {
		return fmt.Sprintf("%s is not in this build yet", value), choices
	}
	if near := problem.Nearest(value, k.planned); near != "" && problem.Nearest(value, k.values) == "" {
		return fmt.Sprintf("unknown value %.60q; %s is planned, and not in this build yet", value, near), choices
	}
	if near := problem.Nearest(value, k.values); near != "" {
		choices = fmt.Sprintf("did you mean %q?", near)
	}
	return fmt.Sprintf("unknown value %.60q", value), choices
}

// Get returns a value as text.
func (p *Profile) Get(path string) string { return p.values[path] }

// Bool returns a boolean value.
func (p *Profile) Bool(path string) bool { return p.values[path] == "true" }

// YAML prints the profile with every key, as backend.yaml holds it.
func (p *Profile) YAML() []byte {
	var b strings.Builder
	b.WriteString("# The architecture profile. Every key stands here with its value; unknown keys are errors.\n")
	open := []string{}
	for _, k := range table {
		parts := strings.Split(k.path, ".")
		shared := 0
		for shared < len(parts)-1 && shared < len(open) && open[shared] == parts[shared] {
			shared++
		}
		open = open[:shared]
		for _, group := range parts[shared : len(parts)-1] {
			b.WriteString(strings.Repeat("  ", len(open)) + group + ":\n")
			open = append(open, group)
		}
		line := strings.Repeat("  ", len(open)) + parts[len(parts)-1] + ":"
		switch {
		case k.path == "services":
			line += p.servicesYAML()
		case k.path == "operations":
			line += p.operationsYAML()
		case k.kind == object:
			line += " {}"
		default:
			line += " " + p.values[k.path]
		}
		if note := k.note(); note != "" && !strings.Contains(line, "\n") {
			line += strings.Repeat(" ", max(1, 40-len(line))) + "# " + note
		}
		b.WriteString(line + "\n")
	}
	return []byte(b.String())
}

func (k *key) note() string {
	note := k.doc
	if k.kind == enum && len(k.values) > 1 {
		note = strings.TrimPrefix(note+"; ", "; ") + strings.Join(k.values, " | ")
	}
	return note
}

func (p *Profile) operationsYAML() string {
	if len(p.Operations) == 0 {
		return " {}"
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.Operations)) {
		fmt.Fprintf(&b, "\n  %s: %s", model.YAMLText(name), p.Operations[name].Extension)
	}
	return b.String()
}

func (p *Profile) servicesYAML() string {
	if len(p.Services) == 0 {
		return " {}"
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		tags := make([]string, len(p.Services[name]))
		for i, tag := range p.Services[name] {
			tags[i] = strconv.Quote(tag)
		}
		fmt.Fprintf(&b, "\n  %s: {tags: [%s]}", strconv.Quote(name), strings.Join(tags, ", "))
	}
	return b.String()
}
