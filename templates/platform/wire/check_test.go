package wire_test

import (
	"regexp"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// TestConstraintMessages states each constraint on a value that breaks it and on
// the nearest one that does not.
func TestConstraintMessages(t *testing.T) {
	for want, c := range map[string][2]func(c *wire.Check){
		"must be at least 2 characters long":                   {func(c *wire.Check) { c.Length("é", 2, 9) }, func(c *wire.Check) { c.Length("éé", 2, 2) }},
		"must be at most 1 character long":                     {func(c *wire.Check) { c.Length("éé", 0, 1) }, func(c *wire.Check) { c.Length("é", 0, 1) }},
		"must have at least 1 item":                            {func(c *wire.Check) { c.Items(0, 1, -1) }, func(c *wire.Check) { c.Items(1000, 1, -1) }},
		"must have at most 2 items":                            {func(c *wire.Check) { c.Items(3, 0, 2) }, func(c *wire.Check) { c.Items(2, 0, 2) }},
		"must have at least 1 property":                        {func(c *wire.Check) { c.Properties(0, 1, 2) }, func(c *wire.Check) { c.Properties(1, 1, 2) }},
		"must have at most 2 properties":                       {func(c *wire.Check) { c.Properties(3, 1, 2) }, func(c *wire.Check) { c.Properties(2, 1, 2) }},
		"must match the pattern ^a+$":                          {func(c *wire.Check) { c.Pattern("b", regexp.MustCompile("^a+$")) }, func(c *wire.Check) { c.Pattern("aa", regexp.MustCompile("^a+$")) }},
		"must be a UUID":                                       {func(c *wire.Check) { c.Format("1", wire.UUID) }, func(c *wire.Check) { c.Format(id, wire.UUID) }},
		"must be one of a, b":                                  {func(c *wire.Check) { c.Enum("A", "a", "b") }, func(c *wire.Check) { c.Enum("b", "a", "b") }},
		"must be one of 1, -2":                                 {func(c *wire.Check) { c.EnumInt(2, 1, -2) }, func(c *wire.Check) { c.EnumInt(-2, 1, -2) }},
		"must be one of 0.5, 1000000":                          {func(c *wire.Check) { c.EnumFloat(2, .5, 1e6) }, func(c *wire.Check) { c.EnumFloat(.5, .5, 1e6) }},
		"must be on":                                           {func(c *wire.Check) { c.Const("off", "on") }, func(c *wire.Check) { c.Const("on", "on") }},
		"must be 7":                                            {func(c *wire.Check) { c.ConstInt(8, 7) }, func(c *wire.Check) { c.ConstInt(7, 7) }},
		"must be 7.5":                                          {func(c *wire.Check) { c.ConstFloat(8, 7.5) }, func(c *wire.Check) { c.ConstFloat(7.5, 7.5) }},
		"must be true":                                         {func(c *wire.Check) { c.ConstBool(false, true) }, func(c *wire.Check) { c.ConstBool(true, true) }},
		"must be at least 0.1":                                 {func(c *wire.Check) { c.Min(0.09, 0.1) }, func(c *wire.Check) { c.Min(0.1, 0.1) }},
		"must be at most 1e+20":                                {func(c *wire.Check) { c.Max(2e20, 1e20) }, func(c *wire.Check) { c.Max(1e20, 1e20) }},
		"must be greater than 0":                               {func(c *wire.Check) { c.ExclusiveMin(0, 0) }, func(c *wire.Check) { c.ExclusiveMin(0.1, 0) }},
		"must be less than 1":                                  {func(c *wire.Check) { c.ExclusiveMax(1, 1) }, func(c *wire.Check) { c.ExclusiveMax(0.9, 1) }},
		"must be at least 9007199254740993":                    {func(c *wire.Check) { c.MinInt(9007199254740992, 9007199254740993) }, func(c *wire.Check) { c.MinInt(9007199254740993, 9007199254740993) }},
		"must be at most 5":                                    {func(c *wire.Check) { c.MaxInt(6, 5) }, func(c *wire.Check) { c.MaxInt(5, 5) }},
		"must be greater than 5":                               {func(c *wire.Check) { c.ExclusiveMinInt(5, 5) }, func(c *wire.Check) { c.ExclusiveMinInt(6, 5) }},
		"must be less than 5":                                  {func(c *wire.Check) { c.ExclusiveMaxInt(5, 5) }, func(c *wire.Check) { c.ExclusiveMaxInt(4, 5) }},
		"must be a multiple of 3":                              {func(c *wire.Check) { c.MultipleOfInt(-4, 3) }, func(c *wire.Check) { c.MultipleOfInt(-6, 3) }},
		"must be a multiple of 0.25":                           {func(c *wire.Check) { c.MultipleOf(0.3, 0.25) }, func(c *wire.Check) { c.MultipleOf(-0.75, 0.25) }},
		"must be of your choice":                               {func(c *wire.Check) { c.Fail("must be of your choice") }, func(*wire.Check) {}},
		"must be base64":                                       {func(c *wire.Check) { c.Format("!", wire.Byte) }, func(c *wire.Check) { c.Format("aGk=", wire.Byte) }},
		"must be an absolute URI":                              {func(c *wire.Check) { c.Format("/a", wire.URI) }, func(c *wire.Check) { c.Format("a:b", wire.URI) }},
		"must be a date such as 2006-01-02":                    {func(c *wire.Check) { c.Format("2006-02-30", wire.Date) }, func(c *wire.Check) { c.Format("2006-02-28", wire.Date) }},
		"must be a time such as 15:04:05Z":                     {func(c *wire.Check) { c.Format("15:04", wire.Time) }, func(c *wire.Check) { c.Format("15:04:05Z", wire.Time) }},
		"must be a duration such as P3DT12H":                   {func(c *wire.Check) { c.Format("3d", wire.Duration) }, func(c *wire.Check) { c.Format("P3DT12H", wire.Duration) }},
		"must be an email address":                             {func(c *wire.Check) { c.Format("a", wire.Email) }, func(c *wire.Check) { c.Format("a@b.co", wire.Email) }},
		"must be a host name":                                  {func(c *wire.Check) { c.Format("a_b", wire.Hostname) }, func(c *wire.Check) { c.Format("a-b", wire.Hostname) }},
		"must be an IPv4 address":                              {func(c *wire.Check) { c.Format("::1", wire.IPv4) }, func(c *wire.Check) { c.Format("::1", wire.IPv6) }},
		"must be an IPv6 address":                              {func(c *wire.Check) { c.Format("1.2.3.4", wire.IPv6) }, func(c *wire.Check) { c.Format("1.2.3.4", wire.IPv4) }},
		"must be a URI or a relative reference":                {func(c *wire.Check) { c.Format("a b", wire.URIReference) }, func(c *wire.Check) { c.Format("", wire.URIReference) }},
		"must be a date and time such as 2006-01-02T15:04:05Z": {func(c *wire.Check) { c.Format("now", wire.DateTime) }, func(c *wire.Check) { c.Format("2006-01-02T15:04:05Z", wire.DateTime) }},
	} {
		var broken, kept wire.Errors
		bad, good := wire.NewCheck(&broken, "query", "a/b"), wire.NewCheck(&kept, "query", "a/b")
		c[0](&bad)
		c[1](&good)
		if list := broken.List(); len(list) != 1 || list[0].Message != want || list[0].Pointer != "/a~1b" || !bad.Failed() {
			t.Errorf("got %v, want %s", list, want)
		}
		if kept.Len() != 0 || good.Failed() {
			t.Errorf("%s: said of a value that does: %v", want, kept.List())
		}
	}
}

func TestScalars(t *testing.T) {
	for text, c := range map[string]struct {
		read func(d *wire.Decoder) any
		want any
	}{
		`true`:       {func(d *wire.Decoder) any { return d.Bool() }, true},
		`false`:      {func(d *wire.Decoder) any { return d.Bool() }, false},
		`"aGk="`:     {func(d *wire.Decoder) any { return string(d.Bytes()) }, "hi"},
		`-7`:         {func(d *wire.Decoder) any { return d.Int32() }, int32(-7)},
		`0.1`:        {func(d *wire.Decoder) any { return d.Float32() }, float32(0.1)},
		`1e-2`:       {func(d *wire.Decoder) any { return d.Float64() }, 0.01},
		`"\"\\\/\b"`: {func(d *wire.Decoder) any { return d.String() }, "\"\\/\b"},
		` null`:      {func(d *wire.Decoder) any { return d.Null() }, true},
	} {
		var got any
		list, err := wire.Decode([]byte(text), func(d *wire.Decoder) { got = c.read(d) })
		if err != nil || list != nil || got != c.want {
			t.Errorf("%s: got %v, %v, %v", text, got, list, err)
		}
	}
	for text, want := range map[string]string{`"x"`: "must be a boolean, not a string", `{}`: "must be a boolean, not an object", `null`: "must be a boolean, not null"} {
		list, _ := wire.Decode([]byte(text), func(d *wire.Decoder) { d.Bool() })
		if got := faults(list); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
	list, _ := wire.Decode([]byte(`"a-b="`), func(d *wire.Decoder) { d.Bytes() })
	if got := faults(list); got != "must be base64" {
		t.Errorf("Bytes: %s", got)
	}
	list, _ = wire.Decode([]byte(`1e39`), func(d *wire.Decoder) { d.Float32() })
	if got := faults(list); got != "is out of range" {
		t.Errorf("Float32: %s", got)
	}
}
