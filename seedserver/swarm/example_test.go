package swarm_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/swarm"
)

// text is a torrent's content in memory.
type text string

func (t text) ReadAt(p []byte, off int64) error {
	_, err := io.ReadFull(io.NewSectionReader(strings.NewReader(string(t)), off, int64(len(p))), p)
	return err
}

func Example() {
	const content = "Hello, peers."
	raw, err := metainfo.Build(context.Background(), metainfo.BuildConfig{
		Name:  "hello.txt",
		Files: []metainfo.Input{{Length: int64(len(content)), Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	info, err := metainfo.ParseInfo(raw)
	if err != nil {
		fmt.Println(err)
		return
	}
	infohash := metainfo.InfoHash{1} // the SHA-1 of raw, in earnest

	// The seed.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	host := swarm.NewHost(swarm.HostConfig{PeerID: peerwire.NewPeerID("-SS0100-", []byte("twelve bytes"))})
	s := swarm.New(swarm.Config{Info: info, InfoBytes: raw, InfoHash: infohash, Content: text(content)})
	host.Add(s)
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	running.Go(func() { _ = host.Serve(ctx, listener) })

	// A peer.
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	hello := peerwire.Handshake{InfoHash: infohash, PeerID: peerwire.NewPeerID("-XX0000-", []byte("somebody"))}.AppendTo(nil)
	request := peerwire.AppendRequest(nil, peerwire.Request{Index: 0, Begin: 7, Length: 5})
	if _, err := conn.Write(bytes.Join([][]byte{hello, request}, nil)); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := peerwire.ReadHandshake(conn); err != nil {
		fmt.Println(err)
		return
	}
	for d := peerwire.NewDecoder(conn, peerwire.DecoderConfig{}); ; {
		m, err := d.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%T\n", m)
		if p, ok := m.(peerwire.Piece); ok {
			fmt.Printf("%s\n", p.Data)
			break
		}
	}
	conn.Close()
	stop()
	running.Wait()
	// Output:
	// peerwire.BitfieldMessage
	// peerwire.Unchoke
	// peerwire.Piece
	// peers
}
