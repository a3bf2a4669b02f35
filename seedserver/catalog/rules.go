package catalog

// Rules are the criteria of one directory, for itself and all below it. The
// zero value lets everything through. A file must pass the rules of every
// directory above it: a child directory narrows, never widens.
//
// A pattern without a slash is matched with the last element of a path at any
// depth, one with a slash with the whole path below the directory that has the
// rules. "*", "?", "[a-z]" and "\" are as in [path.Match] and stay within an
// element; "**" as an element is any number of elements. Case matters.
type Rules struct {
	// Include, if not empty, are patterns of which a file must match one. To a
	// unit below they apply as if it were a file.
	Include []string
	// Exclude are patterns of files and directories that are left out.
	Exclude []string
	// MinSize and MaxSize are in bytes. If zero, no bound. To a unit below they
	// apply as if it were a file.
	MinSize, MaxSize int64
	// Unit makes the directory one torrent. Inside a unit it means nothing.
	Unit bool
	// Policy has the values of the keys access, mode and budget as the TOML
	// decoder gives them. It is nil unless the file may set policy: owned by
	// root or our user and not writable by group or others.
	Policy map[string]any
}
