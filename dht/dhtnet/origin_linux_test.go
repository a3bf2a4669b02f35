package dhtnet_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/dht/dhtnet"
)

// An answer leaves from the address that was asked: whoever asks takes it from no other, and a host has several. The kernel hands a
// connected socket what comes from its peer only.
func TestAnswersLeaveFromTheAddressThatWasAsked(t *testing.T) {
	_, at, _ := start(t, dhtnet.Config{}, "0.0.0.0:0")
	var asked []net.Conn
	for i := range 12 { // at once, so that some are read with one call
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + i%5)}), at.Port())
		c, err := net.Dial("udp4", addr.String())
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		_, err = fmt.Fprintf(c, "d1:ad2:id20:abcdefghij01234567%02de1:q4:ping1:t2:%02d1:y1:qe", i, i)
		require.NoError(t, err)
		asked = append(asked, c)
	}
	for i, c := range asked {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
		buf := make([]byte, 2048)
		for { // it may ask back before it answers
			n, err := c.Read(buf)
			require.NoError(t, err, "asked at %v", c.RemoteAddr())
			if string(buf[n-7:n]) == "1:y1:re" {
				require.Contains(t, string(buf[:n]), fmt.Sprintf("1:t2:%02d", i))
				break
			}
		}
	}
}
