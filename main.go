// Command backend turns an OpenAPI document and an architecture profile into a
// complete Go backend, runs it, and load-tests what it made.
package main

import (
	"os"

	"github.com/e6b96b0c/backend/cmd"
)

func main() {
	os.Exit(cmd.Main(os.Args[1:]))
}
