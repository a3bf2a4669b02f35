package seedserver

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

func TestUnanswered(t *testing.T) {
	refused := errors.New("connection refused")
	const keyed = "https://tracker.example.org:8443/announce/SECRET?k=SECRET"
	for _, tc := range []struct {
		name     string
		contacts []tracker.Contact
		want     string
	}{
		{"no tracker", nil, ""},
		{"not asked yet", []tracker.Contact{{URL: keyed}}, ""},
		{"one answers", []tracker.Contact{{URL: keyed, Err: refused}, {URL: keyed, Working: true}}, ""},
		{"none answers", []tracker.Contact{{URL: keyed, Err: refused}, {URL: keyed}}, "tracker tracker.example.org:8443: connection refused"},
		{"no URL", []tracker.Contact{{URL: "http://%zz", Err: refused}}, "tracker of the torrent: connection refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := unanswered(tc.contacts)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tc.want)
			require.ErrorIs(t, err, refused)
		})
	}
}
