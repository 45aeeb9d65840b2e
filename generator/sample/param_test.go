package sample_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/sample"
	"github.com/e6b96b0c/backend/generator/spec"
	"github.com/e6b96b0c/backend/templates/platform/rest"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// way is one way in which a parameter can travel, with what a generated backend would
// read it by.
type way struct {
	param *model.OpParam
	path  string
}

// ways lists every style of every place, with texts, lists and objects.
func ways(t testing.TB) []way {
	t.Helper()
	styles := map[string][]string{"path": {"simple", "label", "matrix"}, "query": {"form", "spaceDelimited", "pipeDelimited", "deepObject"}, "header": {"simple"}, "cookie": {"form"}}
	kinds := map[string]string{
		"text": "{type: string}", "list": "{type: array, items: {type: string}}",
		"object": "{type: object, properties: {a: {type: string}, b: {type: string}, 'c&d': {type: string}}}",
	}
	var b strings.Builder
	b.WriteString("openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n")
	for _, in := range slices.Sorted(maps.Keys(styles)) {
		for _, style := range styles[in] {
			for _, kind := range slices.Sorted(maps.Keys(kinds)) {
				for _, explode := range []bool{false, true} {
					if style == "deepObject" && (kind != "object" || !explode) || strings.HasSuffix(style, "Delimited") && (kind == "text" || explode) {
						continue // the specification does not define them
					}
					path := fmt.Sprintf("/%s-%s-%s-%v", in, style, kind, explode)
					if in == "path" {
						path += "/{p}"
					}
					fmt.Fprintf(&b, " %s: {get: {parameters: [{name: p, in: %s, required: true, style: %s, explode: %v, schema: %s}], responses: {'200': {description: d}}}}\n",
						path, in, style, explode, kinds[kind])
				}
			}
		}
	}
	d, err := spec.Load(func(string) ([]byte, error) { return []byte(b.String()), nil }, "x.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []way
	for _, s := range model.Build(d.API, model.Options{Name: "x", Module: "x"}).Services {
		for _, op := range s.Operations {
			if len(op.Params) != 1 {
				t.Fatalf("%s has %d parameters", op.Path, len(op.Params))
			}
			out = append(out, way{op.Params[0], op.Path})
		}
	}
	return out
}

// survives tells whether a text can travel that way at all: styles that part their
// items by a sign have no way to send that sign, and where nothing is sent there is
// nothing to tell an empty text by.
func (w way) survives(text string) bool {
	p := w.param
	signs := p.Split
	if o := p.Object; o != nil {
		if signs = o.Split; o.Style == "Named" {
			signs += "="
		}
	}
	switch {
	case strings.ContainsAny(text, signs), !utf8.ValidString(text), strings.Contains(text, "\x00"):
		return false
	case text == "" && (p.In == "path" || signs != ""):
		return false
	case p.In == "header": // it is not encoded; nothing is said of other signs (RFC 9110, 5.5)
		return !strings.ContainsFunc(text, func(r rune) bool { return r < '!' || r > '~' })
	}
	return true
}

// fields are the members of an object parameter, as the generated code lists them.
func fields(list []*model.FormField) (out rest.Fields) {
	for _, f := range list {
		kind := map[string]rest.Kind{"Text": rest.Text, "Nested": rest.Nested}[f.Kind]
		out = append(out, rest.Field{Name: f.Name, Kind: kind, List: f.List, Split: f.Split, Null: f.Null, Fields: fields(f.Fields)})
	}
	return out
}

// read reads the parameter as the generated code does, and returns it as JSON.
func (w way) read(r *rest.Request) any {
	p := w.param
	if o := p.Object; o != nil {
		style := map[string]rest.Style{"Whole": rest.Whole, "Deep": rest.Deep, "Spread": rest.Spread, "Listed": rest.Listed, "Named": rest.Named, "Value": rest.Value}
		object := rest.Object{In: p.In, Name: p.Name, Style: style[o.Style], Prefix: o.Prefix, Split: o.Split, Required: p.Required}
		if o.Form != nil {
			object.Fields = fields(o.Form.Fields)
		}
		out := map[string]string{}
		r.Object(object, func(d *wire.Decoder) { out = wire.Map(d, (*wire.Decoder).String) })
		return out
	}
	source := map[string]func(string) *rest.Param{"path": r.Path, "query": r.Query, "header": r.Header, "cookie": r.Cookie}[p.In](p.Name)
	if p.Prefix != "" {
		source = source.Cut(p.Prefix)
	}
	if !source.Required() || p.Ref.Kind != model.RefList {
		return source.String()
	}
	out := []string{}
	for e := range source.Items(p.Split) {
		out = append(out, e.String())
	}
	return out
}

// done is the response of the operations here.
type done struct{}

func (done) Respond(w *rest.Writer) { w.Empty(http.StatusNoContent) }

// FuzzParam sends values the way that a client serialises them and reads them the way
// that a generated backend does: what arrives is what was sent.
func FuzzParam(f *testing.F) {
	all := ways(f)
	if len(all) < 30 {
		f.Fatalf("%d ways", len(all))
	}
	router := rest.NewRouter(rest.RouterOptions{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	api := rest.NewAPI(router, rest.Options{Service: "ways"})
	var got any
	for i, w := range all {
		rest.Handle(api, rest.Operation{ID: w.path, Method: "GET", Path: w.path}, func(r *rest.Request) (in struct{}) {
			got = w.read(r)
			return in
		}, func(context.Context, struct{}) (rest.Response, error) {
			return done{}, nil
		})
		f.Add(uint8(i), "a", "b c", "ü/%2F+&=")
		f.Add(uint8(i), ".,;p=|", "", "x")
	}
	f.Fuzz(func(t *testing.T, which uint8, a, b, c string) {
		w := all[int(which)%len(all)]
		var value any = a
		texts := []string{a}
		switch w.param.Schema.Kind {
		case model.KindArray:
			texts = []string{a, b, c}
			value = texts
		case model.KindObject:
			texts = []string{a, b, c}
			value = map[string]string{"a": a, "b": b, "c&d": c}
		}
		for _, text := range texts {
			if !w.survives(text) {
				return
			}
		}
		sent, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		text := string(sample.AppendParam(nil, w.param.Parameter, sent))
		r := httptest.NewRequest("GET", "/", nil)
		target := w.path
		switch w.param.In {
		case "path":
			target = strings.Replace(target, "{p}", text, 1)
		case "query":
			target += "?" + text
		case "header":
			r.Header.Set("p", text)
		case "cookie":
			r.Header.Set("Cookie", text)
		}
		if r.URL, err = url.ParseRequestURI(target); err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		answer := httptest.NewRecorder()
		got = nil
		router.ServeHTTP(answer, r)
		arrived, err := json.Marshal(got)
		if err != nil || answer.Code != http.StatusNoContent || string(arrived) != string(sent) {
			t.Fatalf("%s: %s was sent as %q and arrived as %s: %d %s", w.path, sent, text, arrived, answer.Code, answer.Body)
		}
	})
}
