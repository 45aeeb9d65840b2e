package schema

import (
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator/model"
)

func TestIndexNamesAreUnique(t *testing.T) {
	key := &model.Column{Name: "id", Kind: "text", Ref: &model.Ref{Kind: model.RefString}}
	column := func(name string) *model.Column {
		return &model.Column{Name: name, Kind: "text", Ref: &model.Ref{Kind: model.RefString}}
	}
	s := &model.Service{}
	a := &model.Resource{Table: "a", Key: key, Service: s, Scopes: []*model.Column{column("b_c")}}
	b := &model.Resource{Table: "a_b", Key: key, Service: s, Scopes: []*model.Column{column("c")}}
	s.Resources = []*model.Resource{a, b}
	text := string(Init(model.Engine{Types: map[string]string{"text": "TEXT"}}, Of(s)))
	if strings.Count(text, `"a_b_c_idx"`) != 1 || strings.Count(text, `"a_b_c_idx2"`) != 1 {
		t.Error(text)
	}
}
