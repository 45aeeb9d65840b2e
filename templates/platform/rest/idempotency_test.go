package rest_test

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/rest"
)

func TestTheSameKeyTwiceIsOneRowAndTheSameAnswer(t *testing.T) {
	s := newServer(t)
	first := s.do("POST", "/notes", `{"text":"a"}`, "Idempotency-Key", `"k1"`)
	second := s.do("POST", "/notes", `{ "text": "a" }`, "Idempotency-Key", "k1")
	want(t, first, 201)
	want(t, second, 201)
	if first.Body.String() != second.Body.String() || s.count() != 1 ||
		second.Header().Get("Location") != first.Header().Get("Location") || second.Header().Get("ETag") != `"1"` ||
		first.Header().Get("Idempotent-Replayed") != "" || second.Header().Get("Idempotent-Replayed") != "true" ||
		second.Header().Get("Content-Type") != "application/json" {
		t.Errorf("first %v %s\nsecond %v %s, %d rows", first.Header(), first.Body, second.Header(), second.Body, s.count())
	}
	want(t, s.do("POST", "/notes", `{"text":"b"}`, "Idempotency-Key", "k1"), 422, "header /Idempotency-Key was used for a different request")
	want(t, s.do("POST", "/notes", `{"text":"b"}`, "Idempotency-Key", "k2"), 201)
}

func TestAFailedRequestLeavesItsKeyUnused(t *testing.T) {
	s := newServer(t)
	want(t, s.do("POST", "/notes", `{"text":""}`, "Idempotency-Key", "k"), 422)
	s.gate = func() { panic("half way") }
	want(t, s.do("POST", "/notes", `{"text":"a"}`, "Idempotency-Key", "k"), 500)
	s.gate = func() {}
	w := s.do("POST", "/notes", `{"text":"b"}`, "Idempotency-Key", "k")
	want(t, w, 201)
	if w.Header().Get("Idempotent-Replayed") != "" || s.count() != 1 {
		t.Errorf("%v, %d rows", w.Header(), s.count())
	}
}

func TestConcurrentRequestsWithOneKeyAgree(t *testing.T) {
	s := newServer(t)
	const clients = 8
	answers := make([]*httptest.ResponseRecorder, clients)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { answers[i] = s.do("POST", "/notes", `{"text":"a"}`, "Idempotency-Key", "race") })
	}
	all.Wait()
	fresh := 0
	for _, w := range answers {
		want(t, w, 201)
		if w.Body.String() != answers[0].Body.String() {
			t.Errorf("%s and %s", w.Body, answers[0].Body)
		}
		if w.Header().Get("Idempotent-Replayed") == "" {
			fresh++
		}
	}
	if fresh != 1 || s.count() != 1 {
		t.Errorf("%d were fresh, %d rows", fresh, s.count())
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	s := newServer(t)
	for _, key := range []string{"", strings.Repeat("k", 256), "é"} {
		want(t, s.do("POST", "/notes", `{"text":"a"}`, "Idempotency-Key", key), 422)
	}
	want(t, s.do("POST", "/notes", `{"text":"a"}`, "Idempotency-Key", "a", "Idempotency-Key", "b"), 422)
	s.custom(rest.Operation{ID: "strict", Path: "/strict", RequireKey: true}, nil)
	want(t, s.do("POST", "/strict", ""), 400, "header /Idempotency-Key is required")
	if s.count() != 0 {
		t.Error("a row was written")
	}
}
