package model

import "strings"

// The media types of forms.
const (
	URLEncodedForm = "application/x-www-form-urlencoded"
	MultipartForm  = "multipart/form-data"
)

// IsJSON reports whether a media type carries JSON: application/json, or the
// +json structured suffix (RFC 6839).
func IsJSON(mediaType string) bool {
	t, _, _ := strings.Cut(mediaType, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	return t == "application/json" || strings.HasSuffix(t, "+json") || t == "*/*" || t == "application/*"
}

// bare is a media type in lower case, without its parameters.
func bare(mediaType string) string {
	t, _, _ := strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// IsForm reports whether a media type is an HTML form.
func IsForm(mediaType string) bool {
	t := bare(mediaType)
	return t == URLEncodedForm || t == MultipartForm
}

// Structured returns the media type among a request's that carries named values
// best: JSON, else a form; nil when none does.
func Structured(content []Media) *Media {
	if m := JSON(content); m != nil {
		return m
	}
	for _, form := range []string{URLEncodedForm, MultipartForm} {
		for i := range content {
			if bare(content[i].Type) == form && content[i].Schema != nil && content[i].Schema.Kind == KindObject {
				return &content[i]
			}
		}
	}
	return nil
}
