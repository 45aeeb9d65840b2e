package scenario

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/sample"
)

// How often an optional parameter is sent. Filters narrow a list down to
// nothing when all are sent at once.
const (
	shareLimit  = 0.5
	shareFilter = 0.25
	shareCursor = 0.5
	shareReplay = 0.05
)

// compileParams prepares the query, header and cookie parameters.
func (o *Op) compileParams(s *Scenario) error {
	for _, p := range o.Model.Parameters {
		var err error
		switch p.In {
		case "query":
			err = o.queryParam(s, p)
		case "header":
			err = o.headerParam(s, p)
		case "cookie":
			if p.Required { // an optional one is a browser's affair
				err = o.cookieParam(s, p)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *Op) queryParam(s *Scenario, p *model.Parameter) error {
	if isCursor(p.Name) && !p.Required {
		o.cursor = p.Name
		return nil
	}
	q := queryParam{p: p, share: 1, refer: s.referred(stem(p.Name, ""))}
	if o.many != nil && !o.hasBody && p.Required && p.Schema.Kind == model.KindArray {
		q.many, q.refer = true, nil
	}
	if !p.Required {
		if !sendable(o.Model, p) && q.refer == nil {
			return nil
		}
		q.share = shareFilter
		if isLimit(p.Name) {
			q.share = shareLimit
		}
	}
	gen, err := sample.Param(p, sample.Options{})
	if err != nil {
		if p.Required {
			return fmt.Errorf("query parameter %s: %w", p.Name, err)
		}
		return nil
	}
	q.gen = s.kept(p, gen)
	o.query = append(o.query, q)
	return nil
}

// kept gives a parameter that most operations require one value for the whole run: it says
// who asks, or whose rows are meant, and rows are found again only by the same.
func (s *Scenario) kept(p *model.Parameter, gen sample.ParamGenerator) sample.ParamGenerator {
	if !s.shared[p.Key()] || p.Schema == nil || p.Schema.Kind != model.KindString && p.Schema.Kind != model.KindInteger {
		return gen
	}
	return gen.Keep(rand.New(rand.NewPCG(s.o.Seed, 0x6b657074)))
}

// isCursor recognises parameters whose values only a server can make.
func isCursor(name string) bool {
	return slices.Contains([]string{
		"cursor", "after", "before", "pagetoken", "nexttoken", "continuationtoken", "continuation",
		"startingafter", "endingbefore", "nextcursor", "pagecursor", "marker",
	}, model.Plain(name))
}

func isLimit(name string) bool {
	return slices.Contains([]string{"limit", "perpage", "pagesize", "size", "maxresults", "top", "count"}, model.Plain(name))
}

// sendable reports whether an optional parameter's values can be made without
// knowing more than the document: a free text such as sort or fields has a
// grammar that it does not give.
func sendable(op *model.Operation, p *model.Parameter) bool {
	s := p.Schema
	if s == nil || p.Media != "" {
		return false
	}
	if s.Kind == model.KindArray && s.Items != nil {
		s = s.Items
	}
	switch s.Kind {
	case model.KindInteger, model.KindNumber, model.KindBoolean:
		return true
	case model.KindString:
		if len(s.Enum) > 0 || s.Const != nil || s.Pattern != "" {
			return true
		}
		switch s.Format {
		case "date", "date-time", "uuid", "email":
			return true
		}
		return column(op, p.Name)
	default:
		return false
	}
}

// column reports whether a parameter is named like a property of the listed items.
func column(op *model.Operation, name string) bool {
	s := successSchema(op)
	for range 2 {
		if s == nil {
			return false
		}
		if s.Kind == model.KindArray {
			s = s.Items
		}
		if s.Property(name) != nil {
			return true
		}
		for _, p := range s.Properties {
			if p.Schema != nil && p.Schema.Kind == model.KindArray {
				s = p.Schema.Items
				break
			}
		}
	}
	return s.Property(name) != nil
}

func (o *Op) headerParam(s *Scenario, p *model.Parameter) error {
	switch model.Plain(p.Name) {
	case "accept", "contenttype", "authorization":
		return nil // OpenAPI: such definitions are ignored
	case "ifmatch":
		o.ifMatch, o.needsETag = true, p.Required
		return nil
	case "ifnonematch", "ifmodifiedsince", "ifunmodifiedsince", "range", "expect", "host", "connection":
		if !p.Required {
			return nil
		}
	case "idempotencykey", "xidempotencykey":
		o.idemKey = http.CanonicalHeaderKey(p.Name)
	}
	if !p.Required && o.idemKey != http.CanonicalHeaderKey(p.Name) && !sendable(o.Model, p) {
		return nil
	}
	gen, err := sample.Param(p, sample.Options{})
	if err != nil {
		if p.Required {
			return fmt.Errorf("header %s: %w", p.Name, err)
		}
		if o.idemKey == http.CanonicalHeaderKey(p.Name) {
			o.idemKey = ""
		}
		return nil
	}
	h := headerParam{p: p, gen: s.kept(p, gen), share: 1}
	if !p.Required && o.idemKey != http.CanonicalHeaderKey(p.Name) {
		h.share = shareFilter
	}
	o.header = append(o.header, h)
	return nil
}

func (o *Op) cookieParam(s *Scenario, p *model.Parameter) error {
	gen, err := sample.Param(p, sample.Options{})
	if err != nil {
		return fmt.Errorf("cookie %s: %w", p.Name, err)
	}
	o.cookies = append(o.cookies, s.kept(p, gen))
	return nil
}

// declares reports whether the operation declares a status, by code, range or
// default. One that declares no 2xx accepts any below 500.
func declares(op *model.Operation, status int) bool {
	code := fmt.Sprintf("%03d", status)
	success := false
	for _, r := range op.Responses {
		switch {
		case r.Status == code, r.Status == "default":
			return true
		case len(r.Status) == 3 && strings.EqualFold(r.Status[1:], "XX") && r.Status[0] == code[0]:
			return true
		case strings.HasPrefix(r.Status, "2"):
			success = true
		}
	}
	return !success && status < 500
}

// Failure says why a status counts as an error, "" when it does not: a server
// error always does, anything else when the operation does not declare it.
func Failure(op *model.Operation, status int) string {
	switch {
	case status >= 500:
		return fmt.Sprintf("server error %d", status)
	case !declares(op, status):
		return fmt.Sprintf("status %d is not declared by %s", status, op.ID)
	default:
		return ""
	}
}
