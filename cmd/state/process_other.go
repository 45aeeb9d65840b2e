//go:build !unix

package state

import (
	"os"
	"syscall"
)

func ownGroup(bool) *syscall.SysProcAttr { return nil }

// interruptGroup kills: there are no signals to send here.
func interruptGroup(pid int) { killGroup(pid) }

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}
