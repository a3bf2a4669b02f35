package extension

// Name is one of the extension messages this package knows.
type Name uint8

// The messages, with the names that the handshake's "m" dict gives them.
const (
	DontHaveName   Name = iota // lt_donthave (BEP 54)
	UploadOnlyName             // upload_only; by custom, beside the handshake's key of BEP 21
	MetadataName               // ut_metadata (BEP 9)
	PEXName                    // ut_pex (BEP 11)

	numNames
)

// names are the keys of "m", in their order there.
var names = [numNames]string{"lt_donthave", "upload_only", "ut_metadata", "ut_pex"}

// String returns the name as it stands in "m".
func (n Name) String() string {
	if n < numNames {
		return names[n]
	}
	return "unknown"
}

// IDs are the extended ids under which one side wants to receive messages: its "m" dict (BEP 10). Names this package does not
// know are left out. It is a value: a copy is independent, and equal ones compare equal. The zero value names none.
type IDs struct {
	ids [numNames]uint8
	set [numNames]bool // named at all; with id 0, to turn the message off
}

// NewIDs returns IDs for our own handshake: the messages given, numbered from 1 in their order.
func NewIDs(known ...Name) IDs {
	var m IDs
	for i, n := range known {
		m.Set(n, uint8(i+1))
	}
	return m
}

// ID returns the extended id for a message to the side these ids came from; 0 if it does not take the message.
func (m IDs) ID(n Name) uint8 {
	if n >= numNames {
		return 0
	}
	return m.ids[n]
}

// Name returns the message that a frame under id is, received by the side these ids came from.
func (m IDs) Name(id uint8) (Name, bool) {
	for n, x := range m.ids {
		if x == id && id != 0 {
			return Name(n), true
		}
	}
	return 0, false
}

// Set gives message n the id; 0 says that it is no longer taken.
func (m *IDs) Set(n Name, id uint8) {
	if n < numNames {
		m.ids[n], m.set[n] = id, true
	}
}

// Merge takes over what a later handshake of the same side says. "The m dictionary is additive" (BEP 10): a name it leaves out
// keeps its id, and id 0 turns one off.
func (m *IDs) Merge(later IDs) {
	for n := range names {
		if later.set[n] {
			m.Set(Name(n), later.ids[n])
		}
	}
}
