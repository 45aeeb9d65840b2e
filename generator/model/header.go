package model

import "strings"

// ResultHeader is a declared response header.
type ResultHeader struct {
	Name   string
	GoName string
	// Total says that the default implementation fills it with the number of items
	// of a list; other headers are for overrides to fill.
	Total bool
}

var totalHeaders = set("xtotalcount", "xtotal", "xtotalitems", "xtotalresults", "totalcount")

// headers plans the response's headers beside Location and ETag. The reason says
// that the document requires one that the default implementation cannot fill.
func (r *Result) headers(declared []*Parameter, list bool) (reason string) {
	names := newAllocator("Location", "ETag", "Body", "Respond")
	for _, h := range declared {
		n := strings.ToLower(h.Name)
		switch {
		case n == "etag" && r.ETag, n == "location" && r.Location, n == "content-type", n == "content-length", n == "x-request-id", !IsToken(h.Name):
			continue
		}
		header := &ResultHeader{Name: h.Name, GoName: names.take(GoName(h.Name)), Total: list && totalHeaders[Plain(h.Name)]}
		r.Headers = append(r.Headers, header)
		if h.Required && !header.Total && reason == "" {
			reason = "nothing supplies the required response header " + h.Name
		}
	}
	return reason
}

// IsToken reports whether a text is a token of RFC 9110, section 5.6.2, as
// header names are.
func IsToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
