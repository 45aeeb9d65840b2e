package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/sample"
)

// Step is one request. Done must be called once its answer is there.
type Step struct {
	Operation int // index in Operations
	Model     *model.Operation
	Request   *http.Request

	op      *Op
	pcg     rand.PCG
	r       *rand.Rand
	path    [][]byte // values of the path parameters, JSON
	row     *row
	kind    lease
	etagGen int
	refs    []leased // rows that the body or the query refers to
	many    *row     // that a list of keys names
	body    bytes.Reader
	raw     []byte // the body
	key     string // idempotency key
	replay  bool
	token   int // version of the token sent
}

// leased is a row held for the time of a request.
type leased struct {
	pool *pool
	row  *row
	kind lease
}

// Next makes the request with the given number. Given the same answers, the same
// number makes the same request.
func (s *Scenario) Next(ctx context.Context, n uint64) *Step {
	op := s.ops[s.order[n%uint64(len(s.order))]]
	return s.step(ctx, op, n)
}

// step makes a request of op, or of another operation where op has nothing to
// work on: a create in the place of a delete that would empty its pool, a read
// where an ETag is not known yet.
func (s *Scenario) step(ctx context.Context, op *Op, n uint64) *Step {
	st := &Step{}
	st.pcg.Seed(s.o.Seed, n)
	st.r = rand.New(&st.pcg)
	if !s.settle(st, op) {
		// Nothing exists to request it with: the next one that can be takes its turn.
		for i := uint64(1); i < uint64(len(s.order)); i++ {
			if s.settle(st, s.ops[s.order[(n+i)%uint64(len(s.order))]]) {
				break
			}
		}
	}
	st.Operation, st.Model = st.op.index, st.op.Model
	st.build(ctx, s)
	return st
}

// settle leases what op needs, or lets another operation go in its place. False
// means that it could only name an id that does not exist, and does not declare
// the 404 that this brings.
func (s *Scenario) settle(st *Step, op *Op) bool {
	wanted := op
	for range 3 {
		st.op = op
		instead := st.lease()
		if instead == nil {
			break
		}
		op = instead
	}
	if st.op != wanted && wanted.pool.size() == 0 {
		s.skip(wanted, "there was nothing with an id for "+wanted.Model.Path+": "+st.op.Model.ID+" brought none")
	}
	if st.row == nil && !st.op.guesses() {
		s.skip(st.op, "nothing with an id for "+st.op.Model.Path+" exists, nothing creates it, and 404 is not declared")
		return false
	}
	return true
}

// guesses reports whether made-up path parameters may be sent.
func (o *Op) guesses() bool {
	for _, p := range o.params {
		s := p.p.Schema
		closed := s != nil && (len(s.Enum) > 0 || s.Const != nil || s.Kind == model.KindBoolean)
		if !closed {
			return declares(o.Model, http.StatusNotFound)
		}
	}
	return true
}

// leaseFor is what an operation needs of the row that its path names.
func (o *Op) leaseFor() lease {
	switch {
	case o.reads():
		return leaseRead
	case o.Model.Method == "DELETE" && o.item:
		return leaseDelete
	case o.creates != nil:
		return leaseRefer
	default:
		return leaseWrite
	}
}

// lease takes the row that the path names. It returns another operation when
// that one has to go first.
func (st *Step) lease() *Op {
	o := st.op
	st.row, st.kind, st.many = nil, leaseNone, nil
	for _, l := range st.refs { // of the operation whose turn it was
		l.pool.release(l.row, l.kind, false)
	}
	st.refs = st.refs[:0]
	if o.many != nil {
		if instead := st.leaseMany(); instead != nil {
			return instead
		}
	}
	if o.pool == nil {
		return nil
	}
	st.kind = o.leaseFor()
	if st.row = o.pool.take(st.kind, o.needsETag, st.r); st.row != nil {
		_, st.etagGen = o.pool.state(st.row)
		return nil
	}
	if o.needsETag && o.pool.reader != nil && o.pool.reader != o && o.pool.size() > 0 {
		if o.pool.creator == nil || st.kind != leaseDelete || st.r.Uint64()&1 == 0 {
			return o.pool.reader // learns an ETag
		}
	}
	if o.pool.creator != nil && (st.kind == leaseDelete || o.pool.size() == 0) {
		if hopeless := o.pool.empty() && o.guesses(); !hopeless || st.r.Uint64()&1 == 0 {
			return o.pool.creator
		}
	}
	if st.kind == leaseWrite || st.kind == leaseRefer {
		// All rows are busy; sharing one is better than naming one that is not there.
		if st.row = o.pool.take(leaseRead, o.needsETag, st.r); st.row != nil {
			st.kind = leaseRead
		}
	}
	return nil
}

// leaseMany takes the row that a list of keys names, which is one for deletions, and
// otherwise the first. It returns the operation that makes one where there is none.
func (st *Step) leaseMany() *Op {
	o, kind := st.op, leaseRefer
	if o.drops {
		kind = leaseDelete
	}
	if st.many = o.many.take(kind, false, st.r); st.many == nil {
		return o.many.creator
	}
	st.refs = append(st.refs, leased{o.many, st.many, kind})
	return nil
}

// named is a key for a list: the row that was taken, or for changes any other too.
func (st *Step) named(r *rand.Rand) []byte {
	row := st.many
	if !st.op.drops {
		if other := st.op.many.take(leaseRefer, false, r); other != nil {
			st.refs = append(st.refs, leased{st.op.many, other, leaseRefer})
			row = other
		}
	}
	if row == nil {
		return nil
	}
	return row.ids[len(row.ids)-1]
}

// Fill supplies the references in a body; it implements sample.Filler.
func (st *Step) Fill(slot int, dst []byte, r *rand.Rand) ([]byte, bool) {
	src := st.op.slots[slot]
	if src.path >= 0 {
		return appendAs(dst, st.path[src.path], src.kind)
	}
	if src.many {
		return appendAs(dst, st.named(r), src.kind)
	}
	row := src.pool.take(leaseRefer, false, r)
	if row == nil {
		return dst, false
	}
	st.refs = append(st.refs, leased{src.pool, row, leaseRefer})
	return appendAs(dst, row.ids[len(row.ids)-1], src.kind)
}

// appendAs appends an id as a value of a kind, if it can be one.
func appendAs(dst, id []byte, kind model.Kind) ([]byte, bool) {
	if (len(id) > 0 && id[0] == '"') != (kind == model.KindString) {
		return dst, false
	}
	return append(dst, id...), true
}

// build writes the request.
func (st *Step) build(ctx context.Context, s *Scenario) {
	o := st.op
	again := st.replayed()
	st.fillPath()
	path := st.appendPath(make([]byte, 0, 96))
	var query []byte
	if again == nil {
		query = st.appendQuery()
		if o.hasBody {
			st.raw = o.body.AppendWith(make([]byte, 0, 256), st.r, st)
			switch o.bodyKind {
			case bodyForm:
				st.raw = sample.AppendForm(make([]byte, 0, len(st.raw)+64), o.media, st.raw)
			case bodyParts:
				st.raw = sample.AppendMultipart(make([]byte, 0, 2*len(st.raw)+256), o.media, st.raw)
			case bodyText:
				st.raw = unquoted(st.raw)
			}
		}
	} else {
		path, query, st.raw = []byte(again.path), []byte(again.query), again.body
	}
	header, query := st.headers(s, again, query)
	u := &url.URL{Scheme: s.o.Base.Scheme, Host: s.o.Base.Host, RawQuery: string(query)}
	setPath(u, string(path))
	req := &http.Request{
		Method: o.Model.Method, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if len(st.raw) > 0 {
		st.body.Reset(st.raw)
		req.Body = (*stepBody)(st)
		req.ContentLength = int64(len(st.raw))
		req.GetBody = st.rewind
	}
	st.Request = req.WithContext(ctx)
}

// setPath sets a path that is escaped already.
func setPath(u *url.URL, escaped string) {
	u.Path = escaped
	if strings.IndexByte(escaped, '%') < 0 {
		return
	}
	if plain, err := url.PathUnescape(escaped); err == nil {
		u.Path, u.RawPath = plain, escaped
	}
}

// fillPath chooses the values of the path's parameters: those of the leased row,
// else of the nearest parent that exists, else made up.
func (st *Step) fillPath() {
	o := st.op
	st.path = st.path[:0]
	if st.row != nil {
		st.path = append(st.path, st.row.ids...)
	}
	for i := len(o.params) - 1; len(st.path) == 0 && i > 0; i-- {
		if p := o.params[i-1].pool; p != nil {
			if r := p.take(leaseRead, false, st.r); r != nil {
				st.path = append(st.path, r.ids...)
				st.refs = append(st.refs, leased{p, r, leaseRead})
			}
		}
	}
	for i := len(st.path); i < len(o.params); i++ {
		st.path = append(st.path, o.params[i].gen.Value(nil, st.r))
	}
}

func (st *Step) appendPath(dst []byte) []byte {
	for _, p := range st.op.parts {
		if p.param < 0 {
			dst = append(dst, p.text...)
		} else {
			dst = sample.AppendParam(dst, st.op.params[p.param].p, st.path[p.param])
		}
	}
	return dst
}

func (st *Step) appendQuery() []byte {
	o := st.op
	if o.cursor != "" && st.r.Float64() < shareCursor {
		o.mu.Lock()
		next := o.next
		o.next = ""
		o.mu.Unlock()
		if next != "" {
			return []byte(next)
		}
	}
	var q []byte
	for i := range o.query {
		p := &o.query[i]
		if p.share < 1 && st.r.Float64() >= p.share {
			continue
		}
		at := len(q)
		if at > 0 {
			q = append(q, '&')
		}
		var id []byte
		if p.many && st.many != nil {
			id = slices.Concat([]byte("["), st.named(st.r), []byte("]"))
		}
		if p.refer != nil {
			if r := p.refer.take(leaseRead, false, st.r); r != nil {
				st.refs = append(st.refs, leased{p.refer, r, leaseRead})
				id = r.ids[len(r.ids)-1]
			}
		}
		if id != nil && sample.Check(p.p.Schema, id, sample.Request) == nil {
			q = sample.AppendParam(q, p.p, id)
		} else {
			q = p.gen.Append(q, st.r)
		}
		if len(q) == at+1 && at > 0 {
			q = q[:at] // an empty array leaves nothing
		}
	}
	return q
}

// headers returns the request's headers and the query with a key that travels
// in it. The headers are shared when nothing varies.
func (st *Step) headers(s *Scenario, again *replay, query []byte) (http.Header, []byte) {
	o := st.op
	if o.security == nil && len(o.header) == 0 && len(o.cookies) == 0 && !o.ifMatch {
		return o.static, query
	}
	h := make(http.Header, len(o.static)+len(o.header)+2)
	for k, v := range o.static {
		h[k] = v
	}
	for i := range o.header {
		p := &o.header[i]
		if p.share < 1 && st.r.Float64() >= p.share {
			continue
		}
		name := http.CanonicalHeaderKey(p.p.Name)
		switch {
		case name != o.idemKey:
			h[name] = []string{string(p.gen.Append(nil, st.r))}
			continue
		case again != nil:
			st.key = again.key
		default:
			st.key = p.newKey()
		}
		h[name] = []string{st.key}
	}
	if len(o.cookies) > 0 {
		var list []byte
		for i, c := range o.cookies {
			if i > 0 {
				list = append(list, "; "...)
			}
			list = c.Append(list, st.r)
		}
		h["Cookie"] = []string{string(list)}
	}
	if o.ifMatch && st.row != nil && o.item {
		if etag, _ := o.pool.state(st.row); etag != "" {
			h["If-Match"] = []string{etag}
		}
	}
	if o.security != nil {
		var token string
		token, st.token = s.auth.current()
		secured := o.security.apply(token, h, query)
		if again == nil { // else the query is to stay as it was, credential included
			query = secured
		}
	}
	return h, query
}

// newKey returns an idempotency key that no request has carried. It does not come
// from the seed: a server remembers the keys of earlier runs.
func (p *headerParam) newKey() string {
	id := uuid.NewString()
	if sample.Check(p.p.Schema, []byte(`"`+id+`"`), sample.Request) == nil {
		return id
	}
	return string(p.gen.Append(nil, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))))
}

// replayed returns an earlier request to send again, now and then.
func (st *Step) replayed() *replay {
	o := st.op
	if o.idemKey == "" || st.kind == leaseDelete || st.r.Float64() >= shareReplay {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	again := o.replay
	o.replay = nil
	st.replay = again != nil
	return again
}

// stepBody reads a step's body.
type stepBody Step

func (b *stepBody) Read(p []byte) (int, error) { return b.body.Read(p) }

// Close does nothing: the body is memory.
func (b *stepBody) Close() error { return nil }

// unquoted is the text of a JSON string.
func unquoted(v []byte) []byte {
	var s string
	if json.Unmarshal(v, &s) != nil {
		return v
	}
	return []byte(s)
}
