package peerwire_test

import (
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/stretchr/testify/require"
)

func BenchmarkDecoderRequests(b *testing.B) {
	for _, perRead := range []int{1, 16, 250} {
		b.Run(fmt.Sprintf("perRead=%d", perRead), func(b *testing.B) {
			frame := peerwire.AppendRequest(nil, peerwire.Request{Length: 16384})
			d := peerwire.NewDecoder(newFlood(frame, perRead), peerwire.DecoderConfig{})
			dst := make([]peerwire.Request, 0, 4096)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Await(); err != nil {
					b.Fatal(err)
				}
				n += len(d.Requests(dst))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/request")
		})
	}
}

func BenchmarkDecoderNext(b *testing.B) {
	for _, m := range []peerwire.Message{peerwire.KeepAlive{}, peerwire.Have{Index: 1000}, peerwire.Piece{Data: make([]byte, 16384)}} {
		b.Run(fmt.Sprintf("%T", m), func(b *testing.B) {
			frame := peerwire.Append(nil, m)
			d := peerwire.NewDecoder(newFlood(frame, 1<<16/len(frame)), peerwire.DecoderConfig{BufferSize: 32 << 10})
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	dst := make([]byte, 0, 64)
	r := peerwire.Request{Index: 1, Begin: 16384, Length: 16384}
	b.Run("Message", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			peerwire.Append(dst, peerwire.Cancel(r))
		}
	})
	b.Run("Reject", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			peerwire.AppendReject(dst, r)
		}
	})
	b.Run("PieceHeader", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			peerwire.AppendPieceHeader(dst, 1, 2, 16384)
		}
	})
}

// loopback returns a TCP connection whose other end reads all and keeps nothing.
func loopback(b *testing.B) net.Conn {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	out, err := net.Dial("tcp", l.Addr().String())
	require.NoError(b, err)
	in, err := l.Accept()
	require.NoError(b, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1<<20)
		for err := error(nil); err == nil; _, err = in.Read(buf) {
		}
	}()
	b.Cleanup(func() {
		out.Close()
		<-done
		in.Close()
	})
	return out
}

// BenchmarkSend sends blocks of 16 KiB over loopback TCP: as runs, and a block at a time, header and block in two writes or
// copied together for one.
func BenchmarkSend(b *testing.B) {
	const size = 16384
	for _, blocks := range []int{1, 4, 16} {
		data := make([][]byte, blocks)
		for i := range data {
			data[i] = block(byte(i), size)
		}
		send := func(how string, f func(w io.Writer) error) {
			b.Run(fmt.Sprintf("%s/blocks=%d", how, blocks), func(b *testing.B) {
				w := loopback(b)
				b.SetBytes(int64(blocks) * size)
				b.ReportAllocs()
				for b.Loop() {
					if err := f(w); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		var run peerwire.BlockRun
		send("run", func(w io.Writer) error {
			for i, d := range data {
				run.Add(1, uint32(i)*size, d)
			}
			_, err := run.WriteTo(w)
			return err
		})
		buf := make([]byte, 0, peerwire.PieceHeaderSize+size)
		send("copied", func(w io.Writer) error {
			for i, d := range data {
				if _, err := w.Write(append(peerwire.AppendPieceHeader(buf, 1, uint32(i)*size, len(d)), d...)); err != nil {
					return err
				}
			}
			return nil
		})
		send("twoWrites", func(w io.Writer) error {
			for i, d := range data {
				if _, err := w.Write(peerwire.AppendPieceHeader(buf, 1, uint32(i)*size, len(d))); err != nil {
					return err
				}
				if _, err := w.Write(d); err != nil {
					return err
				}
			}
			return nil
		})
	}
}
