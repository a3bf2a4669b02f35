package peerwire

// client is a row of the table of names.
type client struct {
	name    string
	version func(digits []int) string // nil: dotted
}

// clients are the two-letter codes of the Azureus style, from BEP 20 and from clients that came later.
var clients = map[string]client{
	"7T": {name: "aTorrent"},
	"AG": {name: "Ares"},
	"AX": {name: "BitPump"},
	"AZ": {name: "Azureus/Vuze"},
	"A~": {name: "Ares"},
	"BB": {name: "BitBuddy"},
	"BC": {name: "BitComet", version: bitComet},
	"BF": {name: "Bitflu"},
	"BG": {name: "BTG"},
	"BI": {name: "BiglyBT"},
	"BL": {name: "BitLord"},
	"BR": {name: "BitRocket"},
	"BT": {name: "BitTorrent", version: threeDigits},
	"CD": {name: "Enhanced CTorrent"},
	"CT": {name: "CTorrent"},
	"DE": {name: "Deluge", version: threeDigits},
	"EB": {name: "EBit"},
	"ES": {name: "electric sheep"},
	"FD": {name: "Free Download Manager"},
	"FL": {name: "Flud"},
	"FW": {name: "FrostWire"},
	"FX": {name: "Freebox BitTorrent"},
	"GT": {name: "anacrolix/torrent"},
	"HL": {name: "Halite"},
	"KG": {name: "KGet"},
	"KT": {name: "KTorrent"},
	"LP": {name: "Lphant"},
	"LT": {name: "libtorrent (rasterbar)"},
	"LW": {name: "LimeWire"},
	"MO": {name: "MonoTorrent"},
	"MR": {name: "Miro"},
	"PI": {name: "PicoTorrent"},
	"QD": {name: "QQDownload"},
	"RN": {name: "rain"},
	"SD": {name: "Thunder"},
	"SZ": {name: "Shareaza"},
	"TL": {name: "Tribler"},
	"TN": {name: "TorrentDotNET"},
	"TR": {name: "Transmission", version: transmission},
	"TX": {name: "Tixati"},
	"UE": {name: "uTorrent Embedded", version: threeDigits},
	"UM": {name: "uTorrent Mac", version: threeDigits},
	"UT": {name: "uTorrent", version: threeDigits},
	"UW": {name: "uTorrent Web", version: threeDigits},
	"WD": {name: "WebTorrent Desktop", version: twoPairs},
	"WT": {name: "BitLet"},
	"WW": {name: "WebTorrent", version: twoPairs},
	"WY": {name: "FireTorrent"},
	"XL": {name: "Xunlei"},
	"lt": {name: "libTorrent (rakshasa)"},
	"qB": {name: "qBittorrent"},
}

// shadowClients are the one-letter codes of Shadow's style (BEP 20).
var shadowClients = map[byte]string{
	'A': "ABC",
	'O': "Osprey Permaseed",
	'Q': "BTQueue",
	'R': "Tribler",
	'S': "Shadow",
	'T': "BitTornado",
	'U': "UPnP NAT",
}
