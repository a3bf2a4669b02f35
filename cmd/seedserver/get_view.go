package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver"
	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/seedserver/bittorrent/tracker"
)

// A transferView shows how far a download is: a bar on a terminal, a line every few seconds in a pipe, or JSON.
type transferView struct {
	s       streams
	json    bool
	torrent *metainfo.Torrent
	path    string
	began   time.Time

	bars    *mpb.Progress // nil when there is no terminal
	bar     *mpb.Bar
	line    string // behind the bar
	printed time.Time
	trouble string
	tracker string // what was said of the trackers last
	down    speed
}

func newTransferView(s streams, asJSON bool, t *metainfo.Torrent, path string) *transferView {
	v := &transferView{s: s, json: asJSON, torrent: t, path: path, began: time.Now(), printed: time.Now()}
	if asJSON {
		return v
	}
	files := "1 file"
	if t.Info.Multi {
		files = fmt.Sprintf("%d files", len(t.Info.Files))
	}
	fmt.Fprintf(s.err, "saving %s (%s, %s) to %s\n", printable(t.Info.Name), humanBytes(t.Info.Length()), files, printable(path))
	if isTerminal(s.err) {
		v.bars = mpb.New(mpb.WithOutput(s.err), mpb.WithWidth(40))
		v.bar = v.bars.AddBar(t.Info.Length(),
			mpb.PrependDecorators(decor.Percentage(decor.WCSyncSpace)),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return v.line })))
	}
	return v
}

// A getReport is what --json prints.
type getReport struct {
	Event       string  `json:"event"` // progress, complete, end
	Phase       string  `json:"phase"`
	Name        string  `json:"name"`
	InfoHash    string  `json:"infohash"`
	Path        string  `json:"path"`
	Size        int64   `json:"size"`
	Have        int64   `json:"have"`
	Downloaded  int64   `json:"downloaded"`
	Uploaded    int64   `json:"uploaded"`
	DownRate    int64   `json:"down_rate"`
	UpRate      int64   `json:"up_rate"`
	SecondsLeft int64   `json:"seconds_left,omitempty"`
	Peers       int     `json:"peers"`
	Seeds       int     `json:"seeds"`
	Copies      float64 `json:"copies"`
	Trouble     string  `json:"trouble,omitempty"`
	Tracker     string  `json:"tracker_error,omitempty"` // why none answers
	Error       string  `json:"error,omitempty"`
}

func (v *transferView) report(event string, st seedserver.TransferStatus, err error) {
	r := getReport{
		Event: event, Phase: st.Phase.String(), Name: v.torrent.Info.Name, InfoHash: v.torrent.InfoHash.String(), Path: v.path,
		Size: st.Size, Have: st.Have, Downloaded: st.Swarm.Downloaded, Uploaded: st.Swarm.Uploaded, DownRate: st.Swarm.DownRate,
		UpRate: st.Swarm.Rate, SecondsLeft: int64(timeLeft(st) / time.Second), Peers: st.Swarm.Peers, Seeds: st.Swarm.Seeds, Copies: st.Copies,
	}
	if st.Trouble != nil {
		r.Trouble = st.Trouble.Error()
	}
	if st.Tracker != nil {
		r.Tracker = st.Tracker.Error()
	}
	if err != nil {
		r.Error = err.Error()
	}
	encode(v.s, r)
}

// timeLeft returns how long the rest takes at the rate of now; 0 if that is not known.
func timeLeft(st seedserver.TransferStatus) time.Duration {
	if st.Phase != seedserver.Downloading || st.Swarm.DownRate < 1 {
		return 0
	}
	seconds := float64(st.Size-st.Have) / float64(st.Swarm.DownRate)
	if seconds > 1e8 {
		return 0
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}

// progress shows a state. givingUp is how long it is until the download is given up, if it does not move; else 0.
func (v *transferView) progress(st seedserver.TransferStatus, givingUp time.Duration) {
	if st.Phase == seedserver.Downloading {
		if rate, ok := v.down.over(time.Now(), st.Swarm.Downloaded); ok {
			st.Swarm.DownRate = rate
		}
	}
	if v.json {
		v.report("progress", st, nil)
		return
	}
	v.tellTrouble(st)
	v.tellTracker(st)
	if v.bar != nil {
		v.line = " " + rates(st, givingUp)
		v.bar.SetCurrent(st.Have)
		return
	}
	if time.Since(v.printed) < linesEvery {
		return
	}
	v.printed = time.Now()
	fmt.Fprintf(v.s.err, "%s: %s %.1f %% of %s, %s\n", printable(v.torrent.Info.Name), st.Phase, percent(st), humanBytes(st.Size), rates(st, givingUp))
}

func percent(st seedserver.TransferStatus) float64 {
	if st.Size == 0 {
		return 0
	}
	return 100 * float64(st.Have) / float64(st.Size)
}

// rates is the part of a line that changes.
func rates(st seedserver.TransferStatus, givingUp time.Duration) string {
	if st.Phase == seedserver.Checking {
		return "reading what is there"
	}
	line := fmt.Sprintf("%s/s down, %s/s up, %s", humanBytes(st.Swarm.DownRate), humanBytes(st.Swarm.Rate), countPeers(st))
	if left := timeLeft(st); left > 0 {
		line += fmt.Sprintf(", %v left", left)
	}
	if givingUp > 0 {
		line += fmt.Sprintf(", giving up in %v", givingUp.Round(time.Second))
	}
	return line
}

func countPeers(st seedserver.TransferStatus) string {
	switch st.Swarm.Peers {
	case 0:
		return "no peers yet"
	case 1:
		return "1 peer (" + countSeeds(st) + ")"
	}
	return fmt.Sprintf("%d peers (%s)", st.Swarm.Peers, countSeeds(st))
}

func countSeeds(st seedserver.TransferStatus) string {
	if st.Swarm.Seeds == 1 {
		return "1 seed"
	}
	return fmt.Sprintf("%d seeds", st.Swarm.Seeds)
}

// tellTracker says why no tracker answers, once. Peers may be found without one.
func (v *transferView) tellTracker(st seedserver.TransferStatus) {
	said := trackerTrouble(st)
	if said != "" && said != v.tracker {
		fmt.Fprintln(v.s.err, printable(said))
	}
	v.tracker = said
}

// trackerTrouble returns why no tracker answers, with what can be done about it; empty if there is nothing to say.
func trackerTrouble(st seedserver.TransferStatus) string {
	switch {
	case st.Tracker == nil:
		return ""
	case errors.Is(st.Tracker, tracker.ErrAddress):
		return st.Tracker.Error() + "; --local allows it"
	}
	return st.Tracker.Error()
}

// tellTrouble says why nothing can be written, once.
func (v *transferView) tellTrouble(st seedserver.TransferStatus) {
	trouble := ""
	if st.Trouble != nil {
		trouble = st.Trouble.Error()
	}
	if trouble == v.trouble {
		return
	}
	v.trouble = trouble
	if trouble == "" {
		fmt.Fprintln(v.s.err, "going on")
		return
	}
	if errors.Is(st.Trouble, storage.ErrFull) {
		fmt.Fprintf(v.s.err, "waiting: %s; make room, and it goes on by itself\n", printable(trouble))
		return
	}
	fmt.Fprintf(v.s.err, "%s; trying again\n", printable(trouble))
}

// complete says that all is there.
func (v *transferView) complete(st seedserver.TransferStatus, seeding bool) {
	if v.json {
		v.report("complete", st, nil)
		return
	}
	v.stopBar()
	took := time.Since(v.began)
	if st.Swarm.Downloaded == 0 {
		fmt.Fprintf(v.s.out, "%s was complete already: %s\n", printable(v.torrent.Info.Name), printable(v.path))
	} else {
		rate := int64(float64(st.Swarm.Downloaded) / max(took.Seconds(), 1e-3))
		fmt.Fprintf(v.s.out, "%s is complete: %s, %s down in %v (%s/s), %s up\n", printable(v.torrent.Info.Name), printable(v.path),
			humanBytes(st.Swarm.Downloaded), took.Round(10*time.Millisecond), humanBytes(rate), humanBytes(st.Swarm.Uploaded))
	}
	if seeding {
		fmt.Fprintln(v.s.err, "seeding until interrupted")
	}
}

// end says how a transfer ended.
func (v *transferView) end(st seedserver.TransferStatus, err error) {
	if v.json {
		v.report("end", st, err)
	}
	v.stopBar()
}

func (v *transferView) stopBar() {
	if v.bar != nil {
		v.bar.Abort(true)
		v.bars.Wait()
		v.bar = nil
	}
}
