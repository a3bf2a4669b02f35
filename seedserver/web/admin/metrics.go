package admin

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// collector takes all metrics from one Status and one Sums.
type collector struct {
	h    *Handler
	each bool // with two series for each torrent
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("seedserver_"+name, help, labels, nil)
}

var (
	descInfo      = describe("build_info", "A metric with the constant value 1, labeled by the version of the server.", "version")
	descReady     = describe("ready", "Whether the directory has been looked at once.")
	descSent      = describe("sent_bytes_total", "Payload bytes sent since the process started.")
	descRate      = describe("upload_bytes_per_second", "Payload bytes sent per second, over the last seconds.")
	descLedger    = describe("ledger_sent_bytes", "Payload bytes sent since the ledger was begun.")
	descSaved     = describe("ledger_saved_bytes", "Bytes that HTTP would have sent for completed downloads, less those sent.")
	descCompleted = describe("ledger_completed_downloads", "Downloads that were finished since the ledger was begun.")
	descPeers     = describe("peers", "Connected peers.", "state")
	descTorrents  = describe("torrents", "Torrents that are seeded.", "stage")
	descFiles     = describe("files", "Files and units that are not torrents, by why.", "state")
	descTrouble   = describe("trouble", "1 while something keeps the server from a part of its work; the status page says more.", "about")
	descReads     = describe("read_errors_total", "Reads of what is published that the disk failed since the process started.")
	descQueue     = describe("hash_queue_bytes", "Bytes of files that are still to be hashed.")
	descEachSent  = describe("torrent_sent_bytes_total", "Payload bytes sent for a torrent since it was started.", "infohash", "path")
	descEachPeers = describe("torrent_peers", "Connected peers of a torrent.", "infohash", "path")
	descListeners = describe("status_listeners", "Pages that are open and listen to live changes.")

	descDHTNodes     = describe("dht_nodes", "Nodes in the table of our node of the DHT.", "family")
	descDHTStored    = describe("dht_stored_peers", "Peers of others that our node of the DHT keeps.", "family")
	descDHTPublished = describe("dht_published_torrents", "Torrents that are announced in the DHT.")
	descDHTOverdue   = describe("dht_overdue_torrents", "Torrents whose announce in the DHT is overdue.")
	descDHTLookups   = describe("dht_lookups_total", "Lookups that were begun.")
	descDHTAnnounces = describe("dht_announces_total", "Announces that were begun.")
	descDHTStores    = describe("dht_stores_total", "Nodes that took an announce.")
	descDHTFound     = describe("dht_found_peers_total", "Peers that lookups found.")
	descDHTAnswered  = describe("dht_answered_queries_total", "Queries of others that were answered.")
	descDHTDropped   = describe("dht_dropped_queries_total", "Queries of others beyond the limits.")
	descDHTLost      = describe("dht_lost_queries_total", "Queries of ours that got no answer.")
	descDHTPackets   = describe("dht_packets_total", "Packets of the DHT.", "direction")
	descDHTBytes     = describe("dht_bytes_total", "Bytes of the packets of the DHT.", "direction")
	ofDHT            = []*prometheus.Desc{descDHTNodes, descDHTStored, descDHTPublished, descDHTOverdue, descDHTLookups, descDHTAnnounces, descDHTStores,
		descDHTFound, descDHTAnswered, descDHTDropped, descDHTLost, descDHTPackets, descDHTBytes}

	descriptions   = []*prometheus.Desc{descInfo, descReady, descSent, descRate, descLedger, descSaved, descCompleted, descPeers, descTorrents, descFiles, descTrouble, descReads, descQueue, descListeners}
	ofEachTorrents = []*prometheus.Desc{descEachSent, descEachPeers}
)

// newMetrics returns what answers /metrics.
func (h *Handler) newMetrics(each bool) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		&collector{h, each}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(h.cfg.Metrics...)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelWarn), Timeout: 10 * time.Second,
		ErrorHandling: promhttp.ContinueOnError,
	})
}

func (x *exchange) serveMetrics() {
	if x.r.URL.Query().Get("per") == "torrent" {
		x.each.ServeHTTP(x.w, x.r)
		return
	}
	x.metrics.ServeHTTP(x.w, x.r)
}

// Describe is part of prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range descriptions {
		out <- d
	}
	for _, d := range ofDHT {
		out <- d
	}
	if c.each {
		for _, d := range ofEachTorrents {
			out <- d
		}
	}
}

// Collect is part of prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s := c.h.cfg.Source.Status()
	gauge(descInfo, 1, c.h.cfg.Version)
	gauge(descReady, truth(s.Ready))
	out <- prometheus.MustNewConstMetric(descSent, prometheus.CounterValue, float64(s.Sent))
	gauge(descRate, float64(s.Rate))
	gauge(descPeers, float64(s.Peers-s.Seeds), "leech")
	gauge(descPeers, float64(s.Seeds), "seed")
	for state, n := range map[string]int{"settling": s.Settling, "hashing": s.Hashing, "left out": s.LeftOut, "failed": s.Failed} {
		gauge(descFiles, float64(n), state)
	}
	for _, t := range s.Troubles {
		gauge(descTrouble, 1, t.About)
	}
	out <- prometheus.MustNewConstMetric(descReads, prometheus.CounterValue, float64(s.ReadErrors))
	gauge(descQueue, float64(s.QueueBytes))
	gauge(descListeners, float64(c.h.hub.size()))
	stages := map[string]int{}
	for i := range s.Torrents {
		stages[s.Torrents[i].Stage]++
	}
	for stage, n := range stages {
		gauge(descTorrents, float64(n), stage)
	}
	if c.each {
		collectEach(out, s.Torrents)
	}
	collectDHT(out, s.DHT)
	c.collectLedger(out, gauge)
}

// collectDHT tells of our node of the DHT, if there is one.
func collectDHT(out chan<- prometheus.Metric, d *DHT) {
	if d == nil {
		return
	}
	for _, t := range d.Tables {
		out <- prometheus.MustNewConstMetric(descDHTNodes, prometheus.GaugeValue, float64(t.Contacts), t.Family)
		out <- prometheus.MustNewConstMetric(descDHTStored, prometheus.GaugeValue, float64(t.Peers), t.Family)
	}
	out <- prometheus.MustNewConstMetric(descDHTPublished, prometheus.GaugeValue, float64(d.Published))
	out <- prometheus.MustNewConstMetric(descDHTOverdue, prometheus.GaugeValue, float64(d.Overdue))
	for desc, n := range map[*prometheus.Desc]int64{
		descDHTLookups: d.LookupsDone, descDHTAnnounces: d.Announces, descDHTStores: d.Stores, descDHTFound: d.Found,
		descDHTAnswered: d.Answered, descDHTDropped: d.Dropped, descDHTLost: d.Lost,
	} {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n))
	}
	for direction, n := range map[string][2]int64{"in": {d.PacketsIn, d.BytesIn}, "out": {d.PacketsOut, d.BytesOut}} {
		out <- prometheus.MustNewConstMetric(descDHTPackets, prometheus.CounterValue, float64(n[0]), direction)
		out <- prometheus.MustNewConstMetric(descDHTBytes, prometheus.CounterValue, float64(n[1]), direction)
	}
}

func collectEach(out chan<- prometheus.Metric, torrents []Torrent) {
	for _, t := range torrents {
		hash, path := t.InfoHash.String(), visible(t.Path)
		out <- prometheus.MustNewConstMetric(descEachSent, prometheus.CounterValue, float64(t.Sent), hash, path)
		out <- prometheus.MustNewConstMetric(descEachPeers, prometheus.GaugeValue, float64(t.Peers), hash, path)
	}
}

// collectLedger leaves the ledger's metrics out when it cannot be read.
func (c *collector) collectLedger(out chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string)) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	sums, err := c.h.sums.lately(ctx, time.Now())
	if err != nil {
		out <- prometheus.NewInvalidMetric(descLedger, err)
		return
	}
	gauge(descLedger, float64(sums.All.Total))
	gauge(descSaved, float64(sums.All.Saved))
	gauge(descCompleted, float64(sums.All.Completed))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
