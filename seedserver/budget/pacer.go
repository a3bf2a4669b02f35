package budget

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Lane is what bytes of a monthly budget are sent for. Each has a share of the pace: see [Pacer].
type Lane uint8

const (
	LaneNeed    Lane = iota // blocks that nobody else has
	LaneRescue              // blocks for a peer that the swarm does not serve
	LaneAssist              // blocks that others have too
	LanePlain               // blocks sent by ordinary seeding
	LaneHTTP                // files sent plainly
	LaneWebSeed             // content sent over HTTP to BitTorrent clients (BEP 19)

	// NumLanes is how many lanes there are; they count from 0.
	NumLanes = iota
)

var laneNames = [NumLanes]string{"need", "rescue", "assist", "plain", "http", "webseed"}

// String returns the name of the lane, such as "need".
func (l Lane) String() string {
	if l >= NumLanes {
		return fmt.Sprintf("lane(%d)", uint8(l))
	}
	return laneNames[l]
}

// shares are what each lane may take of the pace.
var shares = [NumLanes]float64{LaneNeed: 4, LaneRescue: 0.5, LaneAssist: 0.2, LanePlain: 1, LaneHTTP: 0.5, LaneWebSeed: 0.5}

const (
	// reservePart of the budget is kept back: only LaneNeed and LanePlain get it, in even portions until the end of the period.
	reservePart = 11
	// saved is how long an idle lane saves up, and drained how long it then takes to spend two thirds of that.
	saved   = 2 * time.Hour
	drained = time.Minute
	// shortest is what is taken for the rest of a period at the least: its last bytes are not spent in its last second.
	shortest = time.Hour
)

// Pacer spreads a monthly budget over its period. The pace is what is left, less a reserve, over the time that is left; each lane may
// take a share of it, and saves up for two hours what it does not take. When all but the reserve is spent, blocks are sent at a
// floor: what is left, over the time that is left; so it never is dark. More than the budget is never allowed.
//
// A clock may be set. What is spent of a period is known when the clock comes back to it, and where it is set back, what was sent
// in the periods it left counts too: it was sent in this one.
//
// It is pure: the caller tells the time, asks how fast each lane may send until the next Advance, and tells what was sent.
type Pacer struct {
	bytes      int64
	day        int
	start, end time.Time
	at         time.Time
	spent      int64
	others     map[int64]int64 // what was spent in other periods, by their start in Unix seconds
	lanes      [NumLanes]struct {
		saved float64 // bytes; less than 0 when more was sent than allowed
		fill  float64 // bytes per second
	}
}

// NewPacer returns the pacer of a budget whose period begins on a day of the month, 1 to 28, of which so much is spent.
func NewPacer(budget Monthly, day int, now time.Time, spent int64) *Pacer {
	p := &Pacer{bytes: int64(budget), day: day, at: now, spent: max(0, spent)}
	p.start, p.end = Period(now, day)
	p.setFill()
	for i := range p.lanes {
		p.lanes[i].saved = p.lanes[i].fill * drained.Seconds()
	}
	return p
}

// Advance brings p to now: lanes save up, and a new period may begin. It is called about once a second.
func (p *Pacer) Advance(now time.Time) {
	elapsed := min(max(0, now.Sub(p.at)), saved).Seconds()
	p.at = now
	if !now.Before(p.end) || now.Before(p.start) {
		p.turn(now)
	}
	for i := range p.lanes {
		lane := &p.lanes[i]
		lane.saved = min(lane.saved+lane.fill*elapsed, lane.fill*saved.Seconds())
	}
	p.setFill()
}

// maxOthers is how many other periods are remembered: those of two years.
const maxOthers = 24

// turn begins another period, or comes back to one.
func (p *Pacer) turn(now time.Time) {
	back := now.Before(p.start)
	p.remember(p.start, p.spent)
	p.start, p.end = Period(now, p.day)
	p.spent = p.others[p.start.Unix()]
	for start, spent := range p.others {
		if back && start > p.start.Unix() {
			p.spent += spent
		}
	}
	p.spent = min(p.spent, p.bytes)
}

// remember keeps what was spent in another period, which the clock may come to. Of too many the earliest is forgotten.
func (p *Pacer) remember(start time.Time, spent int64) {
	if p.others == nil {
		p.others = map[int64]int64{}
	}
	p.others[start.Unix()] = spent
	if len(p.others) > maxOthers {
		delete(p.others, slices.Min(slices.Collect(maps.Keys(p.others))))
	}
}

// setFill finds how fast each lane saves up.
func (p *Pacer) setFill() {
	left := max(p.end.Sub(p.at), shortest).Seconds()
	pace := float64(max(0, p.ordinary()-p.spent)) / left
	floor := float64(max(0, p.bytes-p.spent)) / left
	for i := range p.lanes {
		p.lanes[i].fill = shares[i] * pace
	}
	for _, lane := range []Lane{LaneNeed, LanePlain} {
		p.lanes[lane].fill = max(p.lanes[lane].fill, floor/2) // together they are the floor
	}
}

// ordinary is the budget without the reserve.
func (p *Pacer) ordinary() int64 { return p.bytes - p.bytes/reservePart }

// Rate returns how many bytes per second a lane may send until the next Advance: what it saves up, and a part of what it has saved.
func (p *Pacer) Rate(l Lane) float64 {
	lane := &p.lanes[l]
	return max(lane.fill+lane.saved/drained.Seconds(), lane.fill/10)
}

// Spend takes n bytes of a lane, or reports false when that is more than the budget has.
func (p *Pacer) Spend(l Lane, n int64) bool {
	if n > p.bytes-p.spent {
		return false
	}
	p.spent += n
	p.lanes[l].saved -= float64(n)
	return true
}

// Charge counts bytes that were sent without being asked for, such as those of the info dict (BEP 9).
func (p *Pacer) Charge(n int64) { p.spent = min(p.bytes, p.spent+n) }

// GiveBack undoes Spend: the bytes were not sent.
func (p *Pacer) GiveBack(l Lane, n int64) {
	p.spent = max(0, p.spent-n)
	p.lanes[l].saved += float64(n)
}

// Wait returns how long it takes until a lane has something saved, at most until the end of the period; 0 if it has.
func (p *Pacer) Wait(l Lane) time.Duration {
	lane := &p.lanes[l]
	left := max(0, p.end.Sub(p.at))
	switch {
	case p.spent >= p.bytes:
		return left
	case lane.saved > 0:
		return 0
	case lane.fill < 1:
		return left
	}
	seconds := (-lane.saved + lane.fill) / lane.fill // and of one second more, so that it is worth coming back
	return time.Duration(min(seconds, math.Ceil(left.Seconds())) * float64(time.Second))
}

// State is how a budget stands.
type State struct {
	Budget     Monthly
	Spent      int64 // bytes
	Start, End time.Time
	// Pace is what may be sent evenly until the end, in bytes per second, the reserve not counted.
	Pace int64
	// OnlyReserve says that all but the reserve is spent: only blocks are sent, slowly.
	OnlyReserve bool
}

// State returns how the budget stands.
func (p *Pacer) State() State {
	return State{
		Budget: Monthly(p.bytes), Spent: p.spent, Start: p.start, End: p.end,
		Pace:        int64(float64(max(0, p.ordinary()-p.spent)) / max(p.end.Sub(p.at), shortest).Seconds()),
		OnlyReserve: p.spent >= p.ordinary(),
	}
}
