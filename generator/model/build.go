package model

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Options are the profile's decisions that shape the model.
type Options struct {
	Name   string
	Module string
	// Engines, Addable, Blobs, AddableBlobs, Cache and Split are those of Project.
	Engines []Engine
	Addable []Engine

	Blobs, AddableBlobs []Blob
	Cache               Cache
	Split               bool
	// Adapters are names that packages of adapters have, so that no service's has.
	Adapters []string
	// Groups maps a service name to the tags that it holds; tags that no group
	// names become a service each.
	Groups map[string][]string
	// Homes are the services that operations with rows had before an update, by
	// "METHOD /path": rows do not follow a tag.
	Homes map[string]string
	// Operations are what the profile says of operations, by id or "METHOD /path".
	Operations map[string]*Extension
	// NoAuth drops every security requirement (auth.mode: none).
	NoAuth bool
}

// Build decides everything about the project that an API becomes. It is pure:
// the same input gives the same output.
func Build(api *API, o Options) *Project {
	b := &builder{
		api: api, options: o,
		project:   &Project{Name: o.Name, Module: o.Module, API: api, Engines: o.Engines, Addable: o.Addable, Blobs: o.Blobs, AddableBlobs: o.AddableBlobs, Cache: o.Cache, Split: o.Split},
		coverage:  map[*Operation]*Coverage{},
		services:  map[string]*Service{},
		scopes:    map[*Service]*scope{},
		resources: map[string]*Resource{},
		owner:     map[*Operation]*Resource{},
		reasons:   map[*Operation]string{},
		read:      map[*Resource]bool{},
		sets:      map[*Operation][]*Fill{},
		said:      map[*Operation]*Extension{},
		exchange:  map[*Parameter]bool{},
		heads:     map[*Operation]*Operation{},
		role:      map[*Operation]OpKind{},
		goNames:   map[*Operation]string{},
	}
	b.groupOf = groupIndex(o.Groups)
	routable := b.routableOperations()
	for _, op := range routable {
		op.settle()
	}
	b.readExtensions(routable)
	b.findExchange(routable)
	b.findScopes(routable)
	findEndings(routable)
	all := b.tell(candidates(routable), routable)
	b.placeServices(all, routable)
	b.buildResources(all)
	b.findReferences()
	b.findLists(routable)
	b.findCounts(routable)
	b.findMany(routable)
	b.findBulk(routable)
	b.findActions(routable)
	b.extensions(routable)
	for op, r := range b.owner {
		if b.role[op] == OpGet || b.role[op] == OpList || b.role[op] == OpDownload {
			b.read[r] = true
		}
	}
	// Creates come first, parents before children: what is known of the others
	// depends on them.
	byDepth := slices.Clone(routable)
	slices.SortStableFunc(byDepth, func(x, y *Operation) int { return strings.Count(x.Path, "/") - strings.Count(y.Path, "/") })
	for _, creates := range []bool{true, false} {
		for _, op := range byDepth {
			if b.makes(op) == creates {
				b.buildOperation(op)
			}
		}
	}
	b.sortOperations()
	b.buildCalls()
	b.noteReadOnly()
	b.dropReferences()
	b.dropUnused()
	b.finish()
	return b.project
}

// builder holds the state of one Build.
type builder struct {
	api       *API
	options   Options
	project   *Project
	coverage  map[*Operation]*Coverage
	services  map[string]*Service // by name
	serviceOf map[*Operation]*Service
	scopes    map[*Service]*scope
	resources map[string]*Resource // by canonical collection path
	ordered   []*Resource
	owner     map[*Operation]*Resource
	role      map[*Operation]OpKind
	goNames   map[*Operation]string
	reasons   map[*Operation]string     // why an operation is not CRUD
	heads     map[*Operation]*Operation // HEADs that the router answers by a GET
	sets      map[*Operation][]*Fill    // what a state action changes
	said      map[*Operation]*Extension // what the profile or the document says of it
	exchange  map[*Parameter]bool       // it is about the exchange, not about what is stored
	read      map[*Resource]bool        // some operation reads it
	calls     map[*Service][]*Call      // what the services send
	groupOf   map[string]string         // tag -> service
}

// scope holds the names of one service.
type scope struct {
	typer       *typer
	methods     *allocator
	fields      *allocator // resource names
	collections *allocator // fields of Defaults
	tables      *allocator
	locals      *allocator // unexported functions
	projections map[string]string
	shapes      map[string]*ErrorShape
}

func newScope() *scope {
	types := newAllocator("Service", "Defaults", "Server", "Client", "Clients", "New", "NewDefaults", "Routes", "Migrations", "Local", "Calls", "migrations")
	for _, names := range []map[string]bool{goKeywords, predeclared, reservedPackages} {
		for name := range names {
			types.taken[name] = true
		}
	}
	return &scope{
		typer: newTyper(types), methods: newAllocator("Defaults", "Connect"), fields: newAllocator(),
		collections: newAllocator("db", "clients"), tables: newAllocator("idempotency_keys", "goose_db_version"),
		locals: types, projections: map[string]string{}, shapes: map[string]*ErrorShape{},
	}
}

// operation takes the name of an operation with the names that its code derives
// from it.
func (s *scope) operation(name string) string {
	for n, unique := 2, name; ; n++ {
		if !s.methods.taken[unique] && s.locals.reserve(unique+"Request", unique+"Response", "decode"+unique, "read"+unique) {
			s.methods.taken[unique] = true
			return unique
		}
		unique = fmt.Sprintf("%s%d", name, n)
	}
}

// resource takes the name of a resource; its client has a method of that name.
func (s *scope) resource(name string) string {
	for {
		if unique := s.fields.take(name); s.methods.reserve(unique + "Exists") {
			return unique
		}
	}
}

func groupIndex(groups map[string][]string) map[string]string {
	index := map[string]string{}
	for service, tags := range groups {
		for _, tag := range tags {
			index[tag] = service
		}
	}
	return index
}

// routableOperations returns the operations that can be routed and starts the
// coverage table.
func (b *builder) routableOperations() []*Operation {
	var out []*Operation
	seen := map[string]*Operation{}
	read := map[string]*Operation{}
	for _, op := range b.api.Operations {
		if op.Method == "GET" {
			read[canonical(op.Path)] = op
		}
	}
	for _, op := range b.api.Operations {
		cov := &Coverage{Operation: op, Status: Stubbed}
		b.coverage[op] = cov
		b.project.Coverage = append(b.project.Coverage, cov)
		key := op.Method + " " + canonical(op.Path)
		switch reason := routable(b.api.BasePath + op.Path); {
		case reason != "":
			cov.Reason = "not served: " + reason
		case op.Method == "HEAD" && read[canonical(op.Path)] != nil:
			b.heads[op] = read[canonical(op.Path)]
		case seen[key] != nil:
			cov.Reason = fmt.Sprintf("not served: the same route as %s", seen[key].ID)
		default:
			seen[key] = op
			out = append(out, op)
		}
	}
	return out
}

// placeServices gives every operation a service: its group or first tag, but a
// resource's operations stay together with the first of them.
func (b *builder) placeServices(all []*candidate, operations []*Operation) {
	place := map[*Operation]string{}
	read := map[string]*Schema{}         // of items
	apart := map[*candidate]*candidate{} // items that are made at another path, and what makes them
	home := map[string]string{}          // canonical item path of a resource -> its service
	for _, c := range all {
		schema, reason := c.readSchema()
		if reason != "" {
			continue
		}
		ops := c.operations()
		service := b.serviceName(ops[0])
		if maker := c.maker(all); maker != nil && !b.grouped(ops[0]) {
			apart[c] = maker
			continue
		}
		with := home[canonical(enclosing(c.path))]
		switch stay := b.formerHome(ops); {
		case b.grouped(ops[0]):
		case with != "" && with != service:
			b.note(fmt.Sprintf("%s is part of service %s, not %s: rows live with the parent that they go with", c.path, with, service))
			service = with
		case with == "" && stay != "" && stay != service:
			b.project.Stays = append(b.project.Stays, Stay{Path: c.path, Tagged: service, Service: stay})
			service = stay
		}
		if c.itemPath != "" {
			home[canonical(c.itemPath)], read[canonical(c.itemPath)] = service, schema
		}
		for _, op := range ops {
			place[op] = service
		}
	}
	for c, maker := range apart { // with the rows, which are made elsewhere
		service := place[maker.operations()[0]]
		for _, op := range c.operations() {
			place[op] = service
		}
		home[canonical(c.itemPath)] = service
	}
	names := map[string]bool{}
	for _, op := range operations {
		if place[op] == "" {
			place[op] = b.actionHome(op)
			item, verb := actsOn(op)
			if s := read[canonical(item)]; item != "" && s != nil && !b.grouped(op) && changesState(s, verb, 0) {
				place[op] = home[canonical(item)]
			}
		}
		names[place[op]] = true
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	packages := newAllocator(b.options.Adapters...)
	for _, name := range sorted {
		s := &Service{Name: name, Package: packages.takePackage(packageName(name)), Doc: b.tagDoc(name)}
		b.services[name] = s
		b.project.Services = append(b.project.Services, s)
		b.scopes[s] = newScope()
	}
	b.serviceOf = map[*Operation]*Service{}
	for op, name := range place {
		b.serviceOf[op] = b.services[name]
		b.coverage[op].Service = name
	}
	b.placeCalls()
	for _, op := range operations {
		b.goNames[op] = b.scopes[b.serviceOf[op]].operation(GoName(op.ID))
	}
}

// noteReadOnly marks, in the coverage table, the operations on rows that nothing creates.
func (b *builder) noteReadOnly() {
	for _, s := range b.project.Services {
		for _, op := range s.Operations {
			b.coverage[op.Operation].ReadOnly = op.Resource != nil && !op.Resource.Creatable
		}
	}
	for _, c := range b.project.Coverage {
		if c.Status == Stubbed && b.said[c.Operation] == nil && c.Service != "" {
			c.Hint, c.alone = b.hint(c.Operation), b.alone(c.Operation)
		}
	}
	for head, get := range b.heads {
		b.coverage[head].Status, b.coverage[head].Reason, b.coverage[head].Service = b.coverage[get].Status, b.coverage[get].Reason, b.coverage[get].Service
	}
}

// sortOperations puts every service's operations back into the document's order.
func (b *builder) sortOperations() {
	order := map[*Operation]int{}
	for i, op := range b.api.Operations {
		order[op] = i
	}
	for _, s := range b.project.Services {
		sort.SliceStable(s.Operations, func(i, j int) bool {
			return order[s.Operations[i].Operation] < order[s.Operations[j].Operation]
		})
	}
}

// targetNames are what a process can run that is no service.
var targetNames = set("all", "gateway", "split")

func (b *builder) serviceName(op *Operation) string {
	tag := ""
	if len(op.Tags) > 0 {
		tag = op.Tags[0]
	}
	name, ok := b.groupOf[tag]
	switch {
	case ok:
	case tag == "":
		name = "api"
	default:
		name = strings.ReplaceAll(snake(tag), "_", "-")
	}
	if targetNames[name] {
		name += "-service"
	}
	return name
}

func (b *builder) tagDoc(service string) string {
	for _, tag := range b.api.Tags {
		if strings.ReplaceAll(snake(tag.Name), "_", "-") == service {
			return tag.Description
		}
	}
	return ""
}

func (b *builder) buildResources(all []*candidate) {
	elsewhere := map[*candidate]*candidate{} // items that are made at another path
	for _, c := range all {
		if maker := c.maker(all); maker != nil {
			elsewhere[c] = maker
		}
	}
	for _, c := range all {
		ops := c.operations()
		_, reason := c.readSchema()
		if reason == "" && c.listsAnother(all) {
			continue // findLists ties it to the resource that it lists
		}
		if elsewhere[c] != nil {
			continue
		}
		if reason == "" {
			service := b.serviceOf[ops[0]]
			var r *Resource
			if r, reason = b.buildResource(c, service, b.scopes[service].typer); r != nil {
				service.Resources = append(service.Resources, r)
				if !c.told {
					b.resources[canonical(c.path)] = r
				}
				b.ordered = append(b.ordered, r)
				b.assign(r, c)
				continue
			}
		}
		for _, op := range ops {
			b.reasons[op] = reason
		}
	}
	for _, c := range all {
		if maker := elsewhere[c]; maker != nil {
			b.tie(c, b.resources[canonical(maker.path)])
		}
	}
}

// tie lets the operations on items at one path work on the rows of a resource that is
// made at another: /rooms/{id} beside /sites/{site}/rooms.
func (b *builder) tie(c *candidate, r *Resource) {
	for _, op := range c.operations() {
		switch {
		case r == nil || r.KeyParts != nil:
			b.reasons[op] = "what it works on is made at another path, and has no key of its own"
		case r.Service != b.serviceOf[op]:
			b.reasons[op] = "what it works on is stored by another service, " + r.Service.Name
		}
		if b.reasons[op] != "" {
			return
		}
	}
	b.assign(r, c)
}

func (b *builder) assign(r *Resource, c *candidate) {
	r.posted = bodyObject(c.create)
	for op, kind := range map[*Operation]OpKind{
		c.create: OpCreate, c.get: OpGet, c.replace: OpReplace, c.patch: OpPatch, c.remove: OpDelete, c.list: OpList, c.clear: OpClear,
		c.byBody(): OpReplace, c.download: OpDownload, c.also: OpReplace,
	} {
		if op == nil {
			continue
		}
		if kind == OpList && !isList(op) && !untold(op) && untoldItems(op) == nil {
			b.reasons[op] = "the response is no list of objects"
			continue
		}
		b.owner[op], b.role[op] = r, kind
	}
}

// makes reports whether an operation creates rows.
func (b *builder) makes(op *Operation) bool {
	switch b.role[op] {
	case OpCreate, OpMany:
		return true
	case OpReplace:
		return b.owner[op].Puts
	}
	return false
}

func (b *builder) resourceAt(path string) *Resource { return b.resources[canonical(path)] }

// findMany ties POSTs of lists of what a resource's POST takes to that resource:
// /user/createWithArray beside /user.
func (b *builder) findMany(operations []*Operation) {
	for _, op := range operations {
		if op.Method != "POST" || b.owner[op] != nil || op.Body == nil {
			continue
		}
		media := JSON(op.Body.Content)
		if media == nil || media.Schema == nil || media.Schema.Kind != KindArray || !isRecord(media.Schema.Items) || media.Schema.Items.Name == "" {
			continue
		}
		rest, _ := parent(op.Place())
		for _, path := range []string{op.Place(), rest} {
			r := b.resourceAt(path)
			if r != nil && r.posted != nil && r.posted.Name == media.Schema.Items.Name && r.Service == b.serviceOf[op] && r.KeyParts == nil {
				b.owner[op], b.role[op] = r, OpMany
			}
		}
	}
}

// findLists ties GETs elsewhere whose response lists the items of a resource to
// that resource: /pet/findByStatus, /users/{userId}/orders, and across parents
// /reviews beside /products/{productId}/reviews.
func (b *builder) findLists(operations []*Operation) {
	for _, op := range operations {
		if op.Method != "GET" || b.owner[op] != nil {
			continue
		}
		item, _ := listItem(op)
		if item == nil || item.Name == "" {
			continue
		}
		if r := b.listed(op, item); r != nil {
			b.owner[op], b.role[op] = r, OpList
		}
	}
}

// listed is the resource whose items an operation lists: one at the top, else the only
// one within parents.
func (b *builder) listed(op *Operation, item *Schema) *Resource {
	var within []*Resource
	for _, r := range b.ordered {
		switch {
		case r.told || r.Service != b.serviceOf[op] || r.Schema.Name != item.Name || r.Singleton || !filterable(op, r):
		case r.Parent == nil && len(r.Scopes) == 0:
			return r
		default:
			within = append(within, r)
		}
	}
	if len(within) == 1 {
		return within[0]
	}
	return nil
}

// filterable reports whether every path parameter names a column.
func filterable(op *Operation, r *Resource) bool {
	for _, p := range op.Parameters {
		if op.inPlace(p) && r.pathColumn(p.Name) == nil {
			return false
		}
	}
	return true
}

// pathColumn returns the column that a path parameter of a list filters by: the one
// that the resource's own path fills by that name, or a property.
func (r *Resource) pathColumn(name string) *Column {
	for _, c := range r.Columns {
		if c.Param == name && c != r.Key && (c != r.ParentColumn || r.Parent.KeyParts == nil) {
			return c
		}
	}
	return r.columnFor(name)
}

// columnFor returns the column whose property has the name, ignoring case and
// separators.
func (r *Resource) columnFor(name string) *Column {
	for _, c := range r.Columns {
		if c.Property != "" && Plain(c.Property) == Plain(name) {
			return c
		}
	}
	return nil
}

// dropUnused removes resources that no implemented operation serves, and that no
// other resource needs.
func (b *builder) dropUnused() {
	needed := map[*Resource]bool{}
	for _, s := range b.project.Services {
		for _, op := range s.Operations {
			for r := op.Resource; r != nil; r = r.Parent {
				needed[r] = true
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, r := range b.ordered {
			for _, ref := range r.References {
				if needed[r] && !needed[ref.Target] {
					needed[ref.Target], changed = true, true
				}
			}
		}
	}
	for _, s := range b.project.Services {
		s.Resources = slices.DeleteFunc(s.Resources, func(r *Resource) bool { return !needed[r] })
		s.Uses = slices.DeleteFunc(s.Uses, func(u *Use) bool {
			return !slices.ContainsFunc(s.Resources, func(r *Resource) bool {
				return slices.ContainsFunc(r.References, func(ref *Reference) bool { return ref.Use == u })
			})
		})
	}
}

// finish drops what nothing uses and collects notes.
func (b *builder) finish() {
	for _, s := range b.project.Services {
		sc := b.scopes[s]
		b.keepUsed(s)
		sort.Strings(sc.typer.unenforced)
		for _, note := range sc.typer.unenforced {
			b.note("not enforced: " + note)
		}
	}
}
