package model

import (
	"slices"
	"strings"
)

// UploadPlan is how an operation receives a file, which is streamed to where it is kept.
type UploadPlan struct {
	GoName   string   // field of the request: "File"
	Part     string   // of a multipart form; "": the body is the file
	Types    []string // media types of the file; ranges stand for all they cover
	Required bool
	Form     *Media // the form that the part is in
}

const anyBytes = "application/octet-stream"

// downloads are last segments of the paths below an item that answer its file.
var downloads = set("content", "contents", "download", "raw", "file", "data", "binary", "bytes")

// uploadOf says how an operation's body carries one file, nil if it does not.
func uploadOf(op *Operation) *UploadPlan {
	if op == nil || op.Body == nil || len(op.Body.Content) == 0 {
		return nil
	}
	if len(op.Body.Content) == 1 && bare(op.Body.Content[0].Type) == MultipartForm {
		return uploadPart(&op.Body.Content[0])
	}
	if types := fileTypes(op.Body.Content); types != nil {
		return &UploadPlan{Types: types, Required: true}
	}
	return nil
}

// uploadPart says which part of a form is its only file.
func uploadPart(form *Media) *UploadPlan {
	if form.Schema == nil || form.Schema.Kind != KindObject {
		return nil
	}
	var out *UploadPlan
	for _, p := range form.Schema.Properties {
		switch list := p.Schema.Kind == KindArray && p.Schema.Items != nil && p.Schema.Items.File; {
		case list, p.Schema.File && out != nil:
			return nil
		case p.Schema.File && (p.Schema.MinLength > 0 || p.Schema.MaxLength != nil || p.Schema.ReadOnly):
			return nil // bounds that nothing checks while it streams
		case p.Schema.File:
			types := p.Schema.MediaTypes
			if len(types) == 0 {
				types = []string{"*/*"}
			}
			out = &UploadPlan{Part: p.Name, Types: types, Required: p.Required && !p.Schema.Nullable, Form: form}
		}
	}
	return out
}

// fileTypes are the media types of content that is a file in all of them, else nil.
func fileTypes(content []Media) []string {
	var out []string
	for _, m := range content {
		s, media := m.Schema, bare(m.Type)
		said := s != nil && s.Kind == KindString && s.Format == "binary"
		ranged := strings.HasSuffix(media, "*")
		switch {
		case IsForm(media), IsJSON(media) && !(ranged && said):
			return nil
		case s != nil && s.Kind != KindAny && s.Kind != KindString:
			return nil
		case s != nil && (s.Enum != nil || s.Const != nil || s.Pattern != "" || s.MinLength > 0 || s.MaxLength != nil || s.Nullable):
			return nil
		}
		out = append(out, media)
	}
	return out
}

// downloadTypes are the media types in which an operation answers a file, nil if it
// answers none.
func downloadTypes(op *Operation) []string {
	if op == nil || op.Success() == nil || op.Success().Status != "200" || len(op.Success().Content) == 0 {
		return nil
	}
	return fileTypes(op.Success().Content)
}

// servable narrows the media types of uploads to those that the downloads can answer in.
// All of them can where downloads answer any bytes.
func servable(uploads, answers []string) []string {
	if slices.Contains(answers, anyBytes) || slices.Contains(answers, "*/*") {
		return uploads
	}
	var out []string
	for _, u := range uploads {
		for _, a := range answers {
			switch {
			case Covers(a, u):
				out = append(out, u)
			case Covers(u, a):
				out = append(out, a)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// answersAll reports whether every file that a row can have is of a type among answers.
func (r *Resource) answersAll(answers []string) bool {
	return !slices.ContainsFunc(r.taken, func(t string) bool {
		return !slices.ContainsFunc(answers, func(a string) bool { return Covers(a, t) })
	})
}

// Covers reports whether a media type or range stands for another one.
func Covers(wide, narrow string) bool {
	main, all := strings.CutSuffix(wide, "*")
	return wide == narrow || all && strings.HasPrefix(narrow, strings.TrimSuffix(main, "*")) || wide == "*/*"
}

// fileAt makes a singleton of a path whose PUT or POST takes a file and whose GET answers
// it. A path that ends in a placeholder is one, too, where nothing lists or numbers what is
// beside it.
func (c *candidate) fileAt() bool {
	read, put := c.list, c.put
	item := c.itemPath != ""
	if item {
		if c.list != nil || c.create != nil {
			return false
		}
		read, put = c.get, c.replace
	}
	answers, up := downloadTypes(read), put
	if uploadOf(up) == nil && !item {
		up = c.create
	}
	upload := uploadOf(up)
	if answers == nil || upload == nil || upload.Form != nil && len(upload.Form.Schema.Properties) > 1 || len(servable(upload.Types, answers)) == 0 {
		return false
	}
	also := c.create
	if item || also == up || uploadOf(also) == nil {
		also = nil
	}
	out := candidate{path: c.path, singleton: true, file: true, download: read, replace: up, also: also, remove: c.drop}
	if item {
		out.path, out.remove = c.itemPath, c.remove
	}
	*c = out
	return true
}

// findDownloads ties what answers a file below an item, or the item's own GET that does,
// to the collection whose POST uploads it. What only answered that is no candidate.
func findDownloads(byPath map[string]*candidate) {
	for key, c := range byPath {
		upload := uploadOf(c.create)
		if c.file || upload == nil {
			continue
		}
		serves := func(op *Operation) bool {
			answers := downloadTypes(op)
			return answers != nil && len(servable(upload.Types, answers)) > 0
		}
		item, _ := listItem(c.list)
		if serves(c.get) && (item != nil || resultObject(c.create) != nil) {
			c.download, c.get = c.get, nil
			continue
		}
		for below, other := range byPath {
			rest, last := parent(below)
			only := other.list != nil && other.create == nil && other.put == nil && other.change == nil && other.itemPath == "" && !other.singleton
			if rest != key+"/{}" || !downloads[Plain(last)] || !only || !serves(other.list) {
				continue
			}
			if c.download != nil { // two that answer it: not told apart
				c.download = nil
				break
			}
			c.download = other.list
			if above, _ := parent(strings.TrimSuffix(other.list.Path, "/")); c.itemPath == "" {
				_, last := parent(above)
				c.param, _ = placeholder(last)
			}
		}
	}
	for key, c := range byPath {
		for _, other := range byPath {
			if other != c && other.download != nil && c.list == other.download {
				c.list = nil
				if c.drop == nil {
					delete(byPath, key)
				}
			}
		}
	}
}

// files adds the hidden columns that hold a row's file: its key in the store, and what is
// known of it.
func (rb *rowBuilder) files() {
	if !rb.c.file && rb.c.download == nil {
		return
	}
	r := rb.r
	r.answers = downloadTypes(rb.c.download)
	for _, op := range []*Operation{rb.c.create, rb.c.replace, rb.c.also} {
		if upload := uploadOf(op); upload != nil {
			r.taken = append(r.taken, servable(upload.Types, r.answers)...)
		}
	}
	r.FileKey, r.File = rb.hidden("file key", RefString), rb.hidden("file info", RefBlob)
	r.FileKey.MaxLength = new(fileKeyLength)
	r.FileKey.Nullable, r.File.Nullable = !rb.c.file, !rb.c.file // rows can be older than this
}

// fileKeyLength is how long the keys of package blob are.
const fileKeyLength = 32

// uploads returns how an operation receives the file of its row, nil if it does not.
func (b *builder) uploads(op *Operation) *UploadPlan {
	r := b.owner[op]
	if r == nil || r.File == nil || b.role[op] != OpCreate && b.role[op] != OpReplace {
		return nil
	}
	plan := uploadOf(op)
	if plan == nil {
		return nil
	}
	plan.Types = servable(plan.Types, r.answers)
	return plan
}

// uploadBody plans the body of an operation that receives a file: the file, and the other
// fields of its form.
func (ob *opBuilder) uploadBody(plan *UploadPlan) {
	op := ob.op
	plan.GoName = ob.inputs.take("File")
	op.Upload = plan
	if plan.Form == nil {
		op.Consumes = plan.Types
		return
	}
	op.Consumes = []string{plan.Form.Type}
	fields := *plan.Form.Schema
	fields.Name = ""
	fields.Properties = slices.DeleteFunc(slices.Clone(fields.Properties), func(p *Property) bool { return p.Name == plan.Part })
	if len(fields.Properties) == 0 {
		return
	}
	body := ob.bodyOf(&Media{Type: plan.Form.Type, Schema: &fields, Encoding: plan.Form.Encoding})
	if body.Ref == nil || body.Ref.Kind != RefStruct {
		return
	}
	body.GoName, body.Required, body.Media, body.Reads = "Body", true, plan.Form.Type, op.Consumes
	op.Body = body
}

// withoutUpload gives a stub the body that every stub has.
func (ob *opBuilder) withoutUpload() {
	op := ob.op
	if op.Upload == nil {
		return
	}
	op.Upload, op.Body, op.Consumes = nil, nil, nil
	ob.plainBody()
}

// sizeNames and the others are what documents call what is known of a file.
var (
	sizeNames     = set("size", "filesize", "length", "contentlength", "bytes", "sizebytes", "sizeinbytes", "bytesize")
	typeNames     = set("contenttype", "mimetype", "mediatype", "mime")
	filenameNames = set("filename", "originalname", "originalfilename", "name")
	hashNames     = set("sha256", "sha256sum", "sha256hash", "checksumsha256", "checksum", "hash", "digest", "contenthash")
)

// fileFill fills a column from the file that comes with a request; nil where it has
// another source.
func (ob *opBuilder) fileFill(c *Column, fields []*Field) *Fill {
	r := ob.op.Resource
	switch {
	case ob.op.Upload == nil || c.Rule != "":
		return nil
	case c == r.FileKey:
		return &Fill{Column: c, Source: SourceFile, Value: "key"}
	case c == r.File:
		return &Fill{Column: c, Source: SourceFile, Value: "info"}
	case c.Property == "" || fieldFor(fields, c.Property) != nil || !ob.op.Upload.Required:
		return nil
	}
	n, s := Plain(c.Property), c.Schema
	text := c.Ref.Kind == RefString && s != nil && s.Pattern == "" && s.Const == nil && s.Format == "" && s.MinLength <= 1
	longest := Unbounded
	if c.MaxLength != nil {
		longest = *c.MaxLength
	}
	value := ""
	switch {
	case sizeNames[n] && (c.Ref.Kind == RefInt || c.Ref.Kind == RefFloat) && s.allowsZero() && s.Maximum == nil && s.MultipleOf == nil:
		value = "info.Size"
		if c.Ref.Kind == RefFloat {
			value = "float64(info.Size)"
		}
	case typeNames[n] && text && longest >= 255:
		value = "info.Type"
	case filenameNames[n] && text && longest >= 255 && s.MinLength == 0:
		value = "info.Name"
	case hashNames[n] && text && longest >= 64 && sha256Fits(s):
		value = "info.SHA256"
	}
	if value == "" {
		return nil
	}
	return &Fill{Column: c, Source: SourceFile, Value: value}
}

// sha256Fits reports whether a hash may be that of SHA-256: the document names no other.
func sha256Fits(s *Schema) bool {
	said := Plain(s.Description + s.Title)
	return !strings.Contains(said, "md5") && !strings.Contains(said, "sha1") && !strings.Contains(said, "crc") && !strings.Contains(said, "sha512")
}

// planDownload decides how a GET answers the file of a row.
func (ob *opBuilder) planDownload() string {
	op := ob.op
	if !op.Resource.Creatable {
		return "nothing uploads what it answers"
	}
	success := op.Success()
	result := &Result{Status: 200, Content: true, GoName: ob.resultName(200)}
	for _, t := range downloadTypes(op.Operation) {
		if strings.Contains(t, "*") {
			continue
		}
		result.Media = t
	}
	told := slices.DeleteFunc(slices.Clone(success.Headers), func(h *Parameter) bool { return fileHeaders[Plain(h.Name)] })
	if reason := result.headers(told, false); reason != "" {
		return reason
	}
	result.Headers = nil
	answers := downloadTypes(op.Operation)
	result.Ranged = slices.ContainsFunc(answers, func(t string) bool { return strings.Contains(t, "*") })
	if !op.Resource.answersAll(answers) {
		result.Among = answers
	}
	op.Result = result
	return ob.refuse(nil)
}

// fileHeaders are the response headers that downloads have by themselves.
var fileHeaders = set("etag", "lastmodified", "contentdisposition", "acceptranges", "contentrange", "contenttype", "contentlength", "xcontenttypeoptions")

// FilesBelow reports whether rows that go with a row of r have files.
func (r *Resource) FilesBelow() bool {
	return slices.ContainsFunc(r.Children(), func(child *Resource) bool { return child.File != nil || child.FilesBelow() })
}

// Children are the resources of the same service whose rows go with r's.
func (r *Resource) Children() []*Resource {
	var out []*Resource
	for _, other := range r.Service.Resources {
		if other.Parent == r && other != r {
			out = append(out, other)
		}
	}
	return out
}

// HasFiles reports whether the service keeps files.
func (s *Service) HasFiles() bool {
	return slices.ContainsFunc(s.Resources, func(r *Resource) bool { return r.File != nil })
}

// HasFiles reports whether some service keeps files.
func (p *Project) HasFiles() bool {
	return slices.ContainsFunc(p.Services, (*Service).HasFiles)
}

// TakesBody reports whether requests have a body that the operation reads.
func (o *Op) TakesBody() bool { return o.Body != nil || o.Upload != nil }

// fileReason says why an operation that receives or answers a file is a stub.
func fileReason(op *Operation) string {
	text := func(t string) bool { return strings.HasPrefix(t, "text/") && t != "text/csv" }
	if upload := uploadOf(op); upload != nil && op.Method != "GET" && !slices.ContainsFunc(upload.Types, text) {
		return "nothing reads what it uploads"
	}
	if types := downloadTypes(op); types != nil && op.Method == "GET" && !slices.ContainsFunc(types, text) {
		return "nothing uploads what it answers"
	}
	return ""
}
