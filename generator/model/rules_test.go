package model_test

import (
	"strings"
	"testing"
)

const post = `
Post: {type: object, required: [slug], properties: {slug: {type: string}, title: {type: string}}}
Comment: {type: object, required: [id], properties: {id: {type: string, format: uuid, readOnly: true}, body: {type: string}}}`

// TestChildrenLiveWithTheirParents: rows that go with a parent are in its service,
// whatever their tag, or the database could not remove them.
func TestChildrenLiveWithTheirParents(t *testing.T) {
	p := build(t, "/posts:\n  "+op("post", "createPost", "posts", "", ref("Post"), "201", ref("Post"))+
		"/posts/{slug}:\n  "+op("get", "getPost", "posts", "", "", "200", ref("Post"))+
		"/posts/{slug}/comments:\n  "+op("post", "createComment", "comments", "", ref("Comment"), "201", ref("Comment"))+
		"  "+op("get", "listComments", "comments", "", "", "200", listOf("Comment")), post)
	comments := find(t, p, "comment")
	if comments.Parent == nil || comments.Service != comments.Parent.Service || comments.Service.Name != "posts" {
		t.Errorf("comments live in %s, their parent is %v", comments.Service.Name, comments.Parent)
	}
	if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, "/posts/{slug}/comments is part of service posts") {
		t.Errorf("the move is not noted: %s", notes)
	}
}

// TestWhatNothingCreates: it can be read, for its rows may come from elsewhere, and what
// belongs to it is taken as it comes; what a PUT creates needs no POST.
func TestWhatNothingCreates(t *testing.T) {
	comments := "/posts/{slug}/comments:\n  " + op("post", "createComment", "posts", "", ref("Comment"), "201", ref("Comment"))
	list := "/posts:\n  " + op("get", "listPosts", "posts", "", "", "200", listOf("Post"))
	get := "/posts/{slug}:\n  " + op("get", "getPost", "posts", "", "", "200", ref("Post"))
	p := build(t, list+get+comments, post)
	for id, got := range states(p) {
		if !strings.HasPrefix(got, "implemented") {
			t.Errorf("%s: %s", id, got)
		}
	}
	if c := find(t, p, "comment"); len(c.References) != 0 {
		t.Errorf("comments refer to posts, which nothing creates: %+v", c.References[0])
	}
	if c := find(t, p, "comment"); c.Parent != nil || len(c.Scopes) != 1 {
		t.Errorf("comments belong to a post that nothing creates: %+v", c.Parent)
	}
	for _, c := range p.Coverage {
		if readOnly := c.Operation.ID != "createComment"; c.ReadOnly != readOnly {
			t.Errorf("%s: read-only %v", c.Operation.ID, c.ReadOnly)
		}
	}
	p = build(t, list+get+"  "+op("put", "putPost", "posts", "", ref("Post"), "200", ref("Post"))+comments, post)
	if o := opNamed(t, p, "putPost"); !o.Upsert || !o.Resource.Creatable {
		t.Errorf("PUT does not create: %+v", o)
	}
	if c := find(t, p, "comment"); len(c.References) != 1 {
		t.Error("comments do not refer to their post")
	}
}

// TestFirstPage: pages count from 0 where the document says so.
func TestFirstPage(t *testing.T) {
	for schema, want := range map[string]int{
		"{type: integer}": 1, "{type: integer, default: 1, minimum: 0}": 1, "{type: integer, minimum: 1}": 1,
		"{type: integer, default: 0}": 0, "{type: integer, minimum: 0}": 0,
	} {
		p := build(t, "/posts:\n  "+op("get", "listPosts", "posts", "parameters: [{name: page, in: query, schema: "+schema+"}], ", "", "200", listOf("Post"))+
			"  "+op("post", "createPost", "posts", "", ref("Post"), "201", ref("Post")), post)
		if list := opNamed(t, p, "listPosts").List; list == nil || list.FirstPage != want {
			t.Errorf("%s: %+v, want the first page to be %d", schema, list, want)
		}
	}
}
