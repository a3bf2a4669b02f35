package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/seedserver/bittorrent/seedserver"
	"github.com/seedserver/bittorrent/seedserver/budget"
)

// manyCmd downloads and seeds all torrents of a directory.
type manyCmd struct {
	Dir       string        `arg:"" help:"The directory of .torrent files." type:"path"`
	Data      string        `help:"Where what they describe is, or goes (default: the directory itself)." placeholder:"DIR" type:"path"`
	State     string        `help:"Where what is there is remembered (default: below the user's state directory)." placeholder:"DIR" type:"path"`
	MaxUp     budget.Rate   `help:"Send at most this much per second (default: no limit)." placeholder:"RATE"`
	MaxDown   budget.Rate   `help:"Receive at most this much per second (default: no limit)." placeholder:"RATE"`
	MaxPeers  int           `help:"Have at most this many connections in all." default:"1000"`
	Slots     int           `name:"upload-slots" help:"Serve this many peers of a torrent at a time; 0 for as many as get a useful rate." default:"0"`
	Port      string        `name:"peer" help:"Take connections of peers here; if taken, at the next ports up to 6889." default:":6881"`
	DHTRouter []string      `name:"dht-router" default:"${routers}" help:"Node from which the DHT is joined, HOST:PORT; repeatable. none: by kept nodes only; off: take no part (default: the public routers)." placeholder:"HOST:PORT"`
	Every     time.Duration `help:"Print the state of all torrents so often; 0 for never." default:"30s"`
	Memory    budget.Bytes  `help:"Hold at most this much of one torrent that is not written yet." default:"16MiB"`
	Overwrite bool          `help:"Replace files that are there and hold something else."`
	Local     bool          `help:"Let trackers and web seeds be on this machine or in this network."`
	JSON      bool          `name:"json" help:"Print the states as JSON, a line for each torrent."`
	Verbose   bool          `short:"v" help:"Log what happens."`
}

// Run goes on until it is interrupted.
func (c *manyCmd) Run(ctx context.Context, s streams) error {
	if c.Dir == "" {
		return usageError{"no directory of .torrent files: name one"}
	}
	if c.MaxPeers < 1 || c.Slots < 0 {
		return usageError{"--max-peers must be at least 1, --upload-slots at least 0"}
	}
	routers, noDHT := dhtRouters(c.DHTRouter)
	m, err := seedserver.NewMany(ctx, seedserver.ManyConfig{
		Dir: c.Dir, Data: c.Data, State: c.State, Overwrite: c.Overwrite, Private: c.Local,
		Client: seedserver.ClientConfig{
			Peer: c.Port, MaxUp: int64(c.MaxUp), MaxDown: int64(c.MaxDown), MaxPeers: c.MaxPeers, UploadSlots: c.Slots,
			Memory: int64(c.Memory), NoDHT: noDHT, DHTRouters: routers, Logger: (&getCmd{Verbose: c.Verbose}).logger(s),
		},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "torrents of %s, peers at %v; stop with Ctrl-C\n", printable(c.Dir), m.Client().Addr())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	var tick <-chan time.Time
	if c.Every > 0 {
		ticker := time.NewTicker(c.Every)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case err := <-ended:
			if ctx.Err() != nil {
				return nil
			}
			return err
		case <-tick:
			c.print(s, m.Status())
		}
	}
}

// A manyReport is what --json prints of a torrent.
type manyReport struct {
	File       string  `json:"file"`
	Name       string  `json:"name,omitempty"`
	InfoHash   string  `json:"infohash,omitempty"`
	State      string  `json:"state"`
	Size       int64   `json:"size"`
	Have       int64   `json:"have"`
	Peers      int     `json:"peers"`
	Seeds      int     `json:"seeds"`
	Copies     float64 `json:"copies"`
	DownRate   int64   `json:"down_rate"`
	UpRate     int64   `json:"up_rate"`
	Downloaded int64   `json:"downloaded"`
	Uploaded   int64   `json:"uploaded"`
	Error      string  `json:"error,omitempty"`
	// Retry is when a torrent that failed is begun again; not there if it is not.
	Retry time.Time `json:"retry,omitzero"`
}

func reportOf(st seedserver.ManyStatus) manyReport {
	r := manyReport{
		File: st.File, Name: st.Name, State: st.Phase.String(), Size: st.Size, Have: st.Have, Peers: st.Swarm.Peers, Seeds: st.Swarm.Seeds,
		Copies: st.Copies, DownRate: st.Swarm.DownRate, UpRate: st.Swarm.Rate, Downloaded: st.Swarm.Downloaded, Uploaded: st.Swarm.Uploaded,
	}
	if st.Name != "" {
		r.InfoHash = st.InfoHash.String()
	}
	switch {
	case st.Err != nil:
		r.State, r.Error, r.Retry = "error", st.Err.Error(), st.Retry
	case st.Trouble != nil:
		r.Error = st.Trouble.Error()
	case st.Tracker != nil:
		r.Error = trackerTrouble(st.TransferStatus)
	}
	return r
}

// print prints a line for each torrent.
func (c *manyCmd) print(s streams, list []seedserver.ManyStatus) {
	if c.JSON {
		for _, st := range list {
			encode(s, reportOf(st))
		}
		return
	}
	printMany(s.out, list)
}

func printMany(w io.Writer, list []seedserver.ManyStatus) {
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tabs, "state\tdone\tpeers\tseeds\tcopies\tdown\tup\treceived\tsent\tname")
	for _, st := range list {
		r := reportOf(st)
		name := r.Name
		if name == "" {
			name = r.File
		}
		if r.Error != "" {
			name += ": " + r.Error
		}
		if !r.Retry.IsZero() {
			name += "; trying again in " + max(time.Until(r.Retry), 0).Round(time.Second).String()
		}
		fmt.Fprintf(tabs, "%s\t%.1f %%\t%d\t%d\t%.2f\t%s/s\t%s/s\t%s\t%s\t%s\n", r.State, percent(st.TransferStatus), r.Peers, r.Seeds, r.Copies,
			humanBytes(r.DownRate), humanBytes(r.UpRate), humanBytes(r.Downloaded), humanBytes(r.Uploaded), printable(name))
	}
	tabs.Flush()
}
