package store

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestParseETags(t *testing.T) {
	for header, want := range map[string]struct {
		versions []int64
		wildcard bool
		bad      bool
	}{
		`"3"`:                        {versions: []int64{3}},
		`"3", "4"`:                   {versions: []int64{3, 4}},
		"\t\"3\" \t,\t \"4\" ,, ":    {versions: []int64{3, 4}},
		`"-1"`:                       {versions: []int64{-1}},
		`*`:                          {wildcard: true},
		` * `:                        {wildcard: true},
		`W/"3"`:                      {}, // valid, and never a match
		`W/"3", "4"`:                 {versions: []int64{4}},
		`"03", "+3", "3.0", "x", ""`: {},
		`"a,b", "5"`:                 {versions: []int64{5}},
		`"é"`:                        {},
		`"9223372036854775808"`:      {},
		``:                           {bad: true},
		` , `:                        {bad: true},
		`3`:                          {bad: true},
		`"3`:                         {bad: true},
		`3"`:                         {bad: true},
		`"3""4"`:                     {bad: true},
		`"3" "4"`:                    {bad: true},
		`"3" 4`:                      {bad: true},
		`"3", *`:                     {bad: true},
		`*, "3"`:                     {bad: true},
		`w/"3"`:                      {bad: true},
		`W/ "3"`:                     {bad: true},
		`"a b"`:                      {bad: true},
		"\"a\x7f\"":                  {bad: true},
	} {
		versions, wildcard, err := ParseETags(header)
		if (err != nil) != want.bad || wildcard != want.wildcard || !reflect.DeepEqual(versions, want.versions) {
			t.Errorf("%q: got %v, %t, %v; want %+v", header, versions, wildcard, err, want)
		}
	}
}

func TestETag(t *testing.T) {
	for _, version := range []int64{1, 3, 0, math.MaxInt64, math.MinInt64} {
		versions, wildcard, err := ParseETags(ETag(version))
		if err != nil || wildcard || len(versions) != 1 || versions[0] != version {
			t.Errorf("%s: got %v, %t, %v", ETag(version), versions, wildcard, err)
		}
	}
	if ETag(3) != `"3"` {
		t.Errorf("got %s", ETag(3))
	}
}

// FuzzParseETags: a list that parses still parses, and means the same, with
// each tag given by ETag.
func FuzzParseETags(f *testing.F) {
	for _, seed := range []string{`"1"`, `W/"1", "2"`, `*`, `"a,b" , ,"3"`, `"`, `W/`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		versions, _, err := ParseETags(header)
		if err != nil || len(versions) == 0 {
			return
		}
		tags := make([]string, len(versions))
		for i, version := range versions {
			tags[i] = ETag(version)
			if !strings.Contains(header, tags[i]) {
				t.Fatalf("%q: %s came from nowhere", header, tags[i])
			}
		}
		again, wildcard, err := ParseETags(strings.Join(tags, ", "))
		if wildcard || err != nil || !reflect.DeepEqual(again, versions) {
			t.Fatalf("%q: got %v, then %v, %v", header, versions, again, err)
		}
	})
}
