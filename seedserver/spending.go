package seedserver

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/ledger"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/seedserver/web"
	"github.com/seedserver/bittorrent/seedserver/web/admin"
)

// newAccount opens the monthly budget, nil without one. A period that is under way when it is first set has cost what the ledger
// says.
func newAccount(cfg *Config, l *ledger.Ledger, t *troubles, log *slog.Logger) (*budget.Account, error) {
	if cfg.Budget <= 0 {
		return nil, nil
	}
	ctx, now := context.Background(), time.Now()
	start, _ := budget.Period(now, cfg.budgetDay())
	last, ok, err := l.Reservation(ctx)
	ahead := last // if it is
	if err == nil && (!ok || !last.Start.Equal(start)) {
		last.Start = start
		last.Bytes, err = sentSince(ctx, l, start)
	}
	if err != nil {
		return nil, err
	}
	return budget.NewAccount(budget.AccountConfig{
		Budget: budget.Monthly(cfg.Budget), Day: cfg.budgetDay(), Reserved: budget.Reservation(last), Ahead: budget.Reservation(ahead), Logger: log,
		Save: func(ctx context.Context, r budget.Reservation) error {
			err := l.SaveReservation(ctx, ledger.Reservation(r))
			t.note(troubleBudget, err) // the account logs it
			return err
		},
	}, now), nil
}

// sentSince returns what the ledger has counted since the beginning of a day.
func sentSince(ctx context.Context, l *ledger.Ledger, start time.Time) (bytes int64, err error) {
	rows, err := l.Rows(ctx, ledger.RowQuery{Span: ledger.SpanDay, First: ledger.DayOf(start)})
	for _, row := range rows {
		bytes += row.Counts.Sent.Sum()
	}
	return bytes, err
}

// budgetLanes are those that the classes of a swarm are paid from.
var budgetLanes = [swarm.Classes]budget.Lane{
	swarm.Plain: budget.LanePlain, swarm.Need: budget.LaneNeed, swarm.Rescue: budget.LaneRescue, swarm.Assist: budget.LaneAssist,
}

// busy returns an error for the web when the share of a lane is spent, nil when something may be sent.
func busy(account *budget.Account, lane budget.Lane) error {
	wait := account.Busy(lane)
	if wait == 0 {
		return nil
	}
	return &web.BusyError{RetryAfter: wait, Reason: "What this server may send over HTTP for now is spent. With BitTorrent it goes on."}
}

// notice is web.Config.Notice: what the index says about our reach and the budget.
func (s *Server) notice(via web.Via) string {
	text := s.advertiser.reach(via)
	state, ok := s.account.State()
	if !ok || !state.OnlyReserve && s.account.Busy(budget.LaneHTTP) == 0 {
		return text
	}
	if text != "" {
		text += ". "
	}
	if state.OnlyReserve {
		return text + "This month's traffic of this server is nearly spent: until " + state.End.Format("2 January") + " it sends little, and nothing over HTTP."
	}
	return text + "What this server may send over HTTP for now is spent; with BitTorrent it goes on."
}

// budgetStatus is what the status pages show of the budget, nil without one.
func (s *Server) budgetStatus() *admin.Budget {
	state, ok := s.account.State()
	if !ok {
		return nil
	}
	return &admin.Budget{
		Bytes: int64(state.Budget), Spent: state.Spent, Start: state.Start, End: state.End, Pace: state.Pace, OnlyReserve: state.OnlyReserve,
		HTTPBusy: s.account.Busy(budget.LaneHTTP).Round(time.Second).Seconds(),
	}
}

// whyBudget says what the budget lets be sent.
func (s *Server) whyBudget() []string {
	state, ok := s.account.State()
	switch {
	case !ok:
		return nil
	case state.OnlyReserve:
		return []string{fmt.Sprintf("Of %v all but the reserve is spent: until %s blocks are sent slowly, and nothing else (--budget).",
			state.Budget, state.End.Format("2 January"))}
	}
	return []string{fmt.Sprintf("Of %v %v are spent; the pace until %s is %v (--budget).",
		state.Budget, budget.Bytes(state.Spent/1e6*1e6), state.End.Format("2 January"), budget.Rate(max(1, state.Pace/1000*1000)))}
}
