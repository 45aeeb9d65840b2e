package model_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/spec"
)

// build makes the project of a document given as its paths and components.
func build(t *testing.T, paths, schemas string) *model.Project {
	t.Helper()
	text := "openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths:\n" + indent("  ", paths) + "components:\n  schemas:\n" + indent("    ", "None: {}\n"+strings.TrimSpace(schemas))
	d, err := spec.Load(func(string) ([]byte, error) { return []byte(text), nil }, "a.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return model.Build(d.API, model.Options{Name: "x", Module: "x"})
}

func indent(by, s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(by + line)
	}
	return b.String()
}

// op writes an operation: what it reads and what it answers, as schemas.
func op(method, id, tag, more, body, status, result string) string {
	out := fmt.Sprintf("%s: {operationId: %s, tags: [%s], %s", method, id, tag, more)
	if body != "" {
		out += "requestBody: {required: true, content: {application/json: {schema: " + body + "}}}, "
	}
	content := ""
	if result != "" {
		content = ", content: {application/json: {schema: " + result + "}}"
	}
	return out + "responses: {'" + status + "': {description: x" + content + "}}}\n"
}

func ref(name string) string { return "{$ref: '#/components/schemas/" + name + "'}" }

func listOf(name string) string { return "{type: array, items: " + ref(name) + "}" }

// states are the coverage table: "id state reason".
func states(p *model.Project) map[string]string {
	out := map[string]string{}
	for _, c := range p.Coverage {
		out[c.Operation.ID] = strings.TrimSpace(string(c.Status) + " " + c.Reason)
	}
	return out
}

func find(t *testing.T, p *model.Project, name string) *model.Resource {
	t.Helper()
	for _, s := range p.Services {
		for _, r := range s.Resources {
			if r.Name == name {
				return r
			}
		}
	}
	t.Fatalf("no resource %s", name)
	return nil
}

func opNamed(t *testing.T, p *model.Project, id string) *model.Op {
	t.Helper()
	for _, s := range p.Services {
		for _, o := range s.Operations {
			if o.ID == id {
				return o
			}
		}
	}
	t.Fatalf("no operation %s", id)
	return nil
}

const thing = "Thing: {type: object, required: [id, name], properties: {id: {type: string, readOnly: true}, name: {type: string}}}\n"

func TestNestedResources(t *testing.T) {
	step := "Step: {type: object, required: [id], properties: {id: {type: integer, readOnly: true}}}\nItem: {type: object, required: [id], properties: {id: {type: string, readOnly: true}, stepId: {type: integer}}}\n"
	paths := "/things:\n  " + op("post", "createThing", "a", "", ref("Thing"), "201", ref("Thing")) +
		"/things/{thingId}:\n  " + op("get", "getThing", "a", "", "", "200", ref("Thing")) +
		"/things/{thingId}/steps:\n  " + op("post", "createStep", "a", "", ref("Step"), "201", ref("Step")) +
		"/things/{thingId}/steps/{id}/items:\n  parameters: [{name: id, in: path, required: true, schema: {type: integer}}]\n  " +
		op("post", "createItem", "a", "", ref("Item"), "201", ref("Item")) + "  " + op("get", "listItems", "a", "", "", "200", listOf("Item"))
	p := build(t, paths, thing+step)
	for id, got := range states(p) {
		if got != "implemented" {
			t.Errorf("%s: %s", id, got)
		}
	}
	items := find(t, p, "item")
	if items.Parent == nil || items.Parent.Name != "step" || items.ParentColumn.Property != "stepId" || items.Parent.Parent.Name != "thing" {
		t.Errorf("item belongs to %+v by %+v", items.Parent, items.ParentColumn)
	}
	if params := opNamed(t, p, "listItems").ParentParams; len(params) != 2 || params[0].Resource.Name != "thing" || params[1].Resource.Name != "step" {
		t.Errorf("parents of the list: %v", params)
	}
	// The same, but the parent in another service: it can be asked for the step, and
	// not whether the step belongs to the thing.
	p = build(t, strings.NewReplacer("createItem, tags: [a]", "createItem, tags: [b]", "listItems, tags: [a]", "listItems, tags: [b]").Replace(paths), thing+step)
	if got := states(p)["listItems"]; !strings.Contains(got, "another service") {
		t.Errorf("list below a parent elsewhere: %s", got)
	}
}

func TestReferences(t *testing.T) {
	schemas := "A: {type: object, required: [id, betaId], properties: {id: {type: string, readOnly: true}, betaId: {type: string}}}\n" +
		"B: {type: object, required: [id], properties: {id: {type: string, readOnly: true}, alphaId: {type: string}, numberId: {type: integer}, thingId: {type: string}}}\n"
	paths := "/alphas:\n  " + op("post", "createA", "a", "", ref("A"), "201", ref("A")) + "/betas:\n  " + op("post", "createB", "b", "", ref("B"), "201", ref("B")) +
		"/things:\n  " + op("get", "listThings", "b", "", "", "200", listOf("Thing"))
	p := build(t, paths, schemas+thing)
	a, b := find(t, p, "alpha"), find(t, p, "beta")
	if len(a.References) != 1 || a.References[0].Target != b || a.References[0].Use == nil || a.References[0].Use.Service != b.Service {
		t.Errorf("references of a: %+v", a.References)
	}
	// Nothing creates things, so a reference to one could never hold; and a number is
	// no key of text.
	if len(b.References) != 1 || b.References[0].Target != a {
		t.Errorf("references of b: %+v", b.References)
	}
	if len(a.Service.Uses) != 1 || len(b.Service.Uses) != 1 {
		t.Errorf("uses %v %v", a.Service.Uses, b.Service.Uses)
	}
}

func TestWhatIsNoResource(t *testing.T) {
	schemas := thing + "Stats: {type: object, properties: {n: {type: integer}}}\nNeeds: {type: object, required: [id, token], properties: {id: {type: string, readOnly: true}, token: {type: string, readOnly: true}}}\n"
	for name, test := range map[string]struct{ paths, id, want string }{
		"singleton":          {"/me:\n  " + op("get", "x", "a", "", "", "200", ref("Thing")), "x", "stub a computed result"},
		"computed":           {"/stats:\n  " + op("get", "x", "a", "", "", "200", ref("Stats")), "x", "stub a computed result"},
		"action":             {"/send:\n  " + op("post", "x", "a", "", ref("Stats"), "200", ref("Stats")), "x", "stub action"},
		"list alone":         {"/things:\n  " + op("get", "x", "a", "", "", "200", listOf("Thing")), "x", "implemented"},
		"read without write": {"/things/{id}:\n  " + op("get", "x", "a", "", "", "200", ref("Thing")), "x", "implemented"},
		"no source":          {"/needs:\n  " + op("post", "x", "a", "", "{type: object, properties: {n: {type: string}}}", "201", ref("Needs")), "x", "stub nothing supplies the required response property token"},
		"required parameter": {"/things:\n  " + op("get", "x", "a", "parameters: [{name: zone, in: query, required: true, schema: {type: string}}], ", "", "200", listOf("Thing")), "x", "stub required parameter zone"},
		"required header":    {"/things:\n  get: {operationId: x, tags: [a], responses: {'200': {description: x, headers: {X-Secret: {required: true, schema: {type: string}}}, content: {application/json: {schema: " + listOf("Thing") + "}}}}}\n", "x", "stub nothing supplies the required response header X-Secret"},
		"required envelope":  {"/things:\n  " + op("get", "x", "a", "", "", "200", "{type: object, required: [data, cost], properties: {data: "+listOf("Thing")+", cost: {type: string}}}"), "x", "stub nothing supplies the required response property cost"},
		"no content":         {"/things:\n  " + op("post", "y", "a", "", ref("Thing"), "201", ref("Thing")) + "/things/{id}:\n  " + op("get", "x", "a", "", "", "200", ""), "x", "implemented"},
		"key of other kind":  {"/things:\n  " + op("post", "y", "a", "", ref("Thing"), "201", ref("Thing")) + "/things/{id}:\n  " + op("get", "x", "a", "parameters: [{name: id, in: path, required: true, schema: {type: integer}}], ", "", "200", ref("Thing")), "x", "implemented"},
		"same route twice":   {"/things/{a}:\n  " + op("get", "w", "a", "", "", "200", ref("Thing")) + "/things/{b}:\n  " + op("get", "x", "a", "", "", "200", ref("Thing")), "x", "stub not served: the same route as w"},
		"fragment":           {"/things#x:\n  " + op("get", "x", "a", "", "", "200", ref("Thing")), "x", "stub not served: the path holds"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := states(build(t, test.paths, schemas))[test.id]; !strings.HasPrefix(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	for name, test := range map[string]struct{ schema, param, want string }{
		"id":              {"{type: object, properties: {name: {type: string}, id: {type: string, readOnly: true}}}", "id", "id"},
		"id by its name":  {"{type: object, properties: {id: {type: string, readOnly: true}}}", "thingId", "id"},
		"natural key":     {"{type: object, properties: {id: {type: string}, slug: {type: string}}}", "slug", "slug"},
		"prefixed":        {"{type: object, properties: {thingId: {type: string, readOnly: true}}}", "id", "thingId"},
		"hidden":          {"{type: object, properties: {name: {type: string}}}", "ref", ""},
		"case and dashes": {"{type: object, properties: {order_number: {type: string}}}", "orderNumber", "order_number"},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, "/things:\n  "+op("post", "c", "a", "", ref("T"), "201", ref("T"))+"/things/{"+test.param+"}:\n  "+op("delete", "d", "a", "", "", "204", ""), "T: "+test.schema)
			if got := find(t, p, "thing").Key.Property; got != test.want {
				t.Errorf("key %q, want %q", got, test.want)
			}
		})
	}
}

func TestLists(t *testing.T) {
	thing := "Thing: {type: object, required: [id], properties: {id: {type: string, readOnly: true}, name: {type: string}, price: {type: number}, mail: {type: string}, born: {type: string, format: date}, createdAt: {type: string, format: date-time, readOnly: true}, tags: {type: array, items: {type: string}}}}\n"
	query := func(name, schema string) string { return "{name: '" + name + "', in: query, schema: {" + schema + "}}" }
	for name, test := range map[string]struct {
		params  []string
		result  string
		want    string
		refused []string
	}{
		"nothing":       {nil, listOf("Thing"), " 100/1000", nil},
		"limit":         {[]string{query("per_page", "type: integer, default: 20, maximum: 50")}, listOf("Thing"), " 20/50", nil},
		"page":          {[]string{query("page", "type: integer")}, "{type: object, properties: {items: " + listOf("Thing") + ", totalPages: {type: integer}}}", "page 100/1000 totalPages=pages", nil},
		"offset":        {[]string{query("skip", "type: integer")}, "{type: object, required: [things, total], properties: {things: " + listOf("Thing") + ", total: {type: integer}}}", "offset 100/1000 total=total", nil},
		"cursor":        {[]string{query("cursor", "type: string")}, "{type: object, properties: {data: " + listOf("Thing") + ", nextCursor: {type: [string, 'null']}, hasMore: {type: boolean}}}", "cursor 100/1000 nextCursor=next hasMore=hasMore", nil},
		"lost cursor":   {[]string{query("cursor", "type: string")}, listOf("Thing"), " 100/1000", []string{"cursor"}},
		"filters":       {[]string{query("name", "type: string"), query("price", "type: array, items: {type: number}"), query("tags", "type: string")}, listOf("Thing"), " 100/1000 name:Eq price:In", []string{"tags"}},
		"suffixes":      {[]string{query("minPrice", "type: number"), query("price_lt", "type: number"), query("created_after", "type: string, format: date-time"), query("born[gte]", "type: string, format: date"), query("mailTo", "type: string")}, listOf("Thing"), " 100/1000 price:Ge price:Lt created_at:Gt born:Ge", []string{"mailTo"}},
		"sort":          {[]string{query("sort", "type: string, enum: [name, -price, 'createdAt:desc', created_asc]")}, listOf("Thing"), " 100/1000 sort name+ price- created_at- created_at+", nil},
		"sort by less":  {[]string{query("sort", "type: string, enum: [name, magic]")}, listOf("Thing"), " 100/1000", []string{"sort"}},
		"free sort":     {[]string{query("sort", "type: string")}, listOf("Thing"), " 100/1000", []string{"sort"}},
		"unknown thing": {[]string{query("expand", "type: string")}, listOf("Thing"), " 100/1000", []string{"expand"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, "/things:\n  "+op("get", "list", "a", "parameters: ["+strings.Join(test.params, ", ")+"], ", "", "200", test.result)+"  "+op("post", "c", "a", "", ref("Thing"), "201", ref("Thing")), thing)
			o := opNamed(t, p, "list")
			if o.List == nil {
				t.Fatalf("no list: %s", o.Reason)
			}
			if got := describe(o.List); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			var refused []string
			for _, r := range o.Refused {
				refused = append(refused, r.Name)
			}
			if !slices.Equal(refused, test.refused) {
				t.Errorf("refused %v, want %v", refused, test.refused)
			}
		})
	}
}

func describe(l *model.ListPlan) string {
	out := fmt.Sprintf("%s %d/%d", l.Style, l.DefaultLimit, l.MaxLimit)
	for _, f := range l.Filters {
		out += " " + f.Column.Name + ":" + f.Op
	}
	if l.Sort != nil {
		out += " sort"
		for _, c := range l.Sort.Choices {
			out += " " + c.Column.Name + map[bool]string{false: "+", true: "-"}[c.Desc]
		}
	}
	if l.Envelope != nil {
		for _, f := range l.Envelope.Fields {
			out += " " + f.Field.JSON + "=" + f.Source
		}
	}
	return out
}

func TestProjections(t *testing.T) {
	p := build(t, "/things:\n  "+op("post", "c", "a", "", ref("New"), "201", ref("Thing"))+"/things/{id}:\n  "+op("patch", "u", "a", "", ref("New"), "200", ref("Thing")), `
Thing: {type: object, required: [id, name, status, tags, note], properties: {id: {type: string, readOnly: true}, name: {type: string}, status: {type: string, enum: [open, shut], readOnly: true}, tags: {type: array, items: {type: string}}, note: {type: [string, 'null']}, plan: {type: string}}}
New: {type: object, required: [name], properties: {name: {type: string}, id: {type: string, readOnly: true}, status: {type: string, readOnly: true}, tags: {type: array, items: {type: string}}, note: {type: [string, 'null']}, plan: {type: string, default: free}, password: {type: string, writeOnly: true}}}`)
	create := opNamed(t, p, "c")
	got := ""
	for _, f := range create.Fills {
		got += fmt.Sprintf("%s=%s:%s ", f.Column.Name, f.Source, f.Value)
	}
	if want := `name=body: status=value:ThingStatusOpen tags=body:[]string{} note=body: plan=body:"free" `; got != want {
		t.Errorf("create fills %s\nwant         %s", got, want)
	}
	if !slices.Equal(create.Assumed, []string{"status", "tags"}) {
		t.Errorf("assumed %v", create.Assumed)
	}
	columns := ""
	for _, c := range find(t, p, "thing").Columns {
		columns += c.Name + map[bool]string{true: "?"}[c.Nullable] + " "
	}
	if columns != "id name status tags note? plan? row_version " {
		t.Errorf("columns %s", columns)
	}
	if update := opNamed(t, p, "u"); !update.Body.Ref.Named.Partial || len(update.Fills) != 4 {
		t.Errorf("update: partial %v, %d fills", update.Body.Ref.Named.Partial, len(update.Fills))
	}
}

func TestOnlyWhatIsUsedIsGenerated(t *testing.T) {
	p := build(t, "/things:\n  "+op("post", "c", "a", "", ref("Thing"), "201", ref("Thing"))+"/odd:\n  "+op("get", "odd", "a", "", "", "200", ref("Odd")), `
Thing: {type: object, properties: {id: {type: string, readOnly: true}, out: {type: string, enum: [x], readOnly: true}, in: {type: string, enum: [y], pattern: "^y"}, p: {type: string, pattern: "^in"}, q: {type: string, pattern: "^out", readOnly: true}}}
Odd: {type: object, properties: {o: {type: string, enum: [z], pattern: "^z"}}}
Lonely: {type: object, properties: {a: {type: string}}}`)
	got := ""
	for _, x := range p.Services[0].Types {
		got += fmt.Sprintf("%s decoded=%v checked=%v\n", x.Name, x.Decoded, x.Checked)
	}
	want := "ThingOut decoded=false checked=false\nThingIn decoded=false checked=true\nThing decoded=true checked=false\nOdd decoded=false checked=false\nOddO decoded=false checked=false\n"
	if got != want {
		t.Errorf("types\n%swant\n%s", got, want)
	}
	if len(p.Services[0].Patterns) != 1 || p.Services[0].Patterns[0].Expr != "^in" {
		t.Errorf("patterns %v", p.Services[0].Patterns)
	}
}

func TestNamesDoNotClash(t *testing.T) {
	p := build(t, "/things:\n  "+op("post", "createThing", "a", "", ref("CreateThingRequest"), "201", ref("Thing"))+"/x:\n  "+op("post", "Defaults", "a", "", ref("Service"), "200", ref("ThingRow"))+
		"/y:\n  "+op("post", "create-thing", "a", "", ref("Client"), "200", ref("CreateThing201")),
		thing+"CreateThingRequest: {type: object, properties: {name: {type: string}}}\nService: {type: object, properties: {a: {}}}\nClient: {type: object, properties: {b: {}}}\nThingRow: {type: object, properties: {c: {}}}\nCreateThing201: {type: object, properties: {d: {}}}\n")
	names := map[string]string{}
	take := func(name, what string) {
		if names[name] != "" {
			t.Errorf("%s is both %s and %s", name, names[name], what)
		}
		names[name] = what
	}
	for _, reserved := range []string{"Service", "Defaults", "Client", "Server"} {
		take(reserved, "the service's own")
	}
	for _, s := range p.Services {
		for _, x := range s.Types {
			take(x.Name, "a type")
		}
		for _, o := range s.Operations {
			take(o.GoName+"Request", "a request")
			take(o.GoName+"Response", "a response")
			for _, r := range o.Results {
				take(r.GoName, "a result")
			}
			if o.GoName == "Defaults" {
				t.Error("an operation hides the embedded Defaults")
			}
		}
		for _, r := range s.Resources {
			take(r.Row, "a row")
		}
	}
	if names["CreateThingRequestMessage"] == "" || names["CreateThing2Request"] == "" {
		t.Errorf("names %v", names)
	}
}
