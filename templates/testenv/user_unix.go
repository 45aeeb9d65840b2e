//go:build unix

package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// unprivileged returns what makes a command run as ourselves, or as account if we
// are root, with which servers do not run; and gives dir to that user. The command
// gets a process group of its own: an interrupt from the terminal is not meant for it.
func unprivileged(account, dir string) (func(*exec.Cmd), error) {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		u, err := user.Lookup(account)
		if err != nil {
			return nil, fmt.Errorf("root cannot run the server, and there is no user for it: %w", err)
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil { // #nosec G115 -- 32 bits
			return nil, err
		}
		attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return func(cmd *exec.Cmd) { cmd.SysProcAttr = attributes }, nil
}
