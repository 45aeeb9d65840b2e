package wire_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

type contact struct {
	Mail  string  `json:"mail"`
	Phone *string `json:"phone,omitzero"`
}

type verified struct {
	Mail     string  `json:"mail"`
	Phone    *string `json:"phone,omitzero"`
	Verified bool    `json:"verified"`
}

func TestOver(t *testing.T) {
	base := verified{Mail: "old", Phone: new("1"), Verified: true}
	if got := wire.Over(base, contact{Mail: "new"}); got.Mail != "new" || *got.Phone != "1" || !got.Verified {
		t.Errorf("over: %+v", got)
	}
	if got := wire.Over(base, (*contact)(nil)); got.Mail != "old" {
		t.Errorf("over nothing: %+v", got)
	}
	if wire.OverPtr(base, (*contact)(nil)) != nil || wire.OverPtr(base, &contact{Mail: "x"}).Mail != "x" {
		t.Error("over what may be absent")
	}
	if got := wire.OverEach(verified{Verified: true}, []contact{{Mail: "a"}, {Mail: "b"}}); len(got) != 2 || got[1].Mail != "b" || !got[0].Verified {
		t.Errorf("over each: %+v", got)
	}
	if wire.OverEach(base, []contact(nil)) != nil {
		t.Error("over no list")
	}
}

func TestConvert(t *testing.T) {
	if got := wire.Convert[verified](contact{Mail: "m"}); got.Mail != "m" {
		t.Errorf("converted %+v", got)
	}
	if wire.ConvertPtr[verified]((*contact)(nil)) != nil || wire.ConvertPtr[verified](&contact{Mail: "m"}).Mail != "m" {
		t.Error("converted what may be absent")
	}
	if got := wire.Convert[[]verified]([]contact{{Mail: "m"}}); !slices.Equal(got, []verified{{Mail: "m"}}) {
		t.Errorf("converted %+v", got)
	}
}

func TestAmong(t *testing.T) {
	if err := wire.Among("/state", "a", []string{"a", "b"}); err != nil {
		t.Error(err)
	}
	var p *problem.Problem
	if err := wire.Among("/state", "c", []string{"a", "b"}); !errors.As(err, &p) || p.Status != 422 || p.Errors[0].Pointer != "/state" {
		t.Errorf("refused with %v", err)
	}
}
