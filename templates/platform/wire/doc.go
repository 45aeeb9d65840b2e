// Package wire reads JSON from a client strictly and reports everything that is
// wrong with it at once.
//
// A [Decoder] walks a JSON text (RFC 8259) without reflection. Generated types
// read themselves from it, property by property, and state the constraints of
// their schema as they go:
//
//	func (v *Point) DecodeJSON(d *wire.Decoder) {
//		for key := range d.Object("x") {
//			switch key {
//			case "x":
//				v.X = d.Int64()
//				d.MinInt(v.X, 0)
//			default:
//				d.Skip()
//			}
//		}
//	}
//
// There are two kinds of failure. A text that is not JSON is one
// [SyntaxError], and ends the decoding. JSON of the wrong shape is a list of
// field errors, each with the JSON pointer (RFC 6901) of its place; decoding
// goes on, and constraints on a value that could not be read are not reported.
package wire
