package sample

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/templates/platform/ecma"
)

// pattern compiles an ECMA-262 pattern for matching and for making texts. The
// maker's candidates nearly always match; the caller checks each.
func pattern(p, name string, n *text) (expression, maker, error) {
	re, err := compile(p)
	if err != nil {
		return nil, nil, fmt.Errorf("pattern %q is not supported: %w", p, err)
	}
	goPattern, ok := model.RE2(p)
	if !ok { // what is left of it without looking around is often enough to go by
		goPattern, _ = model.RE2(lookaround.ReplaceAllString(p, ""))
	}
	tree, err := syntax.Parse(goPattern, syntax.Perl)
	if err != nil {
		return nil, nil, fmt.Errorf("pattern %q is not supported: %w", p, err)
	}
	open := !strings.HasSuffix(goPattern, "$")
	// The spread of repetitions adapts to the lengths asked for.
	spread := 6
	if n.min > 8 {
		spread = n.min + 8
	}
	m := matcher{}
	least := 1
	if unique(model.Plain(name)) && (n.max < 0 || n.max >= 12) {
		// A short key would soon occur twice.
		m.full, spread, least = true, max(spread, 8), 6
	}
	return re, func(dst []byte, c run) []byte {
		at := len(dst)
		m := m
		m.more = least + c.r.IntN(max(1, spread-least))
		dst = m.append(dst, tree, c)
		if open {
			for utf8.RuneCount(dst[at:]) < n.min {
				dst = append(dst, 'a')
			}
		}
		return dst
	}, nil
}

// lookaround is an assertion that looks around, as far as it holds no other group.
var lookaround = regexp.MustCompile(`\(\?<?[=!][^()]*\)`)

// expression is a compiled pattern.
type expression interface{ MatchString(s string) bool }

// compile compiles a pattern of ECMA-262.
func compile(p string) (expression, error) {
	if out, ok := model.RE2(p); ok {
		return regexp.Compile(out)
	}
	return ecma.Compile(p)
}

// matcher appends texts that a pattern matches, up to assertions, which only the
// caller's check can honour.
type matcher struct {
	more int  // how often an open repetition repeats beyond its least, at most
	full bool // repeat as often as more allows
}

func (m matcher) append(dst []byte, re *syntax.Regexp, c run) []byte {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			dst = utf8.AppendRune(dst, r)
		}
	case syntax.OpCharClass:
		return utf8.AppendRune(dst, classRune(re.Rune, c))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return appendUnique(dst, 1, c)
	case syntax.OpCapture:
		return m.append(dst, re.Sub[0], c)
	case syntax.OpConcat:
		for _, s := range re.Sub {
			dst = m.append(dst, s, c)
		}
	case syntax.OpAlternate:
		return m.append(dst, re.Sub[c.r.IntN(len(re.Sub))], c)
	case syntax.OpStar:
		return m.repeat(dst, re.Sub[0], c, 0, -1)
	case syntax.OpPlus:
		return m.repeat(dst, re.Sub[0], c, 1, -1)
	case syntax.OpQuest:
		return m.repeat(dst, re.Sub[0], c, 0, 1)
	case syntax.OpRepeat:
		return m.repeat(dst, re.Sub[0], c, re.Min, re.Max)
	}
	return dst
}

func (m matcher) repeat(dst []byte, re *syntax.Regexp, c run, low, high int) []byte {
	top := low + m.more
	if high >= 0 {
		top = min(top, high)
	}
	count := top
	if !m.full {
		count = low + c.r.IntN(top-low+1)
	}
	for range count {
		if len(dst) > maxText {
			break
		}
		dst = m.append(dst, re, c)
	}
	return dst
}

// classRune picks a rune of a class given as ranges, from printable ASCII when
// the class has any.
func classRune(ranges []rune, c run) rune {
	if len(ranges) == 0 {
		return 'a'
	}
	total := 0
	for i := 0; i < len(ranges); i += 2 {
		if lo, hi := max(ranges[i], '!'), min(ranges[i+1], '~'); lo <= hi {
			total += int(hi-lo) + 1
		}
	}
	if total == 0 {
		i := c.r.IntN(len(ranges)/2) * 2
		// A few runes from the start of the range: its end is often unassigned.
		return ranges[i] + rune(c.r.IntN(int(min(ranges[i+1]-ranges[i], 25))+1))
	}
	k := c.r.IntN(total)
	for i := 0; i < len(ranges); i += 2 {
		lo, hi := max(ranges[i], '!'), min(ranges[i+1], '~')
		if lo > hi {
			continue
		}
		if k <= int(hi-lo) {
			return lo + rune(k)
		}
		k -= int(hi-lo) + 1
	}
	return 'a'
}
