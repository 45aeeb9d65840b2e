package webhook

import (
	"fmt"
	"net/netip"
	"syscall"
)

// reserved are parts of the public ranges that lead somewhere else: IANA's registries of
// special-purpose addresses. Embedded IPv4 addresses could be anybody's, ours too.
//
//nolint:gochecknoglobals // a table
var reserved = prefixes(
	"0.0.0.0/8",       // this network
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"240.0.0.0/4",     // reserved, and broadcast
	"2001::/23",       // protocol assignments, Teredo among them
	"2001:db8::/32",   // documentation
	"2002::/16",       // 6to4, which holds an IPv4 address
	"3fff::/20",       // documentation
)

// carrier are the addresses between a provider and its customers (RFC 6598).
//
//nolint:gochecknoglobals // a constant that Go cannot write as one
var carrier = netip.MustParsePrefix("100.64.0.0/10")

// unicast is all of IPv6 that is handed out to the public: what lies outside, NAT64
// (64:ff9b::/96) included, is not.
//
//nolint:gochecknoglobals // a constant that Go cannot write as one
var unicast = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// guard returns the function that a net.Dialer asks about every address that it is about
// to connect to, after the name was resolved: so a name that resolves to something else
// the second time gains nothing.
func guard(allowPrivate bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrForbidden, err)
		}
		if !allowed(at.Addr(), allowPrivate) {
			return fmt.Errorf("%w: its host is not a public one", ErrForbidden)
		}
		return nil
	}
}

// allowed reports whether messages may go to an address. Link-local ones, where clouds
// keep their metadata, are never allowed.
func allowed(a netip.Addr, allowPrivate bool) bool {
	a = a.Unmap()
	if a.IsLoopback() || a.IsPrivate() || carrier.Contains(a) {
		return allowPrivate
	}
	if !a.IsGlobalUnicast() || a.Is6() && !unicast.Contains(a) {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
