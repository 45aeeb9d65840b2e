// Package rules checks JSON against the parts of JSON Schema that have no form in
// Go: not, if, contains, prefixItems, patternProperties, dependencies, choices
// beside a type. The rest of a schema is checked where its values are decoded.
//
// A [Schema] is JSON Schema 2020-12 as far as OpenAPI uses it, with references to
// its own $defs only. Patterns are RE2.
package rules
