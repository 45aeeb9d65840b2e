package webhook

import (
	"encoding/base64"
	"net/netip"
	"testing"
	"time"
)

func TestAllowed(t *testing.T) {
	const public, private, never = 0, 1, 2
	for text, want := range map[string]int{
		"1.1.1.1": public, "93.184.216.34": public, "2606:4700::1111": public, "::ffff:1.1.1.1": public, "198.17.255.255": public, "100.63.0.1": public,
		"127.0.0.1": private, "127.255.0.1": private, "::1": private, "10.1.2.3": private, "172.16.0.1": private, "172.31.255.255": private,
		"192.168.0.1": private, "fc00::1": private, "fdff::1": private, "100.64.0.1": private, "100.127.255.255": private, "::ffff:127.0.0.1": private,
		"::ffff:10.0.0.1": private, "0.0.0.0": never, "::": never, "0.1.2.3": never, "169.254.169.254": never, "::ffff:169.254.169.254": never,
		"fe80::1": never, "fe80::1%eth0": never, "224.0.0.1": never, "ff02::1": never, "255.255.255.255": never, "240.0.0.1": never,
		"192.0.0.8": never, "192.0.2.1": never, "198.18.0.1": never, "198.19.255.255": never, "198.51.100.1": never, "203.0.113.1": never, "192.88.99.1": never,
		"64:ff9b::1.1.1.1": never, "64:ff9b:1::1": never, "::1.1.1.1": never, "2001::1": never, "2001:db8::1": never, "2002:7f00:1::": never,
		"3fff::1": never, "fec0::1": never, "100::1": never, "5f00::1": never,
	} {
		a := netip.MustParseAddr(text)
		if got := allowed(a, false); got != (want == public) {
			t.Errorf("%s: %v", text, got)
		}
		if got := allowed(a, true); got != (want != never) {
			t.Errorf("%s, where private ones are allowed: %v", text, got)
		}
	}
	for _, address := range []string{"", "host:80", "1.1.1.1"} {
		if guard(true)("tcp", address, nil) == nil {
			t.Errorf("%q is allowed", address)
		}
	}
}

// TestSignatureOfTheSpecification: the example that Standard Webhooks publishes.
func TestSignatureOfTheSpecification(t *testing.T) {
	secret, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := signatures([][]byte{secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWaits(t *testing.T) {
	s := &Sender{Options: Options{Backoff: time.Second}}
	for attempt, longest := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 7: time.Minute, 100: time.Minute} {
		for range 100 {
			if d := s.backoff(attempt); d < longest/2 || d > longest {
				t.Errorf("attempt %d: %v", attempt, d)
			}
		}
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "3600": time.Minute, "99999999999999999999": 0, "-1": 0, "soon": 0,
		"Thu, 01 Jan 2026 00:00:09 GMT": 9 * time.Second, "Wed, 31 Dec 2025 00:00:00 GMT": 0, "Fri, 01 Jan 2027 00:00:00 GMT": time.Minute,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
