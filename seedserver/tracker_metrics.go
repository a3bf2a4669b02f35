package seedserver

import (
	"io"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seedserver/bittorrent/seedserver/admission"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
	"github.com/seedserver/bittorrent/tracker/udptracker"
)

// trackerCounts are the requests over HTTP; those over UDP are counted by their server.
type trackerCounts struct{ announces, scrapes, refused atomic.Int64 }

// request is httptracker.Config.Log.
func (c *trackerCounts) request(a httptracker.Access) {
	if a.Scrape {
		c.scrapes.Add(1)
	} else {
		c.announces.Add(1)
	}
	if a.Failure != "" {
		c.refused.Add(1)
	}
}

var (
	descTrackerPeers     = prometheus.NewDesc("seedserver_tracker_peers", "Peers that announced lately, by address family.", []string{"family"}, nil)
	descTrackerTorrents  = prometheus.NewDesc("seedserver_tracker_torrents", "Torrents the tracker knows of.", nil, nil)
	descTrackerInterval  = prometheus.NewDesc("seedserver_tracker_interval_seconds", "How often peers are asked to announce.", nil, nil)
	descTrackerAnnounces = prometheus.NewDesc("seedserver_tracker_announces_total", "Announces, those refused included.", []string{"transport"}, nil)
	descTrackerScrapes   = prometheus.NewDesc("seedserver_tracker_scrapes_total", "Scrapes.", []string{"transport"}, nil)
	descTrackerRefused   = prometheus.NewDesc("seedserver_tracker_refused_total", "Requests answered with a reason.", []string{"transport"}, nil)
	descTrackerPackets   = prometheus.NewDesc("seedserver_tracker_dropped_packets_total", "Packets that were not answered as they hoped, by why.", []string{"why"}, nil)
)

// trackerMetrics are what Prometheus reads of a tracker.
type trackerMetrics struct {
	peers   *peerstore.Store
	pace    *admission.Pace
	counted *trackerCounts
	packets *udptracker.Server // nil without UDP
}

// newMetrics answers /metrics, /healthz and /readyz.
func (t *Tracker) newMetrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&trackerMetrics{t.peers, t.pace, &t.counted, t.packets}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	ok := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") }
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /readyz", ok)
	return mux
}

// Describe is part of prometheus.Collector.
func (m *trackerMetrics) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, out) }

// Collect is part of prometheus.Collector.
func (m *trackerMetrics) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	stats := m.peers.Stats()
	gauge(descTrackerPeers, float64(stats.Peers4), "ipv4")
	gauge(descTrackerPeers, float64(stats.Peers6), "ipv6")
	gauge(descTrackerTorrents, float64(stats.Torrents))
	gauge(descTrackerInterval, m.pace.Interval().Seconds())
	count(descTrackerAnnounces, float64(m.counted.announces.Load()), "http")
	count(descTrackerScrapes, float64(m.counted.scrapes.Load()), "http")
	count(descTrackerRefused, float64(m.counted.refused.Load()), "http")
	if m.packets == nil {
		return
	}
	p := m.packets.Stats()
	count(descTrackerAnnounces, float64(p.Announces), "udp")
	count(descTrackerScrapes, float64(p.Scrapes), "udp")
	count(descTrackerRefused, float64(p.Refused), "udp")
	count(descTrackerPackets, float64(p.Strangers), "no connection id")
	count(descTrackerPackets, float64(p.Bad), "malformed")
	count(descTrackerPackets, float64(p.Flooded), "flood")
}
