package profile

import (
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator/problem"
)

func preset(t *testing.T) *Profile {
	t.Helper()
	p, err := Preset("monolith")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEveryKey sets each key to a value that it takes and to one that it does not,
// by --set and in a file, and reads back what backend.yaml says.
func TestEveryKey(t *testing.T) {
	for _, k := range table {
		if k.kind == object {
			if err := preset(t).Set(k.path + "=x"); err == nil {
				t.Errorf("--set takes %s, which is a map", k.path)
			}
			continue
		}
		good, bad := k.def, map[kind]string{enum: "nonsense", integer: "-1", number: "much", boolean: "maybe", duration: "5 parsecs"}[k.kind]
		if k.kind == enum && len(k.values) > 0 {
			good = k.values[len(k.values)-1]
		}
		p := preset(t)
		if err := p.Set(k.path + "=" + good); err != nil || p.Get(k.path) != good {
			t.Errorf("--set %s=%s: %v, now %q", k.path, good, err, p.Get(k.path))
		}
		again, err := Parse("backend.yaml", p.YAML())
		if err != nil || again.Get(k.path) != good {
			t.Errorf("%s does not survive backend.yaml: %v", k.path, err)
		}
		err = preset(t).Set(k.path + "=" + bad)
		if got := problem.Of(err); len(got) != 1 || !strings.Contains(got[0].Message, k.path) {
			t.Errorf("--set %s=%s: %v", k.path, bad, err)
		}
		parts := strings.Split(k.path, ".")
		text := ""
		for i, part := range parts {
			text += strings.Repeat("  ", i) + part + ":\n"
		}
		text = strings.TrimSuffix(text, "\n") + " " + bad + "\n"
		_, err = Parse("x.yaml", []byte(text))
		if got := problem.Of(err); len(got) != 1 || got[0].Line != len(parts) || got[0].Column == 0 {
			t.Errorf("%s: %s in a file: %v", k.path, bad, err)
		}
		for _, planned := range k.planned {
			err := preset(t).Set(k.path + "=" + planned)
			if got := problem.Of(err); len(got) != 1 || !strings.Contains(got[0].Message, "not in this build yet") || got[0].Hint == "" {
				t.Errorf("--set %s=%s: %v", k.path, planned, err)
			}
		}
	}
}

func TestParseReportsAllFaults(t *testing.T) {
	_, err := Parse("backend.yaml", []byte(`version: 2
databse: {engine: sqlite}
database:
  engin: sqlite
  engine: sqlit
cache: redis
sharding: {keys: {orders: customerId}}
services:
  Bad Name: {tags: [a]}
  good: {tag: [a]}
  other: {tags: a}
deploy:
  compose: [true]
`))
	want := []string{
		"1:10: version", "2:1: unknown key \"databse", "4:3: unknown key \"database.engin\" · try: did you mean \"database.engine\"?",
		"5:11: database.engine: unknown value \"sqlit\" · try: did you mean \"sqlite\"?", "6:8: cache holds keys", "7:18: sharding.keys is not in this build",
		"9:3: \"Bad Name\" cannot be", "10:10: unknown key \"tag\"", "11:17: tags is a list", "13:12: deploy.compose takes one value",
	}
	got := problem.Of(err)
	for i, p := range got {
		line := strings.TrimPrefix(p.Error(), "backend.yaml:")
		if i >= len(want) || !strings.HasPrefix(line, want[i]) {
			t.Errorf("problem %d: %s", i, line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d problems, want %d", len(got), len(want))
	}
}

func TestParseOddFiles(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "version: 1\n": "", "# nothing\n": "", "[]": "a profile is a mapping", "5": "a profile is a mapping", "a: [": "not valid YAML",
		"\x00": "", "a: &a [*a]": "unknown key", "version: 1\nversion: 1\n": "not valid YAML", strings.Repeat("x", maxBytes+1): "larger than",
	} {
		_, err := Parse("p.yaml", []byte(text))
		switch {
		case want == "" && text != "\x00" && err != nil:
			t.Errorf("%.20q: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
}

func TestServices(t *testing.T) {
	p, err := Parse("p.yaml", []byte("services:\n  orders: {tags: [orders, 'two words', \"x: y\"]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("p.yaml", p.YAML())
	if err != nil {
		t.Fatalf("%v\n%s", err, p.YAML())
	}
	if got := strings.Join(again.Services["orders"], "|"); got != "orders|two words|x: y" {
		t.Errorf("tags %q", got)
	}
}

func TestPresetsAndSet(t *testing.T) {
	for name, want := range map[string]string{
		"sharded": "not in this build yet", "monolit": `did you mean "monolith"?`, "": "there is no preset", "../x": "there is no preset",
	} {
		if _, err := Preset(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("preset %q: %v", name, err)
		}
	}
	for assignment, want := range map[string]string{
		"": "is not key=value", "database.engine": "is not key=value", "=x": "is not key=value", "engine=sqlite": `did you mean "database.engine"?`,
		"load.read_ratio=2": "not a number in range", "cache.ttl=0s": "above zero", "load.p99=NaN": "not a duration", "load.requests_per_second=NaN": "not a number in range",
		"load.requests_per_second=Inf": "not a number in range", "cache.ttl=\n5s": "not a duration",
	} {
		if err := preset(t).Set(assignment); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--set %q: %v, want %s", assignment, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("version: 1\ndatabase: {engine: sqlite}\nservices: {a: {tags: [x]}}\n"))
	f.Add([]byte("operations:\n  \"a \\u0007\": {does: change, resource: /x, set: {state: 'on'}}\n"))
	f.Add([]byte("? a\n: - b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("p.yaml", data)
		if err != nil {
			return
		}
		again, err := Parse("p.yaml", p.YAML())
		if err != nil {
			t.Fatalf("what was taken is not taken again: %v\n%s", err, p.YAML())
		}
		for name, said := range p.Operations {
			if got := again.Operations[name].Extension; got == nil || got.String() != said.String() {
				t.Fatalf("%q: %s became %s", name, said, got)
			}
		}
	})
}
