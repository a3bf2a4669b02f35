package udptracker

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// A flood from one address is not answered, and others are meanwhile.
func TestFloodLeavesTimeForOthers(t *testing.T) {
	s := New(Config{Store: peerstore.New(peerstore.Config{}), PerAddress: 500})
	server := serve(t, s, "127.0.0.1:0")
	ctx, stop := context.WithCancel(context.Background())
	var flooders sync.WaitGroup
	for range 2 {
		c, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 66)}, net.UDPAddrFromAddrPort(server))
		require.NoError(t, err)
		flooders.Go(func() {
			defer c.Close()
			for packet := AppendConnectRequest(nil, 1); ctx.Err() == nil; {
				c.Write(packet)
			}
		})
	}
	require.Eventually(t, func() bool { return s.Stats().Flooded > 1000 }, 10*time.Second, time.Millisecond)
	c, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 67)}, net.UDPAddrFromAddrPort(server))
	require.NoError(t, err)
	defer c.Close()
	buf, lost := make([]byte, 2048), 0
	for answered := 0; answered < 50; {
		c.Write(AppendConnectRequest(nil, 2))
		c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := c.Read(buf); err == nil {
			answered++
		} else if lost++; lost > 50 {
			t.Errorf("%d answers were lost after %d came", lost, answered)
			break
		}
	}
	stop()
	flooders.Wait()
	t.Logf("%d lost; %+v", lost, s.Stats())
}
