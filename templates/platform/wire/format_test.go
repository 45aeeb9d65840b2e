package wire_test

import (
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		format    wire.Format
		good, bad []string
	}{
		{
			wire.UUID,
			[]string{id, strings.ToUpper(id)},
			[]string{"", id[1:], id + "0", "{" + id[2:] + "}", strings.ReplaceAll(id, "-", "x"), "0190a5b2-7c3d-7e4f-8a1b-2c3d4e5f607g"},
		},
		{
			wire.Email,
			[]string{"a@b.co", "first.last+tag@sub.example.com", `"odd name"@example.com`, "x@[127.0.0.1]", "x@[IPv6:::1]", "user@localhost"},
			[]string{"", "a", "@b.co", "a@", "a b@c.de", ".a@b.co", "a.@b.co", "a..b@c.de", "a@-b.co", "a@b_c.de", "Name <a@b.co>", strings.Repeat("a", 65) + "@b.co", `"a"b"@c.de`, "a@[1]"},
		},
		{
			wire.URI,
			[]string{"https://example.com/a?b=c#d", "urn:isbn:1", "mailto:a@b.co", "http://[::1]:80/%20"},
			[]string{"", "/relative", "//host/x", "http://a b", "http://x/%zz", "http://x/é", `http://x/"`, "http://x/#a#b", ":a", "1:b"},
		},
		{wire.URIReference, []string{"", "/a/b", "../c?d", "#e", "https://x.y"}, []string{"a b", "%1", "\\a", "http://[::1"}},
		{wire.Date, []string{"2024-02-29", "0001-01-01"}, []string{"", "2023-02-29", "2024-1-01", "2024-01-32", "2024-01-01T", "24-01-01"}},
		{wire.DateTime, []string{"2024-01-01T00:00:00Z"}, []string{"2024-01-01"}},
		{wire.Time, []string{"00:00:00Z", "23:59:60Z", "12:30:00.5+05:30", "22:59:60-01:00"}, []string{"", "24:00:00Z", "12:00:60Z", "12:00:00", "1:00:00Z", "12:00Z"}},
		{wire.Duration, []string{"P3D", "P1Y2M3DT4H5M6S", "PT5M", "P2W", "PT1H30M"}, []string{"", "P", "PT", "P1", "1D", "P1S", "P1W2D", "P1Y2D", "PT1S1H", "P1DT"}},
		{wire.IPv4, []string{"127.0.0.1", "255.255.255.255"}, []string{"", "256.0.0.1", "1.2.3", "01.2.3.4", "::1", "1.2.3.4/8"}},
		{wire.IPv6, []string{"::1", "2001:db8::ff00:42:8329", "::ffff:1.2.3.4"}, []string{"", "127.0.0.1", "::1%eth0", "12345::", "[::1]"}},
		{wire.Hostname, []string{"localhost", "a-b.example.com", "1.com"}, []string{"", "-a", "a-", "a..b", "a_b", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a", "a."}},
		{wire.Byte, []string{"", "aGk=", "aGVsbG8="}, []string{"a", "aGk", "a-k=", "aGk==="}},
	} {
		for _, s := range c.good {
			if !c.format.Valid(s) {
				t.Errorf("%q should be %s", s, c.format)
			}
		}
		for _, s := range c.bad {
			if c.format.Valid(s) {
				t.Errorf("%q should not be %s", s, c.format)
			}
		}
	}
}
