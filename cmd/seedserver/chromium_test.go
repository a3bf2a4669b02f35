package main

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A tab is a page of a real browser. It keeps what the page asks of the network and what it complains about.
type tab struct {
	t         *testing.T
	ctx       context.Context
	downloads string // directory

	mu         sync.Mutex
	requests   []string
	answers    map[string]*network.Response // the last by URL
	complaints []string
}

// newTab starts a browser. It must be in a namespace of its own, where nothing that it does reaches others.
func newTab(t *testing.T) *tab {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.NoSandbox, chromedp.ExecPath("chromium"))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	b := &tab{t: t, ctx: ctx, downloads: t.TempDir(), answers: map[string]*network.Response{}}
	require.NoError(t, chromedp.Do(ctx))
	each(b, network.RequestWillBeSent, func(e network.EventRequestWillBeSent) { b.requests = append(b.requests, e.Request.URL) })
	each(b, network.ResponseReceived, func(e network.EventResponseReceived) { b.answers[e.Response.URL] = e.Response })
	each(b, runtime.ExceptionThrown, func(e runtime.EventExceptionThrown) {
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	})
	each(b, log.EntryAdded, func(e log.EventEntryAdded) {
		b.complaints = append(b.complaints, string(e.Entry.Level)+": "+e.Entry.Text+" "+e.Entry.URL)
	})
	_, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: b.downloads,
	})
	require.NoError(t, err)
	return b
}

// each calls f for all events of a kind until the browser ends.
func each[E any](b *tab, kind cdp.Event[E], f func(E)) {
	events := chromedp.Events(b.ctx, kind)
	go func() {
		for e, err := range events {
			if err != nil {
				return
			}
			b.mu.Lock()
			f(e)
			b.mu.Unlock()
		}
	}()
}

// do runs steps that have to succeed within some seconds.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, steps...))
}

func (b *tab) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// eval returns the value of an expression of the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	for range 5 { // a page that gives way to the next one answers nothing
		if err == nil || !strings.Contains(err.Error(), "navigated or closed") {
			break
		}
		v, err = chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	}
	require.NoError(b.t, err, "%s", expression)
	return v
}

// text is what an element shows, "" when there is none.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, "(document.querySelector('"+selector+"') || {innerText: ''}).innerText")
}

// eventually waits until is reports true, looking five times a second.
func (b *tab) eventually(what string, is func() bool) {
	b.t.Helper()
	require.Eventually(b.t, is, 30*time.Second, 200*time.Millisecond, what)
}

// scripts turns scripts on or off for pages that are opened from now on.
func (b *tab) scripts(on bool) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	require.NoError(b.t, err)
}

// as sets the width of the page and whether it is light or dark.
func (b *tab) as(width int64, scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(b.t, err)
	b.do(chromedp.EmulateViewport(width, 900))
}

// answer is the last response for an address, nil if there was none.
func (b *tab) answer(address string) *network.Response {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.answers[address]
}

// requireOwn checks that nothing was asked of other origins, and that the browser had nothing to complain about.
func (b *tab) requireOwn(origins ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.NotEmpty(b.t, b.requests)
	for _, address := range b.requests {
		u, err := url.Parse(address)
		require.NoError(b.t, err)
		require.Contains(b.t, origins, u.Scheme+"://"+u.Host, address)
	}
	require.Empty(b.t, strings.Join(b.complaints, "\n"))
}
