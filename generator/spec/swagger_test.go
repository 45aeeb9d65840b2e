package spec_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/spec"
)

const swaggerHead = "swagger: '2.0'\ninfo: {title: x, version: '1'}\n"

func loadSwagger(t *testing.T, text string) *spec.Document {
	t.Helper()
	d, err := spec.Load(files(map[string]string{"api.yaml": text}), "api.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func operationOf(t *testing.T, d *spec.Document, id string) *model.Operation {
	t.Helper()
	i := slices.IndexFunc(d.API.Operations, func(op *model.Operation) bool { return op.ID == id })
	if i < 0 {
		t.Fatalf("no operation %s", id)
	}
	return d.API.Operations[i]
}

func TestSwagger(t *testing.T) {
	const file = "../../testdata/specs/good/swagger2.yaml"
	d, err := spec.Load(os.ReadFile, file)
	if err != nil {
		t.Fatal(err)
	}
	original, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(d.Files["swagger2.yaml"]) != string(original) {
		t.Error("the document's own text is not kept")
	}
	if d.API.BasePath != "/v2" || len(d.API.Security) != 2 || d.API.Security[1].Scopes[0] != "boats:write" {
		t.Errorf("base path %q, security %v", d.API.BasePath, d.API.Security)
	}
	create := operationOf(t, d, "createBoat")
	if create.Body == nil || !create.Body.Required || create.Body.Content[0].Type != "application/json" || create.Body.Content[0].Schema.Name != "NewBoat" {
		t.Errorf("body %+v", create.Body)
	}
	if len(create.Responses[0].Headers) != 1 || create.Success().Content[0].Schema.Property("id") == nil {
		t.Errorf("response %+v", create.Responses[0])
	}
	styles := map[string]string{}
	for _, id := range []string{"listBoats", "search"} {
		for _, p := range operationOf(t, d, id).Parameters {
			if p.Schema.Kind == model.KindArray {
				styles[p.Name] = p.Style
				if p.Explode {
					styles[p.Name] += " exploded"
				}
			}
		}
	}
	for name, want := range map[string]string{"kind": "form", "ids": "form exploded", "names": "pipeDelimited", "places": ""} {
		if styles[name] != want {
			t.Errorf("%s: style %q, want %q", name, styles[name], want)
		}
	}
	form := operationOf(t, d, "createSkipper").Body.Content[0]
	if e := form.Encoding["waters"]; form.Type != "application/x-www-form-urlencoded" || e.Style != "pipeDelimited" || e.Explode {
		t.Errorf("form %s %+v", form.Type, form.Encoding)
	}
	if picture := operationOf(t, d, "uploadPicture").Body.Content[0]; picture.Type != "multipart/form-data" || !picture.Schema.Property("picture").Schema.File {
		t.Errorf("file form %+v", picture)
	}
	for what, at := range map[string]model.Position{
		"    post:\n      operationId: createBoat": create.Position,
		"  NewBoat:\n    type":                     create.Body.Content[0].Schema.Position,
		"      berths:":                            create.Body.Content[0].Schema.Property("berths").Schema.Position,
	} {
		before, _, _ := strings.Cut(string(original), what)
		if line := strings.Count(before, "\n") + 1; at.Line != line || at.File != file {
			t.Errorf("%q is at %v, want line %d", what, at, line)
		}
	}
}

// TestSwaggerWarnings: what a conversion cannot carry is said, with its place, and
// nothing else is.
func TestSwaggerWarnings(t *testing.T) {
	const ok = "responses: {default: {description: x}}"
	for name, test := range map[string]struct{ text, want string }{
		"nothing": {"paths: {/x: {get: {" + ok + "}}}\n", ""},
		"number":  {"paths: {/x: {get: {" + ok + "}}}\n", ""},
		"tsv":     {"paths:\n  /x:\n    get:\n      parameters: [{name: a, in: query, type: array, collectionFormat: tsv, items: {type: string}}]\n      " + ok, "6:7 tsv"},
		"pipes in a path": {
			"paths: {'/x/{a}': {get: {parameters: [{name: a, in: path, required: true, type: array, collectionFormat: pipes, items: {type: string}}], " + ok + "}}}", "3:26 pipes",
		},
		"a file in JSON": {
			"consumes: [application/json]\npaths: {/x: {post: {parameters: [{name: a, in: formData, type: file}], " + ok + "}}}", "4:14 multipart",
		},
		"two bodies":  {"paths: {/x: {post: {parameters: [{name: a, in: body, schema: {}}, {name: b, in: body, schema: {}}], " + ok + "}}}", "3:21 \"b\" is left out"},
		"body, form":  {"paths: {/x: {post: {parameters: [{name: a, in: formData, type: string}, {name: b, in: body, schema: {}}], " + ok + "}}}", "3:21 \"b\" is left out"},
		"a flow":      {"securityDefinitions: {a: {type: oauth2, flow: magic}}\npaths: {/x: {get: {" + ok + "}}}", "3:41 magic"},
		"a host":      {"host: https://x.org/v1\npaths: {/x: {get: {" + ok + "}}}", "3:1 more than a host"},
		"oneOf":       {"definitions: {A: {oneOf: [{type: string}]}}\npaths: {/x: {get: {" + ok + "}}}", "3:19 oneOf"},
		"named oneOf": {"definitions: {A: {type: object, properties: {oneOf: {type: string}, default: {$ref: '#/definitions/B'}}}, B: {}}\npaths: {/x: {get: {" + ok + "}}}", ""},
		"nulls": {
			"definitions: {A: }\nparameters: {p: }\nresponses: {r: {description: x, headers: {h: }}}\npaths: {/n: , /x: {put: , parameters: [~], get: {parameters: [~, {$ref: '#/parameters/p'}], " + ok + "}}}", "",
		},
		"a circle": {"parameters: {p: {$ref: '#/parameters/p'}}\npaths: {/x: {get: {parameters: [{$ref: '#/parameters/p'}], " + ok + "}}}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := swaggerHead + test.text
			if name == "number" {
				text = strings.Replace(text, "'2.0'", "2.0", 1)
			}
			warnings := loadSwagger(t, text).Warnings
			if len(warnings) == 0 || !strings.HasPrefix(warnings[0].Error(), "api.yaml:1:1") {
				t.Fatalf("that it was converted is not said: %v", warnings)
			}
			rest := warnings[1:]
			if test.want == "" {
				if len(rest) > 0 {
					t.Errorf("says %v", rest)
				}
				return
			}
			place, message, _ := strings.Cut(test.want, " ")
			if len(rest) != 1 || !strings.HasPrefix(rest[0].Error(), "api.yaml:"+place) || !strings.Contains(rest[0].Error(), message) {
				t.Errorf("says %v, want %s", rest, test.want)
			}
		})
	}
}

func TestSwaggerRefusals(t *testing.T) {
	bomb := "x-a: &a [1,1,1,1,1,1,1,1,1,1]\n"
	for i := range 9 {
		name, before := string(rune('b'+i)), "*"+string(rune('a'+i))
		bomb += "x-" + name + ": &" + name + " [" + strings.Repeat(before+",", 9) + before + "]\n"
	}
	const paths = "paths: {/x: {get: {responses: {}}}}\n"
	for name, test := range map[string]struct{ text, want string }{
		"version":            {strings.Replace(swaggerHead, "2.0", "1.2", 1) + paths, `1:1: Swagger "1.2" is not supported`},
		"version, no text":   {`{"swagger": {}, "paths": {"/x": {}}}`, "1:1: the version of Swagger must be text"},
		"no paths":           {swaggerHead, "1:1: the document declares no paths"},
		"duplicate key":      {swaggerHead + paths + paths, "4:1: "},
		"JSON":               {`{"swagger": "2.0", "info": {"title": "x", "version": "1"}, "paths": {"/x": {"get": {"tags": 5}}}}`, `1:93: "tags" must be a list`},
		"bomb":               {swaggerHead + bomb + paths, "grows out of bounds"},
		"another file":       {swaggerHead + "paths: {/x: {get: {responses: {default: {$ref: 'a.yaml#/x'}}}}}\n", "3:48: reference \"a.yaml#/x\" leads to another file"},
		"missing reference":  {swaggerHead + "definitions: {Boat: {}}\npaths: {/x: {get: {responses: {default: {description: x, schema: {$ref: '#/definitions/Baot'}}}}}}\n", `did you mean "Boat"`},
		"a wrong kind":       {swaggerHead + "paths:\n  /x:\n    get: {tags: x}\n", `5:17: "tags" must be a list`},
		"a wrong kind, deep": {swaggerHead + "definitions: {A: {properties: 5}}\n" + paths, "cannot be read as OpenAPI 3"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := spec.Load(files(map[string]string{"api.yaml": test.text}), "api.yaml")
			got := problem.Of(err)
			if len(got) != 1 || !strings.Contains(got[0].Error(), test.want) {
				t.Fatalf("%v, want %s", err, test.want)
			}
			if bad := goNames.FindString(got[0].Error()); bad != "" || strings.Contains(got[0].Error(), "openapi2") {
				t.Errorf("%s: holds names of the program", got[0])
			}
		})
	}
}

// TestSwaggerHoles puts something else in place of each part of a document, one at a
// time: it is read or refused, and nothing falls over.
func TestSwaggerHoles(t *testing.T) {
	data, err := os.ReadFile("../../testdata/specs/good/swagger2.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := yaml.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	others := []any{nil, map[string]any{}, []any{}, "x", 5}
	read, tried := 0, 0
	try := func() {
		text, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("%v\n%s", r, text)
			}
		}()
		tried++
		if _, err := spec.Load(files(map[string]string{"api.json": string(text)}), "api.json"); err == nil {
			read++
		} else if got := problem.Of(err); len(got) == 0 || goNames.MatchString(got[0].Error()) {
			t.Errorf("%v", err)
		}
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) { // the same documents in every run
				was := v[key]
				v[key] = others[tried%len(others)]
				try()
				v[key] = was
				walk(was)
			}
		case []any:
			for i, was := range v {
				v[i] = nil
				try()
				v[i] = was
				walk(was)
			}
		}
	}
	walk(tree)
	if read < 100 || read == tried {
		t.Errorf("%d of %d read", read, tried)
	}
}

func FuzzLoad(f *testing.F) {
	data, err := os.ReadFile("../../testdata/specs/good/swagger2.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	f.Add(swaggerHead + "paths: {/x: {get: {parameters: [~], responses: {}}}}\n")
	f.Add(head + "paths: {/x: {get: {responses: {}}}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := spec.Load(files(map[string]string{"api.yaml": text}), "api.yaml"); err != nil && len(problem.Of(err)) == 0 {
			t.Errorf("no problem: %v", err)
		}
	})
}
