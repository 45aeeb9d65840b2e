// Package rest serves the operations of an API over HTTP: it routes, admits,
// decodes, runs each unsafe operation as one unit of work, and answers, so that
// an operation itself is a function from a request value to a response value.
//
// The order is fixed. Authentication and authorisation come first, then refused
// parameters (501), content negotiation (406, 415), decoding with all errors at
// once (400, 422), preconditions and idempotency keys. The response is encoded
// inside the unit of work, and sent after it is committed: what a client was
// told has happened.
//
// A gateway ([Options.Forward]) routes and authenticates in the same way, and leaves the
// rest to the process that it sends the request on to. Services reach one another's
// operations by [Local] in one process, and by [Remote] in several.
package rest
