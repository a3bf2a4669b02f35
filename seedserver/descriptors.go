package seedserver

import "fmt"

// descriptors is who may have how many of the files that the process may have open: connections of one kind must not take from the
// others what they need to work at all.
type descriptors struct {
	peers int // connections of the peer port
	files int // of what is published
	http  int // connections of the public listener
}

// ownDescriptors are those for everything else: state, logs, listeners, the status pages, the directories that are looked at.
const ownDescriptors = 64

// shareDescriptors shares limit out, of which wanted are for peers if that leaves enough for the others: an eighth for files and
// as many for HTTP. All of them get something of the smallest limit.
func shareDescriptors(limit, wanted int) descriptors {
	d := descriptors{peers: wanted, files: min(max(limit/8, 8), maxFiles)}
	if most := limit * 5 / 8; wanted < 0 || wanted > most {
		d.peers = max(most, 1)
	}
	d.http = max(limit-d.peers-d.files-ownDescriptors, limit/8, 4)
	return d
}

// torrentPeers is how many of the connections one torrent may have: a fifth is left to others.
func (d descriptors) torrentPeers() int { return max(d.peers-d.peers/5, 1) }

// maxFiles is how many published files are kept open at the most.
const maxFiles = 16 << 10

// needDescriptors returns the smallest limit with which so many peers fit.
func needDescriptors(peers int) int { return (peers*8 + 4) / 5 }

// newDescriptors shares out what this process may open, and says so when it is too little for the peers that are wanted. The Go
// runtime has raised the limit as far as it may be by then.
func newDescriptors(wanted int, t *troubles) descriptors {
	limit := openFileLimit()
	if limit <= 0 {
		limit = needDescriptors(max(wanted, 0)) + 8*ownDescriptors // this system has none, or does not tell
	}
	d := shareDescriptors(limit, wanted)
	if wanted > d.peers {
		t.warn(troubleDescriptors, "too few files may be open for --max-peers: raise the limit (LimitNOFILE= in the systemd unit, ulimit -n in a shell)", "",
			fmt.Errorf("%d may be open, so %d of %d peers fit; %d are needed", limit, d.peers, wanted, needDescriptors(wanted)))
	}
	return d
}
