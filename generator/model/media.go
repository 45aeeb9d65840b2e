package model

import "strings"

// IsJSON reports whether a media type carries JSON: application/json, or the
// +json structured suffix (RFC 6839).
func IsJSON(mediaType string) bool {
	t, _, _ := strings.Cut(mediaType, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	return t == "application/json" || strings.HasSuffix(t, "+json") || t == "*/*" || t == "application/*"
}
