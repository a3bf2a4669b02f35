package accesslog_test

import (
	"net/netip"
	"os"
	"time"

	"github.com/seedserver/bittorrent/seedserver/accesslog"
)

// A peer was served for a while; its address is truncated.
func ExampleTransfer() {
	log := accesslog.New(os.Stdout, nil) // a program runs log.Run, which writes every second
	line := accesslog.Transfer{
		End:      time.Date(2026, 3, 1, 12, 0, 7, 0, time.UTC),
		Peer:     accesslog.Truncated.Of(netip.MustParseAddr("198.51.100.77")),
		InfoHash: [20]byte{0xc1, 0x2f},
		Bytes:    1 << 20,
		Duration: 12500 * time.Millisecond,
		Client:   "qBittorrent 5.0",
		Path:     "debian.iso",
	}
	log.Write(line.AppendTo(nil))
	log.Close()
	// Output:
	// 2026-03-01T12:00:07Z 198.51.100.0 c12f000000000000000000000000000000000000 1048576 12.500 "qBittorrent 5.0" "debian.iso"
}
