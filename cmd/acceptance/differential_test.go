package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/oasdiff/yaml"

	"github.com/e6b96b0c/backend/generator"
	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/profile"
	"github.com/e6b96b0c/backend/generator/sample"
	"github.com/e6b96b0c/backend/generator/write"
	"github.com/e6b96b0c/backend/templates/platform/ecma"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// TestValidatorsAgree sends requests that a document allows, and mutations of them,
// to the server made from it, and asks kin-openapi about the same requests: both
// take a request, or both refuse it. What they do not agree on is in
// explanations, with the reason.
func TestValidatorsAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("builds projects")
	}
	files, err := filepath.Glob(filepath.Join(repository, "testdata/specs/good/*.yaml"))
	if err != nil || len(files) < 6 {
		t.Fatalf("%d documents: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) { validatorsAgree(t, file) })
	}
}

// rounds is how many requests each operation gets.
const rounds = 300

func validatorsAgree(t *testing.T, file string) {
	p, err := profile.Preset("monolith")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Set("auth.mode=none"); err != nil {
		t.Fatal(err)
	}
	made, err := generator.Generate(t.Context(), generator.Request{Name: "demo", Spec: file, Profile: p, Read: os.ReadFile, Generator: "test"})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "demo")
	if err := write.New(t.Context(), dir, made.Plan); err != nil {
		t.Fatal(err)
	}
	oracle := newOracle(t, file)
	s := run(t, dir, filepath.Join(t.TempDir(), "data"))
	refused, taken, explained := 0, 0, map[string]int{}
	for _, service := range made.Project.Services {
		for _, op := range service.Operations {
			operation := oracle.operation(op)
			if operation == nil {
				continue
			}
			gen := newRequests(op, made.Project.API.BasePath)
			for n := range rounds {
				c := gen.next(uint64(n))
				if c == nil {
					continue
				}
				status, answer := c.ask(t, s.URL)
				theirs := oracle.ask(c, operation)
				ours := status < 400 || status == 404 || status == 409 || status == 412 || status == 501
				switch {
				case status >= 500 && status != 501:
					t.Errorf("%s: %d %s", c, status, answer)
				case ours == (theirs == nil) && ours:
					taken++
				case ours == (theirs == nil):
					refused++
				default:
					why := explanation(c, ours, answer, theirs)
					if why == "" {
						t.Errorf("%s\nwe say %d %.300s\nkin-openapi says %.300v", c, status, answer, theirs)
					}
					explained[why]++
				}
			}
		}
	}
	t.Logf("both take %d, both refuse %d, explained: %v", taken, refused, explained)
	if taken == 0 || refused == 0 {
		t.Error("the requests are all good, or all bad")
	}
}

// oracle is kin-openapi's view of a document.
type oracle struct{ doc *openapi3.T }

func newOracle(t *testing.T, file string) *oracle {
	for _, name := range []string{"uuid", "email", "uri", "uri-reference", "date", "date-time", "time", "duration", "ipv4", "ipv6", "hostname", "decimal"} {
		format, ok := wire.FormatOf(name)
		if !ok {
			t.Fatal(name)
		}
		openapi3.DefineStringFormatValidator(name, openapi3.NewCallbackValidator(func(s string) error {
			if !format.Valid(s) {
				return fmt.Errorf("%q is not %s", s, format)
			}
			return nil
		}))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc *openapi3.T
	if bytes.HasPrefix(data, []byte("swagger:")) {
		doc, err = fromSwagger(data)
	} else {
		loader := openapi3.NewLoader()
		loader.IsExternalRefsAllowed = true
		doc, err = loader.LoadFromFile(file)
	}
	if err != nil {
		t.Fatal(err)
	}
	doc.Security = nil
	return &oracle{doc: doc}
}

// fromSwagger converts with kin-openapi alone, for a judge of its own, and adds what
// that forgets: references deep inside schemas, and how lists stand where the
// document leaves it open, and in forms.
func fromSwagger(data []byte) (*openapi3.T, error) {
	data = bytes.ReplaceAll(data, []byte("#/definitions/"), []byte("#/components/schemas/"))
	var two openapi2.T
	if _, err := yaml.Unmarshal(data, &two, yaml.DecodeOpts{DisableTimestamps: true}); err != nil {
		return nil, err
	}
	for _, item := range two.Paths {
		for _, op := range item.Operations() {
			for _, p := range op.Parameters {
				if p.Type.Is("array") && p.CollectionFormat == "" {
					p.CollectionFormat = "csv"
				}
			}
		}
	}
	doc, err := openapi2conv.ToV3(&two)
	if err != nil {
		return nil, err
	}
	form := doc.Paths.Value("/skippers").Post.RequestBody.Value.Content.Get("application/x-www-form-urlencoded")
	form.Encoding = map[string]*openapi3.Encoding{"waters": {Style: "pipeDelimited", Explode: openapi3.Ptr(false)}}
	return doc, nil
}

func (o *oracle) operation(op *model.Op) *openapi3.Operation {
	item := o.doc.Paths.Value(op.Path)
	if item == nil {
		return nil
	}
	operation := item.GetOperation(op.Method)
	if operation == nil {
		return nil
	}
	// What the server refuses to act on is no matter of validation.
	kept := *operation
	kept.Security = nil
	kept.Parameters = nil
	for _, list := range []openapi3.Parameters{operation.Parameters, item.Parameters} {
		for _, ref := range list {
			if kept.Parameters.GetByInAndName(ref.Value.In, ref.Value.Name) == nil && !isRefused(op, ref.Value.In, ref.Value.Name) {
				kept.Parameters = append(kept.Parameters, ref)
			}
		}
	}
	return &kept
}

func isRefused(op *model.Op, in, name string) bool {
	return slices.ContainsFunc(op.Refused, func(p *model.Parameter) bool { return p.In == in && p.Name == name })
}

// ask returns why kin-openapi refuses a request, nil when it takes it.
func (o *oracle) ask(c *trial, operation *openapi3.Operation) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("kin-openapi panicked: %v", cause)
		}
	}()
	r, err := http.NewRequest(c.op.Method, "http://x"+c.target, bytes.NewReader(c.body))
	if err != nil {
		return err
	}
	r.Header = c.header.Clone()
	return openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: c.path,
		Route: &routers.Route{Spec: o.doc, Path: c.op.Path, PathItem: &openapi3.PathItem{}, Method: c.op.Method, Operation: operation},
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true, ExcludeReadOnlyValidations: true, RegexCompiler: compile,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.SetSchemaRegexCompiler(compile)},
		},
	})
}

// compile reads patterns as ECMA-262, which kin-openapi takes for Go's.
func compile(pattern string) (openapi3.RegexMatcher, error) {
	if expr, ok := model.RE2(pattern); ok {
		return regexp.Compile(expr)
	}
	return ecma.Compile(pattern)
}

// trial is one request that both are asked about.
type trial struct {
	op     *model.Op
	target string            // path and query, escaped
	path   map[string]string // path parameters, unescaped
	header http.Header
	body   []byte
	media  *model.Media
	what   string // the mutation, "" for none
	value  string // what was mutated, as JSON
}

func (c *trial) String() string {
	return fmt.Sprintf("%s: %s %s %v (%s) %.600q", c.op.ID, c.op.Method, c.target, c.header, c.what, c.body)
}

func (c *trial) ask(t *testing.T, base string) (int, string) {
	r, err := http.NewRequestWithContext(t.Context(), c.op.Method, base+c.target, bytes.NewReader(c.body))
	if err != nil {
		t.Fatalf("%s: %v", c, err)
	}
	r.Header = c.header.Clone()
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(r)
	if err != nil {
		t.Fatalf("%s: %v", c, err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// requests makes requests of one operation.
type requests struct {
	op     *model.Op
	base   string
	params []*model.Parameter
	gens   []sample.ParamGenerator
	media  []*model.Media
	bodies []sample.Generator
}

func newRequests(op *model.Op, base string) *requests {
	g := &requests{op: op, base: base}
	for _, p := range op.Parameters {
		if isRefused(op, p.In, p.Name) {
			continue
		}
		gen, err := sample.Param(p, sample.Options{})
		if err != nil {
			gen, _ = sample.Param(&model.Parameter{Name: p.Name, In: p.In, Style: p.Style, Explode: p.Explode, Schema: &model.Schema{Kind: model.KindString}}, sample.Options{})
		}
		g.params, g.gens = append(g.params, p), append(g.gens, gen)
	}
	if body := op.Operation.Body; body != nil {
		for i := range body.Content {
			m := &body.Content[i]
			if !slices.Contains(op.Consumes, m.Type) {
				continue
			}
			if gen, err := sample.Compile(m.Schema, sample.Options{}); err == nil {
				g.media, g.bodies = append(g.media, m), append(g.bodies, gen)
			}
		}
	}
	return g
}

// next makes a request; two of three are mutated in one place.
func (g *requests) next(n uint64) *trial {
	r := rand.New(rand.NewPCG(n, 7))
	c := &trial{op: g.op, path: map[string]string{}, header: http.Header{"Accept": {"*/*"}}}
	values := make([][]byte, len(g.params))
	for i, p := range g.params {
		if p.Required || r.IntN(3) > 0 {
			values[i] = g.gens[i].Value(nil, r)
		}
	}
	var body []byte
	if len(g.bodies) > 0 {
		i := int(n) % len(g.bodies)
		c.media, body = g.media[i], g.bodies[i].Append(nil, r)
	}
	mutated := -1 // a parameter, or the body
	if n%3 > 0 && len(g.params)+len(g.bodies) > 0 {
		if mutated = r.IntN(len(g.params) + 1); body != nil && r.IntN(2) == 0 {
			mutated = len(g.params)
		}
	}
	for i := range values {
		if i == mutated {
			values[i], c.what = mutate(values[i], r)
			c.what, c.value = g.params[i].In+" "+g.params[i].Name+": "+c.what, string(values[i])
		}
	}
	if mutated == len(g.params) && body != nil {
		body, c.what = mutate(body, r)
		c.what, c.value = "body: "+c.what, string(body)
	}
	if !g.address(c, values) {
		return nil
	}
	g.encode(c, body)
	return c
}

// address writes the parameters into a request; false when the path would be
// another one.
func (g *requests) address(c *trial, values [][]byte) bool {
	path, query := g.op.Path, ""
	for i, p := range g.params {
		if values[i] == nil {
			if p.In == "path" {
				return false
			}
			continue
		}
		text := string(sample.AppendParam(nil, p, values[i]))
		switch p.In {
		case "path":
			plain, err := url.PathUnescape(text)
			if err != nil || text == "" || plain == "." || plain == ".." {
				return false
			}
			path = strings.ReplaceAll(path, "{"+p.Name+"}", text)
			c.path[p.Name] = plain
		case "query":
			if text != "" {
				query += "&" + text
			}
		case "header":
			if strings.ContainsAny(text, "\r\n\x00") || strings.TrimSpace(text) != text {
				return false
			}
			c.header.Set(p.Name, text)
		case "cookie":
			if cookies := c.header.Get("Cookie"); cookies != "" {
				text = cookies + "; " + text
			}
			c.header.Set("Cookie", text)
		}
	}
	u := url.URL{Path: g.base}
	for path != "" { // the fixed parts of a path may need escapes
		static, rest, found := strings.Cut(path, "%")
		u.RawPath += (&url.URL{Path: static}).EscapedPath()
		if found {
			u.RawPath += "%" + rest[:2]
			rest = rest[2:]
		}
		path = rest
	}
	c.target = strings.TrimPrefix(g.base+u.RawPath, "./")
	if query != "" {
		c.target += "?" + query[1:]
	}
	return !strings.Contains(c.target, "//")
}

func (g *requests) encode(c *trial, value []byte) {
	if value == nil || c.media == nil {
		return
	}
	contentType := c.media.Type
	switch {
	case model.IsForm(contentType) && value[0] != '{':
		c.body = value
	case strings.HasPrefix(contentType, model.MultipartForm):
		c.body = sample.AppendMultipart(nil, c.media, value)
		contentType += "; boundary=" + sample.Boundary
	case model.IsForm(contentType):
		c.body = sample.AppendForm(nil, c.media, value)
	case model.IsJSON(contentType):
		c.body = value
	default:
		contentType = strings.Replace(contentType, "*", "png", 1)
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		c.body = []byte(text)
	}
	c.header.Set("Content-Type", contentType)
}

// mutate changes one place of a JSON value, and says how.
func mutate(value []byte, r *rand.Rand) ([]byte, string) {
	tree, ok := wire.Tree(value)
	if !ok {
		tree = nil
	}
	m := &mutation{r: r, at: r.IntN(1 + places(tree))}
	tree = m.walk(tree, "")
	text, err := json.Marshal(tree)
	if err != nil {
		return value, ""
	}
	return text, m.what
}

func places(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n += places(e)
		}
	case map[string]any:
		for _, e := range v {
			n += places(e)
		}
	}
	return n
}

// mutation changes the place number at on its walk.
type mutation struct {
	r    *rand.Rand
	at   int
	what string
}

func (m *mutation) walk(v any, path string) any {
	if m.at--; m.at < 0 && m.what == "" {
		return m.change(v, path)
	}
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = m.walk(v[i], fmt.Sprintf("%s/%d", path, i))
		}
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if v[name] = m.walk(v[name], path+"/"+name); v[name] == gone {
				delete(v, name)
			}
		}
	}
	return v
}

// gone stands for a member that was removed.
const gone = "\x00gone"

func (m *mutation) change(v any, path string) any {
	choose := func(options ...any) any {
		choice := options[m.r.IntN(len(options))]
		text, _ := json.Marshal(choice)
		m.what = fmt.Sprintf("%s becomes %.40s", path, text)
		return choice
	}
	if path != "" && m.r.IntN(5) == 0 {
		m.what = path + " is removed"
		return gone
	}
	if m.r.IntN(3) == 0 { // another type
		return choose(nil, true, json.Number("7"), json.Number("1.5"), "text", "", []any{}, map[string]any{}, []any{"a"}, map[string]any{"a": json.Number("1")})
	}
	switch v := v.(type) {
	case json.Number:
		return choose(json.Number("-1000000000000"), json.Number("1000000000000"), json.Number("0"), json.Number("-1"), json.Number("1.25"), json.Number("3"), json.Number("2"),
			json.Number("1.0"), json.Number("1e3"), json.Number(v.String()+"1"), json.Number("99"))
	case string:
		return choose("", "x", strings.Repeat("y", 3000), v+"!", "é "+v, "2024-02-30", "2024-02-29T10:00:00+01:00", "a b", "12", "true", strings.ToUpper(v), "0c0a4d5c-7f6e-4b3b-9d1e-1f1e1d1c1b1a", "a@b.c", "\t")
	case bool:
		return choose(!v)
	case []any:
		if len(v) > 0 && m.r.IntN(2) == 0 {
			m.what = path + " has an item twice"
			return append(v, v[0])
		}
		m.what = path + " has many items"
		for range 12 {
			v = append(v, json.Number(fmt.Sprint(len(v))))
		}
		return v
	case map[string]any:
		v["unknown"] = choose("x", json.Number("1"), nil, map[string]any{})
		m.what = path + " has an unknown member"
		return v
	}
	return choose("text", json.Number("1"), true)
}
