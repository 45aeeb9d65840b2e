package sample

import (
	"strings"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/generator/model"
)

// words are what realistic text is made of. Each list is a string so that it is
// constant; a list's words are separated by spaces, underscores stand for
// spaces inside one.
const (
	firstNames = "Ada Grace Alan Edsger Barbara Donald Margaret Dennis Radia Ken Frances Linus Hedy Tim Joan Niklaus"
	lastNames  = "Lovelace Hopper Turing Dijkstra Liskov Knuth Hamilton Ritchie Perlman Thompson Allen Torvalds Lamarr Lee Clarke Wirth"
	cities     = "Berlin Lisbon Osaka Toronto Nairobi Lima Oslo Mumbai Seattle Warsaw Auckland Dublin Kraków Santiago Seoul Vienna"
	countries  = "DE PT JP CA KE PE NO IN US PL NZ IE FR CL KR AT"
	currencies = "EUR USD GBP CHF NOK SEK PLN CAD"
	colours    = "red green blue black white silver amber teal"
	locales    = "en de fr pt ja es nb pl"
	zones      = "Europe/Berlin Europe/Lisbon Asia/Tokyo America/Toronto UTC"
	streets    = "Harbour_Street Mill_Lane Station_Road Garden_Row Market_Square Lake_View Church_Street Elm_Avenue"
	adjectives = "quiet bright sturdy light modern compact classic swift warm plain round solid"
	nouns      = "lamp chair kettle notebook bicycle backpack clock table camera jacket radio bottle"
	fillers    = "arrives well packed and works as expected in daily use though the colour differs slightly from what was shown"
)

// pick returns a word of a list. The lists are short, so counting is cheaper
// than keeping them split.
func pick(list string, c run) string {
	n := c.r.IntN(strings.Count(list, " ") + 1)
	for ; n > 0; n-- {
		list = list[strings.IndexByte(list, ' ')+1:]
	}
	if i := strings.IndexByte(list, ' '); i >= 0 {
		return list[:i]
	}
	return list
}

func appendWord(dst []byte, list string, c run) []byte {
	for _, b := range []byte(pick(list, c)) {
		if b == '_' {
			b = ' '
		}
		dst = append(dst, b)
	}
	return dst
}

const base36 = "0123456789abcdefghijklmnopqrstuvwxyz"

// appendUnique appends n letters and digits. Eight of them make two values
// differ in all but one of 3e12 cases.
func appendUnique(dst []byte, n int, c run) []byte {
	v := c.r.Uint64()
	for i := range n {
		if i%12 == 11 {
			v = c.r.Uint64()
		}
		dst = append(dst, base36[v%36])
		v /= 36
	}
	return dst
}

// named returns a maker of text that suits a property's name and fits lo..hi
// code points (hi -1: unbounded).
func named(name string, lo, hi int) maker {
	base := suited(model.Plain(name))
	if hi == 0 {
		return func(dst []byte, _ run) []byte { return dst }
	}
	return func(dst []byte, c run) []byte {
		at := len(dst)
		dst = base(dst, c)
		if lo == 0 && hi < 0 {
			return dst
		}
		count := utf8.RuneCount(dst[at:])
		if hi >= 0 && count > hi {
			// Cutting would lose what makes it unique.
			return appendUnique(dst[:at], min(max(lo, 1), hi)+max(0, min(hi, 12)-max(lo, 1)), c)
		}
		if count < lo {
			dst = appendUnique(dst, lo-count, c)
		}
		return dst
	}
}

// suited chooses text by the property's plain name.
func suited(n string) maker {
	list := func(words string) maker {
		return func(dst []byte, c run) []byte { return appendWord(dst, words, c) }
	}
	switch {
	case n == "firstname" || n == "givenname":
		return list(firstNames)
	case n == "lastname" || n == "surname" || n == "familyname":
		return list(lastNames)
	case strings.HasSuffix(n, "username") || n == "login" || n == "handle" || n == "nickname":
		return func(dst []byte, c run) []byte {
			dst = append(dst, strings.ToLower(pick(firstNames, c))...)
			return appendUnique(dst, 8, c)
		}
	case strings.Contains(n, "email"):
		return email
	case strings.HasSuffix(n, "city") || n == "town":
		return list(cities)
	case strings.Contains(n, "country"):
		return list(countries)
	case strings.Contains(n, "currency"):
		return list(currencies)
	case strings.HasSuffix(n, "color") || strings.HasSuffix(n, "colour"):
		return list(colours)
	case n == "language" || n == "locale" || n == "lang":
		return list(locales)
	case strings.HasSuffix(n, "timezone"):
		return list(zones)
	default:
		return suitedMore(n)
	}
}

func suitedMore(n string) maker {
	switch {
	case strings.Contains(n, "street") || strings.HasPrefix(n, "addressline") || n == "address" || n == "line1":
		return func(dst []byte, c run) []byte {
			dst = append(appendWord(dst, streets, c), ' ')
			return appendInt(dst, int64(1+c.r.IntN(180)))
		}
	case strings.Contains(n, "phone") || n == "mobile":
		return func(dst []byte, c run) []byte {
			return appendInt(append(dst, "+4930"...), int64(1000000+c.r.IntN(8999999)))
		}
	case strings.Contains(n, "postal") || n == "zip" || n == "zipcode" || n == "postcode":
		return func(dst []byte, c run) []byte { return appendInt(dst, int64(10000+c.r.IntN(89999))) }
	case strings.HasSuffix(n, "url") || strings.HasSuffix(n, "uri") || n == "website" || n == "link" || n == "href":
		return address
	case unique(n):
		return func(dst []byte, c run) []byte { return appendUnique(dst, 12, c) }
	case strings.Contains(n, "password") || strings.Contains(n, "secret"):
		return func(dst []byte, c run) []byte { return appendUnique(append(dst, "Aa1-"...), 12, c) }
	case strings.Contains(n, "description") || strings.Contains(n, "comment") || strings.Contains(n, "body") ||
		strings.Contains(n, "text") || strings.Contains(n, "note") || strings.Contains(n, "message"):
		return sentence
	case strings.HasSuffix(n, "fullname") || n == "author" || n == "customer" || n == "recipient":
		return func(dst []byte, c run) []byte {
			dst = append(appendWord(dst, firstNames, c), ' ')
			return appendWord(dst, lastNames, c)
		}
	case n == "name" || strings.HasSuffix(n, "name") || n == "title":
		// Names are unique in many services, so a short tail keeps two apart.
		return func(dst []byte, c run) []byte {
			dst = append(appendWord(dst, adjectives, c), ' ')
			dst = append(appendWord(dst, nouns, c), ' ')
			return appendUnique(dst, 6, c)
		}
	default:
		return func(dst []byte, c run) []byte {
			dst = append(appendWord(dst, adjectives, c), ' ')
			return appendWord(dst, nouns, c)
		}
	}
}

// unique reports whether a property of this plain name is likely a key that two
// rows must not share.
func unique(n string) bool {
	for _, suffix := range []string{"id", "uuid", "guid", "sku", "slug", "code", "key", "token", "number", "reference", "serial", "isbn", "ean"} {
		if n == suffix || (len(n) > len(suffix)+1 && strings.HasSuffix(n, suffix)) {
			return true
		}
	}
	return false
}

func email(dst []byte, c run) []byte {
	dst = append(dst, strings.ToLower(pick(firstNames, c))...)
	dst = appendUnique(append(dst, '.'), 8, c)
	return append(dst, "@example.com"...)
}

func address(dst []byte, c run) []byte {
	return appendUnique(append(dst, "https://example.com/"...), 8, c)
}

func sentence(dst []byte, c run) []byte {
	dst = append(dst, "The "...)
	dst = append(appendWord(dst, adjectives, c), ' ')
	dst = appendWord(dst, nouns, c)
	for i, word := 0, c.r.IntN(8); i < 3+word; i++ {
		dst = appendWord(append(dst, ' '), fillers, c)
	}
	return append(dst, '.')
}

// usual returns the range in which a number of this name usually lies.
func usual(name string, s *model.Schema) (low, high float64) {
	n := model.Plain(name)
	switch {
	case strings.Contains(n, "quantity") || n == "qty":
		return 1, 5
	case strings.Contains(n, "rating") || n == "stars":
		return 1, 5
	case strings.HasSuffix(n, "price") || strings.HasSuffix(n, "amount") || strings.HasSuffix(n, "total") || strings.Contains(n, "cost"):
		if s.Kind == model.KindInteger {
			return 100, 20000
		}
		return 1, 500
	case strings.HasSuffix(n, "age"):
		return 18, 90
	case strings.HasSuffix(n, "month"):
		return 1, 12
	case strings.HasSuffix(n, "year"):
		return 2000, 2030
	case n == "lat" || n == "latitude":
		return -90, 90
	case n == "lon" || n == "lng" || n == "longitude":
		return -180, 180
	case strings.Contains(n, "percent") || n == "progress":
		return 0, 100
	case n == "limit" || n == "pagesize" || n == "perpage" || n == "size" || n == "top":
		return 1, 50
	case n == "page":
		return 1, 3
	case n == "offset" || n == "skip":
		return 0, 20
	case unique(n):
		return 1, 1 << 31
	default:
		return 0, 1000
	}
}
