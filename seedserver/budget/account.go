package budget

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Reservation is what an [Account] asks to be remembered: up to how many bytes may have been sent in the period that began at Start.
// It is written before they are sent, so whatever happens in between, no more is sent than was remembered.
type Reservation struct {
	Start time.Time
	Bytes int64
}

// AccountConfig sets an [Account].
type AccountConfig struct {
	Budget Monthly
	// Day is the day of the month on which the period begins, 1 to 28. If zero, 1.
	Day int
	// Reserved is what was remembered last, the zero value if nothing was.
	Reserved Reservation
	// Ahead is what was remembered of a period that is still to come: the clock was set back, or is not set yet. If zero, nothing.
	Ahead Reservation
	// Save remembers a reservation; when it returns nil, that survives kill -9 and the loss of power.
	Save func(context.Context, Reservation) error
	// Logger is told when Save fails; nothing is sent then. If nil, nobody is.
	Logger *slog.Logger
}

func (c *AccountConfig) day() int { return max(1, c.Day) }

// Account is a monthly budget that several lanes send from at the same time. Its methods may be called by many goroutines at once,
// but for Run, which is called once. A nil Account limits nothing.
type Account struct {
	cfg   AccountConfig
	nodes [NumLanes]*Node // each has the rate that the pacer gives the lane

	mu       sync.Mutex // a leaf
	pacer    *Pacer
	reserved int64         // of the pacer's period; spent never exceeds it
	more     chan struct{} // closed when reserved has grown
	short    chan struct{} // holds a value when somebody waits for more
	failed   bool          // the last Save: it is tried again with the next tick
	failing  bool          // said so
	// window is how many bytes are reserved before they are sent. They are lost with a crash, so it is no more than what goes in
	// about a second: it doubles while it does not last so long, and halves while nothing is needed.
	window   int64
	reserves int // since the last tick
}

// NewAccount returns the account as of now. Bytes can be sent once Run runs.
func NewAccount(cfg AccountConfig, now time.Time) *Account {
	start, _ := Period(now, cfg.day())
	spent := int64(0)
	if cfg.Reserved.Start.Equal(start) {
		spent = min(cfg.Reserved.Bytes, int64(cfg.Budget)) // what was reserved may have been sent
	}
	a := &Account{
		cfg: cfg, pacer: NewPacer(cfg.Budget, cfg.day(), now, spent), reserved: spent, more: make(chan struct{}), short: make(chan struct{}, 1),
		window: least,
	}
	if cfg.Ahead.Start.After(start) {
		a.pacer.remember(cfg.Ahead.Start, cfg.Ahead.Bytes)
	}
	for lane := range a.nodes {
		a.nodes[lane] = New(nil, 1)
	}
	a.setRates()
	return a
}

// setRates takes the rates of the pacer over. A rate of 0 would be none at all.
func (a *Account) setRates() {
	for lane, n := range a.nodes {
		n.SetRate(max(1, int64(a.pacer.Rate(Lane(lane)))))
	}
}

// Wait blocks until n bytes may be sent in a lane, or ctx is done; then it returns the cause of ctx.
func (a *Account) Wait(ctx context.Context, lane Lane, n int) error {
	if a == nil || n <= 0 {
		return nil
	}
	return a.wait(ctx, lane, a.nodes[lane], n)
}

// wait is Wait for who draws from the lane at from.
func (a *Account) wait(ctx context.Context, lane Lane, from *Node, n int) error {
	if err := from.Wait(ctx, n); err != nil {
		return err
	}
	for {
		more := a.take(lane, int64(n))
		if more == nil {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			a.nodes[lane].giveBack(n)
			return context.Cause(ctx)
		}
	}
}

// take spends n bytes of what is reserved, or returns what is closed when there is more.
func (a *Account) take(lane Lane, n int64) (more <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pacer.spent+n <= a.reserved && a.pacer.Spend(lane, n) {
		if a.low() {
			a.askForMore()
		}
		return nil
	}
	a.askForMore()
	return a.more
}

func (a *Account) askForMore() {
	select {
	case a.short <- struct{}{}:
	default:
	}
}

// Charge counts bytes that were sent without waiting.
func (a *Account) Charge(n int) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pacer.Charge(int64(n))
}

// Busy returns 0 if a lane may begin to send something new, else after what time to ask again: its share is spent.
func (a *Account) Busy(lane Lane) time.Duration {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pacer.Wait(lane)
}

// State returns how the budget stands, and false if there is none.
func (a *Account) State() (State, bool) {
	if a == nil {
		return State{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pacer.State(), true
}

const (
	least     = 512 << 10 // bytes that are reserved before they are sent, at the least: what one Wait may ask for
	leastPart = 1000      // and at most this part of the budget
)

// low reports whether it is time to reserve more. a.mu is held.
func (a *Account) low() bool { return a.reserved-a.pacer.spent < max(least, a.window/2) }

// widen notes that something is reserved. a.mu is held.
func (a *Account) widen() {
	if a.reserves++; a.reserves > 1 {
		a.window = max(least, min(2*a.window, int64(a.cfg.Budget)/leastPart))
	}
}

// narrow notes that a second is over. a.mu is held.
func (a *Account) narrow() {
	if a.reserves == 0 {
		a.window = max(least, a.window/2)
	}
	a.reserves = 0
}

// Run keeps the pace and reserves ahead until ctx ends; then it writes what was really sent.
func (a *Account) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			a.settle(context.WithoutCancel(ctx))
			return context.Cause(ctx)
		case now := <-tick.C:
			if a.advance(now) {
				a.reserve(ctx)
			}
		case <-a.short:
			a.reserve(ctx)
		}
	}
}

// advance takes the time over, and reports whether it is time to reserve what could not be reserved before.
func (a *Account) advance(now time.Time) (again bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.pacer.start
	a.pacer.Advance(now)
	if !before.Equal(a.pacer.start) {
		a.reserved = 0
		a.askForMore()
	}
	a.setRates()
	a.narrow()
	again, a.failed = a.failed, false
	return again
}

// reserve remembers that more is going to be sent, and then lets it.
func (a *Account) reserve(ctx context.Context) {
	a.mu.Lock()
	if !a.low() {
		a.mu.Unlock()
		return
	}
	a.widen()
	next := Reservation{Start: a.pacer.start, Bytes: min(int64(a.cfg.Budget), a.pacer.spent+a.window)}
	if next.Bytes <= a.reserved {
		a.mu.Unlock()
		return
	}
	a.mu.Unlock()
	err := a.cfg.Save(ctx, next)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err != nil:
		a.failed = true
		if a.cfg.Logger != nil && ctx.Err() == nil && !a.failing {
			a.failing = true // say it once
			a.cfg.Logger.Error("the budget cannot be written: nothing more is sent until it can", "err", err)
		}
		return
	case a.failing && a.cfg.Logger != nil:
		a.failing = false
		a.cfg.Logger.Info("the budget is written again")
	}
	if next.Start.Equal(a.pacer.start) {
		a.reserved = next.Bytes
		close(a.more)
		a.more = make(chan struct{})
	}
}

// settle writes what was sent, so that a restart loses nothing. Nothing may be sent after it.
func (a *Account) settle(ctx context.Context) {
	a.mu.Lock()
	a.reserved = 0
	last := Reservation{Start: a.pacer.start, Bytes: a.pacer.spent}
	a.mu.Unlock()
	if err := a.cfg.Save(ctx, last); err != nil && a.cfg.Logger != nil {
		a.cfg.Logger.Error("the budget cannot be written", "err", err)
	}
}

// Limiter paces what is sent in a lane below a node: it waits for the account, then for the node. Its methods may be called by many
// goroutines at once.
type Limiter struct {
	account *Account
	lane    Lane
	node    *Node
	share   *Node // of the lane: what goes through one Limiter gets as much as what goes through another
}

// Limiter returns one for what is sent in a lane below node.
func (a *Account) Limiter(lane Lane, node *Node) *Limiter {
	l := &Limiter{account: a, lane: lane, node: node}
	if a != nil {
		l.share = New(a.nodes[lane], 0)
	}
	return l
}

// Wait blocks until n bytes may be sent, or ctx is done; then it returns the cause of ctx.
func (l *Limiter) Wait(ctx context.Context, n int) error {
	if err := l.node.Wait(ctx, n); err != nil {
		return err
	}
	if l.account == nil || n <= 0 {
		return nil
	}
	if err := l.account.wait(ctx, l.lane, l.share, n); err != nil {
		for at := l.node; at != nil; at = at.parent {
			at.giveBack(n)
		}
		return err
	}
	return nil
}

// SetRate sets the limit of the node itself: see [Node.SetRate].
func (l *Limiter) SetRate(bytesPerSecond int64) { l.node.SetRate(bytesPerSecond) }
