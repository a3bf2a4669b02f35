package udptracker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// socket is a connection to one tracker.
type socket struct {
	cfg     *ClientConfig
	conn    net.Conn
	six     bool // over IPv6
	in, out []byte

	id   uint64    // of the connection, in the words of BEP 15
	idAt time.Time // when it was received, zero if there is none
}

// ask has request make a packet, sends it until it is answered, and has read
// read the answer. Before that, and when it expires, it gets a connection id.
func (s *socket) ask(ctx context.Context, action Action, request func(dst []byte, id uint64, transaction uint32) []byte, read func(b []byte) error) error {
	connecting, asking := transaction(), transaction()
	connects, asks := 0, 0 // how often each was sent in vain
	for {
		want, number, sent := action, asking, &asks
		s.out = s.out[:0]
		if now := time.Now(); s.idAt.IsZero() || now.Sub(s.idAt) >= idLife {
			want, number, sent = ActionConnect, connecting, &connects
			s.out = AppendConnectRequest(s.out, number)
		} else {
			s.out = request(s.out, s.id, number)
		}
		if _, err := s.conn.Write(s.out); err != nil {
			return s.failed(ctx, err)
		}
		// "If a response is not received after 15 * 2 ^ n seconds, the client should retransmit" (BEP 15).
		b, err := s.receive(ctx, want, number, time.Now().Add(s.cfg.Timeout<<*sent))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
			if *sent++; *sent > s.cfg.Retries {
				return ErrNoAnswer
			}
			continue
		case err != nil:
			return s.failed(ctx, err)
		case want == ActionConnect:
			s.id, err = ParseConnectResponse(b)
			s.idAt = time.Now()
		default:
			return read(b)
		}
		if err != nil {
			return err
		}
		connects = 0 // "[...] reset to 0 when a response is received"; asks goes on, or it would not end
	}
}

// receive returns the first packet that answers to this transaction, or the
// tracker's refusal. Everything else is passed over.
func (s *socket) receive(ctx context.Context, want Action, number uint32, deadline time.Time) ([]byte, error) {
	if err := s.conn.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	if ctx.Err() != nil { // its end may have come before the deadline was set
		return nil, context.Cause(ctx)
	}
	for {
		n, err := s.conn.Read(s.in)
		if err != nil {
			return nil, err
		}
		b := s.in[:n]
		r, err := ParseResponse(b)
		switch {
		case err != nil || r.Transaction != number:
		case r.Action == ActionError:
			return nil, refusal(b)
		case r.Action == want && len(b) >= leastAnswer(want):
			return b, nil
		}
	}
}

// leastAnswer is how long an answer is at least.
func leastAnswer(a Action) int {
	switch a {
	case ActionConnect:
		return connectResponseSize
	case ActionAnnounce:
		return announceResponseSize
	default:
		return responseSize
	}
}

// refusal is the tracker's reason, in words that can be shown.
func refusal(b []byte) error {
	err := ParseErrorResponse(b)
	var f *tracker.FailureError
	if errors.As(err, &f) {
		f.Reason = tracker.Text([]byte(f.Reason))
	}
	return err
}

// failed is the error of a socket; that of the context goes first.
func (s *socket) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, tracker.ErrFailure) {
		return err
	}
	return fmt.Errorf("asking the tracker: %w", err)
}
