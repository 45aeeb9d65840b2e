package spec_test

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/spec"
)

const head = "openapi: 3.1.0\ninfo: {title: x, version: '1'}\n"

// files reads from memory.
func files(m map[string]string) spec.ReadFile {
	return func(name string) ([]byte, error) {
		text, ok := m[name]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte(text), nil
	}
}

// goNames are traces of the program's own types in a message.
var goNames = regexp.MustCompile(`openapi3|\bmap\[|interface|unmarshal|\*?model\.|int64|Go (struct|value)|%!`)

func TestLoadSaysWhatIsWrong(t *testing.T) {
	bomb := "openapi: 3.1.0\nx-a: &a [1,1,1,1,1,1,1,1,1,1]\n"
	for i := range 9 {
		name, before := string(rune('b'+i)), "*"+string(rune('a'+i))
		bomb += "x-" + name + ": &" + name + " [" + strings.Repeat(before+",", 9) + before + "]\n"
	}
	for name, test := range map[string]struct {
		text string
		want []string // of each problem, in order: "line:col part of the message"
	}{
		"empty":          {"", []string{"0:0 empty"}},
		"binary":         {"\x7fELF\x00\x01", []string{"0:0 not text"}},
		"not UTF-8":      {"title: \xff", []string{"0:0 not text"}},
		"not YAML":       {"openapi: 3.1.0\n\tinfo: x\n", []string{"2:1 not valid YAML"}},
		"truncated JSON": {`{"openapi": "3.1.0", "paths": {`, []string{"1:31 not valid YAML"}},
		"two documents":  {"a: 1\n---\nb: 2\n", []string{"1:1 2 YAML documents"}},
		"duplicate key":  {"openapi: 3.1.0\nopenapi: 3.1.0\n", []string{"2:1 already defined"}},
		"a list":         {"[1, 2]", []string{"1:1 not a mapping"}},
		"not OpenAPI":    {"hello: world\n", []string{"1:1 no `openapi` field"}},
		"Swagger":        {"swagger: '2.0'\npaths: {}\n", []string{"1:1 no paths"}},
		"version 4":      {"openapi: 4.0.0\npaths: {}\n", []string{"1:1 \"4.0.0\" is not supported"}},
		"version number": {"openapi: 3.1\npaths: {/x: {get: {}}}\n", []string{"1:10 must be a text, not a number"}},
		"webhooks only":  {head + "webhooks: {x: {post: {responses: {}}}}\n", []string{"1:1 webhooks only"}},
		"no paths":       {head + "paths: {}\n", []string{"1:1 no paths"}},
		"no operations":  {head + "paths: {/x: {}}\n", []string{"1:1 no operations"}},
		"bomb":           {bomb + "paths: {/x: {get: {}}}\n", []string{"1:1 grows out of bounds"}},
		"deep":           {"openapi: 3.1.0\nx: " + strings.Repeat("[", 9999) + strings.Repeat("]", 9999), []string{"1:1 nested deeper"}},
		"wrong kinds": {
			head + "paths:\n  /x:\n    get: 5\n  /y:\n    get:\n      parameters: {}\n      tags: x\n",
			[]string{`5:10 "get" must be a mapping`, `8:19 "parameters" must be a list`, `9:13 "tags" must be a list`},
		},
		"references": {
			head + "paths:\n  /a: {$ref: '#/components/pathItems/nope'}\n  /b: {$ref: '../../etc/passwd'}\n  /c: {$ref: 'http://evil/x.yaml'}\n" +
				"  /d: {$ref: gone.yaml}\n  /e: {$ref: evil.go}\n  /f: {$ref: '#anchor'}\n  /g: {$ref: /etc/passwd.yaml}\n",
			[]string{"4:14 points to nothing", "5:14 leaves the document's folder", "6:14 remote", "7:14 no file gone.yaml", "8:14 neither .yaml", "9:14 anchor", "10:14 leaves"},
		},
		"misspelt reference": {
			head + "paths: {/x: {get: {responses: {default: {$ref: '#/components/responses/Eror'}}}}}\ncomponents: {responses: {Error: {description: x}}}\n",
			[]string{`3:48 points to nothing · try: did you mean "Error"?`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := spec.Load(files(map[string]string{"api.yaml": test.text}), "api.yaml")
			got := problem.Of(err)
			if len(got) != len(test.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(got), len(test.want), err)
			}
			for i, want := range test.want {
				place, message, _ := strings.Cut(want, " ")
				at := strings.TrimPrefix(got[i].Error(), "api.yaml:")
				if place == "0:0" {
					place = ""
				}
				if !strings.HasPrefix(at, place) || !strings.Contains(at, message) {
					t.Errorf("problem %d: %s\nwant %s … %s", i, got[i], place, message)
				}
				if bad := goNames.FindString(got[i].Error()); bad != "" {
					t.Errorf("%s: holds %q", got[i], bad)
				}
				if got[i].Code == "" || got[i].Hint == "" && got[i].Code != "file-unreadable" {
					t.Errorf("%s: no code or no way out", got[i])
				}
			}
		})
	}
}

func TestLoadReadErrors(t *testing.T) {
	for want, cause := range map[string]error{
		"file-missing":    fs.ErrNotExist,
		"file-unreadable": fs.ErrPermission,
		"file-is-folder":  &fs.PathError{Op: "read", Path: "x", Err: syscall.EISDIR},
	} {
		_, err := spec.Load(func(string) ([]byte, error) { return nil, cause }, "x.yaml")
		if got := problem.Of(err); len(got) != 1 || got[0].Code != want {
			t.Errorf("%v: got %v, want %s", cause, err, want)
		}
	}
	if _, err := spec.Load(func(string) ([]byte, error) { return nil, errors.New("disk on fire") }, "x"); !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestLoadFollowsFilesInTheFolder(t *testing.T) {
	d, err := spec.Load(files(map[string]string{
		"dir/api.yaml":         head + "paths: {/x: {$ref: 'paths/x.yaml'}}\n",
		"dir/paths/x.yaml":     "get: {operationId: getX, responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '../schemas/x.json'}}}}}}\n",
		"dir/schemas/x.json":   `{"type": "object", "properties": {"id": {"type": "string"}}}`,
		"dir/schemas/not.json": "{}",
	}), "dir/api.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if op := d.API.Operations[0]; op.ID != "getX" || op.Success().Content[0].Schema.Property("id") == nil {
		t.Errorf("operation %+v", op)
	}
	if len(d.Files) != 3 || d.Files["schemas/x.json"] == nil {
		t.Errorf("files %v", len(d.Files))
	}
	// A file that is read through another one is checked like the document.
	_, err = spec.Load(files(map[string]string{
		"api.yaml": head + "paths: {/x: {$ref: 'a.yaml'}}\n", "a.yaml": "get: {responses: {default: {$ref: 'b.yaml'}}}\n", "b.yaml": "a: *b\n\tc",
	}), "api.yaml")
	if err == nil || !strings.Contains(err.Error(), "b.yaml:") {
		t.Errorf("fault in a file behind a file: %v", err)
	}
}

func TestBasePath(t *testing.T) {
	for url, want := range map[string]string{
		"/api/v1/": "/api/v1", "https://x.org": "", "https://{h}.x.org/{v}": "/2", "http://x/%7Bv%7D": "", "/a b": "", "/../x": "",
		"//x": "", "/a?b=c": "/a", "https://x/a/*": "", "v1": "/v1",
	} {
		text := head + "servers: [{url: '" + url + "', variables: {h: {default: h}, v: {default: '2'}}}]\npaths: {/x: {get: {responses: {}}}}\n"
		d, err := spec.Load(files(map[string]string{"a.yaml": text}), "a.yaml")
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if d.API.BasePath != want {
			t.Errorf("%s: base path %q, want %q", url, d.API.BasePath, want)
		}
		if want == "" && url != "https://x.org" && len(d.Warnings) == 0 {
			t.Errorf("%s: dropped in silence", url)
		}
	}
}
