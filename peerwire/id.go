package peerwire

import "strconv"

// ID is the byte that says what a frame is: the fifth, after the length. A keep-alive has none.
type ID uint8

// The ids this package knows. A peer may only be sent what it negotiated, since most clients close on an id they do not
// know: [IDPort] with the [DHT] bit, 13 to 17 when both sides set [Fast], [IDExtended] with the [ExtensionProtocol] bit.
const (
	IDChoke         ID = 0  // BEP 3
	IDUnchoke       ID = 1  // BEP 3
	IDInterested    ID = 2  // BEP 3
	IDNotInterested ID = 3  // BEP 3
	IDHave          ID = 4  // BEP 3
	IDBitfield      ID = 5  // BEP 3
	IDRequest       ID = 6  // BEP 3
	IDPiece         ID = 7  // BEP 3
	IDCancel        ID = 8  // BEP 3
	IDPort          ID = 9  // BEP 5
	IDSuggest       ID = 13 // BEP 6
	IDHaveAll       ID = 14 // BEP 6
	IDHaveNone      ID = 15 // BEP 6
	IDReject        ID = 16 // BEP 6
	IDAllowedFast   ID = 17 // BEP 6
	IDExtended      ID = 20 // BEP 10
)

var idNames = [...]string{
	IDChoke: "choke", IDUnchoke: "unchoke", IDInterested: "interested", IDNotInterested: "not interested",
	IDHave: "have", IDBitfield: "bitfield", IDRequest: "request", IDPiece: "piece", IDCancel: "cancel", IDPort: "port",
	IDSuggest: "suggest", IDHaveAll: "have all", IDHaveNone: "have none", IDReject: "reject",
	IDAllowedFast: "allowed fast", IDExtended: "extended",
}

// String returns the message's name as the BEPs write it, or its number.
func (id ID) String() string {
	if int(id) < len(idNames) && idNames[id] != "" {
		return idNames[id]
	}
	return "id " + strconv.Itoa(int(id))
}
