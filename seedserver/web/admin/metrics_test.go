package admin

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// parsed reads what /metrics says: the value of each series of ours, by its name and labels.
func parsed(t *testing.T, body string) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	require.NoError(t, err)
	values := map[string]float64{}
	for name, family := range families {
		if !strings.HasPrefix(name, "seedserver_") {
			continue
		}
		require.NotEmpty(t, family.GetHelp(), name)
		for _, metric := range family.Metric {
			labels := []string{}
			for _, l := range metric.Label {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			values[name+"{"+strings.Join(labels, ",")+"}"] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	return values
}

func TestMetrics(t *testing.T) {
	h := newHandler(t, newMemory(), nil)
	w := get(h, "/metrics")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, map[string]float64{
		`seedserver_build_info{version="1.0"}`:          1,
		`seedserver_ready{}`:                            1,
		`seedserver_sent_bytes_total{}`:                 1 << 30,
		`seedserver_upload_bytes_per_second{}`:          3 << 20,
		`seedserver_ledger_sent_bytes{}`:                9 << 30,
		`seedserver_ledger_saved_bytes{}`:               3 << 30,
		`seedserver_ledger_completed_downloads{}`:       12,
		`seedserver_peers{state="leech"}`:               2,
		`seedserver_peers{state="seed"}`:                1,
		`seedserver_torrents{stage="seeding"}`:          1,
		`seedserver_torrents{stage="waiting"}`:          2,
		`seedserver_files{state="settling"}`:            1,
		`seedserver_files{state="hashing"}`:             2,
		`seedserver_files{state="left out"}`:            4,
		`seedserver_files{state="failed"}`:              1,
		`seedserver_trouble{about="reads"}`:             1,
		`seedserver_read_errors_total{}`:                3,
		`seedserver_hash_queue_bytes{}`:                 7 << 30,
		`seedserver_status_listeners{}`:                 0,
		`seedserver_dht_announces_total{}`:              20,
		`seedserver_dht_answered_queries_total{}`:       300,
		`seedserver_dht_bytes_total{direction="in"}`:    200000,
		`seedserver_dht_bytes_total{direction="out"}`:   110000,
		`seedserver_dht_dropped_queries_total{}`:        5,
		`seedserver_dht_found_peers_total{}`:            12,
		`seedserver_dht_lookups_total{}`:                40,
		`seedserver_dht_lost_queries_total{}`:           90,
		`seedserver_dht_nodes{family="IPv4"}`:           200,
		`seedserver_dht_overdue_torrents{}`:             1,
		`seedserver_dht_packets_total{direction="in"}`:  1000,
		`seedserver_dht_packets_total{direction="out"}`: 1100,
		`seedserver_dht_published_torrents{}`:           3,
		`seedserver_dht_stored_peers{family="IPv4"}`:    9,
		`seedserver_dht_stores_total{}`:                 150,
	}, parsed(t, w.Body.String()), "few series, however many torrents there are")
	require.Contains(t, w.Body.String(), "go_goroutines")

	each := parsed(t, get(h, "/metrics?per=torrent").Body.String())
	require.EqualValues(t, 1<<30, each[fmt.Sprintf(`seedserver_torrent_sent_bytes_total{infohash=%q,path="busy.iso"}`, hash(1))])
	require.EqualValues(t, 3, each[fmt.Sprintf(`seedserver_torrent_peers{infohash=%q,path="busy.iso"}`, hash(1))])
	require.Len(t, each, 34+6)
}

// TestMetricsWithoutLedger: what can be told is told.
func TestMetricsWithoutLedger(t *testing.T) {
	m := newMemory()
	m.err = errDisk
	values := parsed(t, get(newHandler(t, m, nil), "/metrics").Body.String())
	require.Contains(t, values, "seedserver_sent_bytes_total{}")
	require.NotContains(t, values, "seedserver_ledger_sent_bytes{}")
}

// TestPromtool asks Prometheus's own checker.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if strings.EqualFold(os.Getenv("SEEDSERVER_INTEROP"), "require") {
			t.Fatal("this test needs promtool: install the package prometheus")
		}
		t.Skip("this test needs promtool: install the package prometheus")
	}
	h := newHandler(t, newMemory(), nil)
	for _, path := range []string{"/metrics", "/metrics?per=torrent"} {
		cmd := exec.Command(promtool, "check", "metrics")
		cmd.Stdin = bytes.NewReader(get(h, path).Body.Bytes())
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Empty(t, string(out), "the checker has nothing to say")
	}
}
