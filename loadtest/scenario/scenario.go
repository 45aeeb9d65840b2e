// Package scenario derives a workload from an OpenAPI document: which requests
// are made how often, with which bodies, and with the ids of things that exist,
// because an earlier request of the same workload created them.
package scenario

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/e6b96b0c/backend/generator/model"
)

// Options set up a scenario.
type Options struct {
	// Base is the server's address; the API's base path is added.
	Base *url.URL
	API  *model.API
	Seed uint64
	// Requests is how many the run will make; every operation gets a share of it.
	Requests uint64
	// Token returns a credential; nil means none is sent.
	Token func(ctx context.Context, scopes []string) (string, error)
}

// Scenario makes requests and learns from their answers. It is safe for
// concurrent use.
type Scenario struct {
	o     Options
	base  string // the base path
	ops   []*Op
	pools map[string]*pool
	order []int32
	auth  *credentials
	// shared are the keys of parameters that most operations require.
	shared map[string]bool

	mu      sync.Mutex
	skipped map[string]string // operation id -> why
}

// New derives the workload.
func New(o Options) (*Scenario, error) {
	if o.Base == nil || o.API == nil {
		return nil, fmt.Errorf("a scenario needs an address and an API")
	}
	s := &Scenario{
		o: o, base: strings.TrimSuffix(o.Base.Path, "/") + strings.TrimSuffix(o.API.BasePath, "/"),
		pools: map[string]*pool{}, skipped: map[string]string{},
		auth: newCredentials(o.API, o.Token), shared: model.Shared(o.API.Operations, 4, func(p *model.Parameter) bool { return p.Required }),
	}
	for _, op := range o.API.Operations {
		s.addPools(op)
	}
	for _, op := range o.API.Operations {
		c, err := s.compile(op)
		if err != nil {
			s.skipped[op.ID] = err.Error()
			continue
		}
		s.ops = append(s.ops, c)
	}
	s.link()
	if len(s.ops) == 0 {
		return s, nil
	}
	s.order = deck(s.weights(), o.Requests, rand.New(rand.NewPCG(o.Seed, 0x6465636b)))
	return s, nil
}

// addPools makes a pool for every collection that a path parameter selects from,
// and for those that are listed.
func (s *Scenario) addPools(op *model.Operation) {
	for _, key := range poolKeys(op.Path) {
		if key != "" && s.pools[key] == nil {
			s.pools[key] = newPool(key)
		}
	}
	// What is only ever listed can be referred to as well.
	if key := normal(op.Path); op.Method == "GET" && !strings.HasSuffix(key, "}") && s.pools[key] == nil && lists(successSchema(op)) {
		s.pools[key] = newPool(key)
	}
}

// lists reports whether a response is an array, or an envelope around one of objects.
func lists(s *model.Schema) bool {
	if s == nil {
		return false
	}
	if s.Kind == model.KindArray {
		return true
	}
	for _, p := range s.Properties {
		if p.Schema != nil && p.Schema.Kind == model.KindArray && p.Schema.Items != nil && p.Schema.Items.Kind == model.KindObject {
			return true
		}
	}
	return false
}

// poolKeys returns the pool of each path parameter, in order; "" from the first
// segment on that holds more than a parameter.
func poolKeys(path string) []string {
	var keys []string
	prefix, odd := "", false
	for segment := range strings.SplitSeq(strings.TrimPrefix(strings.TrimSuffix(path, model.PathEnding), "/"), "/") {
		params := strings.Count(segment, "{")
		whole := params == 1 && strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}")
		odd = odd || (params > 0 && !whole)
		for range params {
			if odd {
				keys = append(keys, "")
			} else {
				keys = append(keys, normal(prefix))
			}
		}
		prefix += "/" + segment
	}
	return keys
}

// link finds what depends on the whole set of operations: who creates for which
// pool, and who reads single rows.
func (s *Scenario) link() {
	for _, op := range s.ops {
		s.findLinks(op)
		if op.creates != nil {
			op.creates.creator = op
		}
		if op.Model.Method == "GET" && op.item && op.pool != nil {
			op.pool.reader = op
		}
	}
	// A pool that nobody fills may have a creator under another path that answers
	// with the same schema.
	for _, key := range s.poolNames() {
		p := s.pools[key]
		if p.creator != nil || p.reader == nil {
			continue
		}
		want := successSchema(p.reader.Model)
		for _, op := range s.ops {
			if want != nil && want.Name != "" && op.Model.Method == "POST" && op.creates == nil && successSchema(op.Model) == want &&
				len(op.params) == strings.Count(key, "{}") {
				op.creates, p.creator = p, op
				break
			}
		}
	}
}

func (s *Scenario) poolNames() []string {
	names := make([]string, 0, len(s.pools))
	for k := range s.pools {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

func successSchema(op *model.Operation) *model.Schema {
	r := op.Success()
	if r == nil {
		return nil
	}
	m := model.JSON(r.Content)
	if m == nil {
		return nil
	}
	return m.Schema
}

// The mix: about four reads for each write, most of them of single rows.
const (
	shareGet    = 50.0
	shareList   = 25.0
	shareOther  = 5.0
	shareCreate = 9.0
	shareUpdate = 6.0
	shareDelete = 2.0
	shareAction = 3.0
)

// class is the share that an operation divides with its like.
func (o *Op) class() float64 {
	switch {
	case o.reads() && o.item:
		return shareGet
	case o.lists != nil:
		return shareList
	case o.reads():
		return shareOther
	case o.Model.Method == "DELETE":
		return shareDelete
	case o.creates != nil:
		return shareCreate
	case o.Model.Method == "PUT" || o.Model.Method == "PATCH":
		return shareUpdate
	default:
		return shareAction
	}
}

func (s *Scenario) weights() []float64 {
	members := map[float64]int{}
	for _, op := range s.ops {
		members[op.class()]++
	}
	w := make([]float64, len(s.ops))
	for i, op := range s.ops {
		w[i] = op.class() / float64(members[op.class()])
	}
	return w
}

// Operations returns the operations that can be requested; a Step's index counts
// in this list.
func (s *Scenario) Operations() []*model.Operation {
	ops := make([]*model.Operation, len(s.ops))
	for i, op := range s.ops {
		ops[i] = op.Model
	}
	return ops
}

// Skipped returns why operations were not requested, by operation id.
func (s *Scenario) Skipped() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for k, v := range s.skipped {
		out[k] = v
	}
	return out
}

func (s *Scenario) skip(op *Op, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skipped[op.Model.ID] = why
}
