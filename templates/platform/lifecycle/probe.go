package lifecycle

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

const probeTimeout = 2 * time.Second

// Probe asks the server whose admin address this is, on this machine, whether it is
// ready: what a container's health check runs where there is no shell. An empty
// address is the default one.
func Probe(ctx context.Context, adminAddr string) error {
	host, port, err := net.SplitHostPort(adminAddr)
	switch ip := net.ParseIP(host); {
	case adminAddr == "":
		host, port = "127.0.0.1", "9090"
	case err != nil:
		return fmt.Errorf("ADMIN_ADDR=%q: %w", adminAddr, err)
	case host == "", ip != nil && ip.IsUnspecified():
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // nothing of it is needed
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready: status %d", response.StatusCode)
	}
	return nil
}
