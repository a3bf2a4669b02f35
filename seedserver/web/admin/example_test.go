package admin_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/web/admin"
)

// idle is a server that has done nothing yet.
type idle struct{}

func (idle) Status() admin.Status                                           { return admin.Status{Time: time.Now(), Ready: true} }
func (idle) Ready() bool                                                    { return true }
func (idle) Sent() (s admin.Sent)                                           { return s }
func (idle) Torrent(metainfo.InfoHash) (d admin.Detail, ok bool)            { return d, false }
func (idle) Sums(context.Context) (s admin.Sums, err error)                 { return s, nil }
func (idle) Accounts(context.Context, admin.Query) ([]admin.Account, error) { return nil, nil }

// A Handler answers this machine's own names only.
func Example() {
	h, err := admin.New(admin.Config{Source: idle{}, Classes: []admin.Class{{Name: "plain"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, host := range []string{"localhost:8081", "evil.example:8081"} {
		r := httptest.NewRequest(http.MethodGet, "/readyz", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 ok
	// 403 This host name is not known here. Add it with --admin-host if it is yours.
}
