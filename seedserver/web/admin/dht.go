package admin

import "fmt"

// dhtTiles are the numbers of our node of the DHT, none without one.
func dhtTiles(d *DHT) []tile {
	if d == nil {
		return nil
	}
	contacts, good, stored, ready := 0, 0, 0, false
	for _, t := range d.Tables {
		contacts, good, stored, ready = contacts+t.Contacts, good+t.Good, stored+t.Peers, ready || t.Ready
	}
	state := "not joined yet"
	if ready {
		state = fmt.Sprintf("%d heard of lately", good)
	}
	announced := fmt.Sprintf("taken by %s", count(int(d.Stores), "node"))
	if d.Overdue > 0 {
		announced = fmt.Sprintf("%d still to come", d.Overdue)
	}
	return []tile{
		{"Nodes", fmt.Sprint(contacts), state},
		{"Announced", count(d.Published, "torrent"), announced},
		{"Lookups", fmt.Sprint(d.LookupsDone), fmt.Sprintf("%d under way, %s found", d.Lookups, count(int(d.Found), "peer"))},
		{"Answered", fmt.Sprint(d.Answered), fmt.Sprintf("%s kept, %d queries too many", count(stored, "peer"), d.Dropped)},
		{"Packets", fmt.Sprint(d.PacketsIn + d.PacketsOut), size(d.BytesIn) + " in, " + size(d.BytesOut) + " out"},
	}
}
