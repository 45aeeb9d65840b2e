//go:build !unix

package testenv

import (
	"errors"
	"os/exec"
)

func unprivileged(string, string) (func(*exec.Cmd), error) {
	return nil, errors.New("servers are only started on Unix")
}
