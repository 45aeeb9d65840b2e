package sample

import (
	"encoding/json"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// Boundary parts the fields of the multipart forms that AppendMultipart makes.
const Boundary = "form-boundary-b4ckend"

// AppendForm appends a JSON object as an application/x-www-form-urlencoded form of
// the media type: arrays by their encoding, objects as JSON.
func AppendForm(dst []byte, m *model.Media, value []byte) []byte {
	w, begun := writer{dst: dst}, false
	name := func(name string) {
		if begun {
			w.dst = append(w.dst, '&')
		}
		begun = true
		w.text(name)
		w.dst = append(w.dst, '=')
	}
	for _, f := range members(value) {
		e := m.Encoding[f.name]
		switch opens := first(f.value); {
		case opens == '[' && (e.Style == "" || e.Explode):
			for _, item := range elements(f.value) {
				name(f.name)
				w.scalar(item)
			}
		case opens == '[':
			name(f.name)
			for i, item := range elements(f.value) {
				if i > 0 {
					w.text(separatorOf(e.Style))
				}
				w.scalar(item)
			}
		case opens == '{' && e.Style == "deepObject":
			w.nested(0, f.name, f.value)
			begun = true
		case string(f.value) == "null":
			name(f.name)
		default:
			name(f.name)
			w.scalar(f.value)
		}
	}
	return w.dst
}

func separatorOf(style string) string {
	switch style {
	case "spaceDelimited":
		return " "
	case "pipeDelimited":
		return "|"
	}
	return ","
}

// AppendMultipart appends a JSON object as a multipart form whose parts [Boundary]
// parts; the text of a file's property is the file.
func AppendMultipart(dst []byte, m *model.Media, value []byte) []byte {
	w := writer{dst: dst, raw: true}
	for _, f := range members(value) {
		var s *model.Schema
		if p := m.Schema.Property(f.name); p != nil {
			s = p.Schema
		}
		items, split := []json.RawMessage{f.value}, ""
		if s != nil && s.Kind == model.KindArray {
			items, s = elements(f.value), s.Items
			if e := m.Encoding[f.name]; e.Style != "" && !e.Explode {
				split = separatorOf(e.Style)
			}
		}
		if split != "" && len(items) > 0 {
			w.part(f.name, s, m.Encoding[f.name].Types)
			for i, item := range items {
				if i > 0 {
					w.text(split)
				}
				w.scalar(item)
			}
			w.text("\r\n")
			continue
		}
		for _, item := range items {
			w.part(f.name, s, m.Encoding[f.name].Types)
			if string(item) != "null" {
				w.scalar(item)
			}
			w.text("\r\n")
		}
	}
	w.text("--" + Boundary + "--\r\n")
	return w.dst
}

// part writes what stands before the content of a part.
func (w *writer) part(name string, s *model.Schema, types []string) {
	quoted := strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(name)
	w.text("--" + Boundary + "\r\nContent-Disposition: form-data; name=\"" + quoted + "\"")
	media := ""
	switch {
	case s != nil && s.File:
		w.text("; filename=\"sample.bin\"")
		media = "application/octet-stream"
		if len(types) > 0 {
			media = strings.Replace(types[0], "*", "png", 1)
		}
	case s != nil && s.Kind == model.KindObject:
		media = "application/json"
	}
	if media != "" {
		w.text("\r\nContent-Type: " + media)
	}
	w.text("\r\n\r\n")
}
