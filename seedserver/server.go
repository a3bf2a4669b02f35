package seedserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/dht/dhtnet"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/access"
	"github.com/seedserver/bittorrent/seedserver/admission"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/ledger"
	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/seedserver/web"
	"github.com/seedserver/bittorrent/seedserver/web/admin"
	"github.com/seedserver/bittorrent/tracker/peerstore"
	"github.com/seedserver/bittorrent/tracker/udptracker"
)

// Server publishes one directory. Make it with New, then either Run it, or Listen and then Run it; Handler works from New on.
type Server struct {
	cfg     Config
	log     *slog.Logger
	logs    *logs
	proxies web.Proxies

	troubles *troubles
	ledger   *ledger.Ledger
	store    *store
	pickers  *pickers
	catalog  *catalog.Catalog
	gate     *gate
	account  *budget.Account // nil without a monthly budget
	cert     *certificate    // nil without TLS
	torrents *torrents
	sidecars sidecars
	host     *swarm.Host
	peers    *peerstore.Store   // nil without a tracker
	pace     *admission.Pace    // likewise
	packets  *udptracker.Server // likewise
	survey   *survey            // likewise
	counted  trackerCounts
	limit    *budget.Node
	web      *web.Handler
	handler  http.Handler
	admin    *admin.Handler

	http, peer, adminAt net.Listener // nil until Listen
	maxHTTP             int          // connections of http
	udp                 []*net.UDPConn
	adminToken          string // opens the status pages to commands on this machine
	advertiser          *advertiser
	dht                 *dhtnet.Server // nil when the server takes no part in the DHT, and until Listen
}

// New opens the directory and the state of cfg, and makes what is missing. It starts nothing and opens no port. The caller must
// Run or Close the server.
//
// Errors say what to do: about a setting that cannot work, a state that another process uses or that is damaged, a directory that
// cannot be read.
func New(cfg Config) (*Server, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if info, err := os.Stat(cfg.Dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s is a file; give the directory it is in, which is published", cfg.Dir)
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory to publish: %w", err)
	}
	if err := cfg.findState(); err != nil {
		return nil, err
	}
	cert, err := newCertificate(&cfg)
	if err != nil {
		return nil, err
	}
	logs, err := openLogs(&cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, log: logs.logger(cfg.logger()), logs: logs, cert: cert, proxies: web.Proxies(cfg.trustedProxies()), limit: budget.New(nil, cfg.MaxUp),
	}
	s.troubles = newTroubles(s.log)
	share := newDescriptors(cfg.maxPeers(), s.troubles)
	s.maxHTTP = share.http
	var id [20]byte
	rand.Read(id[:])
	s.host = swarm.NewHost(swarm.HostConfig{
		PeerID: peerwire.NewPeerID(peerIDPrefix, id[:]), MaxPeers: share.peers, Bind: bindOf(cfg.peer()), Logger: s.log,
		Wake: func(h metainfo.InfoHash) *swarm.Swarm { return s.torrents.swarmOf(h) },
	})
	if s.ledger, err = (ledger.Config{Logger: s.log, Flushed: func(err error) { s.troubles.note(troubleCounts, err) }}).Open(context.Background(), cfg.State); err != nil {
		return nil, errors.Join(err, s.logs.close())
	}
	s.pickers = newPickers(s.ledger, s.log)
	s.store = newStore(s.ledger, s.pickers, s.log)
	if s.account, err = newAccount(&s.cfg, s.ledger, s.troubles, s.log); err != nil {
		return nil, errors.Join(err, s.ledger.Close(), s.logs.close())
	}
	if s.gate, err = newGate(&s.cfg, s.ledger, s.log); err != nil {
		return nil, errors.Join(err, s.ledger.Close(), s.logs.close())
	}
	if s.catalog, err = s.newCatalog(); err != nil {
		return nil, errors.Join(err, s.ledger.Close(), s.logs.close())
	}
	s.gate.catalog = s.catalog
	s.torrents = &torrents{
		cfg: &s.cfg, log: s.log, root: s.catalog.Root(), pool: storage.NewPool(share.files), host: s.host, maxPeers: share.torrentPeers(), limit: s.limit, perTorrent: cfg.MaxUpTorrent,
		port: s.peerPort, own: s.PeerAddrs, recheck: s.catalog.Recheck,
		store: s.store, logs: s.logs, pickers: s.pickers, gate: s.gate, account: s.account, troubles: s.troubles, live: map[metainfo.InfoHash]*torrent{},
	}
	s.advertiser = newAdvertiser(&s.cfg, netip.AddrPort{})
	s.web = web.New(s.webConfig())
	s.handler = webSeed{s, s.web}
	if !cfg.NoTracker {
		requests, err := s.newTracker()
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.handler = s.public(requests, s.handler)
	}
	if err := s.newAdmin(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.handler = s.logRequests(s.handler)
	if cfg.ProxyHeader == ProxyForwarded {
		s.handler = s.proxies.Forwarded(s.handler)
	}
	return s, nil
}

func (s *Server) webConfig() web.Config {
	cfg := web.Config{
		Source: source{s: s}, URL: s.cfg.URL, PlainBelow: s.cfg.PlainBelow, Large: s.cfg.webLarge(), Proxies: s.proxies,
		Version: s.cfg.version(), Notice: s.notice, Logger: s.log,
		Sent: func(of web.Entry, n int) { s.store.count(s.store.entry(of.Path), ledger.ClassHTTP, int64(n)) },
		View: func(r *http.Request) (web.Source, string) {
			v := s.gate.viewer(r)
			return source{s, v}, v.Name()
		},
	}
	if !s.cfg.NoTracker {
		cfg.Tracker = func(*http.Request) web.TrackerTable { return s.survey.table(time.Now()) }
	}
	if s.gate.guard.HasUsers() {
		cfg.SignIn, cfg.SignOut = s.gate.signIn, access.NoCookie()
	}
	return cfg
}

// peerIDPrefix names this program and its series to other clients, as most do (BEP 20).
const peerIDPrefix = "-SE0100-"

// findState fills in State, and refuses one inside the published directory, as it does LogDir.
func (c *Config) findState() error {
	if c.State == "" {
		state, err := DefaultState(c.Dir)
		if err != nil {
			return err
		}
		c.State = state
	}
	state, err := realPath(c.State)
	if err != nil {
		return err
	}
	dir, err := realPath(c.Dir)
	if err != nil {
		return err
	}
	if inside(state, dir) {
		return fmt.Errorf("the state directory %s is inside the published directory; choose another with --state", c.State)
	}
	c.State = state
	for _, secret := range []struct{ flag, path string }{{"users", c.UsersFile}, {"tls-key", c.TLSKey}} {
		if secret.path == "" {
			continue
		}
		path, err := realPath(secret.path)
		if err == nil && inside(path, dir) {
			err = fmt.Errorf("%s is inside the published directory; keep it elsewhere and say so with --%s", secret.path, secret.flag)
		}
		if err != nil {
			return err
		}
	}
	if c.LogDir == "" {
		return nil
	}
	logs, err := realPath(c.LogDir)
	if err == nil && inside(logs, dir) {
		err = fmt.Errorf("the logs' directory %s is inside the published directory; choose another with --log-dir", c.LogDir)
	}
	return err
}

func (c *Config) webLarge() web.Large {
	switch c.Large {
	case LargePage:
		return web.LargePage
	case LargePlain:
		return web.LargePlain
	default:
		return web.LargeTorrent
	}
}

func (s *Server) newCatalog() (*catalog.Catalog, error) {
	c, err := catalog.New(catalog.Config{
		Dir: s.cfg.Dir, Publisher: publisher{s}, Store: s.store,
		Settle: s.cfg.SettleWrite, SettleRenamed: s.cfg.SettleRename, SettleBlind: s.cfg.SettleBlind,
		Rescan: s.cfg.Rescan, Poll: s.cfg.Poll, Units: s.cfg.Units, PieceLength: s.cfg.PieceLength, Around: standBack, Access: s.gate.read, Private: s.cfg.Private,
		Saved:  func(err error) { s.troubles.note(troubleHashed, err) }, // it logs that itself
		Logger: s.log,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the directory to publish: %w", err)
	}
	return c, nil
}

// publisher defers to the server's torrents, which are made after the catalog since they need its directory.
type publisher struct{ s *Server }

func (p publisher) Publish(v *catalog.Version) error {
	if err := p.s.torrents.Publish(v); err != nil || !canBeSidecar(v) {
		return err
	}
	content, err := p.s.torrents.open(v)
	if err != nil {
		return err
	}
	defer content.Close()
	b := make([]byte, v.Length())
	if content.ReadAt(b, 0) == nil { // else it has changed already: the next version of it comes
		p.s.sidecars.add(v, b)
	}
	return nil
}

func (p publisher) Pause(h metainfo.InfoHash)       { p.s.torrents.Pause(h) }
func (p publisher) Resume(v *catalog.Version) error { return p.s.torrents.Resume(v) }

func (p publisher) Retire(h metainfo.InfoHash, reason string) {
	p.s.torrents.Retire(h, reason)
	p.s.sidecars.remove(h)
}

// Handler answers what the public listener answers: index, torrents, files, tracker. It works as long as the server runs, and may
// be mounted below a prefix with http.StripPrefix.
func (s *Server) Handler() http.Handler { return s.handler }

// Listen opens the ports. Errors name the setting to change when one is taken. Run calls it if the caller did not.
func (s *Server) Listen(ctx context.Context) (err error) {
	if s.cfg.http() != HTTPOff {
		if s.http, err = listenHTTP(ctx, s.cfg.http(), net.ListenConfig{}); err != nil {
			return err
		}
	}
	s.listenPackets(ctx)
	if s.peer, err = listenPeer(ctx, s.cfg.peer(), s.cfg.PeerExact); err != nil {
		if s.http != nil {
			s.http.Close()
		}
		return err
	}
	if err := s.listenAdmin(ctx); err != nil {
		return err
	}
	s.advertiser.bound = boundAddr(s.peer)
	if err := s.advertiser.resolve(ctx); err != nil {
		s.log.Warn("our public address cannot be found; it is tried again", "err", err)
	}
	s.listenDHT(ctx)
	return nil
}

// Close releases what New and Listen opened. A server that was Run is closed already.
func (s *Server) Close() error {
	if s.http != nil {
		s.http.Close()
	}
	for _, conn := range s.udp {
		conn.Close()
	}
	if s.peer != nil {
		s.peer.Close()
	}
	if s.adminAt != nil {
		s.adminAt.Close()
		s.forgetAdmin()
	}
	return errors.Join(s.catalog.Close(), s.ledger.Close(), s.logs.close())
}

// Logger returns where the server logs.
func (s *Server) Logger() *slog.Logger { return s.log }

// StateDir returns the directory of the server's own files.
func (s *Server) StateDir() string { return s.cfg.State }

// URLs returns addresses at which the index can be opened, best first; none before Listen.
func (s *Server) URLs() []string {
	if s.cfg.URL != "" {
		return []string{s.cfg.URL + "/"}
	}
	if s.http == nil {
		return nil
	}
	bound := boundAddr(s.http)
	if !bound.Addr().IsUnspecified() {
		return []string{s.cert.scheme() + "://" + bound.String() + "/"}
	}
	var urls []string
	for _, ip := range outwardAddrs() {
		urls = append(urls, s.cert.scheme()+"://"+netip.AddrPortFrom(ip, bound.Port()).String()+"/")
	}
	return append(urls, s.cert.scheme()+"://"+net.JoinHostPort("localhost", strconv.Itoa(int(bound.Port())))+"/")
}

// PeerAddrs returns the addresses that peers are told, as a client on loopback would be; none before Listen.
func (s *Server) PeerAddrs() []netip.AddrPort {
	if s.peer == nil {
		return nil
	}
	return s.addrs(web.Via{})
}

// Reach says how far the advertised addresses carry, "" when everybody can use them.
func (s *Server) Reach() string { return s.advertiser.reach(web.Via{}) }

func (s *Server) addrs(via web.Via) []netip.AddrPort { return s.advertiser.addrs(via) }

func (s *Server) peerPort() uint16 { return s.advertiser.bound.Port() }

// RebuildState puts a damaged state database in dir aside, so that the next start makes a fresh one.
// It returns the new name of the old one, "" if there was none. Nothing is deleted; all files are hashed again.
func RebuildState(dir string) (aside string, err error) { return ledger.Rebuild(filepath.Clean(dir)) }
