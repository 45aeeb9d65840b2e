package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"mime/multipart"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/rest"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// upload is what the forms of these tests hold.
type upload struct {
	Name  string
	Age   *int64
	Vip   bool
	Tags  []string
	Codes []int64
	Home  json.RawMessage
	Size  []string
	Photo *wire.File
	Pages []wire.File
}

func (v *upload) DecodeJSON(d *wire.Decoder) {
	for key := range d.Object("name") {
		switch key {
		case "name":
			v.Name = d.String()
			d.Length(v.Name, 1, 10)
		case "age":
			if !d.Null() {
				v.Age = new(d.Int64())
				d.MinInt(*v.Age, 0)
			}
		case "vip":
			v.Vip = d.Bool()
		case "tags":
			v.Tags = wire.List(d, (*wire.Decoder).String)
			d.Items(len(v.Tags), 1, 3)
		case "codes":
			v.Codes = wire.List(d, (*wire.Decoder).Int64)
		case "home":
			v.Home = d.Raw()
			d.KindIs(v.Home, "object")
		case "photo":
			v.Photo = new(d.File())
			d.FileSize(*v.Photo, 1, 20)
			d.MediaType(*v.Photo, "image/*")
		case "pages":
			v.Pages = wire.List(d, (*wire.Decoder).File)
		default:
			d.Unknown(key)
		}
	}
}

func uploadFields() rest.Fields {
	return rest.Fields{
		{Name: "name"},
		{Name: "age", Kind: rest.Number, Null: true},
		{Name: "vip", Kind: rest.Boolean},
		{Name: "tags", List: true},
		{Name: "codes", Kind: rest.Number, List: true, Split: ","},
		{Name: "home", Kind: rest.Nested, Fields: rest.Fields{{Name: "floor", Kind: rest.Number}, {Name: "keys", List: true}, {Name: "owner", Kind: rest.Nested}}},
		{Name: "photo", Kind: rest.Binary},
		{Name: "pages", Kind: rest.Binary, List: true},
	}
}

func formServer(t testing.TB) (post func(contentType, body string) *httptest.ResponseRecorder, got *upload) {
	t.Helper()
	router, api := plainAPI()
	got = new(upload)
	consumes := []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
	rest.Handle(api, rest.Operation{ID: "upload", Method: "POST", Path: "/form", Consumes: consumes}, func(r *rest.Request) (in upload) {
		r.Form(uploadFields(), in.DecodeJSON, consumes...)
		return in
	}, func(_ context.Context, in upload) (rest.Response, error) {
		*got = in
		return answer(func(w *rest.Writer) { w.Empty(204) }), nil
	})
	return func(contentType, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/form", strings.NewReader(body))
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		return w
	}, got
}

func TestURLEncodedForms(t *testing.T) {
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	post, got := formServer(t)
	w := post(form, "name=a+b&age=1e1&vip=true&tags=x&tags=y%26&codes=1,2,3&home%5Bfloor%5D=2&home[keys][]=a&home[keys][]=b&home[owner][name]=Jo")
	if w.Code != 204 || got.Name != "a b" || *got.Age != 10 || !got.Vip || strings.Join(got.Tags, " ") != "x y&" || len(got.Codes) != 3 ||
		string(got.Home) != `{"floor":2,"keys":["a","b"],"owner":{"name":"Jo"}}` {
		t.Fatalf("%d %s %+v", w.Code, w.Body, got)
	}
	if w := post(form, "name=a&age="); w.Code != 204 || got.Age != nil {
		t.Errorf("an empty number of a nullable field: %d %s", w.Code, w.Body)
	}
	if w := post(form, "name=a&tags[]=x&tags[]=y"); w.Code != 204 || len(got.Tags) != 2 {
		t.Errorf("tags[]: %d %s", w.Code, w.Body)
	}
	if w := post(form, "name=a&home[keys][1]=y&home[keys][0]=x"); w.Code != 204 || string(got.Home) != `{"keys":["x","y"]}` {
		t.Errorf("numbered items: %d %s %s", w.Code, w.Body, got.Home)
	}
	if w := post("", `{"name":"json"}`); w.Code != 204 || got.Name != "json" {
		t.Errorf("JSON beside a form: %d %s", w.Code, w.Body)
	}
	want(t, post(form, "age=x&vip=yes&codes=1,b&tags=1&tags=2&tags=3&tags=4&other=1"), 422,
		"body /age must be an integer, not a string", "body /vip must be a boolean, not a string",
		"body /codes/1 must be an integer, not a string", "body /tags must have at most 3 items", "body /other is not a known property", "body /name is required")
	want(t, post(form, "name=a&name=b"), 422, "body /name must be given once")
	want(t, post(form, "name=%FF"), 422, "body /name must be valid UTF-8")
	want(t, post(form, "name=a&photo=x"), 422, "body /photo must be a file, not a string")
	want(t, post(form, "name=%zz"), 400)
	want(t, post(form, ""), 400)
	want(t, post("text/plain", "name=a"), 415)
	many := strings.Builder{}
	for i := range 1100 {
		many.WriteString("&f" + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + "=1")
	}
	want(t, post(form, many.String()), 400)
	want(t, post(form, "name=a&home"+strings.Repeat("[x]", 20)+"=1"), 400)
	want(t, post(form, "name=a&home[x]=1&home[x][y]=2"), 422, "body /x must be given in one way")
}

func TestMultipartForms(t *testing.T) {
	post, got := formServer(t)
	build := func(parts ...[3]string) (string, string) { // disposition, media type, content
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, p := range parts {
			h := textproto.MIMEHeader{"Content-Disposition": {"form-data; " + p[0]}}
			if p[1] != "" {
				h.Set("Content-Type", p[1])
			}
			part, err := w.CreatePart(h)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = part.Write([]byte(p[2]))
		}
		_ = w.Close()
		return w.FormDataContentType(), b.String()
	}
	contentType, body := build(
		[3]string{`name="name"`, "", "Jo"}, [3]string{`name="age"`, "", "7"}, [3]string{`name="tags"`, "", "x"}, [3]string{`name="tags"`, "text/plain", "y"},
		[3]string{`name="home"`, "application/json", `{"floor": 1}`},
		[3]string{`name="photo"; filename="../a.png"`, "image/png", "PNG\x00\xff"}, [3]string{`name="pages"; filename="1"`, "", "one"}, [3]string{`name="pages"; filename="2"`, "", "two"})
	if w := post(contentType, body); w.Code != 204 || got.Name != "Jo" || *got.Age != 7 || len(got.Tags) != 2 || string(got.Home) != `{"floor":1}` ||
		got.Photo.Name != "a.png" || got.Photo.Type != "image/png" || string(got.Photo.Data) != "PNG\x00\xff" || len(got.Pages) != 2 || string(got.Pages[1].Data) != "two" {
		t.Fatalf("%d %s %+v", w.Code, w.Body, got)
	}
	contentType, body = build([3]string{`name="name"`, "", "Jo"}, [3]string{`name="photo"; filename="a"`, "text/html", strings.Repeat("x", 30)})
	want(t, post(contentType, body), 422, "body /photo must have at most 20 bytes", "body /photo must be of the media type image/*, not text/html")
	contentType, body = build([3]string{`name="name"`, "", "Jo"}, [3]string{`name="home"`, "application/json", `{"floor": `})
	want(t, post(contentType, body), 422, "body /home must be an object, not a string")
	want(t, post("multipart/form-data", body), 400)
	want(t, post(contentType, body[:len(body)-20]), 400)
	contentType, body = build([3]string{"", "", "Jo"})
	want(t, post(contentType, body), 400)
}

// TestObjectParameters: an object can travel in a parameter in many styles.
func TestObjectParameters(t *testing.T) {
	router, api := plainAPI()
	got := map[string]string{}
	object := func(r *rest.Request, o rest.Object) {
		o.Fields = rest.Fields{{Name: "age", Kind: rest.Number}, {Name: "name"}, {Name: "tags", List: true}}
		r.Object(o, func(d *wire.Decoder) {
			v := d.Raw()
			got[o.Name] = string(v)
			d.KindIs(v, "object")
		})
	}
	rest.Handle(api, rest.Operation{ID: "o", Method: "GET", Path: "/o/{listed}/{named}/{label}/{matrix}"}, func(r *rest.Request) (in struct{}) {
		object(r, rest.Object{In: "query", Name: "deep", Style: rest.Deep, Required: true})
		object(r, rest.Object{In: "query", Name: "spread", Style: rest.Spread})
		object(r, rest.Object{In: "query", Name: "json", Style: rest.Whole})
		object(r, rest.Object{In: "query", Name: "flat", Style: rest.Listed})
		object(r, rest.Object{In: "path", Name: "listed", Style: rest.Listed})
		object(r, rest.Object{In: "path", Name: "named", Style: rest.Named})
		object(r, rest.Object{In: "path", Name: "label", Style: rest.Named, Prefix: ".", Split: "."})
		object(r, rest.Object{In: "path", Name: "matrix", Style: rest.Named, Prefix: ";", Split: ";"})
		object(r, rest.Object{In: "header", Name: "X-O", Style: rest.Named})
		object(r, rest.Object{In: "cookie", Name: "c", Style: rest.Spread})
		return in
	}, func(context.Context, struct{}) (rest.Response, error) {
		return answer(func(w *rest.Writer) { w.Empty(204) }), nil
	})
	ask := func(target, header, cookie string) *httptest.ResponseRecorder {
		clear(got)
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("X-O", header)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		return w
	}
	const path = "/o/age,3,name,a/age=3,name=b/.age=3.name=c/;age=3;name=d"
	w := ask(path+`?deep[age]=3&deep[tags]=x&deep[tags]=y&age=4&name=s&json={"age":5}&flat=age,6`, "age=7,name=h", "age=8; name=k")
	for name, value := range map[string]string{
		"deep": `{"age":3,"tags":["x","y"]}`, "spread": `{"age":4,"name":"s"}`, "json": `{"age":5}`, "flat": `{"age":6}`, "listed": `{"age":3,"name":"a"}`,
		"named": `{"age":3,"name":"b"}`, "label": `{"age":3,"name":"c"}`, "matrix": `{"age":3,"name":"d"}`, "X-O": `{"age":7,"name":"h"}`, "c": `{"age":8,"name":"k"}`,
	} {
		if got[name] != value {
			t.Errorf("%s: %s, want %s", name, got[name], value)
		}
	}
	if w.Code != 204 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	want(t, ask(strings.ReplaceAll(path, "age,3,", "age,3,x,")+"?json={", "age", "x=1"), 422, "query /deep is required", "query /json must be JSON",
		"path /listed must be a list of names and values", "header /X-O must be a list of names and values")
	want(t, ask(strings.ReplaceAll(path, "/.", "/")+"?deep[a]=1", "a=1", ""), 422, "path /label must begin with .")
	want(t, ask(path+"?deep"+strings.Repeat("[a]", 30)+"=1", "a=1", ""), 400)
}

// FuzzForm sends any body under any form's media type: the answer is an upload that
// the decoder takes, or a refusal.
func FuzzForm(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "name=a&home[x][]=1&codes=1,2&tags[]=")
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na\r\n--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=x\r\n\r\n1\r\n--b--\r\n")
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"pages[]\"\r\nContent-Type: application/json\r\n\r\n7\r\n--b--")
	f.Add("application/json", `{"name":"a","photo":0}`)
	f.Fuzz(func(t *testing.T, contentType, body string) {
		post, _ := formServer(t)
		if w := post(contentType, body); w.Code >= 500 || w.Code == 400 && strings.Contains(w.Body.String(), "invalid JSON") && !strings.Contains(contentType, "json") && strings.Contains(contentType, "form") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}
