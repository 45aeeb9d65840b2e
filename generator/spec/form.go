package spec

import (
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
)

// encode adds to a form how its properties travel, and tells the files of a
// multipart form from its texts.
func (c *converter) encode(m *model.Media, media *openapi3.MediaType) {
	if !model.IsForm(m.Type) || m.Schema == nil {
		return
	}
	for _, name := range sortedKeys(media.Encoding) {
		e := media.Encoding[name]
		if e == nil {
			continue
		}
		out := model.Encoding{Style: e.Style, Explode: e.Style == "" || e.Style == "form" || e.Style == "deepObject"}
		for t := range strings.SplitSeq(e.ContentType, ",") {
			if t = strings.ToLower(strings.TrimSpace(t)); t != "" {
				out.Types = append(out.Types, t)
			}
		}
		if e.Explode != nil {
			out.Explode = *e.Explode
		}
		if m.Encoding == nil {
			m.Encoding = map[string]model.Encoding{}
		}
		m.Encoding[name] = out
	}
	if strings.HasPrefix(strings.ToLower(m.Type), model.MultipartForm) {
		m.Schema = c.withFiles(m.Schema, m.Encoding)
	}
}

// withFiles returns the schema with its binary properties marked as files: a copy,
// for elsewhere the same schema may describe JSON, which holds none. A file is
// handed to the service, and not stored: to the resource it is write-only.
func (c *converter) withFiles(s *model.Schema, encoding map[string]model.Encoding) *model.Schema {
	if s.Kind != model.KindObject {
		return s
	}
	out := *s
	out.Name, out.Properties = "", nil
	key, found := fmt.Sprintf("%p", s), false
	for _, p := range s.Properties {
		file := *p
		types := encoding[p.Name].Types
		switch {
		case isFile(p.Schema, types):
			file.Schema = fileOf(p.Schema, types)
		case p.Schema.Kind == model.KindArray && p.Schema.Items != nil && isFile(p.Schema.Items, types):
			list := *p.Schema
			list.Name, list.Items, list.WriteOnly, list.UniqueItems = "", fileOf(p.Schema.Items, types), true, false
			file.Schema = &list
		default:
			out.Properties = append(out.Properties, p)
			continue
		}
		found = true
		key += fmt.Sprintf("|%s %q", p.Name, types)
		out.Properties = append(out.Properties, &file)
	}
	if !found {
		return s
	}
	if known := c.files[key]; known != nil {
		return known
	}
	c.files[key] = &out
	return &out
}

// isFile reports whether a property of a multipart form is a file: binary, or of no
// type and a media type that is neither text nor JSON.
func isFile(s *model.Schema, types []string) bool {
	if s.Kind == model.KindString {
		return s.Format == "binary" && s.Enum == nil && s.Const == nil
	}
	if s.Kind != model.KindAny || len(types) == 0 {
		return false
	}
	for _, t := range types {
		if strings.HasPrefix(t, "text/") || model.IsJSON(t) {
			return false
		}
	}
	return true
}

func fileOf(s *model.Schema, types []string) *model.Schema {
	return &model.Schema{
		Kind: model.KindString, Format: "binary", Description: s.Description, File: true, MediaTypes: types, WriteOnly: true,
		Nullable: s.Nullable, ReadOnly: s.ReadOnly, MinLength: s.MinLength, MaxLength: s.MaxLength, Position: s.Position,
	}
}
