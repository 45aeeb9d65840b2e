package scenario

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/e6b96b0c/backend/generator/sample"

	"github.com/e6b96b0c/backend/generator/model"
)

// rewind makes the body readable again.
func (st *Step) rewind() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(st.raw)), nil
}

// Done takes note of an answer: ids of what was created, ETags, the next page.
// It gives back what the step held. A status of 0 means that there was none.
func (s *Scenario) Done(st *Step, status int, h http.Header, body []byte) {
	o := st.op
	ok := status >= 200 && status < 300
	if ok {
		s.learn(st, h, body)
	}
	if st.row != nil {
		gone := ok || status == http.StatusNotFound || status == http.StatusGone
		if st.kind == leaseDelete && gone {
			s.dropBelow(o.pool.key, st.row.ids)
		}
		o.pool.release(st.row, st.kind, gone)
	}
	for _, l := range st.refs {
		gone := ok || status == http.StatusNotFound
		if l.kind == leaseDelete && gone {
			s.dropBelow(l.pool.key, l.row.ids)
		}
		l.pool.release(l.row, l.kind, gone)
	}
}

// Unauthorized reports whether an answer asks for a new credential, and Refresh
// fetches one.
func (st *Step) Unauthorized(status int) bool {
	return status == http.StatusUnauthorized && st.op.security != nil
}

// dropBelow forgets the rows of collections nested in a deleted row.
func (s *Scenario) dropBelow(key string, ids [][]byte) {
	for k, p := range s.pools {
		if strings.HasPrefix(k, key+"/{}/") {
			p.drop(ids)
		}
	}
}

func (s *Scenario) learn(st *Step, h http.Header, body []byte) {
	o := st.op
	if o.creates != nil && !st.replay {
		if ids := s.created(st, h, body); ids != nil {
			if r := o.creates.add(ids); r != nil {
				if etag := h.Get("Etag"); etag != "" {
					o.creates.learn(r, etag, 0)
				}
			}
		}
	}
	// A replayed answer is about the path of its first request.
	if len(o.links) > 0 && !st.replay {
		s.followLinks(st, h, body)
	}
	if st.row != nil && st.kind != leaseDelete && !st.replay {
		s.learnETag(st, h)
	}
	if o.lists != nil && (o.lists.creator == nil || o.lists.size() <= floor) {
		s.learnList(st, body)
	}
	if o.cursor != "" {
		st.learnNext(h, body)
	}
	if o.idemKey != "" && !st.replay && st.kind != leaseDelete {
		o.mu.Lock()
		o.replay = &replay{path: st.Request.URL.EscapedPath(), query: st.Request.URL.RawQuery, key: st.key, body: st.raw}
		o.mu.Unlock()
	}
}

func (s *Scenario) learnETag(st *Step, h http.Header) {
	o := st.op
	etag := ""
	if o.item {
		etag = h.Get("Etag")
	}
	switch {
	case o.reads() && etag != "":
		o.pool.learn(st.row, etag, st.etagGen)
	case st.kind == leaseWrite:
		o.pool.written(st.row, etag)
	}
}

// created finds the ids of a new row: from the Location header, else from the
// body under the likely names of the key.
func (s *Scenario) created(st *Step, h http.Header, body []byte) [][]byte {
	p := st.op.creates
	depth := strings.Count(p.key, "{}")
	if depth > len(st.path) {
		return nil
	}
	param := s.keyParam(p)
	if param == nil {
		return nil
	}
	id := fromLocation(h.Get("Location"), s.base, p.key)
	if id == nil || sample.Check(param.p.Schema, id, sample.Response) != nil {
		if id = quoteIfText(id, param); id == nil {
			id = keyIn(body, keyNames(param.p.Name, p.key))
		}
	}
	if id == nil || sample.Check(param.p.Schema, id, sample.Response) != nil {
		return nil
	}
	return append(append([][]byte{}, st.path[:depth]...), id)
}

// quoteIfText repeats a Location's id as a string, for keys such as "42" that
// look like numbers.
func quoteIfText(id []byte, p *pathParam) []byte {
	if id == nil || id[0] == '"' {
		return nil
	}
	quoted, err := json.Marshal(string(id))
	if err != nil || sample.Check(p.p.Schema, quoted, sample.Response) != nil {
		return nil
	}
	return quoted
}

// keyParam is the path parameter that holds the key of a pool's rows.
func (s *Scenario) keyParam(p *pool) *pathParam {
	for _, op := range s.ops {
		for i := range op.params {
			if op.params[i].pool == p {
				return &op.params[i]
			}
		}
	}
	return nil
}

// fromLocation returns the last segment of a Location below a collection, as JSON:
// a number where it looks like one.
func fromLocation(location, base, key string) []byte {
	if location == "" {
		return nil
	}
	u, err := url.Parse(location)
	if err != nil {
		return nil
	}
	path := strings.TrimPrefix(u.EscapedPath(), base)
	got := strings.Split(strings.Trim(path, "/"), "/")
	want := strings.Split(strings.Trim(key, "/"), "/")
	if len(got) < len(want)+1 {
		return nil
	}
	got = got[len(got)-len(want)-1:] // a gateway may have its own prefix
	for i, w := range want {
		if w != "{}" && w != got[i] {
			return nil
		}
	}
	id, err := url.PathUnescape(got[len(got)-1])
	if err != nil || id == "" {
		return nil
	}
	if number(id) {
		return []byte(id)
	}
	quoted, err := json.Marshal(id)
	if err != nil {
		return nil
	}
	return quoted
}

// number reports whether a text is a JSON integer.
func number(s string) bool {
	d := strings.TrimPrefix(s, "-")
	return d != "" && strings.Trim(d, "0123456789") == "" && (d == "0" || d[0] != '0')
}

// keyIn finds the first of the names among an object's members, looking one
// level into envelopes such as {"data": {…}}.
func keyIn(body []byte, names []string) []byte {
	var o map[string]json.RawMessage
	if json.Unmarshal(body, &o) != nil {
		return nil
	}
	if id := member(o, names); id != nil {
		return id
	}
	for _, v := range o {
		var inner map[string]json.RawMessage
		if len(v) > 0 && v[0] == '{' && json.Unmarshal(v, &inner) == nil {
			if id := member(inner, names); id != nil {
				return id
			}
		}
	}
	return nil
}

func member(o map[string]json.RawMessage, names []string) []byte {
	for _, name := range names {
		for k, v := range o {
			if model.Plain(k) == name && scalar(v) {
				return v
			}
		}
	}
	return nil
}

func scalar(v []byte) bool {
	return len(v) > 0 && (v[0] == '"' || v[0] == '-' || (v[0] >= '0' && v[0] <= '9'))
}
