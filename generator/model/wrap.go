package model

import "strings"

// Names of what stands around the record or the list that a message is about.
var (
	wrapNames     = set("data", "item", "result", "response", "record", "object", "entity", "payload", "attributes")
	envelopeNames = set("meta", "metadata", "links", "included", "jsonapi", "success", "status", "statuscode", "code", "message", "messages", "error",
		"errors", "warnings", "pagination", "paging", "page", "pages", "requestid", "timestamp", "total", "count", "next", "previous", "prev", "first",
		"last", "limit", "offset", "cursor", "hasmore", "sort", "took", "version", "apiversion", "self", "nextpage", "nextlink", "kind", "etag",
		"incompleteresults", "timeframe", "odatacontext", "odatanextlink", "odatacount", "size", "perpage", "pagesize", "schemas", "startindex", "itemsperpage", "ok", "done", "href")
)

// aroundItems reports whether a member's name is one that envelopes have beside
// what they carry.
func aroundItems(name string) bool {
	n := Plain(name)
	return envelopeNames[n] || totalNames[n] || nextNames[n] || moreNames[n] || pagesNames[n] || limitNames[n] || pageNames[n] || offsetNames[n]
}

// around reports whether every other member of an object is of an envelope.
func around(s *Schema, carried *Property) bool {
	for _, p := range s.Properties {
		if p != carried && !aroundItems(p.Name) {
			return false
		}
	}
	return true
}

// unwrap returns the record that an envelope carries, and the member that holds it:
// {"data": {…}}, {"order": {…}, "meta": {…}}. What is no envelope is returned as
// it is, without a member.
func unwrap(s *Schema, path string) (*Schema, *Property) {
	if s == nil || s.Kind != KindObject || s.Property("id") != nil {
		return s, nil
	}
	var carried *Property
	for _, p := range s.Properties {
		if !isRecord(p.Schema) || aroundItems(p.Name) && len(s.Properties) > 1 {
			continue
		}
		if carried != nil {
			return s, nil
		}
		carried = p
	}
	if carried == nil || carried.Schema.WriteOnly || !around(s, carried) || !names(carried, s, path) {
		return s, nil
	}
	return carried.Schema, carried
}

// names reports whether a member is named as what it carries: by a common word,
// after the path, or after its own schema.
func names(p *Property, s *Schema, path string) bool {
	n := Plain(p.Name)
	if wrapNames[n] && (n != "attributes" || len(s.Properties) == 1) || p.Schema.Name != "" && n == Plain(p.Schema.Name) {
		return true
	}
	segments := strings.Split(path, "/")
	for i := len(segments) - 1; i >= 0; i-- {
		if _, ok := placeholder(segments[i]); !ok && segments[i] != "" {
			return n == Plain(singular(segments[i])) || n == Plain(segments[i])
		}
	}
	return false
}

// untoldItems returns the member of a list's envelope whose items the document says
// nothing about, nil if there is none.
func untoldItems(op *Operation) *Property {
	if op == nil || op.Success() == nil {
		return nil
	}
	media := JSON(op.Success().Content)
	if media == nil || media.Schema == nil || media.Schema.Kind != KindObject {
		return nil
	}
	var found *Property
	for _, p := range media.Schema.Properties {
		if p.Schema.Kind == KindArray && p.Schema.Items != nil && p.Schema.Items.Kind == KindAny {
			if found != nil {
				return nil
			}
			found = p
		}
	}
	if found == nil || !likelyItems(found.Name, op.Place()) || !around(media.Schema, found) {
		return nil
	}
	return found
}
