package spec

import (
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
)

// keepUpload narrows the body of an operation that receives a file to the media types that
// it takes.
func keepUpload(ref *openapi3.RequestBodyRef, op *model.Op) {
	if ref == nil || ref.Value == nil {
		return
	}
	ref.Ref = ""
	body := *ref.Value
	body.Content, body.Required = openapi3.Content{}, true
	for mediaType, media := range ref.Value.Content {
		plain, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
		if op.Upload.Part != "" {
			body.Content[mediaType] = formOf(media, op.Upload)
			continue
		}
		for _, t := range op.Upload.Types {
			switch plain = strings.TrimSpace(plain); {
			case plain == t:
				body.Content[mediaType] = media
			case model.Covers(plain, t) && ref.Value.Content[t] == nil:
				body.Content[t] = media
			}
		}
	}
	ref.Value = &body
}

// formOf says of which media types the file in a form may be.
func formOf(media *openapi3.MediaType, upload *model.UploadPlan) *openapi3.MediaType {
	if slices.Contains(upload.Types, "*/*") {
		return media
	}
	out := *media
	out.Encoding = maps.Clone(media.Encoding)
	if out.Encoding == nil {
		out.Encoding = map[string]*openapi3.Encoding{}
	}
	encoding := openapi3.Encoding{}
	if known := media.Encoding[upload.Part]; known != nil {
		encoding = *known
	}
	encoding.ContentType = strings.Join(upload.Types, ", ")
	out.Encoding[upload.Part] = &encoding
	return &out
}

// served206 gives the answer to a Range the content of the whole file's.
func served206(operation *openapi3.Operation, whole *openapi3.ResponseRef) {
	part := operation.Responses.Value("206")
	if part == nil || part.Ref == "" {
		return // the document declares its own
	}
	response := openapi3.NewResponse().WithDescription("A part of the file.")
	response.Content = whole.Value.Content
	response.Extensions = map[string]any{"x-added-by": "backend"}
	operation.Responses.Set("206", &openapi3.ResponseRef{Value: response})
}
