package schema

// lossless reports whether every value of one column is one of another.
func lossless(old, column *Column) bool {
	if old.Kind == column.Kind {
		return column.Shape.takes(old.Shape)
	}
	switch column.Kind {
	case "text":
		return true
	case "real":
		return old.Kind == "integer"
	case "integer":
		return old.Kind == "boolean"
	case "json":
		return old.Kind == "text" && column.Shape.takes(&Shape{Kind: "string"})
	}
	return false
}

// convertible reports whether at least some values can be carried over.
func convertible(old, column *Column) bool {
	if lossless(old, column) {
		return true
	}
	if old.Kind == "text" {
		return column.Kind != "json"
	}
	return old.Kind == "real" && column.Kind == "integer" || old.Kind == "integer" && column.Kind == "boolean"
}
