package wire

import "strings"

// Format is a named form of strings that a schema may require.
type Format uint8

// The formats of OpenAPI and JSON Schema that are enforced.
const (
	UUID         Format = iota // RFC 9562
	Email                      // RFC 5321, mailbox
	URI                        // RFC 3986, with a scheme
	URIReference               // RFC 3986, relative too
	Date                       // RFC 3339, full-date
	DateTime                   // RFC 3339, date-time
	Time                       // RFC 3339, full-time
	Duration                   // RFC 3339, appendix A
	IPv4                       // RFC 2673, section 3.2
	IPv6                       // RFC 4291, section 2.2
	Hostname                   // RFC 1123
	Byte                       // RFC 4648, section 4: base64
	Decimal                    // OpenAPI's registry: a number, as a string
)

// String names the format with its article, as in "a UUID".
func (f Format) String() string {
	switch f {
	case UUID:
		return "a UUID"
	case Email:
		return "an email address"
	case URI:
		return "an absolute URI"
	case URIReference:
		return "a URI or a relative reference"
	case Date:
		return "a date such as 2006-01-02"
	case DateTime:
		return "a date and time such as 2006-01-02T15:04:05Z"
	case Time:
		return "a time such as 15:04:05Z"
	case Duration:
		return "a duration such as P3DT12H"
	case IPv4:
		return "an IPv4 address"
	case IPv6:
		return "an IPv6 address"
	case Hostname:
		return "a host name"
	case Byte:
		return "base64"
	case Decimal:
		return "a decimal number such as 12.50"
	default:
		return "of an unknown format"
	}
}

// Valid tells whether s has the format.
func (f Format) Valid(s string) bool {
	switch f {
	case UUID:
		return isUUID(s)
	case Email:
		return isEmail(s)
	case URI:
		return isURI(s, true)
	case URIReference:
		return isURI(s, false)
	case Date:
		return isDate(s)
	case DateTime:
		_, ok := ParseTime(s)
		return ok
	case Time:
		return isTime(s)
	case Duration:
		return isDuration(s)
	case IPv4:
		return isIPv4(s)
	case IPv6:
		return isIPv6(s)
	case Hostname:
		return isHostname(s)
	case Byte:
		return isBase64(s)
	case Decimal:
		return IsNumber(s) && !strings.ContainsAny(s, "eE")
	default:
		return false
	}
}

// FormatOf returns the format that OpenAPI calls by name; false for one that is not
// checked.
func FormatOf(name string) (Format, bool) {
	for f, known := range []string{"uuid", "email", "uri", "uri-reference", "date", "date-time", "time", "duration", "ipv4", "ipv6", "hostname", "byte", "decimal"} {
		if name == known {
			return UUID + Format(f), true
		}
	}
	return 0, false
}
