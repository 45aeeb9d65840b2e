package acceptance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestLibrary holds a project of another make than the shop to its own document:
// 3.0, API keys, errors of its own shape, 400, numeric and natural keys, no paging.
func TestLibrary(t *testing.T) {
	project := scaffold(t, "library", repository+"/testdata/specs/good/library.yaml", "--set", "database.engine=postgres")
	if project.Operations.Stubbed != 0 {
		t.Fatalf("stubs: %v", project.Stubs)
	}
	checkProject(t, project.Dir)
	for _, setting := range settings(t) {
		t.Run(setting.name, func(t *testing.T) { testLibrary(t, project.Dir, setting) })
	}
}

func testLibrary(t *testing.T, dir string, setting setting) {
	data := t.TempDir()
	s := run(t, dir, data, setting)
	key := "X-Api-Key: " + s.token(t)
	want := func(status int, method, path, body string) answer {
		t.Helper()
		return s.want(t, status, method, path, body, "Authorization: ", key)
	}
	s.want(t, 401, http.MethodGet, "/books", "", "Authorization: ")

	// Errors take the declared shape and status.
	for path, body := range map[string]string{"/books": `{"title":"","pages":0}`, "/members": `{"handle":"x","age":0}`, "/loans": `{"bookId":4711}`} {
		a := want(400, http.MethodPost, path, body)
		if a.Header.Get("Content-Type") != "application/json" || a.field("code") != "400" || a.field("message") == "" {
			t.Errorf("%s: %s %s", path, a.Header.Get("Content-Type"), a.Body)
		}
	}
	if a := want(404, http.MethodGet, "/books/4711", ""); a.field("code") != "404" {
		t.Errorf("404: %s", a.Body)
	}
	if a := want(501, http.MethodGet, "/books?expand=author", ""); !strings.Contains(string(a.Body), "expand") {
		t.Errorf("a parameter that nothing acts on: %s", a.Body)
	}

	// A list without paging is bounded by the documented 100.
	for i := range 103 {
		want(201, http.MethodPost, "/books", fmt.Sprintf(`{"title":"Book %d","pages":%d}`, i, i+1))
	}
	var books []struct{ ID int64 }
	if err := json.Unmarshal(want(200, http.MethodGet, "/books", "").Body, &books); err != nil || len(books) != 100 {
		t.Errorf("%d books in an unpaged list, want 100 (%v)", len(books), err)
	}

	// A natural key is the client's, and unique.
	want(201, http.MethodPost, "/members", `{"handle":"ann","name":"Ann","age":null}`)
	want(409, http.MethodPost, "/members", `{"handle":"ann","name":"Other"}`)
	if a := want(200, http.MethodGet, "/members/ann", ""); a.field("name") != "Ann" {
		t.Errorf("member %s", a.Body)
	}
	want(201, http.MethodPost, "/members", `{"handle":"a/b c","name":"Slash"}`)
	want(200, http.MethodGet, "/members/a%2Fb%20c", "")

	// A reference inside one service: no dangling rows either way.
	for i := range 7 {
		due := "null"
		if i > 1 {
			due = fmt.Sprintf(`"2030-01-0%d"`, i)
		}
		want(201, http.MethodPost, "/loans", fmt.Sprintf(`{"bookId":%d,"due":%s}`, books[0].ID, due))
	}
	want(409, http.MethodDelete, fmt.Sprintf("/books/%d", books[0].ID), "")
	want(204, http.MethodDelete, fmt.Sprintf("/books/%d", books[1].ID), "")
	seen := map[int64]bool{}
	for offset := 0; offset < 9; offset += 3 {
		var page struct {
			Loans []struct{ ID int64 }
			Total int
		}
		path := fmt.Sprintf("/loans?sort=due:desc&limit=3&offset=%d", offset)
		if err := json.Unmarshal(want(200, http.MethodGet, path, "").Body, &page); err != nil || page.Total != 7 {
			t.Fatalf("total %d (%v)", page.Total, err)
		}
		for _, l := range page.Loans {
			seen[l.ID] = true
		}
	}
	if len(seen) != 7 {
		t.Errorf("%d different loans on three pages, want 7", len(seen))
	}
	want(422, http.MethodGet, "/loans?limit=11", "") // it declares no 4xx of its own

	r := loadtest(t, dir, "--rate", "100", "--duration", "3s", "--target", setting.target)
	if r.Verdict != "pass" || r.Total.Errors != 0 || r.Total.Violations != 0 {
		t.Errorf("verdict %s %v", r.Verdict, r.Reasons)
	}
}
