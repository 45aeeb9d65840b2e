package store

// Place says where a service keeps its rows within what a database URL names.
type Place struct {
	Service string // the service's name; also that of the DB
	// Shared: the URL is that of every service, so each keeps to a part of its own.
	Shared bool
	// Scratch, unless empty, makes the data a throwaway: it lies apart from what is
	// kept, under this name, and goes when the DB is closed. An engine whose files
	// are thrown away by other means may ignore it.
	Scratch string
}
