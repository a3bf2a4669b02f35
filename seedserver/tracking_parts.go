package seedserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/seedserver/bittorrent/seedserver/accesslog"
	"github.com/seedserver/bittorrent/seedserver/admission"
	"github.com/seedserver/bittorrent/seedserver/web"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
	"github.com/seedserver/bittorrent/tracker/udptracker"
)

const (
	keepPeersEvery = time.Minute // how much of a swarm a crash may cost
	maxSockets     = 8
)

// loadPeers returns the swarms in the state file at path. A damaged one is put aside: the swarms find together again within an
// interval.
func loadPeers(cfg peerstore.Config, path string, log *slog.Logger) (*peerstore.Store, error) {
	if path == "" {
		return peerstore.New(cfg), nil
	}
	store, err := peerstore.Load(cfg, path, time.Now())
	var damaged *peerstore.DamagedError
	if errors.As(err, &damaged) {
		log.Warn("the tracker's state is damaged; a fresh one is begun", "file", damaged.Path, "aside", damaged.Aside, "err", damaged.Err)
		return store, nil
	}
	return store, err
}

// keepPeers forgets who stopped announcing, lets pace follow the number of peers, and saves the swarms, every minute until ctx ends and
// once more then. Without a path nothing is saved.
func keepPeers(ctx context.Context, store *peerstore.Store, pace *admission.Pace, life time.Duration, path string, t *troubles) {
	tick := time.NewTicker(keepPeersEvery)
	defer tick.Stop()
	save := func() {
		if path == "" {
			return
		}
		t.warn(troubleSwarms, "the swarms cannot be saved, trying again every minute", "the swarms are saved again", store.Save(path))
	}
	for {
		select {
		case <-ctx.Done():
			save()
			return
		case now := <-tick.C:
			stats := store.Stats()
			longer := pace.Follow(now, stats.Peers4+stats.Peers6) - life // who was told to come later stays longer
			store.Expire(now.Add(-max(0, longer)))
			save()
		}
	}
}

// listenTracker opens the UDP sockets of a tracker on the port of its HTTP listener.
func listenTracker(ctx context.Context, l net.Listener) ([]*net.UDPConn, error) {
	at := l.Addr().(*net.TCPAddr)
	host := ""
	if !at.IP.IsUnspecified() {
		host = at.IP.String()
	}
	conns, err := udptracker.Listen(ctx, net.JoinHostPort(host, strconv.Itoa(at.Port)), min(runtime.GOMAXPROCS(0)/2, maxSockets)) // one keeps a processor busy
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("UDP port %d is taken by another program", at.Port)
	}
	return conns, err
}

// logPackets returns what logs announces and scrapes over UDP as if they had been requests, so that the readers of web logs count
// them; the user agent says that they were none. It returns nil where no requests are logged.
func (l *logs) logPackets() func(udptracker.Access) {
	if l.access == nil {
		return nil
	}
	return func(a udptracker.Access) {
		if !l.sample.Take(a.Time) {
			return
		}
		line := accesslog.Request{Time: a.Time, Client: l.addresses.Of(a.From.Addr()), Method: "GET", Target: packetTarget(a), Proto: "HTTP/1.1",
			Status: 200, Bytes: int64(a.Bytes), UserAgent: "UDP"}
		if a.Request != nil {
			line.UserAgent = "UDP " + string(a.Request.PeerID[:8])
		}
		l.access.Write(line.AppendTo(nil)) // never fails
	}
}

// logPlain returns what logs the announces and scrapes that are answered before they reach net/http. It returns nil where no requests
// are logged.
func (l *logs) logPlain(proxies web.Proxies) func(httptracker.Access) {
	if l.access == nil {
		return nil
	}
	return func(a httptracker.Access) {
		if !l.sample.Take(a.Time) {
			return
		}
		client, _ := proxies.Client(a.Request)
		line := accesslog.Request{Time: a.Time, Client: l.addresses.Of(client), Method: a.Request.Method, Target: l.target(a.Request),
			Proto: a.Request.Proto, Status: 200, Bytes: int64(a.Bytes), UserAgent: a.Request.UserAgent()}
		l.access.Write(line.AppendTo(nil)) // never fails
	}
}

// packetTarget is the path and query that a packet would have had over HTTP. Peer id, key and the key of a path are left out.
func packetTarget(a udptracker.Access) string {
	q := make([]byte, 0, 160)
	if a.Scrape {
		q = append(q, "/scrape"...)
		for i, infohash := range a.InfoHashes {
			if i == 3 {
				break // one line is enough to see who asks
			}
			q = append(append(q, "?&"[min(i, 1)]), "info_hash="+url.QueryEscape(string(infohash[:]))...)
		}
		return string(q)
	}
	r := a.Request
	q = fmt.Appendf(q, "/announce?info_hash=%s&port=%d&uploaded=%d&downloaded=%d&left=%d", url.QueryEscape(string(r.InfoHash[:])), r.Addr.Port(),
		r.Uploaded, r.Downloaded, r.Left)
	if event := r.Event.String(); event != "" {
		q = append(q, "&event="+event...)
	}
	return string(q)
}
