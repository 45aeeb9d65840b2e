package model

import (
	"slices"
	"testing"
)

func TestServable(t *testing.T) {
	for _, c := range []struct{ uploads, answers, want []string }{
		{[]string{"image/png"}, []string{"image/png"}, []string{"image/png"}},
		{[]string{"image/png", "image/gif"}, []string{"image/png"}, []string{"image/png"}},
		{[]string{"image/*"}, []string{"image/png", "image/jpeg"}, []string{"image/jpeg", "image/png"}},
		{[]string{"image/png"}, []string{"image/*"}, []string{"image/png"}},
		{[]string{"*/*"}, []string{"application/octet-stream"}, []string{"*/*"}},
		{[]string{"application/octet-stream"}, []string{"application/pdf"}, nil},
	} {
		if got := servable(c.uploads, c.answers); !slices.Equal(got, c.want) {
			t.Errorf("%v answered in %v: %v, want %v", c.uploads, c.answers, got, c.want)
		}
	}
}

// TestUploadOf: a body is an upload only where it leaves no doubt what its file is.
func TestUploadOf(t *testing.T) {
	binary := &Schema{Kind: KindString, Format: "binary"}
	file := func(name string) *Property {
		return &Property{Name: name, Required: true, Schema: &Schema{Kind: KindString, Format: "binary", File: true, WriteOnly: true}}
	}
	form := func(properties ...*Property) []Media {
		return []Media{{Type: MultipartForm, Schema: &Schema{Kind: KindObject, Properties: properties}}}
	}
	text := &Property{Name: "title", Schema: &Schema{Kind: KindString}}
	bounded := file("a")
	bounded.Schema.MaxLength = new(10)
	for name, c := range map[string]struct {
		content []Media
		want    bool
	}{
		"bytes":           {[]Media{{Type: "application/octet-stream"}}, true},
		"two kinds":       {[]Media{{Type: "image/png", Schema: binary}, {Type: "image/gif"}}, true},
		"anything":        {[]Media{{Type: "*/*", Schema: binary}}, true},
		"anything, typed": {[]Media{{Type: "*/*", Schema: &Schema{Kind: KindObject}}}, false},
		"JSON":            {[]Media{{Type: "application/json", Schema: binary}}, false},
		"JSON or bytes":   {[]Media{{Type: "application/json"}, {Type: "image/png"}}, false},
		"a form":          {form(file("a"), text), true},
		"two files":       {form(file("a"), file("b")), false},
		"many files":      {form(&Property{Name: "a", Schema: &Schema{Kind: KindArray, Items: file("a").Schema}}), false},
		"no file":         {form(text), false},
		"a bounded file":  {form(bounded), false},
	} {
		if got := uploadOf(&Operation{Body: &Body{Content: c.content}}); (got != nil) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
