// Package templates holds what generated projects are made of: the platform
// packages, copied with their imports rewritten, and the small files around them.
package templates

import "embed"

// Files holds platform/, project/ and modules/.
//
//go:embed platform all:project all:modules
var Files embed.FS
