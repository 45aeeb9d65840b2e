package model

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestKeyForm(t *testing.T) {
	for _, test := range []struct {
		schema Schema
		want   string // parts, "UUID", or "none"
	}{
		{Schema{}, "UUID"},
		{Schema{Format: "uuid"}, "UUID"},
		{Schema{Pattern: `^[0-9a-f-]{36}$`}, "UUID"},
		{Schema{Pattern: `^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{12}$`, Format: "uuid"}, "UUID"},
		{Schema{Pattern: `^[a-zA-Z0-9_-]+$`}, "UUID"},
		{Schema{Pattern: `.*\S.*`}, "UUID"},
		{Schema{Pattern: `^AC[0-9a-fA-F]{32}$`, MinLength: 34, MaxLength: new(34)}, "AC hex*32"},
		{Schema{Pattern: `^las:asset:[a-f0-9]{32}$`}, "las:asset: hex*32"},
		{Schema{Pattern: `^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`}, "subnet- hex*17"},
		{Schema{Pattern: `^[a-zA-Z]{2}[0-9a-fA-F]{32}$`}, "abcdefghijklmnopqrstuvwxyz*2 hex*32"},
		{Schema{Pattern: `^[A-Z0-9]{26}$`}, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*26"},
		{Schema{Pattern: `^[A-Za-z][A-Za-z0-9]*$`}, "abcdefghijklmnopqrstuvwxyz*1 abc*32"},
		{Schema{Pattern: `^\w+$`, MaxLength: new(20)}, "abc*20"},
		{Schema{Pattern: `^[a-z]\w{0,61}$`}, "abcdefghijklmnopqrstuvwxyz*32"},
		{Schema{MaxLength: new(24)}, "abc*24"},
		{Schema{MinLength: 64}, "abc*64"},
		{Schema{MaxLength: new(8)}, "none"},
		{Schema{Pattern: `^d-[0-9a-f]{10}$`}, "none"},      // 40 bits
		{Schema{Pattern: `^\d{12}$`}, "none"},              // 40 bits
		{Schema{Pattern: `^(?=x)[0-9a-f]{32}$`}, "none"},   // no RE2
		{Schema{Pattern: `^\d+$`, Format: "uuid"}, "none"}, // a column of UUIDs
		{Schema{Format: "email"}, "none"},
		{Schema{Enum: []Literal{Literal(`"a"`)}}, "none"},
	} {
		parts, ok := keyForm(&test.schema)
		got := []string{}
		for _, p := range parts {
			from := strings.NewReplacer(HexDigits+"ghijklmnopqrstuvwxyz", "abc", HexDigits, "hex").Replace(p.From)
			if p.From == "" {
				got = append(got, p.Text)
			} else {
				got = append(got, from+"*"+strconv.Itoa(p.Length))
			}
		}
		text := strings.Join(got, " ")
		switch {
		case !ok:
			text = "none"
		case parts == nil:
			text = "UUID"
		}
		if text != test.want {
			t.Errorf("%+v: %s, want %s", test.schema, text, test.want)
		}
	}
}

// FuzzKeyForm holds that a form satisfies the pattern that it was made from.
func FuzzKeyForm(f *testing.F) {
	for _, p := range []string{`^AC[0-9a-f]{32}$`, `^(a|b[0-9]{20})+$`, `x*`, `[^a-z]{30}`, `^\w+:\d*$`} {
		f.Add(p, 0, 40)
	}
	f.Fuzz(func(t *testing.T, pattern string, low, high int) {
		s := &Schema{Pattern: pattern, MinLength: max(low, 0), MaxLength: &high}
		parts, ok := keyForm(s)
		if !ok || parts == nil {
			return
		}
		var key strings.Builder
		for i, p := range parts {
			key.WriteString(p.Text)
			for j := range p.Length {
				key.WriteByte(p.From[(i+7*j)%len(p.From)])
			}
		}
		expr, _ := RE2(pattern)
		if n := len([]rune(key.String())); n < s.MinLength || n > high || !regexp.MustCompile(expr).MatchString(key.String()) {
			t.Errorf("%q has not the form %q of %d to %d", key.String(), pattern, low, high)
		}
	})
}
