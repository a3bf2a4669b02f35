package admin

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"time"
)

// serveLedgerCSV sends a row for each day and file. Months are asked for one by one: the answer may be long.
func (x *exchange) serveLedgerCSV() {
	p, err := parsePeriod(x.r.URL.Query(), x.now)
	if err != nil {
		x.text(http.StatusBadRequest, err.Error()+"\n")
		return
	}
	header := x.w.Header()
	header.Set("Content-Type", "text/csv; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="ledger-`+p.String()+`.csv"`)
	if x.r.Method == http.MethodHead {
		return
	}
	out := csv.NewWriter(x.w)
	err = out.Write(x.csvHead())
	if err == nil {
		err = p.months(func(part period) error { return x.writeCSV(out, part) })
	}
	if out.Flush(); err != nil {
		x.log.Error("the ledger cannot be sent", "err", err)
		panic(http.ErrAbortHandler) // the client must not take it for whole
	}
}

func (x *exchange) csvHead() []string {
	head := []string{"day", "path"}
	for _, c := range x.cfg.Classes {
		head = append(head, c.Name)
	}
	return append(head, "total", "completed", "saved", "peers")
}

func (x *exchange) writeCSV(out *csv.Writer, p period) error {
	accounts, err := x.cfg.Source.Accounts(x.r.Context(), Query{Span: Day, First: p.first, Last: p.last, Each: true})
	if err != nil {
		return err
	}
	for _, a := range accounts {
		row := []string{a.Start.UTC().Format(time.DateOnly), a.Path}
		total := int64(0)
		for _, n := range a.Sent {
			total += n
			row = append(row, strconv.FormatInt(n, 10))
		}
		for _, n := range []int64{total, a.Completed, a.Saved, a.Peers} {
			row = append(row, strconv.FormatInt(n, 10))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
