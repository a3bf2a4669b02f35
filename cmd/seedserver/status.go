package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// statusCmd prints what a running server does.
type statusCmd struct {
	Dir string `arg:"" optional:"" help:"The directory that is published (default: the server at the usual address)." type:"path"`
	adminFlags
	Watch bool `short:"w" help:"Go on, once a second."`
	JSON  bool `name:"json" help:"Print JSON, one line each time."`
}

// serverStatus is what is read of the answer.
type serverStatus struct {
	Ready      bool            `json:"ready"`
	Rate       int64           `json:"rate"`
	MaxRate    int64           `json:"max_rate"`
	Budget     *budgetStatus   `json:"budget"`
	Peers      int             `json:"peers"`
	Settling   int             `json:"settling"`
	Hashing    int             `json:"hashing"`
	QueueBytes int64           `json:"queue_bytes"`
	Failed     int             `json:"failed"`
	Troubles   []troubleStatus `json:"troubles"`
	Torrents   []torrentStatus `json:"torrents"`
	sent
}

type troubleStatus struct {
	Text  string `json:"text"`
	Error string `json:"error"`
}

type torrentStatus struct {
	Path     string  `json:"path"`
	InfoHash string  `json:"infohash"`
	Size     int64   `json:"size"`
	Stage    string  `json:"stage"`
	Copies   float64 `json:"copies"`
	Peers    int     `json:"peers"`
	Rate     int64   `json:"rate"`
	sent
}

// sent is payload bytes.
type sent struct {
	Today     int64 `json:"today"`
	Month     int64 `json:"month"`
	Total     int64 `json:"total"`
	Completed int64 `json:"completed"`
	Saved     int64 `json:"saved"`
}

func (c *statusCmd) Run(ctx context.Context, s streams) error {
	client, err := c.client(c.Dir)
	if err != nil {
		return err
	}
	if err := c.print(ctx, client, s.out); err != nil || !c.Watch {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil // it was told to stop, and has nothing left to do
		case <-tick.C:
		}
		if err := c.print(ctx, client, s.out); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// clearScreen moves to the upper left corner and clears what is below (ECMA-48).
const clearScreen = "\x1b[H\x1b[J"

// print asks once. What a terminal shows is written in one piece, so that it does not flicker.
func (c *statusCmd) print(ctx context.Context, client *adminClient, w io.Writer) error {
	body, err := client.get(ctx, "status")
	if err != nil {
		return err
	}
	if c.JSON {
		_, err := w.Write(body)
		return err
	}
	var st serverStatus
	if err := json.Unmarshal(body, &st); err != nil {
		return fmt.Errorf("%s does not answer as a seedserver does: %w", client.base.Redacted(), err)
	}
	var out bytes.Buffer
	most := len(st.Torrents)
	if c.Watch && isTerminal(w) {
		out.WriteString(clearScreen)
		most = watchedTorrents
	}
	st.write(&out, most)
	if c.Watch && !isTerminal(w) {
		out.WriteByte('\n')
	}
	_, err = out.WriteTo(w)
	return err
}

// budgetStatus is how the monthly budget stands.
type budgetStatus struct {
	Bytes       int64     `json:"bytes"`
	Spent       int64     `json:"spent"`
	End         time.Time `json:"end"`
	Pace        int64     `json:"pace"`
	OnlyReserve bool      `json:"only_reserve"`
}

// watchedTorrents is how many torrents fit on a screen.
const watchedTorrents = 15

// write prints the status with as many torrents as most, those that are busy first.
func (st *serverStatus) write(w io.Writer, most int) {
	limit := ""
	if st.MaxRate > 0 {
		limit = fmt.Sprintf(" of %s/s", humanBytes(st.MaxRate))
	}
	fmt.Fprintf(w, "Now         %s/s%s, to %d peers\n", humanBytes(st.Rate), limit, st.Peers)
	fmt.Fprintf(w, "Sent        %s today, %s this month, %s ever\n", humanBytes(st.Today), humanBytes(st.Month), humanBytes(st.Total))
	if b := st.Budget; b != nil {
		fmt.Fprintf(w, "Budget      %s of %s until %s, a pace of %s/s\n", humanBytes(b.Spent), humanBytes(b.Bytes), b.End.Format("2 January"), humanBytes(b.Pace))
		if b.OnlyReserve {
			fmt.Fprintln(w, "            all but the reserve is spent: blocks are sent slowly, and nothing else")
		}
	}
	if st.Completed > 0 {
		fmt.Fprintf(w, "Saved       %s against HTTP, in %d completed downloads\n", humanBytes(max(st.Saved, 0)), st.Completed)
	}
	st.writeWork(w)
	if len(st.Torrents) == 0 {
		fmt.Fprintln(w, "There are no torrents yet.")
		return
	}
	slices.SortStableFunc(st.Torrents, func(a, b torrentStatus) int {
		return cmp.Or(cmp.Compare(b.Rate, a.Rate), cmp.Compare(b.Peers, a.Peers))
	})
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "\nSTAGE\tCOPIES\tPEERS\tRATE\tTODAY\tMONTH\tTOTAL\tSENT/SIZE\t NAME")
	for _, t := range st.Torrents[:min(most, len(st.Torrents))] {
		fmt.Fprintf(tw, "%s\t%.2f\t%d\t%s/s\t%s\t%s\t%s\t%s\t %s\n", printable(t.Stage), t.Copies, t.Peers, humanBytes(t.Rate),
			humanBytes(t.Today), humanBytes(t.Month), humanBytes(t.Total), ratio(t.Total, t.Size), printable(t.Path))
	}
	tw.Flush()
	if left := len(st.Torrents) - most; left > 0 {
		fmt.Fprintf(w, "and %d more\n", left)
	}
}

// writeWork prints what is not as it will be.
func (st *serverStatus) writeWork(w io.Writer) {
	if !st.Ready {
		fmt.Fprintln(w, "The directory is being looked at for the first time.")
	}
	if st.Settling+st.Hashing > 0 {
		fmt.Fprintf(w, "On the way  %d files still being written, %d to be hashed (%s)\n", st.Settling, st.Hashing, humanBytes(st.QueueBytes))
	}
	for _, t := range st.Troubles {
		fmt.Fprintf(w, "Trouble     %s (%s)\n", printable(t.Text), printable(t.Error))
	}
	if st.Failed > 0 {
		fmt.Fprintf(w, "Failed      %d files could not be read or published\n", st.Failed)
	}
}

// ratio returns how many times n goes into of.
func ratio(n, of int64) string {
	if of <= 0 {
		return "-"
	}
	return strconv.FormatFloat(float64(n)/float64(of), 'f', 2, 64)
}
