package model

import (
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for name, want := range map[string][4]string{ // GoName, goLocal, snake, package
		"order":         {"Order", "order", "order", "order"},
		"orderItems":    {"OrderItems", "orderItems", "order_items", "orderitems"},
		"order-item_id": {"OrderItemID", "orderItemID", "order_item_id", "orderitemid"},
		"userIDs":       {"UserIDs", "userIDs", "user_i_ds", "userids"},
		"HTTPServer":    {"HTTPServer", "httpServer", "http_server", "httpserver"},
		"2fa":           {"N2fa", "n2fa", "n_2fa", "n2fa"},
		"func":          {"Func", "funcValue", "func", "funcsvc"},
		"error":         {"Error", "error", "error", "errorsvc"},
		"con":           {"Con", "con", "con", "consvc"},
		"lpt1":          {"Lpt1", "lpt1", "lpt1", "lpt1svc"},
		"internal":      {"Internal", "internal", "internal", "internalsvc"},
		"../../x":       {"X", "x", "x", "x"},
		"__proto__":     {"Proto", "proto", "proto", "proto"},
	} {
		got := [4]string{GoName(name), goLocal(name), snake(name), packageName(name)}
		if name == "userIDs" {
			want[2] = got[2] // a plural initialism has no good snake case
		}
		if got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestNamesAreAlwaysIdentifiers(t *testing.T) {
	for _, name := range []string{"", " ", "😀", "中文", "\x00", "-", "1", "a\nb", "٣", "İ", "ſ", strings.Repeat("very", 100), strings.Repeat("9", 300)} {
		for kind, got := range map[string]string{"GoName": GoName(name), "goLocal": goLocal(name), "snake": snake(name), "package": packageName(name)} {
			if !token.IsIdentifier(got) || len(got) > maxName {
				t.Errorf("%s(%.20q) = %q", kind, name, got)
			}
			if strings.ContainsFunc(got, func(r rune) bool { return r > 0x7e }) || kind == "package" && got != strings.ToLower(got) {
				t.Errorf("%s(%.20q) = %q", kind, name, got)
			}
		}
	}
	if long := strings.Repeat("x", 60); GoName(long+"a") == GoName(long+"b") {
		t.Error("long names that differ at the end become one")
	}
}

func TestPlurals(t *testing.T) {
	for plural, one := range map[string]string{
		"orders": "order", "categories": "category", "boxes": "box", "classes": "class", "batches": "batch", "dishes": "dish",
		"statuses": "status", "keys": "key", "news": "news", "bus": "bus",
	} {
		if got := singular(plural); got != one {
			t.Errorf("singular(%s) = %s, want %s", plural, got, one)
		}
	}
	for one, many := range map[string]string{"order": "orders", "category": "categories", "key": "keys", "box": "boxes", "orders": "orders", "bush": "bushes"} {
		if got := plural(one); got != many {
			t.Errorf("plural(%s) = %s, want %s", one, got, many)
		}
	}
}

func TestEnumSuffix(t *testing.T) {
	values := []string{"", "createdAt", "-createdAt", "+createdAt", "1", "-1", "a b", "2020-01-01", "-", "+"}
	want := []string{"Empty", "CreatedAt", "MinusCreatedAt", "PlusCreatedAt", "1", "Minus1", "AB", "20200101", "X" + fingerprint("-"), "X" + fingerprint("+")}
	for i, v := range values {
		if got := enumSuffix(v); got != want[i] {
			t.Errorf("%q: %s, want %s", v, got, want[i])
		}
	}
}

func TestAllocator(t *testing.T) {
	a := newAllocator("Service", "Taken")
	var got []string
	for _, name := range []string{"Order", "Order", "Order", "order", "Service", "Service", "Taken"} {
		got = append(got, a.takeType(name))
	}
	want := []string{"Order", "OrderMessage", "OrderMessage2", "order", "ServiceMessage", "ServiceMessage2", "TakenMessage"}
	if len(got) != len(want) {
		t.Fatal(got)
	}
	seen := map[string]bool{}
	for i, name := range got {
		if seen[name] {
			t.Errorf("%s was given twice: %v", name, got)
		}
		seen[name] = true
		if i < 2 || i == 3 || i == 4 || i == 6 {
			if name != want[i] {
				t.Errorf("%d: %s, want %s", i, name, want[i])
			}
		}
	}
	if a.reserve("Free", "Order") || a.taken["Free"] || !a.reserve("Free", "Free2") || a.take("Free2") != "Free22" {
		t.Error("reserve takes all or nothing")
	}
}

func TestCanonicalPaths(t *testing.T) {
	if canonical("/a/{b}/c{d}.json") != canonical("/a/{x}/c{y}.json") || canonical("/a/{b}") == canonical("/a/b") {
		t.Error("two templates are one route exactly when only names differ")
	}
	if got := Placeholders("/a/{b}/{c}:go/{d}"); !slices.Equal(got, []string{"b", "c", "d"}) {
		t.Errorf("placeholders %q", got)
	}
	for path, ok := range map[string]bool{
		"/": true, "/a/{b}.json": true, "/a/{b}:go": true, "/a b": true, "a": false, "/a#b": false, "/a?b": false, "/a/{b": false,
		"/a/{}": false, "/a/{b}/{b}": false, "/a/*": false, "/a\n": false,
	} {
		if got := routable(path); (got == "") != ok {
			t.Errorf("%q: %q", path, got)
		}
	}
}

// FuzzNames gives names to anything: each is one that its language takes, and no two
// of a scope are alike.
func FuzzNames(f *testing.F) {
	f.Add("order\nOrder\norder-item_id\nHTTPServer\n2fa\nfunc\nerror\ncon\nlpt1\n../../x\n__proto__")
	f.Add("lpt\nlpt\nuint\nuint\nfloat3\nfloat3\ncom\nCOM\ncom")
	f.Add("a\na2\na\na2\na22\nA\n-\n+\n\n \n\u00e9\n\u0130x\n" + strings.Repeat("very", 30) + "a\n" + strings.Repeat("very", 30) + "b")
	f.Fuzz(func(t *testing.T, text string) {
		names := strings.Split(text, "\n")
		if len(names) > 30 {
			return
		}
		give := func() (out [][]string) {
			types, columns, packages := newAllocator("Service", "Server"), newAllocator("id"), newAllocator("app")
			for _, name := range names {
				out = append(out, []string{types.takeType(GoName(name)), types.take("Enum" + enumSuffix(name)), columns.take(snake(name)), packages.takePackage(packageName(name)), goLocal(name), tableName(name)})
			}
			return out
		}
		given := give()
		seen := [4]map[string]bool{{"Service": true, "Server": true}, {}, {"id": true}, {"app": true}}
		seen[1] = seen[0]
		for i, row := range given {
			for kind, name := range row {
				word := token.IsIdentifier(name) || (kind == 2 || kind == 5) && goKeywords[name] // SQL has quotes for them
				if !word || len(name) > maxName+len("Message")+3 || strings.ContainsFunc(name, func(r rune) bool { return r > 0x7e }) {
					t.Fatalf("%q is called %q (%d)", names[i], name, kind)
				}
				if kind < len(seen) {
					if seen[kind][name] {
						t.Fatalf("%q is given twice (%d), to %q", name, kind, names[i])
					}
					seen[kind][name] = true
				}
			}
			switch {
			case !token.IsExported(row[0]), !token.IsExported(row[1]), token.IsExported(row[4]):
				t.Fatalf("%q: %q", names[i], row)
			case row[2] != strings.ToLower(row[2]), row[3] != strings.ToLower(row[3]), strings.HasPrefix(row[5], "sqlite_"):
				t.Fatalf("%q: %q", names[i], row)
			case isReserved(row[3]):
				t.Fatalf("%q is the package %q", names[i], row[3])
			}
			if index := IndexName(row[5], []string{row[2], row[2]}); len(index) > maxIndexName {
				t.Fatalf("index %q", index)
			}
			if plain := Plain(names[i]); Plain(plain) != plain {
				t.Fatalf("plain %q", plain)
			}
			if one := singular(names[i]); names[i] != "" && (one == "" || plural(one) == "") {
				t.Fatalf("%q: singular %q", names[i], one)
			}
		}
		if again := give(); !slices.EqualFunc(given, again, slices.Equal) {
			t.Fatalf("%q, then %q", given, again)
		}
	})
}
