package sample_test

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/sample"
)

func TestAppendForm(t *testing.T) {
	m := &model.Media{Type: model.URLEncodedForm, Encoding: map[string]model.Encoding{
		"flat": {Style: "form"}, "pipes": {Style: "pipeDelimited"}, "deep": {Style: "deepObject", Explode: true},
	}}
	got := string(sample.AppendForm(nil, m, []byte(`{"a":"x y&","deep":{"b":[1,2],"c":{"d":true}},"e":null,"flat":["p","q"],"list":[1,"ü"],"none":[],"o":{"k":1},"pipes":[1,2]}`)))
	want := "a=x%20y%26&deep%5Bb%5D%5B0%5D=1&deep%5Bb%5D%5B1%5D=2&deep%5Bc%5D%5Bd%5D=true&e=&flat=p%2Cq&list=1&list=%C3%BC&o=%7B%22k%22%3A1%7D&pipes=1%7C2"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAppendMultipart(t *testing.T) {
	file := &model.Schema{Kind: model.KindString, File: true}
	m := &model.Media{Type: model.MultipartForm, Encoding: map[string]model.Encoding{"photo": {Types: []string{"image/*"}}}, Schema: &model.Schema{
		Kind: model.KindObject, Properties: []*model.Property{
			prop("photo", true, file), prop("pages", false, &model.Schema{Kind: model.KindArray, Items: file}), prop("o", false, &model.Schema{Kind: model.KindObject}),
		},
	}}
	body := sample.AppendMultipart(nil, m, []byte(`{"o":{"k":1},"pages":["1","2"],"photo":"x","text\"":"é"}`))
	reader := multipart.NewReader(bytes.NewReader(body), sample.Boundary)
	var got []string
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Join([]string{part.FormName(), part.FileName(), part.Header.Get("Content-Type"), string(data)}, "|"))
	}
	want := "o||application/json|{\"k\":1}\npages|sample.bin|application/octet-stream|1\npages|sample.bin|application/octet-stream|2\nphoto|sample.bin|image/png|x\ntext%22|||é"
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}
