package scenario

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/sample"
)

// Op is an operation made ready to be requested many times.
type Op struct {
	Model *model.Operation
	index int

	parts   []part      // the path
	params  []pathParam // in the path's order
	query   []queryParam
	header  []headerParam
	cookies []sample.ParamGenerator
	static  http.Header // headers that are the same each time

	body      sample.Generator
	hasBody   bool
	bodyKind  bodyKind
	media     *model.Media // of the body
	slots     []source     // where the body's references come from
	item      bool         // the path ends in a parameter
	pool      *pool        // of the last path parameter; nil when there is none
	creates   *pool        // where new ids go
	many      *pool        // of the rows that a list of keys names
	drops     bool         // and deletes
	lists     *pool        // what a GET of a collection lists
	links     []link
	needsETag bool
	ifMatch   bool
	idemKey   string // the name of the idempotency header, "" for none
	cursor    string // the name of the cursor parameter
	security  *use

	mu     sync.Mutex
	next   string  // the query of the next page, "" when there is none
	replay *replay // a request that may be sent again
}

// bodyKind is how a generated value is sent.
type bodyKind int

const (
	bodyJSON  bodyKind = iota
	bodyForm           // a JSON object as an HTML form
	bodyParts          // a JSON object as a multipart form
	bodyText           // a JSON string's text
)

// replay is a finished request with an Idempotency-Key.
type replay struct {
	path, query, key string
	body             []byte
}

// part is a piece of the path: fixed text, or a parameter.
type part struct {
	text  string
	param int // -1 for text
}

type pathParam struct {
	p    *model.Parameter
	pool *pool
	gen  sample.ParamGenerator
}

type queryParam struct {
	p     *model.Parameter
	gen   sample.ParamGenerator
	refer *pool   // a reference to a resource
	many  bool    // a list of keys of Op.many
	share float64 // how often it is sent
}

type headerParam struct {
	p     *model.Parameter
	gen   sample.ParamGenerator
	share float64
}

// source is where a slot of a body comes from: a pool, or the value of one of
// the request's own path parameters.
type source struct {
	pool *pool
	path int // index of a path parameter, -1 for none
	kind model.Kind
	many bool // a key of Op.many
}

func (o *Op) reads() bool {
	return o.Model.Method == "GET" || o.Model.Method == "HEAD" || o.Model.Method == "OPTIONS"
}

// compile prepares an operation; the error says why it cannot be requested.
func (s *Scenario) compile(m *model.Operation) (*Op, error) {
	o := &Op{Model: m, index: len(s.ops), static: http.Header{}}
	if err := o.compilePath(s); err != nil {
		return nil, err
	}
	if collection, kind := m.Bulk(); kind != "" {
		o.many, o.drops = s.pools[normal(collection)], kind == model.OpDeleteMany
	}
	if err := o.compileParams(s); err != nil {
		return nil, err
	}
	if err := o.compileBody(s); err != nil {
		return nil, err
	}
	use, err := s.auth.use(m)
	if err != nil {
		return nil, err
	}
	o.security = use
	o.static.Set("Accept", accept(m))
	if m.Method == "GET" && !o.item {
		o.lists = s.pools[normal(m.Path)]
	}
	if m.Method == "POST" && !o.item {
		o.creates = s.pools[normal(m.Path)]
	}
	return o, nil
}

func accept(m *model.Operation) string {
	r := m.Success()
	if r == nil || len(r.Content) == 0 {
		return "application/json"
	}
	media := model.JSON(r.Content)
	if media == nil {
		media = &r.Content[0]
	}
	if strings.Contains(media.Type, "*") {
		return "application/json"
	}
	return media.Type
}

func (o *Op) compilePath(s *Scenario) error {
	path := o.Model.Path
	keys := poolKeys(path)
	declared := map[string]*model.Parameter{}
	for _, p := range o.Model.Parameters {
		if p.In == "path" {
			declared[p.Name] = p
		}
	}
	text := s.base
	for path != "" {
		open := strings.IndexByte(path, '{')
		end := strings.IndexByte(path, '}')
		if open < 0 || end < open {
			text += path
			break
		}
		text += path[:open]
		o.parts = append(o.parts, part{text, -1})
		text = ""
		name := path[open+1 : end]
		p := declared[name]
		if p == nil {
			p = &model.Parameter{Name: name, In: "path", Required: true, Style: "simple", Schema: &model.Schema{Kind: model.KindString, MinLength: 1}}
		}
		gen, err := sample.Param(p, sample.Options{})
		if err != nil {
			return fmt.Errorf("path parameter %s: %w", name, err)
		}
		n := len(o.params)
		o.parts = append(o.parts, part{param: n})
		o.params = append(o.params, pathParam{p: p, gen: gen, pool: s.pools[keys[n]]})
		path = path[end+1:]
		o.item = path == "" || path == model.PathEnding
	}
	if text != "" {
		o.parts = append(o.parts, part{text, -1})
	}
	if n := len(o.params); n > 0 {
		o.pool = o.params[n-1].pool
	}
	return nil
}

// compileBody prepares the body, in the media type that values are best made for.
func (o *Op) compileBody(s *Scenario) error {
	b := o.Model.Body
	if b == nil || len(b.Content) == 0 {
		return nil
	}
	media, how := chooseMedia(b.Content)
	if media == nil {
		if !b.Required {
			return nil
		}
		return fmt.Errorf("its body is %s, for which no values are made", b.Content[0].Type)
	}
	o.bodyKind, o.media = how, media
	kind := media.Type
	switch {
	case how == bodyParts:
		kind = model.MultipartForm + "; boundary=" + sample.Boundary
	case how == bodyText && strings.Contains(kind, "*"):
		kind = "application/octet-stream"
	case strings.Contains(kind, "*"):
		kind = "application/json"
	}
	gen, err := sample.Compile(media.Schema, sample.Options{Slot: o.slotter(s), Assigned: o.assigned(s)})
	if err != nil {
		if errors.Is(err, sample.ErrCannot) && !b.Required {
			return nil
		}
		return fmt.Errorf("body: %w", err)
	}
	o.body, o.hasBody = gen, true
	o.static.Set("Content-Type", kind)
	return nil
}

// chooseMedia picks what values can be made for; nil when there is nothing.
func chooseMedia(content []model.Media) (*model.Media, bodyKind) {
	if m := model.JSON(content); m != nil {
		return m, bodyJSON
	}
	if m := model.Structured(content); m != nil {
		if strings.HasPrefix(strings.ToLower(m.Type), model.MultipartForm) {
			return m, bodyParts
		}
		return m, bodyForm
	}
	for i := range content {
		t, s := strings.ToLower(content[i].Type), content[i].Schema
		plain := !strings.Contains(t, "xml") && !strings.Contains(t, "yaml") && !model.IsForm(t)
		switch {
		case s != nil && s.Kind == model.KindString:
			return &content[i], bodyText
		case plain && (s == nil || s.Kind == model.KindAny): // anything: a short text
			m := content[i]
			m.Schema = &model.Schema{Kind: model.KindString, MinLength: 1, MaxLength: new(40)}
			return &m, bodyText
		}
	}
	return nil, bodyJSON
}

// assigned names the properties that are the resource's own key: the server
// gives them in a create, and an update must not change them.
func (o *Op) assigned(s *Scenario) []string {
	var names []string
	if o.item && len(o.params) > 0 {
		names = append(names, o.params[len(o.params)-1].p.Name)
	}
	for _, m := range s.o.API.Operations {
		// Natural keys such as a username are the client's to choose.
		if rest, ok := strings.CutPrefix(m.Path, o.Model.Path+"/{"); ok && strings.Count(rest, "/") == 0 {
			if name := strings.TrimSuffix(rest, "}"); strings.HasSuffix(model.Plain(name), "id") {
				names = append(names, name)
			}
		}
	}
	return names
}

// slotter decides which properties of a body get values from elsewhere.
func (o *Op) slotter(s *Scenario) func(string, *model.Schema) int {
	return func(path string, schema *model.Schema) int {
		if schema == nil || (schema.Kind != model.KindString && schema.Kind != model.KindInteger) || schema.Enum != nil {
			return -1
		}
		src, ok := o.source(s, path)
		if !ok {
			return -1
		}
		src.kind = schema.Kind
		o.slots = append(o.slots, src)
		return len(o.slots) - 1
	}
}

func (o *Op) source(s *Scenario, path string) (source, bool) {
	segments := strings.Split(strings.TrimSuffix(path, "[]"), ".")
	name := segments[len(segments)-1]
	parent := ""
	if len(segments) > 1 {
		parent = strings.TrimSuffix(segments[len(segments)-2], "[]")
	}
	if len(segments) == 1 && o.many != nil && strings.HasSuffix(path, "[]") {
		return source{pool: o.many, path: -1, many: true}, true
	}
	if len(segments) == 1 {
		// The request's own path wins: what it names is what the body must agree with.
		for i, p := range o.params {
			last := i == len(o.params)-1 && o.item
			if model.Plain(p.p.Name) == model.Plain(name) || (last && p.pool != nil && model.Plain(name) == "id") {
				return source{path: i}, true
			}
		}
		own := s.pools[normal(o.Model.Path)]
		if own != nil && o.Model.Method != "POST" && model.Plain(name) == "id" {
			return source{pool: own, path: -1}, true // an update that names its row in the body
		}
	}
	if p := s.referred(stem(name, parent)); p != nil {
		return source{pool: p, path: -1}, true
	}
	return source{}, false
}

// referred finds the pool of a resource by its singular name: the shortest path
// wins, and "shippingaddress" finds addresses when nothing fits better.
func (s *Scenario) referred(stem string) *pool {
	if stem == "" {
		return nil
	}
	var best *pool
	bestScore := 0
	for _, key := range s.poolNames() {
		one := singular(collectionOf(key))
		var score int
		switch {
		case one == "" || strings.Contains(key, "{}"):
			continue // an id below another row is no reference by itself
		case one == stem:
			score = 1000
		case len(one) > 3 && strings.HasSuffix(stem, one):
			score = 500
		default:
			continue
		}
		if score -= len(key); score > bestScore {
			best, bestScore = s.pools[key], score
		}
	}
	return best
}
