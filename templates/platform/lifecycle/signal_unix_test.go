//go:build unix

package lifecycle_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/lifecycle"
)

func TestASecondSignalForcesTheStop(t *testing.T) {
	// The test holds the signal too, so that one sent early does not end it.
	held := make(chan os.Signal, 16)
	signal.Notify(held, syscall.SIGTERM)
	defer signal.Stop(held)

	d := &diary{}
	arrived := make(chan struct{})
	r := start(t, d, lifecycle.Server{
		ShutdownTimeout: time.Hour,
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
			close(arrived)
			<-request.Context().Done()
		}),
		Background: []func(context.Context) error{func(ctx context.Context) error { <-ctx.Done(); return nil }},
	})
	go get(t, r.URL)
	<-arrived
	r.stop()
	for { // until the shutdown has begun to listen for it
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-held
		select {
		case err := <-r.result:
			if !errors.Is(err, lifecycle.ErrForced) {
				t.Errorf("got %v", err)
			}
			if !strings.Contains(d.log.String(), `"forced":true`) {
				t.Errorf("the log does not say so: %s", d.log.String())
			}
			return
		default:
		}
	}
}
