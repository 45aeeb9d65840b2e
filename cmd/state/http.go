package state

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Send sends a request with an optional bearer token and JSON body, and returns
// the status and at most 1 MiB of the body. It waits ten seconds at most.
func Send(ctx context.Context, method, url, token, body string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	_ = response.Body.Close()
	return response.StatusCode, text, err
}

// PostJSON sends a JSON body and decodes the JSON answer; a status other than 2xx
// is an error with an excerpt of what came back.
func PostJSON(ctx context.Context, url string, body []byte, answer any) error {
	status, text, err := Send(ctx, http.MethodPost, url, "", string(body))
	switch {
	case err != nil:
		return err
	case status/100 != 2:
		return fmt.Errorf("status %d: %.200s", status, text)
	}
	return json.Unmarshal(text, answer)
}
