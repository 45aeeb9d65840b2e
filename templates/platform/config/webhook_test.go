package config_test

import (
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/config"
)

func TestWebhooks(t *testing.T) {
	read := func(values map[string]string) (config.Webhooks, error) {
		t.Helper()
		c, err := config.Load(env(values))
		if err != nil {
			t.Fatal(err)
		}
		return c.Webhooks()
	}
	for _, c := range []func() (config.Webhooks, error){
		func() (config.Webhooks, error) { return read(nil) }, config.Config{}.Webhooks,
	} {
		if w, err := c(); err != nil || w.Secrets != nil || w.AllowPrivate || w.Timeout != 10*time.Second || w.Attempts != 5 {
			t.Errorf("by default: %+v, %v", w, err)
		}
	}
	w, err := read(map[string]string{
		"WEBHOOK_SECRET":        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"WEBHOOK_ALLOW_PRIVATE": "true", "WEBHOOK_TIMEOUT": "2s", "WEBHOOK_ATTEMPTS": "20",
	})
	if err != nil || len(w.Secrets) != 2 || len(w.Secrets[0]) != 24 || w.Secrets[0][0] != 0x31 || !w.AllowPrivate || w.Timeout != 2*time.Second || w.Attempts != 20 {
		t.Errorf("got %+v, %v", w, err)
	}
	_, err = read(map[string]string{
		"WEBHOOK_SECRET": "whsec_c2hvcnQ=", "WEBHOOK_ALLOW_PRIVATE": "yes", "WEBHOOK_TIMEOUT": "10", "WEBHOOK_ATTEMPTS": "21",
	})
	want := `WEBHOOK_SECRET: must be whsec_ and 24 to 64 bytes in base64, or two of these separated by a comma
WEBHOOK_ALLOW_PRIVATE="yes": must be true or false
WEBHOOK_TIMEOUT="10": must be a duration above zero, such as 10s
WEBHOOK_ATTEMPTS="21": must be a number from 1 to 20`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
