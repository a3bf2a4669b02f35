//go:build linux && (amd64 || arm64)

package udptracker

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// An answer leaves from the address that was asked: a client takes none from
// another of the same host.
func TestAnswersLeaveFromTheAddressAsked(t *testing.T) {
	for _, tt := range []struct{ listen, client, server string }{
		{":0", "127.0.0.9", "127.0.0.5"},
		{"0.0.0.0:0", "127.0.0.9", "127.0.0.5"},
		{"127.0.0.5:0", "127.0.0.9", "127.0.0.5"},
		{":0", "::1", "::1"},
	} {
		t.Run(tt.listen+" "+tt.server, func(t *testing.T) {
			at := serve(t, New(Config{Store: peerstore.New(peerstore.Config{})}), tt.listen)
			conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(tt.client)}, &net.UDPAddr{IP: net.ParseIP(tt.server), Port: int(at.Port())})
			if err != nil && tt.server == "::1" {
				return // this machine has no IPv6
			}
			require.NoError(t, err)
			defer conn.Close()
			for range 3 {
				_, err = conn.Write(AppendConnectRequest(nil, 7))
				require.NoError(t, err)
				require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
				b := make([]byte, 100)
				n, err := conn.Read(b)
				require.NoError(t, err)
				_, err = ParseConnectResponse(b[:n])
				require.NoError(t, err)
			}
		})
	}
}
