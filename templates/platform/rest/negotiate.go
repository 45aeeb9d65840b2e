package rest

import (
	"mime"
	"strconv"
	"strings"
)

// acceptable tells whether a client that sent the Accept headers takes one of
// the media types. It does unless it excludes all of them, RFC 9110 section 12.5.1.
func acceptable(headers, produces []string) bool {
	if len(headers) == 0 || len(produces) == 0 {
		return true
	}
	if len(headers) == 1 && (headers[0] == "*/*" || headers[0] == produces[0] || headers[0] == "") {
		return true
	}
	accept := strings.Join(headers, ",")
	for _, mediaType := range produces {
		if quality(accept, mediaType) > 0 {
			return true
		}
	}
	return false
}

// quality returns the weight that the most specific matching range gives a media type.
func quality(accept, mediaType string) float64 {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	main, _, _ := strings.Cut(mediaType, "/")
	best, weight := -1, 0.0
	for item := range strings.SplitSeq(accept, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		specific := -1
		switch name = strings.TrimSpace(name); {
		case name == "*/*":
			specific = 0
		case strings.EqualFold(name, main+"/*"):
			specific = 1
		case strings.EqualFold(name, mediaType):
			specific = 2
		}
		if specific > best {
			best, weight = specific, weightOf(parameters)
		}
	}
	return weight
}

func weightOf(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return 1
			}
			return q
		}
	}
	return 1
}

// consumable tells whether a body of the content type is one of the media types
// that the operation reads. A body without a type is taken to be.
func consumable(contentType string, consumes []string) bool {
	if contentType == "" || len(consumes) == 0 || contentType == consumes[0] {
		return true
	}
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") && isJSON(mediaType) {
		return false
	}
	main, _, _ := strings.Cut(mediaType, "/")
	for _, c := range consumes {
		c, _, _ = strings.Cut(c, ";")
		if c = strings.ToLower(strings.TrimSpace(c)); c == mediaType || c == "*/*" || c == main+"/*" {
			return true
		}
	}
	return false
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

func list(mediaTypes []string) string { return strings.Join(mediaTypes, ", ") }
