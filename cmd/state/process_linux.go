package state

import "syscall"

// ownGroup puts a child into a process group of its own, and has the kernel tell
// it when we die, even by SIGKILL.
func ownGroup(interrupt bool) *syscall.SysProcAttr {
	signal := syscall.SIGTERM
	if interrupt {
		signal = syscall.SIGINT
	}
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: signal}
}

func interruptGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGINT) }

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
