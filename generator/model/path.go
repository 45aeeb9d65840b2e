package model

import "strings"

// Placeholders returns the names in a path template, in order.
func Placeholders(path string) []string {
	var names []string
	for {
		_, after, ok := strings.Cut(path, "{")
		if !ok {
			return names
		}
		name, rest, ok := strings.Cut(after, "}")
		if !ok {
			return names
		}
		names = append(names, name)
		path = rest
	}
}
