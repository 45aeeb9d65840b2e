package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/lifecycle"
)

// TestEveryAcceptedRequestIsAnswered stops a server that busy keep-alive clients are
// talking to: a request is answered in full, or was refused at dial.
func TestEveryAcceptedRequestIsAnswered(t *testing.T) {
	var answered, refused atomic.Int64
	var servers sync.WaitGroup
	for range 5 { // side by side, since a client that is refused waits for a second
		servers.Go(func() {
			for range 4 {
				stopUnderLoad(t, &answered, &refused)
			}
		})
	}
	servers.Wait()
	t.Logf("%d requests answered, %d refused", answered.Load(), refused.Load())
	if answered.Load() < 1000 {
		t.Error("that was no load")
	}
}

func stopUnderLoad(t *testing.T, answered, refused *atomic.Int64) {
	t.Helper()
	const body = "a response that is longer than a word"
	ready := make(chan lifecycle.Addresses, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stopped := make(chan error, 1)
	var enough sync.Once
	var served atomic.Int64
	go func() {
		stopped <- lifecycle.Run(ctx, lifecycle.Server{
			Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				time.Sleep(time.Millisecond)
				_, _ = io.WriteString(w, body)
				if served.Add(1) > 100 {
					enough.Do(stop)
				}
			}),
			OnReady: func(a lifecycle.Addresses) { ready <- a },
		})
	}()
	url := (<-ready).URL
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				// A body that cannot be read again keeps the client from trying again.
				response, err := client.Post(url, "text/plain", io.MultiReader(strings.NewReader("x")))
				var failed *net.OpError
				if errors.As(err, &failed) && failed.Op == "dial" {
					refused.Add(1)
					return
				}
				var text []byte
				if err == nil {
					text, err = io.ReadAll(response.Body)
					_ = response.Body.Close()
				}
				if err != nil || string(text) != body {
					t.Error(fmt.Errorf("a request was lost: %w, %q", err, text))
					return
				}
				answered.Add(1)
			}
		})
	}
	clients.Wait()
	if err := <-stopped; err != nil {
		t.Errorf("the server: %v", err)
	}
}
