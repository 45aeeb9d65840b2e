//go:build !linux

package lifecycle

import "net"

// refuse does nothing: what connects while the listener is being closed is lost.
func refuse(net.Listener) {}

func waiting(net.Listener) bool { return false }
