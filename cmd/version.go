package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/e6b96b0c/backend/cmd/state"
)

// version is the module's version as the Go toolchain recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

func newVersion(st *state.State, root *rootOptions) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if root.output == "json" {
				return printJSON(st, map[string]string{"version": version(), "go": runtime.Version()})
			}
			_, err := fmt.Fprintf(st.Stdout, "backend %s (%s)\n", version(), runtime.Version())
			return err
		},
	}
}
