package scenario

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/sample"
)

// learnList takes the ids of listed rows, for collections that no operation adds to.
func (s *Scenario) learnList(st *Step, body []byte) {
	p := st.op.lists
	names := keyNames("id", p.key)
	var schema *model.Schema
	if param := s.keyParam(p); param != nil {
		names, schema = keyNames(param.p.Name, p.key), param.p.Schema
	}
	for _, item := range listed(body) {
		id := keyIn(item, names)
		if id == nil || sample.Check(schema, id, sample.Response) != nil {
			continue
		}
		p.add(append(append([][]byte{}, st.path...), id))
	}
}

// listed returns the items of a list: the array itself, or the first array of
// objects in its envelope.
func listed(body []byte) []json.RawMessage {
	var items []json.RawMessage
	if json.Unmarshal(body, &items) == nil {
		return items
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(body, &o) != nil {
		return nil
	}
	for _, v := range o {
		if json.Unmarshal(v, &items) == nil && len(items) > 0 && bytes.HasPrefix(items[0], []byte("{")) {
			return items
		}
	}
	return nil
}

// learnNext keeps the query of the next page: from a Link header, else the
// cursor in the body together with the parameters that were sent.
func (st *Step) learnNext(h http.Header, body []byte) {
	o := st.op
	next := linkNext(h)
	if next == "" {
		c := cursorIn(body, 2)
		if c == nil {
			return
		}
		q := st.Request.URL.Query()
		q.Del(o.cursor)
		next = q.Encode()
		if next != "" {
			next += "&"
		}
		next = string(sample.AppendParam([]byte(next), cursorParam(o), c))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next = next
}

func cursorParam(o *Op) *model.Parameter {
	return &model.Parameter{Name: o.cursor, In: "query", Style: "form", Explode: true}
}

// linkNext returns the query of a Link header's rel="next" (RFC 8288).
func linkNext(h http.Header) string {
	for _, line := range h["Link"] {
		for link := range strings.SplitSeq(line, ",") {
			target, params, ok := strings.Cut(link, ";")
			if !ok || !strings.Contains(strings.ReplaceAll(params, `"`, ""), "rel=next") {
				continue
			}
			u, err := url.Parse(strings.Trim(strings.TrimSpace(target), "<>"))
			if err == nil {
				return u.RawQuery
			}
		}
	}
	return ""
}

// cursorIn looks for a next cursor in an envelope, at most depth objects deep.
func cursorIn(body []byte, depth int) []byte {
	var o map[string]json.RawMessage
	if depth == 0 || json.Unmarshal(body, &o) != nil {
		return nil
	}
	for name, v := range o {
		switch model.Plain(name) {
		case "nextcursor", "nextpagetoken", "nexttoken", "next", "cursor", "after", "endcursor", "continuationtoken", "nextpage":
			if len(v) > 2 && v[0] == '"' && !bytes.HasPrefix(v, []byte(`"http`)) && !bytes.HasPrefix(v, []byte(`"/`)) {
				return v
			}
			if q := nextURL(name, v); q != nil {
				return q
			}
		}
	}
	for _, v := range o {
		if len(v) > 0 && v[0] == '{' {
			if c := cursorIn(v, depth-1); c != nil {
				return c
			}
		}
	}
	return nil
}

// nextURL takes the cursor out of a next-page URL.
func nextURL(name string, v []byte) []byte {
	var text string
	if model.Plain(name) != "next" || json.Unmarshal(v, &text) != nil {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil
	}
	for k, values := range u.Query() {
		if isCursor(k) && len(values) > 0 {
			quoted, err := json.Marshal(values[0])
			if err != nil {
				return nil
			}
			return quoted
		}
	}
	return nil
}

// wellFilled is how many rows are enough for reads.
const wellFilled = 50

// link is an OpenAPI link to an operation that can be requested.
type link struct {
	target     *Op
	parameters map[string]string
}

// followLinks publishes ids that OpenAPI links carry to path parameters of other
// operations.
func (s *Scenario) followLinks(st *Step, h http.Header, body []byte) {
	for _, l := range st.op.links {
		target := l.target
		if st.op.reads() && target.pool.size() >= wellFilled {
			continue // reading every answer would cost more than it brings
		}
		ids := make([][]byte, 0, len(target.params))
		for i := range target.params {
			p := &target.params[i]
			expr, ok := l.parameters[p.p.Name]
			if !ok {
				expr, ok = l.parameters["path."+p.p.Name]
			}
			var id []byte
			switch {
			case ok:
				id = st.evaluate(expr, h, body)
			case i < len(st.path):
				id = st.path[i]
			}
			if id == nil || sample.Check(p.p.Schema, id, sample.Response) != nil {
				break
			}
			ids = append(ids, id)
		}
		if len(ids) == len(target.params) && !st.replay {
			target.pool.add(ids)
		}
	}
}

// findLinks resolves the links of a success response.
func (s *Scenario) findLinks(op *Op) {
	success := op.Model.Success()
	if success == nil {
		return
	}
	for _, l := range success.Links {
		for _, target := range s.ops {
			if target.Model.ID == l.Operation && target.pool != nil {
				op.links = append(op.links, link{target, l.Parameters})
			}
		}
	}
}

// evaluate follows a runtime expression (OpenAPI 3.1, "Runtime Expressions");
// nil when it has no value here.
func (st *Step) evaluate(expr string, h http.Header, body []byte) []byte {
	expr = strings.Trim(expr, "{}")
	switch {
	case strings.HasPrefix(expr, "$response.body#"):
		return pointer(body, expr[len("$response.body#"):])
	case strings.HasPrefix(expr, "$request.body#"):
		return pointer(st.raw, expr[len("$request.body#"):])
	case strings.HasPrefix(expr, "$response.header."):
		return quoted(h.Get(expr[len("$response.header."):]))
	case strings.HasPrefix(expr, "$request.path."):
		for i, p := range st.op.params {
			if p.p.Name == expr[len("$request.path."):] {
				return st.path[i]
			}
		}
		return nil
	case strings.HasPrefix(expr, "$request.query."):
		return quoted(st.Request.URL.Query().Get(expr[len("$request.query."):]))
	case strings.HasPrefix(expr, "$"):
		return nil
	default:
		return quoted(expr)
	}
}

func quoted(s string) []byte {
	if s == "" {
		return nil
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	return b
}

// pointer follows a JSON Pointer (RFC 6901) through objects to a scalar.
func pointer(body []byte, p string) []byte {
	for token := range strings.SplitSeq(strings.TrimPrefix(p, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		var o map[string]json.RawMessage
		if json.Unmarshal(body, &o) != nil {
			return nil
		}
		body = o[token]
	}
	if !scalar(body) {
		return nil
	}
	return body
}
