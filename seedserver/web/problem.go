package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"
)

// problem sends an error: what is wrong and what to do next. A browser gets a
// page, who asks for JSON an object, anybody else two lines of text.
func (x *exchange) problem(status int, title, advice string) {
	x.answer(trouble{Status: status, Heading: title, Advice: advice})
}

// trouble is why there is no content.
type trouble struct {
	Status  int
	Heading string
	Advice  string

	// The rest is about a file that is not ready yet.
	Entry *Entry
	Retry int // seconds
}

// troubleJSON is the JSON form of a trouble.
type troubleJSON struct {
	Status   int     `json:"status"`
	Title    string  `json:"title"`
	Detail   string  `json:"detail"`
	State    string  `json:"state,omitempty"`
	Progress float64 `json:"progress,omitempty"`
	Reason   string  `json:"reason,omitempty"`
	Retry    int     `json:"retry_after,omitempty"`
}

func (x *exchange) answer(t trouble) {
	switch x.accept.choose(typeText, typeHTML, typeJSON) {
	case typeHTML:
		x.page(t.Status, "problem.html", x.troublePage(t))
	case typeJSON:
		body := troubleJSON{Status: t.Status, Title: t.Heading, Detail: t.Advice, Retry: t.Retry}
		if t.Entry != nil {
			body.State, body.Progress, body.Reason = t.Entry.State.String(), t.Entry.Progress, t.Entry.Reason
		}
		x.json(t.Status, body)
	default:
		x.text(t.Status, t.Heading+"\n"+t.Advice+"\n")
	}
}

func (x *exchange) troublePage(t trouble) any {
	page := struct {
		shell
		trouble
		State  template.HTML
		Parent string
	}{shell: x.shell(t.Heading, ""), trouble: t, Parent: x.parent()}
	page.Crumbs[0].Href = x.root
	if t.Entry != nil {
		page.shell = x.shell(visible(t.Entry.Name), t.Entry.Path)
		page.State = template.HTML(appendState(nil, t.Entry))
		// The page about the file, not its plain address: that would become a
		// download and leave this page standing.
		page.Refresh = strconv.Itoa(min(t.Retry, 5)) + "; url=" + x.href(t.Entry.Path) + "?page"
	}
	return page
}

// json sends v as JSON.
func (x *exchange) json(status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		x.log.Debug("answer failed", "err", err)
		x.text(http.StatusInternalServerError, "internal error\n")
		return
	}
	x.send(status, typeJSON, append(body, '\n'))
}

func (x *exchange) notFound() {
	x.problem(http.StatusNotFound, "There is nothing at this address",
		"It may have been renamed or removed. Look for it in the list of files.")
}

// leftOut answers for an entry that is listed but not served.
func (x *exchange) leftOut(e Entry) {
	reason := "It was left out."
	if e.Reason != "" {
		reason = "It was left out: " + visible(e.Reason) + "."
	}
	x.problem(http.StatusNotFound, "This file is not shared", reason)
}

// pending answers for what is settling or hashing, and asks for it to be next.
func (x *exchange) pending(e Entry) {
	x.source.Demand(e.Path)
	retry := int(min(max(e.Wait, 2*time.Second), 5*time.Minute).Round(time.Second) / time.Second)
	if e.Wait <= 0 {
		retry = 5
	}
	t := trouble{Status: http.StatusServiceUnavailable, Entry: &e, Retry: retry,
		Heading: visible(e.Name) + " is still being written",
		Advice:  "It is shared as soon as it is complete and has not changed for a moment."}
	if e.State == Hashing {
		t.Heading = fmt.Sprintf("The torrent of %s is being made: %d %%", visible(e.Name), percent(e.Progress))
		t.Advice = "Every byte of it is read once for that."
		if e.Progress <= 0 {
			t.Advice = "It goes to the head of the queue now that you asked for it."
		}
	}
	header := x.w.Header()
	header.Set("Retry-After", strconv.Itoa(retry))
	header.Set("Cache-Control", "no-store")
	x.answer(t)
}
