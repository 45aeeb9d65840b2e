package config_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/config"
)

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestAnEmptyEnvironmentIsEmbedded(t *testing.T) {
	c, err := config.Load(env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "127.0.0.1:8080" || c.AdminAddr != "127.0.0.1:9090" || c.DataDir != ".data" || c.LogLevel != slog.LevelInfo ||
		c.ShutdownTimeout != 15*time.Second || c.RequestTimeout != 5*time.Second || c.MaxBody != 1<<20 ||
		c.CallTimeout != time.Second || c.AuthIssuer+c.AuthAudience+c.AuthJWKSURL+c.InternalToken+c.DatabaseScratch != "" || c.APIKeyHashes != nil || c.DatabaseURL("orders") != "" {
		t.Errorf("got %+v", c)
	}
	if (config.Config{}).DatabaseURL("orders") != "" {
		t.Error("the zero value names a database")
	}
}

func TestEveryVariableIsRead(t *testing.T) {
	hash := strings.Repeat("aB", 32)
	c, err := config.Load(env(map[string]string{
		"ADDR": ":0", "ADMIN_ADDR": "[::1]:1", "DATA_DIR": "/d", "DATABASE_URL": "x:all", "SERVICE_ORDER_ITEMS_DATABASE_URL": "x:items",
		"AUTH_ISSUER": "i", "AUTH_AUDIENCE": "a", "AUTH_JWKS_URL": "j", "API_KEY_HASHES": hash + ", " + hash, "LOG_LEVEL": "debug",
		"SHUTDOWN_TIMEOUT": "1m", "REQUEST_TIMEOUT": "250ms", "MAX_BODY": "64KiB",
		"CALL_TIMEOUT": "2s", "INTERNAL_TOKEN": "0123456789abcdef", "DATABASE_SCRATCH": "loadtest_1f", "EXAMPLE_ROWS": "true",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != ":0" || c.AdminAddr != "[::1]:1" || c.DataDir != "/d" || c.AuthIssuer != "i" || c.AuthAudience != "a" || c.AuthJWKSURL != "j" ||
		len(c.APIKeyHashes) != 2 || c.APIKeyHashes[1] != hash || c.LogLevel != slog.LevelDebug || c.ShutdownTimeout != time.Minute ||
		c.RequestTimeout != 250*time.Millisecond || c.MaxBody != 64<<10 ||
		c.CallTimeout != 2*time.Second || c.InternalToken != "0123456789abcdef" || c.DatabaseScratch != "loadtest_1f" || !c.ExampleRows {
		t.Errorf("got %+v", c)
	}
	for service, want := range map[string]string{"order-items": "x:items", "orderItems": "x:all", "users": "x:all"} {
		if got := c.DatabaseURL(service); got != want {
			t.Errorf("%s: %s", service, got)
		}
	}
}

func TestAllThatIsWrongIsNamedAtOnce(t *testing.T) {
	_, err := config.Load(env(map[string]string{
		"ADDR": "8080", "ADMIN_ADDR": "a:99999", "LOG_LEVEL": "loud", "SHUTDOWN_TIMEOUT": "15", "REQUEST_TIMEOUT": "-1s", "MAX_BODY": "1GB", "API_KEY_HASHES": "secret",
		"CALL_TIMEOUT": "0", "INTERNAL_TOKEN": "short", "DATABASE_SCRATCH": "Load-Test", "EXAMPLE_ROWS": "3",
	}))
	want := `ADDR="8080": must be host:port, such as 127.0.0.1:8080
ADMIN_ADDR="a:99999": must be host:port, such as 127.0.0.1:9090
API_KEY_HASHES="secret": must be SHA-256 hashes of 64 hexadecimal digits, separated by commas
LOG_LEVEL="loud": must be debug, info, warn or error
SHUTDOWN_TIMEOUT="15": must be a duration above zero, such as 15s
REQUEST_TIMEOUT="-1s": must be a duration above zero, such as 5s
MAX_BODY="1GB": must be a number of bytes above zero, such as 65536, 64KiB or 1MiB
CALL_TIMEOUT="0": must be a duration above zero, such as 1s
INTERNAL_TOKEN: must be at least 16 visible ASCII characters
DATABASE_SCRATCH="Load-Test": must be a-z, 0-9 and _, at most 30 of them
EXAMPLE_ROWS="3": must be true or false`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	for _, size := range []string{"0", "-1", "9999999999MiB", "x", "1.5MiB"} {
		if _, err := config.Load(env(map[string]string{"MAX_BODY": size})); err == nil {
			t.Errorf("MAX_BODY=%s was accepted", size)
		}
	}
}

func TestServiceURLs(t *testing.T) {
	c, err := config.Load(env(map[string]string{
		"SERVICE_ORDER_ITEMS_URL": "http://a:1/, https://[::1]:2", "SERVICE_PATH_URL": "http://a/b", "SERVICE_PLAIN_URL": "a:1",
		"SERVICE_USER_URL": "http://me:pw@a", "SERVICE_EMPTY_URL": "http://a:1,", "SERVICE_NOBODY_URL": "http://:80",
	}))
	if err != nil {
		t.Fatal(err)
	}
	urls, err := c.ServiceURLs("order-items")
	if err != nil || len(urls) != 2 || urls[0].String() != "http://a:1" || urls[1].String() != "https://[::1]:2" {
		t.Errorf("got %v, %v", urls, err)
	}
	for _, service := range []string{"path", "plain", "user", "empty", "nobody", "unset"} {
		if _, err := c.ServiceURLs(service); err == nil || !strings.HasPrefix(err.Error(), "SERVICE_"+strings.ToUpper(service)+"_URL") {
			t.Errorf("%s: %v", service, err)
		}
	}
	if _, err := (config.Config{}).ServiceURLs("orders"); err == nil {
		t.Error("the zero value names an address")
	}
}
